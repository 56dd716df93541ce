"""The commands about work items: what is there, and its way from start to end."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.cli.inputs import json_of, text_of
from relaybook.cli.options import (
    ErrorCodeOption,
    JsonListOption,
    MetricsOption,
    ProjectOption,
    ReasonOption,
    ResultOption,
    SessionOption,
)
from relaybook.cli.shown import created, events_shown, item_shown, items_shown
from relaybook.errors import InvalidArguments

if TYPE_CHECKING:
    from relaybook.core.item import WorkItem
    from relaybook.engine import Engine

group = typer.Typer(
    name="items", help="Work items: every task as a piece of work.", no_args_is_help=True
)

SlugArgument = Annotated[str, typer.Argument(metavar="SLUG")]


@command(group, "list", needs="shown", view=items_shown)
def list_items(
    engine: "Engine",
    status: Annotated[
        str,
        typer.Option(metavar="WORD", help="todo, in_progress, blocked, review, done or failed."),
    ] = "",
    project: ProjectOption = "",
    skill: Annotated[str, typer.Option(metavar="NAME", help="Only of this skill.")] = "",
    skip: Annotated[int, typer.Option(min=0, metavar="N", help="Leave out the first ones.")] = 0,
) -> dict[str, Any]:
    """List work items, those of the newest workflows first."""
    wanted = partial(engine.list_items, status=status, project=project, skill=skill)
    found = wanted(skip=skip)
    answer: dict[str, Any] = {"items": [_said(item) for item in found]}
    rest = skip + len(found)
    more = found and wanted(skip=rest, limit=1)
    return answer | ({"next": f"--skip {rest} for more"} if more else {})


@command(group, "show", view=item_shown)
def show(engine: "Engine", slug: SlugArgument) -> dict[str, Any]:
    """Show the full state of a work item."""
    return _said(engine.load_item(slug))


def _said(item: "WorkItem") -> dict[str, Any]:
    return {name: value for name, value in asdict(item).items() if value not in (None, (), {}, "")}


@command(group, "tail", view=events_shown)
def tail(
    engine: "Engine",
    slug: SlugArgument,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many.")] = 10,
) -> dict[str, Any]:
    """Show the last events of a work item, oldest first."""
    return {"events": engine.item_events(slug, limit=limit)}


@command(group, "hooks", needs="shown", view=events_shown)
def hooks(
    engine: "Engine",
    event: Annotated[str, typer.Argument(metavar="EVENT", help="completed, failed, created …")],
    since: Annotated[
        str, typer.Option(metavar="DATE", help="ISO 8601; a date means 00:00 UTC of that day.")
    ] = "",
) -> dict[str, Any]:
    """Show the events of one name since a date, oldest first."""
    from relaybook.engine.items import EVENTS_LIMIT

    events = engine.hook_events(event, since=since)
    if len(events) < EVENTS_LIMIT:
        return {"events": events}
    last = datetime.fromtimestamp(events[-1]["at"], UTC).isoformat(timespec="milliseconds")
    return {"events": events, "next": f"--since {last} for more"}


@command(group, "graph", needs="shown")
def graph(
    engine: "Engine",
    id: Annotated[str, typer.Option("--id", metavar="ID", help="Of one workflow.")] = "",
) -> dict[str, Any]:
    """Show what waits for what, in all open workflows."""
    from relaybook.engine.items import GRAPH_LIMIT

    items = engine.items_graph(workflow_id=id)
    if len(items) < GRAPH_LIMIT:
        return {"items": items}
    return {"items": items, "next": f"the first {GRAPH_LIMIT} alone are shown; --id for others"}


@command(group, "stats", needs="shown")
def stats(engine: "Engine") -> dict[str, Any]:
    """Count the work items by status, project and skill."""
    return engine.items_stats()


@command(group, "create", needs="made", view=created)
def create(
    engine: "Engine",
    capability: Annotated[str, typer.Option(metavar="NAME", help="What it takes to do it.")],
    goal: Annotated[str, typer.Option(metavar="TEXT", help="What is to be reached.")],
    skill: Annotated[str, typer.Option(metavar="NAME", help="Who; else the best.")] = "",
    name: Annotated[str, typer.Option(metavar="TEXT", help="What the work is called.")] = "",
    project: Annotated[str, typer.Option(metavar="NAME", help="Whose work it is.")] = "default",
) -> dict[str, Any]:
    """Make a work item: a workflow of one stage."""
    stage = {"capability": capability, "goal": goal} | ({"skill": skill} if skill else {})
    return engine.create_workflow(name=name or goal[:80], stages=[stage], project=project)


@command(group, "start")
def start(engine: "Engine", slug: SlugArgument, session_key: SessionOption = "") -> dict[str, Any]:
    """Start a work item; without a session key answers its prompt."""
    return _update(engine, slug, status="in_progress", session_key=session_key or None)


@command(group, "complete")
def complete(
    engine: "Engine",
    slug: SlugArgument,
    result: ResultOption = "",
    artifacts: JsonListOption = "",
    tests: JsonListOption = "",
    metrics: MetricsOption = "",
    findings: JsonListOption = "",
    criteria: JsonListOption = "",
    reason: ReasonOption = "",
) -> dict[str, Any]:
    """Complete a work item by its worker's result, or by evidence."""
    if result:
        return _update(engine, slug, status="completed", output=text_of(result, "--result"))
    from relaybook.engine.request import StageReport

    item = engine.load_item(slug)
    return engine.report_stage(
        StageReport(
            workflow_id=item.workflow_id,
            stage=_stage(item),
            outcome="completed",
            artifacts=json_of(artifacts, "--artifacts", list),
            tests=json_of(tests, "--tests", list),
            metrics=json_of(metrics, "--metrics", list, dict),
            findings=json_of(findings, "--findings", list),
            criteria=json_of(criteria, "--criteria", list),
            reason=reason,
        )
    )


@command(group, "fail")
def fail(
    engine: "Engine",
    slug: SlugArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept on record.")],
    error_code: ErrorCodeOption = "",
) -> dict[str, Any]:
    """Record that a work item failed."""
    return _update(engine, slug, status="failed", error=reason, error_code=error_code)


@command(group, "handoff")
def handoff(
    engine: "Engine",
    slug: SlugArgument,
    to: Annotated[str, typer.Option(metavar="NAME", help="Who goes on with it.")],
    reason: ReasonOption = "",
) -> dict[str, Any]:
    """Record that somebody else goes on with a work item."""
    item = engine.load_item(slug)
    entry = {"to": to} | ({"reason": reason} if reason else {})
    return engine.record("handoff", [entry], workflow_id=item.workflow_id, task_id=item.task_id)


def _update(engine: "Engine", slug: str, **said: Any) -> dict[str, Any]:
    from relaybook.engine.request import Update

    item = engine.load_item(slug)
    return engine.update_task(Update(workflow_id=item.workflow_id, task_id=item.task_id, **said))


def _stage(item: "WorkItem") -> int:
    """The place of a stage, by the id of its task."""
    kind, _, place = item.task_id.partition("-")
    if kind == "stage" and place.isdecimal():
        return int(place)
    raise InvalidArguments(
        f"Work item {item.slug[:120]!r} is no stage, so evidence alone cannot complete it.",
        allowed="--result with the worker's message",
        next="call again with --result",
    )
