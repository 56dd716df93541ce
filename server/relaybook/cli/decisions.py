"""The commands for what the user decides: resolve, cleanup."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.cli.options import DryRunOption, IdOption, ReasonOption, TaskIdOption

if TYPE_CHECKING:
    from relaybook.engine import Engine

group = typer.Typer()


@command(group, "resolve")
def resolve(
    engine: "Engine",
    id: IdOption,
    decision: Annotated[
        str, typer.Option(metavar="WORD", help="Without one, says what is open.")
    ] = "",
    task_id: TaskIdOption = "",
    answer: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="To each question of a worker, in order."),
    ] = None,
    lesson: Annotated[str, typer.Option(metavar="ID", help="The lesson decided about.")] = "",
    reason: ReasonOption = "",
) -> dict[str, Any]:
    """Record what the user decided and carry it out.

    retry_failed, accept_partial, answer, applicable, not_applicable, finish, cancel, waive,
    confirm, accept_lesson or reject_lesson.
    """
    if not decision:
        return engine.open_decisions(id)
    from relaybook.engine.request import Resolution

    return engine.resolve(
        Resolution(
            workflow_id=id,
            decision=decision,
            task_id=task_id,
            lesson=lesson,
            answers=tuple(answer or ()),
            reason=reason,
        )
    )


@command(group, "cleanup")
def cleanup(
    engine: "Engine",
    days: Annotated[float, typer.Option(help="Since they ended.")] = 7,
    dry_run: DryRunOption = False,
) -> dict[str, Any]:
    """Remove workflows that ended more than some days ago."""
    return engine.cleanup(days=days, dry_run=dry_run)
