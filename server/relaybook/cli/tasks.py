"""The commands that act on a task: update, render, record, advance."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.cli.inputs import json_of, text_of
from relaybook.cli.options import (
    ArgsOption,
    ErrorCodeOption,
    IdOption,
    JsonListOption,
    MetricsOption,
    ReasonOption,
    ResultOption,
    SessionOption,
    TaskIdOption,
)
from relaybook.cli.shown import prompt_alone, stage_shown

if TYPE_CHECKING:
    from relaybook.engine import Engine

group = typer.Typer()


@command(group, "update")
def update(
    engine: "Engine",
    status: Annotated[
        str,
        typer.Option(
            metavar="STATUS",
            help="in_progress, completed, failed, input_required, pending (gives it back) "
            "or cancelled.",
        ),
    ],
    id: IdOption = "",
    task_id: TaskIdOption = "",
    session_key: SessionOption = "",
    result: ResultOption = "",
    error: Annotated[str, typer.Option(metavar="TEXT|@FILE|-", help="Why it failed.")] = "",
    error_code: ErrorCodeOption = "",
    claim: Annotated[
        str, typer.Option(metavar="CLAIM", help="Of the attempt meant; needs no --id.")
    ] = "",
    accept_raw: Annotated[
        bool, typer.Option("--accept-raw", help="Keep a result that does not fit, unchecked.")
    ] = False,
    override: Annotated[str, typer.Option(metavar="TEXT", help="Why start a blocked prompt.")] = "",
) -> dict[str, Any]:
    """Start a task, finish it, or give it back.

    Without a session key a start answers the prompt and the claim.
    """
    from relaybook.engine.request import Update

    return engine.update_task(
        Update(
            workflow_id=id,
            task_id=task_id,
            status=status,
            session_key=session_key or None,
            output=text_of(result, "--result"),
            error=text_of(error, "--error"),
            error_code=error_code,
            claim=claim or None,
            accept_raw=accept_raw,
            override=override,
        )
    )


@command(group, "render", view=prompt_alone)
def render(
    engine: "Engine",
    id: IdOption = "",
    task_id: TaskIdOption = "",
    template: Annotated[
        str, typer.Option(metavar="NAME", help="A template; with a task, a hook of that stage.")
    ] = "",
    args: ArgsOption = "",
) -> dict[str, Any]:
    """Print the prompt of a task or template. Starts nothing."""
    return engine.render_prompt(
        workflow_id=id, task_id=task_id, template=template, args=json_of(args, "--args", dict)
    )


@command(group, "record")
def record(
    engine: "Engine",
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="artifact, test, metric, finding, criterion, followup, handoff, review, "
            "user_told.",
        ),
    ],
    entries: Annotated[
        str, typer.Option(metavar="JSON|@FILE", help="A list of objects of that kind.")
    ],
    id: IdOption = "",
    task_id: TaskIdOption = "",
) -> dict[str, Any]:
    """Put facts on record, on a task or on its workflow."""
    return engine.record(kind, json_of(entries, "--entries", list), workflow_id=id, task_id=task_id)


@command(group, "advance", view=stage_shown)
def advance(
    engine: "Engine",
    id: IdOption,
    stage: Annotated[int | None, typer.Option(metavar="N", help="Counted from 0.")] = None,
    outcome: Annotated[str, typer.Option(metavar="WORD", help="completed or failed.")] = "",
    result: ResultOption = "",
    artifacts: JsonListOption = "",
    tests: JsonListOption = "",
    metrics: MetricsOption = "",
    findings: JsonListOption = "",
    criteria: JsonListOption = "",
    reason: ReasonOption = "",
    error_code: ErrorCodeOption = "",
    hooks_run: Annotated[
        str, typer.Option(metavar="JSON|@FILE", help="Names, or {hook, output} objects.")
    ] = "",
    session_key: SessionOption = "",
) -> dict[str, Any]:
    """End the stage that is named and start the next one."""
    from relaybook.engine.request import StageReport

    return engine.advance_stage(
        StageReport(
            workflow_id=id,
            stage=stage,
            outcome=outcome,
            output=text_of(result, "--result"),
            artifacts=json_of(artifacts, "--artifacts", list),
            tests=json_of(tests, "--tests", list),
            metrics=json_of(metrics, "--metrics", list, dict),
            findings=json_of(findings, "--findings", list),
            criteria=json_of(criteria, "--criteria", list),
            reason=reason,
            error_code=error_code,
            hooks_run=json_of(hooks_run, "--hooks-run", list),
            session_key=session_key or None,
        )
    )
