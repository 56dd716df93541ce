"""export and import on the command line, and that a report shows texts and obeys none."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from tests.helpers import Clock, engine_on, fail, result, start, task, update, workflow

from .conftest import Cli

EVIL = '</pre><script>alert(1)</script> `` ``` <img src=x onerror="alert(2)"> | # [a](javascript:b)'


@pytest.fixture
def id(ledger: Path) -> str:
    """A workflow whose name, task, error and result are all hostile."""
    store = SqliteStore(ledger, "normal")
    clock = Clock()
    engine = engine_on(store, clock)
    id = workflow(engine, task("a", label=EVIL), task("b"), metadata={})
    for name in "ab":
        start(engine, id, name, session_key=EVIL)
        clock.move(90)
    update(engine, id, "a", "completed", output=result({"said": EVIL}, summary=EVIL))
    fail(engine, id, "b", EVIL)
    store.close()
    return id


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_an_export_is_imported_into_another_ledger(cli: Cli, id: str, tmp_path: Path) -> None:
    other = ("--store", str(tmp_path / "other.db"))

    document = cli("export", id).out
    answer = cli("import", "-", *other, "--json", stdin=document).json

    assert answer["workflow_id"] == id
    assert cli("export", id, *other).out == document
    assert json.loads(document)["format"] == "relaybook workflow"


def test_an_import_of_what_is_there_ends_with_4_and_of_no_document_with_1(
    cli: Cli, id: str, tmp_path: Path
) -> None:
    (tmp_path / "e.json").write_text(cli("export", id).out, encoding="utf-8")
    (tmp_path / "no.json").write_text('{"a": 1}', encoding="utf-8")

    assert cli("import", "e.json").code == 4
    assert cli("import", "no.json").code == 1
    assert cli("import", "none.json").code == 2


def test_a_page_holds_hostile_texts_as_texts_and_loads_nothing(cli: Cli, id: str) -> None:
    page = Tags()

    page.feed(cli("export", id, "--format", "html").out)

    assert EVIL in page.text
    assert not page.seen & {"script", "img", "link", "iframe", "a"}
    assert not page.attributes & {"src", "href", "onerror"}
    assert "--format" not in page.text


def test_a_markdown_report_holds_hostile_texts_in_code_or_escaped(cli: Cli, id: str) -> None:
    report = cli("export", id, "--format", "markdown").out

    fenced = "````\n" + EVIL + "\n````"
    outside = "".join(report.split("````")[::2])
    assert fenced in report
    assert "<script>" not in outside
    assert "\n## a\n" in report
    assert "1 of 2 tasks completed" in report


def test_a_graph_is_mermaid(cli: Cli, id: str) -> None:
    assert cli("export", id, "--format", "mermaid").out.startswith("flowchart LR\n")


def test_a_backup_is_a_ledger_that_commands_work_on(cli: Cli, id: str, tmp_path: Path) -> None:
    done = cli("backup", "copy.db", "--json").json

    listed = cli("list", "--store", "copy.db", "--json").json["workflows"]
    assert [each["workflow_id"] for each in listed] == [id]
    assert done == {
        "file": "copy.db",
        "bytes": (tmp_path / "copy.db").stat().st_size,
        "summary": f"{done['bytes']} bytes written and checked",
    }
    assert cli("backup", "copy.db").code == 4
    assert Engine(SqliteStore(tmp_path / "copy.db")).export_workflow(id)["workflow_id"] == id
