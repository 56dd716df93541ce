"""Everything that can be read by URI, as one table of addresses.

A new resource is a row of `READABLES`; the tool, the MCP resources, their templates, their
completion and their notifications follow from it.
"""

from collections.abc import Sequence

from relaybook.engine.readables.readable import MARKDOWN, MERMAID, PLAIN, Readable
from relaybook.errors import UnknownResource, nearest

_TASK = "ledger://workflows/{id}/tasks/{task_id}"

#: Where two rows fit, the first is meant.
READABLES: tuple[Readable, ...] = (
    Readable(
        uri="ledger://workflows",
        name="workflows",
        title="Workflows",
        description="All workflows, newest change first, with what needs attention.",
        reader="ledger.read_workflows",
    ),
    Readable(
        uri="ledger://workflows/active",
        name="active_workflows",
        title="Active workflows",
        description="The workflows that are not ended.",
        reader="ledger.read_active",
    ),
    Readable(
        uri="ledger://stats",
        name="stats",
        title="Statistics",
        description="Counts over the whole ledger: workflows, tasks, items, attempts, failures by "
        "code, and the share of these that no other model would mend.",
        reader="stats.read_stats",
    ),
    Readable(
        uri="ledger://decisions",
        name="decisions",
        title="Open decisions",
        description="All that waits for the user, in every workflow, with what may be decided.",
        reader="decisions.read_decisions",
    ),
    Readable(
        uri="prompt://index",
        name="templates",
        title="Prompt templates and compositions",
        description="Every prompt template in a line, and every composition with its parameters.",
        reader="prompts.read_prompt_index",
    ),
    Readable(
        uri="guide://quick-reference",
        name="quick_reference",
        title="Quick reference",
        description="How to orchestrate, on one card of nine headings.",
        reader="guide.read_quick_reference",
        mime_type=MARKDOWN,
        worker="all",
    ),
    Readable(
        uri="guide://vocabulary",
        name="vocabulary",
        title="Vocabulary",
        description="What ledger, work items and stages call each state and event; every URI.",
        reader="guide.read_vocabulary",
        mime_type=MARKDOWN,
        worker="all",
    ),
    Readable(
        uri="ledger://items",
        name="items",
        title="Work items",
        description="The newest work items, what each waits for, and counts by status.",
        reader="items.read_items",
    ),
    Readable(
        uri="ledger://lessons",
        name="lessons",
        title="Lessons",
        description="What was proposed to remember, and what became of it.",
        reader="items.read_lessons",
    ),
    Readable(
        uri="ledger://health",
        name="health",
        title="Health of skills",
        description="Pass rate, durations, drift, breaker and repair ticket of each skill.",
        reader="items.read_health",
    ),
    Readable(
        uri="ledger://loop",
        name="loop",
        title="Learning loop",
        description="What was done, what was learned from it, what changed since.",
        reader="items.read_loop",
    ),
    Readable(
        uri="contract://index",
        name="contracts",
        title="Skill contracts",
        description="Each capability with the skills that have it.",
        reader="items.read_contract_index",
        worker="all",
    ),
    Readable(
        uri="ledger://workflows/{id}",
        name="workflow",
        title="Workflow",
        description="One workflow: status, tasks in plan order, failures, what is ready.",
        reader="ledger.read_workflow",
    ),
    Readable(
        uri="ledger://workflows/{id}/events",
        name="workflow_events",
        title="Events of a workflow",
        description="What happened to a workflow, oldest of the last events first.",
        reader="ledger.read_workflow_events",
    ),
    Readable(
        uri="ledger://workflows/{id}/graph",
        name="workflow_graph",
        title="Graph of a workflow",
        description="Its tasks and what waits for what, as a Mermaid flowchart.",
        reader="graph.read_graph",
        mime_type=MERMAID,
    ),
    Readable(
        uri="ledger://workflows/{id}/layers",
        name="workflow_layers",
        title="Layers of a workflow",
        description="Its tasks by layer and what waits for what; of a large plan only counts.",
        reader="graph.read_layers",
    ),
    Readable(
        uri="ledger://workflows/{id}/attempts",
        name="workflow_attempts",
        title="Attempts of a workflow",
        description="The last attempts: who, when, how long, the outcome, the time expected.",
        reader="attempts.read_attempts",
    ),
    Readable(
        uri=_TASK,
        name="task",
        title="Task",
        description="One task: specification, status, attempts with errors, result.",
        reader="task.read_task",
        worker="own",
    ),
    Readable(
        uri=f"{_TASK}/spec",
        name="task_spec",
        title="Specification of a task",
        description="All that the plan says of a task.",
        reader="task.read_spec_text",
        worker="own",
    ),
    Readable(
        uri=f"{_TASK}/prompt",
        name="task_prompt",
        title="Prompt of a task",
        description="The prompt of its last attempt, word for word.",
        reader="task.read_prompt_text",
        mime_type=PLAIN,
        worker="own",
    ),
    Readable(
        uri=f"{_TASK}/result",
        name="task_result",
        title="Result of a task",
        description="The envelope that its worker returned, in full; its error if it failed.",
        reader="task.read_result_text",
        worker="own",
    ),
    Readable(
        uri="ledger://items/{slug}",
        name="item",
        title="Work item",
        description="One work item: status, intent, artifacts, tests, findings, hooks.",
        reader="items.read_item",
    ),
    Readable(
        uri="ledger://items/{slug}/events",
        name="item_events",
        title="Events of a work item",
        description="What happened to a work item, under the twelve names, oldest first.",
        reader="items.read_item_events",
    ),
    Readable(
        uri="ledger://items/{id}/{task_id}",
        name="task_item",
        title="Work item of a task",
        description="What a work item is, of a task that is no stage, whose slug is <workflow>/<task>.",
        reader="items.read_task_item",
    ),
    Readable(
        uri="ledger://hooks/{event}/{since}",
        name="hook_events",
        title="Events by name",
        description="Events of one of the twelve names since an ISO 8601 date, of all work items.",
        reader="items.read_hook_events",
    ),
    Readable(
        uri="ledger://lessons/{project}/{target}",
        name="lesson_patch",
        title="Lessons as a patch",
        description="Accepted lessons for SOUL.md, TOOLS.md or skill:<name>, as a patch to apply.",
        reader="items.read_lesson_patch",
    ),
    Readable(
        uri="contract://{name}",
        name="contract",
        title="Skill contract",
        description="What one skill can do, needs, hands on, and how its work is checked.",
        reader="items.read_contract",
        worker="all",
    ),
    Readable(
        uri="prompt://{name}",
        name="template",
        title="Prompt template or composition",
        description="One template: inputs, result schema, example; or one composition: its plan.",
        reader="prompts.read_prompt",
    ),
)


def readables(role: str) -> Sequence[Readable]:
    """What `role` may read without a claim, in order."""
    if role != "worker":
        return READABLES
    return [each for each in READABLES if each.worker == "all"]


def matching(uri: str) -> tuple[Readable, dict[str, str]] | None:
    """The row that `uri` belongs to and the values of its variables, if there is one."""
    for readable in READABLES:
        variables = readable.match(uri)
        if variables is not None:
            return readable, variables
    return None


def unknown(uri: str, role: str) -> UnknownResource:
    """The refusal of an address that is of no form."""
    return UnknownResource(
        f"There is no resource {uri[:120]!r}.",
        allowed=nearest(uri, [each.uri for each in readables(role)]),
        next="call read with one of these; guide://vocabulary lists all",
    )
