"""The commands that take a workflow out of a ledger and put one in: export, import."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from relaybook.cli.command import command
from relaybook.cli.inputs import json_of
from relaybook.cli.shown import text_alone

if TYPE_CHECKING:
    from relaybook.engine import Engine

group = typer.Typer()


@command(group, "export", view=text_alone)
def export(
    engine: "Engine",
    id: Annotated[str, typer.Argument(metavar="ID", help="The workflow.")],
    format: Annotated[
        Literal["json", "markdown", "mermaid", "html"],
        typer.Option(metavar="WORD", help="json, markdown, mermaid or html."),
    ] = "json",
) -> dict[str, Any]:
    """Print a workflow: for import, as a report, as a graph, or as a page by itself.

    json holds its claims: whoever has it can go on with its work.
    """
    match format:
        case "json":
            text = json.dumps(engine.export_workflow(id), indent=1)
        case "mermaid":
            text = engine.read_text(f"ledger://workflows/{id}/graph").text
        case "markdown":
            from relaybook.core.report_markdown import as_markdown

            text = as_markdown(engine.report(id))
        case "html":
            from relaybook.core.report_html import as_html

            text = as_html(engine.report(id))
    return {"workflow_id": id, "format": format, "text": text}


@command(group, "import", needs="made")
def import_(
    engine: "Engine",
    file: Annotated[str, typer.Argument(metavar="FILE", help="From export; - reads stdin.")],
) -> dict[str, Any]:
    """Put an exported workflow into a ledger, whole or not at all; it goes on where it was."""
    return engine.import_workflow(json_of(file if file == "-" else f"@{file}", "FILE", dict))
