"""The guides: the rules on one card, and what each view calls things. Numbers come from the rules."""

from collections.abc import Iterable, Sequence

from relaybook.core.digest.result_flags import MEANINGS as FLAGS
from relaybook.core.digest.wishes import FORMS
from relaybook.core.failure import MEANINGS
from relaybook.core.policy import (
    BREAKER_FAILURES,
    MAX_RETRIES,
    STALL_FACTOR,
    SWEET_SPOT_WIDTH,
    USER_UPDATE_AFTER_SECONDS,
    WORKER_MINUTES,
)
from relaybook.engine.desk import Desk
from relaybook.engine.readables.table import READABLES
from relaybook.model import ITEM_EVENTS, WORDS, WorkflowStatus

_LOW, _HIGH = SWEET_SPOT_WIDTH
_SHORT, _LONG = WORKER_MINUTES

QUICK_REFERENCE = f"""\
# Quick reference

Why orchestration fails, most frequent cause first: the context a worker was given, then the \
choice of pattern, then the lack of monitoring. So spend your care on CONTEXT.

## PATTERNS
- fan_out: independent pieces at the same time
- pipeline: each step takes the result of the one before, and nothing else
- supervisor: you look at each result and decide what comes next; you are the supervisor
- expert_panel: several roles judge one thing, then you weigh their verdicts
- map_reduce: one job over even partitions of many items; the reduction is yours

## DECIDE
The first that fits: under {_SHORT:g} minutes, do it yourself; independent pieces, fan_out; every \
step needs the last one's output, pipeline; several opinions wanted, expert_panel; many items and \
one summary, map_reduce; judgement on the way, supervisor. From {_SHORT:g} to {_LONG:g} minutes it \
may pay, above {_LONG:g} it does. `plan` answers with the rule that it used.

## CONTEXT
A worker knows its prompt and nothing more: no conversation, no files unless you give them, no \
other worker. Give it a role, one task in a sentence, the input itself, constraints, the output \
format and the result tags. Leave out the conversation, the other tasks, why there is a plan, and \
all that this one task can do without. Longer than 500 words of instruction: divide the task.

## SPAWN
`update_task(status="in_progress")` answers the prompt and the spawn arguments: pass the prompt on \
as it stands, with the label `wf_<id>_<task>_<desc>` and the timeout. Or let workers call \
`claim_task`.

## TRACK
Ask of each piece before you register it: can it run in parallel (else `depends_on`), what is the \
least context it needs (`args`, and `takes` from earlier tasks: only in a pipeline does `depends_on` \
hand over results), what does done look like (`done`)? `create_workflow` \
first, spawn second. Record each start, end and failure with `update_task` when \
it happens. `get_workflow(since, wait_seconds)` waits for news. After \
{USER_UPDATE_AFTER_SECONDS // 60} minutes tell the user how far it is, and `record` that you did.

## RETRY
A failed task may start {MAX_RETRIES} times more; its next prompt carries the errors. \
{BREAKER_FAILURES} tasks failed at once stop the workflow: tell the user what there is and ask, \
then `resolve`. Nothing is skipped and no result is made up.

## WORKERS
{_LOW} to {_HIGH} at once, {_SHORT:g} to {_LONG:g} minutes and one deliverable each. They act up to \
tier T2 and start no workers of their own; what reaches further comes back to you as a proposed \
action.

## COST
Words of the prompt times the number of workers. Take the cheapest model that does the job, and \
keep the expensive ones for judgement.

## RECOVER
Part of the results is better than none. Nothing finished for {STALL_FACTOR} times the expected \
time: look whether the sessions still run, wait for the slow ones, fail the lost ones. `aggregate` \
works at any time and names every gap: report them as they are.
"""

#: Words that are derived when a task or workflow is read, never stored.
DERIVED = {
    "ready": "pending, and nothing before it holds it back",
    "blocked": "a task: pending, and waiting for another; a workflow: nothing of it can start",
    "held": "ready, but another task is writing what it would write, or the breaker of its skill is open",
    "retryable": "failed, not for good, with a retry left",
    "starved": "a workflow: tasks of it may start, and nothing is in progress",
    "overdue": "in progress past its timeout, or without a word past its lease",
    "stalled": f"nothing started or completed for {STALL_FACTOR} times the expected minutes",
    "update_due": f"the user was told nothing for {USER_UPDATE_AFTER_SECONDS // 60} minutes",
}


def read_quick_reference(desk: Desk) -> str:
    """The card."""
    return QUICK_REFERENCE


def read_vocabulary(desk: Desk) -> str:
    """The words of each view beside each other, as tables."""
    return "\n".join(_vocabulary()) + "\n"


def _vocabulary() -> Iterable[str]:
    yield "# Vocabulary\n\nOne state is stored; each view says it in its own words.\n"
    yield "## States of a task\n"
    rows = [(w.icon, str(status), w.ledger, w.item, w.stage) for status, w in WORDS.items()]
    yield from _table(("icon", "stored", "ledger", "work item", "stage"), rows)
    yield "\nA `todo` item whose task waits for another is called `blocked`.\n"
    yield "## States of a workflow\n"
    yield f"{', '.join(WorkflowStatus)}.\n"
    yield "## Derived words\n"
    yield from _table(("word", "meaning"), list(DERIVED.items()))
    yield "\n## Failure codes\n"
    meanings = [(str(code), *told) for code, told in MEANINGS.items()]
    yield from _table(("error_code", "what happened", "what helps"), meanings)
    yield "\n## Flags of a result\n"
    yield from _table(("flag", "meaning"), list(FLAGS.items()))
    yield "\n## Metadata that a synthesis reads\n"
    yield from _table(("member", "what it may be"), list(FORMS.items()))
    yield "\n## Events of a work item\n"
    events = [(str(kind), ", ".join(names)) for kind, names in ITEM_EVENTS.items()]
    yield from _table(("ledger event", "work item event"), events)
    yield from _resources()


def _resources() -> Iterable[str]:
    yield "\n## Resources\n"
    rows = [(each.uri, each.description) for each in READABLES]
    yield from _table(("uri", "what it tells"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"
