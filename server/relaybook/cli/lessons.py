"""The commands about lessons: list, and export as a patch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.cli.inputs import file_text
from relaybook.cli.options import ProjectOption
from relaybook.cli.shown import text_alone

if TYPE_CHECKING:
    from relaybook.engine import Engine

group = typer.Typer(
    name="lessons", help="Lessons from the findings of stages.", no_args_is_help=True
)


@command(group, "list", needs="shown")
def list_lessons(
    engine: "Engine",
    project: ProjectOption = "",
    status: Annotated[
        str, typer.Option(metavar="WORD", help="proposed, accepted or rejected.")
    ] = "",
) -> dict[str, Any]:
    """List lessons, the latest first; resolve accepts or rejects them."""
    return {"lessons": engine.list_lessons(project=project, status=status)}


@command(group, "export", view=text_alone)
def export(
    engine: "Engine",
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="SOUL.md, TOOLS.md or skill:<name>.")
    ],
    project: Annotated[str, typer.Option(metavar="NAME", help="Whose.")] = "default",
    file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The file as it is now, if there is one.")
    ] = None,
) -> dict[str, Any]:
    """Print the accepted lessons for a file as a patch to apply."""
    current = "" if file is None else file_text(file, "--file")
    return {"text": engine.export_lessons(target, project=project, current=current)}
