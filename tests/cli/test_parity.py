"""What the command line can do, tools can do, and the other way round; docs/cli.md says which."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from relaybook.cli import app
from relaybook.engine import Engine
from relaybook.surface.tools import tools_for
from tests.docs import ROOT

from .test_answers import commands

#: Commands that hand out access: what a tool could do, a stolen token could do.
ACCESS = {f"token {name}" for name in ("create", "list", "revoke")}
#: Commands that show what resources show, start a process, check files, or move a whole ledger.
NO_TOOL = {
    *(
        "serve",
        "board",
        "config",
        "watch",
        "migrate",
        "copy",
        "backup",
        "export",
        "import",
        "doctor",
        "completion",
        "config",
    ),
    *("templates list", "templates check", "compositions list"),
    *(f"contracts {name}" for name in ("list", "show", "check")),
}
#: Commands about work items, each with the tool that does the same by task or stage.
ITEMS = {
    **dict.fromkeys(["list", "show", "tail", "hooks", "graph", "stats"], "read"),
    **dict.fromkeys(["start", "fail"], "update_task"),
    "create": "create_workflow",
    "complete": "advance_stage",
    "handoff": "record",
}


def pairs() -> dict[str, set[str]]:
    """Tool by tool the commands that the document names beside it."""
    text = Path(ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    table = text.partition("## For each tool its command")[2].partition("## Commands")[0]
    rows = re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", table)
    return {tool: set(re.findall("`([a-z ]+)`", cell)) for tool, cell in rows}


@pytest.mark.requirement("S257")
def test_each_tool_has_its_command_and_each_command_its_tool(twin: tuple[Engine, str]) -> None:
    engine, _ = twin
    tools = {tool.name for tool in tools_for(engine, "all")}

    named = {name for names in pairs().values() for name in names}
    kept = {"compositions save"}  # writes a file of the user's, as an editor would
    assert set(pairs()) == tools
    assert named | NO_TOOL | ACCESS | kept | {f"items {name}" for name in ITEMS} == {
        " ".join(path) for path in commands(get_command(app))
    }
    assert set(ITEMS.values()) <= tools
