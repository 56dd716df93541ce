"""read: everything that can be read, as one table of addresses, and reading by address.

A new resource is a row of `READABLES`; the tool, the MCP resources, their templates, their
completion and their notifications follow from it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.guide import read_quick_reference, read_vocabulary
from relaybook.engine.read_attempts import read_attempts
from relaybook.engine.read_decisions import read_decisions
from relaybook.engine.read_graph import read_graph, read_layers
from relaybook.engine.read_items import (
    read_contract,
    read_contract_index,
    read_health,
    read_hook_events,
    read_item,
    read_item_events,
    read_items,
    read_lesson_patch,
    read_lessons,
    read_loop,
)
from relaybook.engine.read_ledger import (
    read_active,
    read_stats,
    read_workflow,
    read_workflow_events,
    read_workflows,
)
from relaybook.engine.read_prompts import read_prompt, read_prompt_index
from relaybook.engine.read_task import (
    read_prompt_text,
    read_result_text,
    read_spec_text,
    read_task,
)
from relaybook.engine.readable import MARKDOWN, MERMAID, PLAIN, Content, Readable
from relaybook.errors import Forbidden, InvalidArguments, UnknownResource, nearest
from relaybook.store.cases import find_claim

#: How many bytes of JSON an answer of `read` has at most, and those not of the text itself.
ANSWER_LIMIT, MARGIN = 20_000, 1_000

_TASK = "ledger://workflows/{id}/tasks/{task_id}"

#: Where two rows fit, the first is meant.
READABLES: tuple[Readable, ...] = (
    Readable(
        uri="ledger://workflows",
        name="workflows",
        title="Workflows",
        description="All workflows, newest change first, with what needs attention.",
        read=read_workflows,
    ),
    Readable(
        uri="ledger://workflows/active",
        name="active_workflows",
        title="Active workflows",
        description="The workflows that are not ended.",
        read=read_active,
    ),
    Readable(
        uri="ledger://stats",
        name="stats",
        title="Statistics",
        description="Counts over the whole ledger: workflows, tasks, items, attempts, failures by "
        "code, and the share of these that no other model would mend.",
        read=read_stats,
    ),
    Readable(
        uri="ledger://decisions",
        name="decisions",
        title="Open decisions",
        description="All that waits for the user, in every workflow, with what may be decided.",
        read=read_decisions,
    ),
    Readable(
        uri="prompt://index",
        name="templates",
        title="Prompt templates and compositions",
        description="Every prompt template in a line, and every composition with its parameters.",
        read=read_prompt_index,
    ),
    Readable(
        uri="guide://quick-reference",
        name="quick_reference",
        title="Quick reference",
        description="How to orchestrate, on one card of nine headings.",
        read=read_quick_reference,
        mime_type=MARKDOWN,
        worker="all",
    ),
    Readable(
        uri="guide://vocabulary",
        name="vocabulary",
        title="Vocabulary",
        description="What ledger, work items and stages call each state and event.",
        read=read_vocabulary,
        mime_type=MARKDOWN,
        worker="all",
    ),
    Readable(
        uri="ledger://items",
        name="items",
        title="Work items",
        description="The newest work items, what each waits for, and counts by status.",
        read=read_items,
    ),
    Readable(
        uri="ledger://lessons",
        name="lessons",
        title="Lessons",
        description="What was proposed to remember, and what became of it.",
        read=read_lessons,
    ),
    Readable(
        uri="ledger://health",
        name="health",
        title="Health of skills",
        description="Pass rate, durations, drift, breaker and repair ticket of each skill.",
        read=read_health,
    ),
    Readable(
        uri="ledger://loop",
        name="loop",
        title="Learning loop",
        description="What was done, what was learned from it, what changed since.",
        read=read_loop,
    ),
    Readable(
        uri="contract://index",
        name="contracts",
        title="Skill contracts",
        description="Each capability with the skills that have it.",
        read=read_contract_index,
        worker="all",
    ),
    Readable(
        uri="ledger://workflows/{id}",
        name="workflow",
        title="Workflow",
        description="One workflow: status, tasks in plan order, failures, what is ready.",
        read=read_workflow,
    ),
    Readable(
        uri="ledger://workflows/{id}/events",
        name="workflow_events",
        title="Events of a workflow",
        description="What happened to a workflow, oldest of the last events first.",
        read=read_workflow_events,
    ),
    Readable(
        uri="ledger://workflows/{id}/graph",
        name="workflow_graph",
        title="Graph of a workflow",
        description="Its tasks and what waits for what, as a Mermaid flowchart.",
        read=read_graph,
        mime_type=MERMAID,
    ),
    Readable(
        uri="ledger://workflows/{id}/layers",
        name="workflow_layers",
        title="Layers of a workflow",
        description="Its tasks by layer and what waits for what; of a large plan only counts.",
        read=read_layers,
    ),
    Readable(
        uri="ledger://workflows/{id}/attempts",
        name="workflow_attempts",
        title="Attempts of a workflow",
        description="The last attempts: who, when, how long, the outcome, the time expected.",
        read=read_attempts,
    ),
    Readable(
        uri=_TASK,
        name="task",
        title="Task",
        description="One task: specification, status, attempts with errors, result.",
        read=read_task,
        worker="own",
    ),
    Readable(
        uri=f"{_TASK}/spec",
        name="task_spec",
        title="Specification of a task",
        description="All that the plan says of a task.",
        read=read_spec_text,
        worker="own",
    ),
    Readable(
        uri=f"{_TASK}/prompt",
        name="task_prompt",
        title="Prompt of a task",
        description="The prompt of its last attempt, word for word.",
        read=read_prompt_text,
        mime_type=PLAIN,
        worker="own",
    ),
    Readable(
        uri=f"{_TASK}/result",
        name="task_result",
        title="Result of a task",
        description="The envelope that its worker returned, in full.",
        read=read_result_text,
        worker="own",
    ),
    Readable(
        uri="ledger://items/{slug}",
        name="item",
        title="Work item",
        description="One work item: status, intent, artifacts, tests, findings, hooks.",
        read=read_item,
    ),
    Readable(
        uri="ledger://items/{slug}/events",
        name="item_events",
        title="Events of a work item",
        description="What happened to a work item, under the twelve names, oldest first.",
        read=read_item_events,
    ),
    Readable(
        uri="ledger://hooks/{event}/{since}",
        name="hook_events",
        title="Events by name",
        description="Events of one of the twelve names since an ISO 8601 date, of all work items.",
        read=read_hook_events,
    ),
    Readable(
        uri="ledger://lessons/{project}/{target}",
        name="lesson_patch",
        title="Lessons as a patch",
        description="Accepted lessons for SOUL.md, TOOLS.md or skill:<name>, as a patch to apply.",
        read=read_lesson_patch,
    ),
    Readable(
        uri="contract://{name}",
        name="contract",
        title="Skill contract",
        description="What one skill can do, needs, hands on, and how its work is checked.",
        read=read_contract,
        worker="all",
    ),
    Readable(
        uri="prompt://{name}",
        name="template",
        title="Prompt template or composition",
        description="One template: inputs, result schema, example; or one composition: its plan.",
        read=read_prompt,
    ),
)


def readables(role: str) -> Sequence[Readable]:
    """What `role` may read without a claim, in order."""
    if role != "worker":
        return READABLES
    return [each for each in READABLES if each.worker == "all"]


def read(
    desk: Desk, uri: str, *, cursor: str = "", role: str = "orchestrator", claim: str = ""
) -> dict[str, Any]:
    """One page of the text at `uri`; `cursor` is the one of the page before.

    Raises:
        UnknownResource, UnknownWorkflow, UnknownTask, UnknownTemplate: nothing is there.
        StaleClaim: `claim` is none.
        Forbidden: it is there, but not for this role and claim.
    """
    return page_of(uri, read_text(desk, uri, role=role, claim=claim), cursor)


def page_of(uri: str, found: Content, cursor: str) -> dict[str, Any]:
    """The part of `found` that `cursor` points at, as an answer of bounded size.

    Raises:
        InvalidArguments: the cursor is none of this text.
    """
    first = _first(cursor, len(found.text))
    end = first + fitting(found.text[first : first + ANSWER_LIMIT], ANSWER_LIMIT - MARGIN)
    answer: dict[str, Any] = {
        "uri": uri,
        "mime_type": found.mime_type,
        "text": found.text[first:end],
        "total_chars": len(found.text),
    }
    if end < len(found.text):
        answer["cursor"] = str(end)
    return answer


def read_text(desk: Desk, uri: str, *, role: str = "orchestrator", claim: str = "") -> Content:
    """The whole text at `uri`; the errors are those of `read`."""
    found = matching(uri)
    if found is None:
        raise unknown(uri, role)
    readable, variables = found
    _permit(desk, readable, variables, role, claim)
    return Content(readable.read(desk, **variables), readable.mime_type)


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
        next="call read with one of these",
    )


def _permit(
    desk: Desk, readable: Readable, variables: dict[str, str], role: str, claim: str
) -> None:
    if role != "worker" or readable.worker == "all":
        return
    if readable.worker == "own" and claim:
        with desk.store.read() as tx:
            workflow_id, task_id = find_claim(tx, claim)
        if variables == {"id": workflow_id, "task_id": task_id}:
            return
    allowed = [each.uri for each in READABLES if each.worker != "nothing"]
    raise Forbidden(
        "A worker may not read this.",
        allowed=f"{', '.join(allowed)}; of tasks only the one of its claim",
        next="call again with your claim and your own task, or go on without",
    )


def _first(cursor: str, length: int) -> int:
    if not cursor:
        return 0
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 12 and int(cursor) < length:
        return int(cursor)
    raise InvalidArguments(
        f"cursor {cursor[:40]!r} is not one that relaybook gave for this text.",
        allowed=f"a number below {length}, from the answer before",
        next="leave it out to begin again",
    )


def fitting(text: str, room: int) -> int:
    """How many characters of `text`, as JSON in UTF-8, fit into `room` bytes; at least 2."""
    sizes = range(len(text) + 1)
    return bisect_right(sizes, room, key=lambda size: len(compact(text[:size]).encode())) - 1
