"""The commands about compositions, plans to be used again: list, preview, save."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.cli.inputs import json_of
from relaybook.cli.options import ArgsOption, IdOption
from relaybook.cli.templates import described
from relaybook.errors import InvalidComposition

if TYPE_CHECKING:
    from relaybook.engine import Engine

group = typer.Typer(name="compositions", help="Plans to be used again.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@command(group, "list", needs="any")
def list_compositions(engine: "Engine") -> dict[str, Any]:
    """Every composition in a line."""
    return {"compositions": [_line(engine, name) for name in engine.compositions.names()]}


def _line(engine: "Engine", name: str) -> dict[str, Any]:
    try:
        found = engine.compositions.get(name)
    except InvalidComposition as refusal:
        return {"name": name, "description": refusal.message}
    return {
        "name": name,
        "description": described(found.description, {"shadows": found.shadows}),
        "pattern": str(found.pattern),
        "required": [each.name for each in found.params if each.required],
        "optional": [each.name for each in found.params if not each.required],
    }


@command(group, "preview", needs="any")
def preview(engine: "Engine", name: NameArgument, args: ArgsOption = "") -> dict[str, Any]:
    """The plan that a composition makes of these arguments, and what it costs."""
    return engine.create_workflow(
        composition=name, args=json_of(args, "--args", dict), dry_run=True
    )


@command(group, "save", needs="any")
def save(
    engine: "Engine",
    name: NameArgument,
    id: IdOption = "",
    fields: Annotated[
        str, typer.Option(metavar="JSON|@FILE", help="As in a composition's file.")
    ] = "",
    replace: Annotated[bool, typer.Option("--replace", help="The name may be taken.")] = False,
) -> dict[str, Any]:
    """Keep a plan in the first --prompts folder.

    That of a workflow as it stands, or the one in --fields.
    """
    return engine.save_composition(
        name, workflow_id=id, fields=json_of(fields, "--fields", dict), replace=replace
    )
