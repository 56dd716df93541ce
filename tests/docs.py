"""The parts of the documents that follow from the code. `python -m tests.docs` writes them."""

import inspect
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from relaybook.cli import app
from relaybook.cli.command import SHARED
from relaybook.core.task.effects import MOVES
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.tools import tools_for

ROOT = Path(__file__).parents[1]


def tools() -> str:
    """The tools by role, each with its description."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(SqliteStore(Path(folder) / "ledger.db"))
        lines: list[str] = []
        for role in ("orchestrator", "worker"):
            lines += [f"For the {role}:", "", "| tool | |", "|---|---|"]
            lines += [f"| `{tool.name}` | {tool.description} |" for tool in tools_for(engine, role)]
            lines.append("")
        engine.store.close()
    return "\n".join(lines)


def states() -> str:
    """The moves of a task as a Mermaid diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> pending: task_added"]
    for event, (sources, target) in MOVES.items():
        lines += [f"    {source} --> {target}: {event}" for source in sorted(sources)]
    return "\n".join([*lines, "```", ""])


def commands() -> str:
    """Every command with its options, those that all share apart."""
    found = dict(_commands(get_command(app), "relaybook"))
    lines = ["Every command on a ledger takes these as well:", ""]
    lines += _table(each for each in found["relaybook list"].params if each.name in SHARED)
    for name, command in found.items():
        lines += [f"### {name}", "", inspect.cleandoc(command.help or ""), ""]
        lines += _table(each for each in command.params if each.name not in SHARED)
    return "\n".join(lines)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    for part, each in getattr(command, "commands", {}).items():
        yield from _commands(each, f"{name} {part}")
    if not hasattr(command, "commands"):
        yield name, command


def _table(parameters: Iterable[Any]) -> list[str]:
    rows = [(_usage(each), getattr(each, "help", None) or "") for each in parameters]
    lines = [f"| {usage.replace('|', chr(92) + '|')} | {told} |" for usage, told in rows]
    return ["| | |", "|---|---|", *lines, ""] if lines else []


def _usage(parameter: Any) -> str:
    """How a parameter is written, and whether it must be."""
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar}`"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return f"`{names}{value}`" + (" (required)" if parameter.required else "")


#: Which block of which document is written by what.
BLOCKS = {
    ("README.md", "tools"): tools,
    ("docs/states.md", "states"): states,
    ("docs/cli.md", "commands"): commands,
}


def with_blocks(name: str) -> str:
    """The text of a document with its blocks as the code has them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for (document, block), written in BLOCKS.items():
        if document == name:
            opening, closing = f"<!-- {block} -->\n", f"<!-- /{block} -->"
            before, _, rest = text.partition(opening)
            text = f"{before}{opening}{written()}{closing}{rest.partition(closing)[2]}"
    return text


if __name__ == "__main__":
    for name, _ in BLOCKS:
        (ROOT / name).write_text(with_blocks(name), encoding="utf-8")
