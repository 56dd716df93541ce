"""A project that its neighbours must learn nothing of: every name and text in it is marked."""

import json
from dataclasses import dataclass

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from tests.helpers import fail, result, start, task, update

MARK = "canary"
PROJECT = f"{MARK}_project"
REQUEST = "plan-of-monday"


@dataclass(frozen=True)
class Foreign:
    """What an attacker is given beforehand, as if it had been overheard."""

    workflow_id: str
    task_id: str
    claim: str
    slug: str
    lesson: str
    #: What an accepted lesson is for.
    target: str
    project: str = PROJECT

    def uri(self, template: str) -> str:
        """The template filled with what is foreign."""
        slug = self.slug.replace("/", "%2F")
        names = {"id": self.workflow_id, "task_id": self.task_id, "slug": slug}
        names |= {"project": self.project, "target": self.target}
        return template.format(**names, name="research", event="failed", since="2026-02-14")


def foreign_work(engine: Engine) -> Foreign:
    """Work of every kind in `PROJECT`: running, failed, done, a stage with a lesson."""
    tasks = [
        task(f"{MARK}_{name}", label=f"{MARK} label", writes=[f"{MARK}/{name}"])
        for name in ("running", "failed", "done", "ready")
    ]
    made = engine.create_workflow(
        "fan_out", f"{MARK} plan", tasks=tasks, project=PROJECT, request_id=REQUEST
    )
    here = made["workflow_id"]
    claim = start(engine, here, f"{MARK}_running", session_key=f"{MARK}_session")
    start(engine, here, f"{MARK}_failed")
    fail(engine, here, f"{MARK}_failed", f"{MARK} error")
    start(engine, here, f"{MARK}_done")
    said = result({MARK: 1}, summary=f"{MARK} summary")
    update(engine, here, f"{MARK}_done", "completed", output=said)
    engine.record("artifact", [{"path": f"{MARK}.txt"}], workflow_id=here, task_id=f"{MARK}_done")
    slug, lesson, target = _stage(engine)
    return Foreign(here, f"{MARK}_running", claim, slug, lesson, target)


def _stage(engine: Engine) -> tuple[str, str, str]:
    """The slug of a failed stage, a lesson proposed from it, and the target of one accepted."""
    made = engine.create_workflow(
        name=f"{MARK} stages",
        stages=[{"capability": "implement", "goal": f"{MARK} goal"}],
        project=PROJECT,
    )
    here, stage = made["workflow_id"], made["stages"][0]
    start(engine, here, stage["task_id"])
    findings = [
        {"text": f"Always {verb} the {MARK} before the build", "evidence": f"{MARK} log"}
        for verb in ("look for", "count and weigh")
    ]
    engine.record("finding", findings, workflow_id=here, task_id=stage["task_id"])
    fail(engine, here, stage["task_id"], f"{MARK} stage error")
    proposed, accepted = engine.list_lessons(project=PROJECT)
    engine.resolve(
        Resolution(workflow_id=here, decision="accept_lesson", lesson=accepted["id"], reason=MARK)
    )
    return stage["item"], proposed["id"], accepted["target"]


def leaks(said: object, *known: str) -> bool:
    """Whether an answer holds a mark or an id of the project that the question did not hold."""
    text = said if isinstance(said, str) else json.dumps(said, default=str)
    for each in sorted(known, key=len, reverse=True):
        text = text.replace(each, "")
    return MARK in text.lower()
