"""The commands that look: status, list, aggregate, read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.cli.opening import Needs
from relaybook.cli.options import CursorOption, IdOption, ProjectOption
from relaybook.cli.shown import aggregated, listed, shown_workflow, text_alone

if TYPE_CHECKING:
    from relaybook.engine import Engine

group = typer.Typer()


@command(group, "status", view=shown_workflow)
def status(
    engine: "Engine",
    id: IdOption,
    detail: Annotated[
        str, typer.Option(metavar="WORD", help="concise, detailed or resume.")
    ] = "concise",
    since: Annotated[
        int | None, typer.Option(metavar="SEQ", help="Adds the events after this one.")
    ] = None,
    running: Annotated[
        str | None,
        typer.Option(metavar="KEYS", help="Session keys that still run, by commas; '' for none."),
    ] = None,
    cursor: CursorOption = "",
) -> dict[str, Any]:
    """Show one workflow: its tasks, failures, what is ready."""
    sessions = None if running is None else [key for key in running.split(",") if key]
    return engine.show_workflow(
        id, detail=detail, since=since, running_sessions=sessions, cursor=cursor
    )


@command(group, "list", needs="shown", view=listed)
def list_workflows(
    engine: "Engine",
    active: Annotated[bool, typer.Option("--active", help="Only those not ended.")] = False,
    project: ProjectOption = "",
    cursor: CursorOption = "",
) -> dict[str, Any]:
    """List all workflows, the newest change first."""
    return engine.list_workflows(active=active, project=project or None, cursor=cursor)


@command(group, "aggregate", view=aggregated)
def aggregate(
    engine: "Engine",
    id: IdOption,
    detail: Annotated[str, typer.Option(metavar="WORD", help="concise or detailed.")] = "concise",
    cursor: CursorOption = "",
) -> dict[str, Any]:
    """Give the digest of all results, with every gap by name."""
    return engine.aggregate(id, detail=detail, cursor=cursor)


def _needs_to_read(said: Mapping[str, Any]) -> Needs:
    return "shown" if said["uri"].startswith("ledger://") else "any"


@command(group, "read", needs=_needs_to_read, view=text_alone)
def read(
    engine: "Engine",
    uri: Annotated[str, typer.Argument(metavar="URI", help="guide://quick-reference …")],
    cursor: CursorOption = "",
) -> dict[str, Any]:
    """Print any resource by its URI, page by page."""
    return engine.read(uri, cursor=cursor)
