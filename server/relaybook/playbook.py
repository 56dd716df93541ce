"""The workflow engine under the names of the orchestration playbook, over `relaybook.engine`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.item import WorkItem
from relaybook.engine import Engine
from relaybook.engine.request import Resolution, StageReport
from relaybook.engine.tasks.advance import hooks_due
from relaybook.engine.tasks.stage import stage_lines
from relaybook.engine.view.stage_ids import stage_at
from relaybook.engine.view.workflows import by_id
from relaybook.model import WORDS, Task, Workflow
from relaybook.registry.contract import Contract
from relaybook.store.cases import get_workflow
from relaybook.store.tables import TASKS


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage as it stood when it was asked for."""

    index: int
    capability: str | None
    goal: str
    skill: str | None
    #: pending, in_progress, done, failed or skipped.
    status: str
    #: The slug of its work item.
    item: str
    #: What the engine answered: claim and prompt of a start, items of a gate, hooks due.
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A workflow of stages; what it tells is read when it is asked."""

    id: str
    engine: Engine

    @property
    def workflow(self) -> Workflow:
        with self.engine.store.read() as tx:
            return get_workflow(tx, self.id)

    @property
    def tasks(self) -> list[Task]:
        """Its stages in order."""
        where = "WHERE workflow_id = :id AND slug IS NOT NULL ORDER BY position"
        with self.engine.store.read() as tx:
            return TASKS.find(tx, where, id=self.id)

    @property
    def status(self) -> str:
        """pending, in_progress, completed, failed, partial or cancelled."""
        return str(self.engine.show_workflow(self.id)["status"])

    def task(self, index: int) -> Task:
        """The task of the stage that answers number so."""
        with self.engine.store.read() as tx:
            return stage_at(tx, get_workflow(tx, self.id), index)

    def stage(self, index: int, answer: Mapping[str, Any] | None = None) -> Stage:
        task = self.task(index)
        return Stage(
            index=task.position,
            capability=task.capability,
            goal=task.label,
            skill=task.skill,
            status=WORDS[task.status].stage,
            item=str(task.slug),
            answer=answer or {},
        )

    def summary(self) -> str:
        """A line for each stage: icon, index, capability, goal and skill."""
        return stage_lines(self.tasks)


class WorkflowEngine:
    """Pipelines of stages, each done by the skill that its contract names."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create_pipeline(
        self,
        name: str,
        project: str,
        stages: Sequence[Mapping[str, Any]],
        hooks: Sequence[str] | str | None = None,
    ) -> Pipeline:
        """Make a workflow of `stages`, each {capability, goal, skill?, args?, done?}.

        Raises:
            UnknownCapability: no skill can do one of them; names the nearest.
        """
        made = self.engine.create_workflow(name=name, project=project, stages=stages, hooks=hooks)
        return Pipeline(made["workflow_id"], self.engine)

    def advance(self, wf: Pipeline) -> Stage | None:
        """The stage that now runs, started if none did; None once all are done.

        Raises:
            HooksPending, InReview, Blocked …: it says what is in the way.
        """
        answer = self.engine.advance_stage(StageReport(workflow_id=wf.id))
        current = answer.get("current")
        return wf.stage(current["stage"], current) if current else None

    def complete_stage(self, wf: Pipeline, stage_index: int, **evidence: Any) -> Stage:
        """Complete the stage if the evidence passes its gate; else it is in review.

        `evidence` is output, or artifacts, tests, metrics, findings, criteria and reason.
        """
        return self._report(wf, stage_index, outcome="completed", **evidence)

    def fail_stage(self, wf: Pipeline, stage_index: int, reason: str, **evidence: Any) -> Stage:
        """Record that the stage failed; `advance` tries it again while retries are left."""
        return self._report(wf, stage_index, outcome="failed", reason=reason, **evidence)

    def confirm_stage(self, wf: Pipeline, stage_index: int, reason: str) -> Stage:
        """Say that the parent action, such as a deployment, was done."""
        return self._resolve(wf, stage_index, "confirm", reason)

    def waive(self, wf: Pipeline, stage_index: int, reason: str) -> Stage:
        """Let the stage pass its gate as it is, or go on without its hooks."""
        return self._resolve(wf, stage_index, "waive", reason)

    def get_post_hook_tasks(self, wf: Pipeline, stage_index: int) -> list[dict[str, Any]]:
        """The hooks due, each with its skill, label, and description to spawn a worker with."""
        return hooks_due(self.engine, wf.id, stage_index)

    def mark_post_hooks_run(
        self, wf: Pipeline, stage_index: int, outputs: Mapping[str, str] | None = None
    ) -> None:
        """Record the hooks due as run; `outputs` are the messages of those that were judged."""
        due = [hook["skill"] for hook in self.get_post_hook_tasks(wf, stage_index)]
        said = outputs or {}
        runs = [{"hook": name, "output": said[name]} if name in said else name for name in due]
        if runs:
            self._report(wf, stage_index, hooks_run=runs)

    def load_workflow(self, workflow_id: str) -> Pipeline:
        """The workflow of that id.

        Raises:
            UnknownWorkflow: there is none.
        """
        found = Pipeline(workflow_id, self.engine)
        _ = found.workflow
        return found

    def list_workflows(self, status: str = "") -> list[Pipeline]:
        """All workflows, or those of a status, the newest change first."""
        rows = [row for row in self._rows() if status in ("", row["status"])]
        return [Pipeline(row["workflow_id"], self.engine) for row in rows]

    def _rows(self) -> Iterable[dict[str, Any]]:
        page = self.engine.list_workflows()
        rows = by_id(page)
        while "cursor" in page:
            page = self.engine.list_workflows(cursor=page["cursor"])
            rows |= by_id(page)
        return rows.values()

    def find_skills_for(
        self,
        capability: str | None = None,
        input: str | None = None,
        output: str | None = None,
    ) -> list[Contract]:
        """The contracts that fit all that is given, best first."""
        return list(self.engine.contracts.find(capability, input, output))

    def load_contract(self, name: str) -> Contract:
        return self.engine.contracts.get(name)

    def build_pipeline(self, capabilities: Sequence[str]) -> list[Contract]:
        """The skill for each capability, in that order.

        Raises:
            UnknownCapability: no skill has one of them.
        """
        return list(self.engine.contracts.pipeline(capabilities))

    def load_item(self, slug: str) -> WorkItem:
        return self.engine.load_item(slug)

    def list_items(self, status: str = "", project: str = "", skill: str = "") -> list[WorkItem]:
        return self.engine.list_items(status=status, project=project, skill=skill)

    def _report(self, wf: Pipeline, index: int, **said: Any) -> Stage:
        report = StageReport(workflow_id=wf.id, stage=index, **said)
        return wf.stage(index, self.engine.report_stage(report))

    def _resolve(self, wf: Pipeline, index: int, decision: str, reason: str) -> Stage:
        resolution = Resolution(
            workflow_id=wf.id, decision=decision, task_id=wf.task(index).id, reason=reason
        )
        return wf.stage(index, self.engine.resolve(resolution))
