"""aggregate: many results, one honest digest; at any time, whatever is missing."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from typing import Any

from relaybook.core.digest.account import named
from relaybook.core.digest.brief import Request
from relaybook.core.digest.panel import PanelKind, panel_kind
from relaybook.core.digest.reports import reported
from relaybook.core.digest.result_flags import result_flags
from relaybook.core.digest.synthesis import Detail, Digest, Frame, digest
from relaybook.core.digest.task_outcome import TaskOutcome, stated_confidence
from relaybook.core.digest.wishes import read_wishes
from relaybook.core.merge.coverage import items_given
from relaybook.core.merge.plan import MergePlan, plan_merge
from relaybook.core.names import Names
from relaybook.core.panel.ballot import asked_options
from relaybook.core.panel.criteria import asked_criteria, asked_weights
from relaybook.core.plan.task_spec import Take, TaskSpec, expert_name
from relaybook.core.prompt_rules.words import words_in_json
from relaybook.core.result.envelope import Envelope, from_json
from relaybook.core.result.evidence import of_attempt, parent_decision
from relaybook.core.signs import scan
from relaybook.core.task.status import is_expired, workflow_status
from relaybook.core.text import texts_in
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.handed import result_of, standing_for, taken
from relaybook.engine.prompts.prompt import result_schema, takes_of
from relaybook.engine.view.decided import RecordedDecisions
from relaybook.engine.view.handled import handlers
from relaybook.engine.view.open_decisions import waiting_lessons
from relaybook.engine.view.review import gate_items
from relaybook.engine.view.unsettled import next_now
from relaybook.engine.view.waiting import questions_of
from relaybook.errors import InvalidArguments, InvalidTemplate, NotFound, StoreFault
from relaybook.model import Pattern, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.events import read_changed_tasks, read_task_events
from relaybook.store.reads import note_read, read_up_to
from relaybook.store.scratch import Scratch
from relaybook.store.tables import TASKS
from relaybook.store.texts import get_text

#: Tasks read at a time: a digest holds no more of the ledger in memory.
PAGE = 50
#: The merge of a composition whose results stand side by side.
SIDE_BY_SIDE = "stage"


def aggregate(
    desk: Desk, workflow_id: str, *, detail: str = "concise", cursor: str = "", noted: bool = False
) -> dict[str, Any]:
    """The digest of what the workers returned, by pattern, from `cursor` on.

    If `noted`, its last page is a bookmark: a resume tells these results as read.

    A page that follows another names the tasks that changed since the first, for what they
    returned may belong on a page that was read already.

    Raises:
        UnknownWorkflow: there is none of that id.
        InvalidArguments: an unknown detail, or a cursor that no digest gave.
    """
    wanted = _detail(detail)
    with desk.store.read() as tx, Scratch() as scratch:
        workflow = get_workflow(tx, workflow_id)
        begun, place = _read_cursor(cursor, workflow)
        known = read_up_to(tx, workflow.id)
        gathering = _Gathering(desk, tx, workflow)
        found = digest(
            workflow.pattern,
            gathering,
            gathering.frame,
            detail=wanted,
            cursor=place,
            piles=scratch.pile,
        )
        changed = read_changed_tasks(tx, workflow.id, begun) if begun < workflow.seq else Names()
        call = next_now(tx, workflow, desk.clock())
    if noted and found.cursor is None and begun > known:
        # Results can be read from a disk that is full.
        with suppress(StoreFault), desk.store.transaction() as tx:
            note_read(tx, workflow.id, begun)
    return _answer(workflow, found, begun, changed, call)


def _answer(
    workflow: Workflow, found: Digest, begun: int, changed: Names, call: str
) -> dict[str, Any]:
    answer = found.as_dict()
    if answer["cursor"] is None:
        del answer["cursor"]
    else:
        answer["cursor"] += f"@{begun}"
    if changed.count:
        answer["changed"] = {"since_seq": begun, "tasks": named(changed, 200)}
    return {
        "workflow_id": workflow.id,
        "type": answer.pop("pattern"),
        "status": str(workflow_status(workflow)),
        "seq": workflow.seq,
        "summary": answer.pop("sentence"),
        **answer,
        "next": _next(workflow, answer, call),
    }


def _detail(detail: str) -> Detail:
    try:
        return Detail(detail)
    except ValueError:
        raise InvalidArguments(
            f"detail is {detail[:40]!r}.", allowed=", ".join(Detail), next="use one of these"
        ) from None


def _read_cursor(cursor: str, workflow: Workflow) -> tuple[int, str | None]:
    """The `seq` at which the first page was read, and where the next one begins."""
    if not cursor:
        return workflow.seq, None
    place, _, begun = cursor.rpartition("@")
    if begun.isascii() and begun.isdigit() and len(begun) < 12 and int(begun) <= workflow.seq:
        return int(begun), place
    raise InvalidArguments(
        f"{cursor[:60]!r} is no cursor of a digest of workflow {workflow.id!r}.",
        allowed="the cursor of the page before",
        next="leave the cursor out to start from the first page",
    )


def _next(workflow: Workflow, answer: Mapping[str, Any], call: str) -> str:
    if "cursor" in answer:
        return "aggregate with this cursor for the rest"
    if "changed" in answer:
        return "aggregate without a cursor: tasks changed while you read"
    if workflow.ended_at is not None:
        return "write the synthesis: integrate, do not paste; name every gap"
    return call.removeprefix("aggregate, then ")


class _Gathering:
    """The outcomes of a workflow's tasks as they stand now, in the order of its plan."""

    def __init__(self, desk: Desk, tx: Tx, workflow: Workflow) -> None:
        self._desk = desk
        self._tx = tx
        self._workflow = workflow
        self._now = desk.clock()
        self._options: Mapping[str, Any] = json.loads(workflow.options)
        self._plans: dict[str, MergePlan | None] = {}
        self._taken: dict[Take, list[str]] = {}
        #: Whether a task was seen that leaves something to the parent.
        self._has_deeds = False

    def __iter__(self) -> Iterator[TaskOutcome]:
        return map(self._outcome, self._tasks("replaced_by IS NULL"))

    def _tasks(self, which: str) -> Iterator[Task]:
        """The tasks of which the condition `which` holds, in the order of the plan."""
        where = (
            f"WHERE workflow_id = :id AND position > :last AND {which}"
            " ORDER BY position LIMIT :page"
        )
        last = -1
        while tasks := TASKS.find(self._tx, where, id=self._workflow.id, last=last, page=PAGE):
            yield from tasks
            last = tasks[-1].position

    @cached_property
    def frame(self) -> Frame:
        workflow, options = self._workflow, self._options
        wishes = read_wishes(json.loads(workflow.metadata))
        said = {"audience": wishes.audience} if wishes.audience else {}
        return Frame(
            request=Request(
                **said,
                asked=str(options.get("brief", "")),
                acceptance=tuple(options.get("acceptance", ())),
            ),
            closed=str(workflow.decision or ""),
            panel=self._panel(),
            weights=wishes.weights,
            quorum=wishes.quorum,
            model=wishes.model,
            decisions=RecordedDecisions(self._tx, workflow, lambda: self._has_deeds),
            lessons=len(waiting_lessons(self._tx, workflow)),
            replaced=self._items_replaced(),
        )

    def _items_replaced(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for task in self._tasks("replaced_by IS NOT NULL"):
            yield task.id, items_given(self._desk.spec(self._tx, task.workflow_id, task.spec))

    def _panel(self) -> PanelKind:
        """What the first expert is asked for."""
        if self._workflow.pattern is not Pattern.EXPERT_PANEL:
            return PanelKind.VERDICT
        where = "WHERE workflow_id = :id ORDER BY position LIMIT 1"
        (first,) = TASKS.find(self._tx, where, id=self._workflow.id)
        try:
            spec = self._desk.spec(self._tx, self._workflow.id, first.spec)
            declared = (
                self._options.get("merge") or self._desk.templates.get(spec.template).aggregate
            )
            return panel_kind(str(declared), result_schema(self._desk, spec) or {})
        except (NotFound, InvalidTemplate):
            return PanelKind.VERDICT  # its template is gone; the results are still there

    def _outcome(self, task: Task) -> TaskOutcome:
        workflow = self._workflow
        spec = self._desk.spec(self._tx, workflow.id, task.spec)
        merge, flags = self._plan(spec)
        said: dict[str, Any] = {"flags": flags, "error": task.error}
        result = None
        if task.status is Status.COMPLETED and task.result is not None:
            text = get_text(self._tx, workflow.id, task.result)
            result = from_json(text)
            said |= _result(result, text, flags)
            said["link"] = f"ledger://workflows/{workflow.id}/tasks/{task.id}/result"
        elif task.status is Status.INPUT_REQUIRED:
            said["questions"] = tuple(questions_of(self._tx, task))
        elif task.status is Status.REVIEW:
            said |= self._in_review(task)
        if workflow.pattern is Pattern.EXPERT_PANEL:
            said |= {
                "role": expert_name(spec),
                "criteria": asked_criteria(spec.args),
                "weights": asked_weights(spec.args),
                "options": asked_options(spec.args),
            }
        if spec.parent_actions:
            said |= self._deeds(task, spec)
        return TaskOutcome(
            task_id=task.id,
            label=task.label,
            status=task.status,
            position=task.position,
            chain=task.chain,
            attempts=task.attempt,
            error_code=task.error_code,
            handled_by=self._handlers.get(task.id),
            lost=is_expired(task, self._now),
            merge=merge,
            took=tuple(self._took(spec)) if task.attempt else (),
            items=items_given(spec),
            reported=self._reported(task, result),
            **said,
        )

    def _reported(self, task: Task, result: Envelope | None) -> Mapping[str, tuple[str, ...]]:
        recorded = task.id in self._recorded
        if result is None and not recorded:
            return {}
        events = read_task_events(self._tx, task.workflow_id, task.id) if recorded else []
        found = reported(result, of_attempt(events))
        if self._workflow.pattern is Pattern.EXPERT_PANEL:
            found.pop("blockers", None)  # they are told with the votes
        return found

    @cached_property
    def _handlers(self) -> Mapping[str, str]:
        return handlers(self._tx, self._workflow)

    @cached_property
    def _recorded(self) -> frozenset[str]:
        """The tasks with tests, criteria or findings on record."""
        sql = (
            "SELECT DISTINCT task_id FROM events WHERE workflow_id = :id"
            " AND type IN ('test_recorded', 'finding_added')"
        )
        return frozenset(row[0] for row in self._tx.rows(sql, {"id": self._workflow.id}))

    def _in_review(self, task: Task) -> dict[str, Any]:
        """What holds a task in review, and what its worker proposes."""
        proposed = result_of(self._tx, task).proposed_actions if task.result is not None else ()
        held = "; ".join(item["what"] for item in gate_items(self._tx, task))
        return {"error": f"in review: {held}", "proposed_actions": proposed}

    def _deeds(self, task: Task, spec: TaskSpec) -> dict[str, Any]:
        """What is left to the parent; a decision on it is one on what the worker proposed too."""
        self._has_deeds = True
        events = read_task_events(self._tx, task.workflow_id, task.id)
        if parent_decision(of_attempt(events)):
            return {"proposed_actions": ()}
        return {"planned_actions": tuple(map(asdict, spec.parent_actions))}

    def _took(self, spec: TaskSpec) -> Iterator[str]:
        """The fields that were there to be taken; a task of which all is taken, by its name."""
        for take in takes_of(self._workflow.pattern, spec):
            if not take.fields:
                yield from self._standing(take.source)
                continue
            if take not in self._taken:
                if len(self._taken) == PAGE:
                    self._taken.clear()
                self._taken[take] = taken(self._tx, self._workflow.id, take)
            yield from (f"{take.source}.{name}" for name in self._taken[take])

    def _standing(self, name: str) -> list[str]:
        """A task by its name, or those that in the end took its place."""
        if name not in self._replaced:
            return [name]
        return [task.id for task in standing_for(self._tx, self._workflow.id, name)]

    @cached_property
    def _replaced(self) -> frozenset[str]:
        sql = "SELECT id FROM tasks WHERE workflow_id = :id AND replaced_by IS NOT NULL"
        return frozenset(row[0] for row in self._tx.rows(sql, {"id": self._workflow.id}))

    def _plan(self, spec: TaskSpec) -> tuple[MergePlan | None, tuple[str, ...]]:
        """How a result of the task merges; with a flag if its schema cannot be had any more."""
        if self._options.get("merge") == SIDE_BY_SIDE:
            return None, ()
        if spec.schema is not None:
            return plan_merge(spec.schema), ()
        if spec.template not in self._plans:
            self._plans[spec.template] = self._template_plan(spec)
        plan = self._plans[spec.template]
        return plan, () if plan else ("unmerged",)

    def _template_plan(self, spec: TaskSpec) -> MergePlan | None:
        try:
            return plan_merge(result_schema(self._desk, spec) or {})
        except (NotFound, InvalidTemplate):
            return None


def _result(envelope: Envelope, text: str, flags: tuple[str, ...]) -> dict[str, Any]:
    flags += scan("\n".join(texts_in(json.loads(text))))
    return {
        "summary": envelope.summary,
        "confidence": envelope.confidence or stated_confidence(envelope.data),
        "data": envelope.data,
        "gaps": envelope.left_out,
        "proposed_actions": envelope.proposed_actions,
        "flags": (*flags, *result_flags(envelope)),
        "words": words_in_json(text),
    }
