"""The commands that make and change a plan: plan, create, change."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.cli.inputs import json_of
from relaybook.cli.options import ArgsOption, DryRunOption, IdOption, ReasonOption
from relaybook.cli.shown import created
from relaybook.core.policy import DEFAULT_WIDTH

if TYPE_CHECKING:
    from relaybook.engine import Engine

group = typer.Typer()

ItemsOption = Annotated[
    str, typer.Option("--items", metavar="JSON|@FILE", help="Texts or objects to partition.")
]
BatchesOption = Annotated[
    int | None, typer.Option("--batches", metavar="N", help="Partitions of the items.")
]
WidthOption = Annotated[int, typer.Option("--max-parallel", metavar="N", help="Tasks at once.")]


@command(group, "plan", needs="any")
def plan(
    engine: "Engine",
    minutes: Annotated[float, typer.Option(help="Of the whole job, in one session.")],
    subtasks: Annotated[int | None, typer.Option(help="Pieces that it falls into.")] = None,
    independent: Annotated[
        bool | None, typer.Option(help="No piece needs another's output.")
    ] = None,
    sequential: Annotated[bool | None, typer.Option(help="Each step needs the one before.")] = None,
    opinions: Annotated[bool | None, typer.Option(help="Several expert opinions.")] = None,
    dataset: Annotated[bool | None, typer.Option(help="Process many items, then merge.")] = None,
    adaptive: Annotated[bool | None, typer.Option(help="Each result decides what is next.")] = None,
    exploration: Annotated[bool, typer.Option("--exploration", help="Ad-hoc research.")] = False,
    questions: Annotated[int, typer.Option(help="Independent questions of the research.")] = 1,
    stages: Annotated[bool, typer.Option("--stages", help="Implement, test, deploy.")] = False,
    recurring: Annotated[bool, typer.Option("--recurring", help="It comes again.")] = False,
    homogeneous: Annotated[bool, typer.Option("--homogeneous", help="Like pieces.")] = False,
    same_artefact: Annotated[
        bool, typer.Option("--writes-same-artefact", help="Several pieces change one thing.")
    ] = False,
    items: ItemsOption = "",
    batches: BatchesOption = None,
    template: Annotated[str, typer.Option(help="Whose past runs say how long it takes.")] = "",
    words: Annotated[int | None, typer.Option(min=1, help="Of each prompt.")] = None,
    other_workers: Annotated[
        list[int] | None, typer.Option(help="Compare the cost; may be repeated.")
    ] = None,
    other_words: Annotated[
        list[int] | None, typer.Option(help="Compare the cost; may be repeated.")
    ] = None,
    order: Annotated[str, typer.Option(help="Of the questions: specific or playbook.")] = "",
) -> dict[str, Any]:
    """Which pattern fits a job, or that it is done faster inline. Writes nothing."""
    facts = {
        "minutes": minutes,
        "subtasks": subtasks,
        "independent": independent,
        "sequential": sequential,
        "opinions": opinions,
        "dataset": dataset,
        "adaptive": adaptive,
        "exploration": exploration,
        "questions": questions,
        "stages": stages,
        "recurring": recurring,
        "homogeneous": homogeneous,
        "writes_same_artefact": same_artefact,
    }
    said: dict[str, Any] = {"words": words, "order": order}
    return engine.plan(
        {name: value for name, value in facts.items() if value is not None},
        items=json_of(items, "--items", list),
        batches=batches,
        template=template,
        other_workers=other_workers or (),
        other_words=other_words or (),
        **{name: value for name, value in said.items() if value},
    )


@command(group, "create", needs="made", view=created)
def create(
    engine: "Engine",
    pattern: Annotated[
        str,
        typer.Option(
            "--type",
            "--pattern",
            metavar="PATTERN",
            help="fan_out, pipeline, supervisor, expert_panel or map_reduce.",
        ),
    ] = "",
    subtasks: Annotated[
        str,
        typer.Option("--subtasks", "--tasks", metavar="JSON|@FILE", help="[{id, label, …}, …]"),
    ] = "",
    name: Annotated[str, typer.Option(metavar="TEXT", help="What the work is called.")] = "",
    project: Annotated[str, typer.Option(metavar="NAME", help="Whose work it is.")] = "default",
    stages: Annotated[
        str, typer.Option(metavar="JSON|@FILE", help="[{capability, goal, skill?}, …]")
    ] = "",
    hooks: Annotated[
        list[str] | None,
        typer.Option(metavar="SKILL", help="Follows up each stage; repeated; or advisory."),
    ] = None,
    items: ItemsOption = "",
    batches: BatchesOption = None,
    template: Annotated[str, typer.Option(metavar="NAME", help="Of the partitions.")] = "",
    composition: Annotated[str, typer.Option(metavar="NAME", help="A plan by name.")] = "",
    args: ArgsOption = "",
    max_parallel: WidthOption = DEFAULT_WIDTH,
    override: Annotated[
        str, typer.Option(metavar="TEXT", help="Why more at once, or beyond the workspace.")
    ] = "",
    shared_decisions: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="For every prompt; may be repeated."),
    ] = None,
    metadata: Annotated[str, typer.Option(metavar="JSON|@FILE", help="Kept with it.")] = "",
    request_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Makes a repeat of the call harmless.")
    ] = None,
    dry_run: DryRunOption = False,
) -> dict[str, Any]:
    """Register a plan.

    Its tasks, items to partition, stages, or a composition by name.
    """
    return engine.create_workflow(
        pattern,
        name,
        composition=composition,
        tasks=json_of(subtasks, "--subtasks", list),
        stages=json_of(stages, "--stages", list),
        hooks="advisory" if hooks == ["advisory"] else hooks,
        items=json_of(items, "--items", list),
        batches=batches,
        template=template,
        args=json_of(args, "--args", dict),
        project=project,
        metadata=json_of(metadata, "--metadata", dict),
        request_id=request_id,
        dry_run=dry_run,
        max_parallel=max_parallel,
        override=override,
        shared_decisions=shared_decisions or (),
    )


@command(group, "change")
def change(
    engine: "Engine",
    id: IdOption,
    add: Annotated[
        str, typer.Option(metavar="JSON|@FILE", help="Tasks as --subtasks of create takes them.")
    ],
    replaces: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK_ID", help="Whose place they take; may be repeated."),
    ] = None,
    reason: ReasonOption = "",
    if_seq: Annotated[
        int | None, typer.Option(metavar="N", help="Refuse if the plan changed after this seq.")
    ] = None,
) -> dict[str, Any]:
    """Add tasks to a workflow, or replace ones that did not work."""
    return engine.change_plan(
        id,
        add=json_of(add, "--add", list),
        replaces=replaces or (),
        reason=reason,
        if_seq=if_seq,
    )
