"""The documents say what the code does."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from tests.docs import BLOCKS, ROOT, with_blocks

from relaybook import __version__
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.engine import Engine
from relaybook.registry.check import check_template
from relaybook.store.sqlite import SqliteStore


@pytest.mark.parametrize("name", sorted({name for name, _ in BLOCKS}))
def test_what_follows_from_the_code_stands_in_the_document(name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")

    assert written == with_blocks(name), "run: python -m tests.docs"


def test_every_path_that_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w./*]+(?:/|\.py|\.js|\.css))`", text)
    package = ROOT / "server" / "relaybook"

    lost = [name for name in named if not any([*ROOT.glob(name), *package.rglob(name)])]

    assert len(named) > 30
    assert not lost


def blocks_of(text: str, mark: str) -> list[str]:
    return re.findall(rf"<!-- {mark} -->\n```\w+\n(.*?)```", text, re.DOTALL)


def test_the_readme_shows_mcp_json_as_it_is() -> None:
    shown = blocks_of((ROOT / "README.md").read_text(encoding="utf-8"), "mcp.json")

    assert [json.loads(block) for block in shown] == [
        json.loads((ROOT / "mcp.json").read_text(encoding="utf-8"))
    ]


def test_the_example_in_the_readme_runs(tmp_path: Path) -> None:
    [example] = blocks_of((ROOT / "README.md").read_text(encoding="utf-8"), "example")

    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("0/3 complete\n")
    assert "## Output Interface" in ran.stdout


@pytest.mark.requirement("S188", "S195", "S205", "S206", "S207", "S209", "S214", "S219", "S221")
def test_the_examples_of_the_python_api_run_in_their_order(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    examples = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    [summary] = re.findall(r"```text\n(.*?)```", text, re.DOTALL)

    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", examples],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "server"), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(summary)
    assert "hook_reflect" in ran.stdout
    assert "\n['devops']\n['sanity-check']\n" in ran.stdout
    assert "+- The staging clock runs two minutes late. [task wf_" in ran.stdout


@pytest.mark.requirement("S172")
def test_the_template_and_the_composition_of_the_document_work(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    [template] = blocks_of(text, "template")
    [composition] = blocks_of(text, "composition")
    (tmp_path / "compositions").mkdir()
    (tmp_path / "release_note.prompty").write_text(template, encoding="utf-8")
    (tmp_path / "compositions" / "release.yaml").write_text(composition, encoding="utf-8")
    store = SqliteStore(tmp_path / "ledger.db")
    engine = Engine(store, [tmp_path])

    args = {"version": "1.4", "changes": [{"id": "c1", "text": "It is faster."}]}
    made = engine.create_workflow(composition="release", args=args)
    prompt = engine.claim_task(made["workflow_id"])["prompt"]
    findings = engine.render_prompt(workflow_id=made["workflow_id"], task_id="note")["findings"]
    store.close()

    assert engine.templates.problems() == []
    assert check_template(engine.templates.get("release_note")) == []
    assert "Write the plain release note of version 1.4 from the changes below." in prompt
    assert '{"id":"c1","text":"It is faster."}' in prompt
    assert findings == []


def test_each_make_target_that_the_readme_names_exists() -> None:
    named = set(
        re.findall(r"(?m)(?:^|`)make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    )
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    missing = {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)}

    assert named >= {"demo", "test"}
    assert not missing


def test_the_changelog_tells_of_this_version_or_of_what_comes() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.search(rf"^## (Unreleased|{re.escape(__version__)}\b)", changes, re.MULTILINE)


def test_every_field_of_a_task_is_named() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")

    assert [each.name for each in fields(TaskSpec) if f"`{each.name}`" not in text] == []
