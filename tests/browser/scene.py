"""A ledger with work of every kind going on, at believable times, for the board to show."""

from typing import Any

from relaybook.engine import Engine
from relaybook.engine.request import Update
from tests.helpers import Clock, complete, fail, result, start, task, update
from tests.stages import PROOF, STAGES, advance
from tests.surface.scenarios import ARGS

MINUTE = 60
#: How long before now the first thing happened, in seconds.
STORY = 126 * MINUTE

EXPERTS = {
    "security": ("approve", {"safety": 4, "effort": 3}),
    "operations": ("strong_approve", {"safety": 5, "effort": 4}),
    "data": ("approve", {"safety": 4, "effort": 2}),
    "cost": ("reject", {"safety": 3, "effort": 1}),
}
COLOURS = {"legal": "red", "sales": "green", "finance": "yellow"}

#: What a hostile worker, or a careless one, may send.
MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
HOSTILE_NAME = f"</title>{MARKUP}"


class Story:
    """Tells what happened, on a clock that is moved as it goes."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine, self.clock = engine, clock

    def after(self, minutes: float) -> None:
        self.clock.move(minutes * MINUTE)

    def run(self, workflow_id: str, name: str, minutes: float, who: str, **said: Any) -> None:
        """Start a task, and complete it so many minutes later."""
        start(self.engine, workflow_id, name, session_key=who)
        self.after(minutes)
        update(self.engine, workflow_id, name, "completed", output=result(said or None, **SAID))

    def create(self, pattern: str, name: str, *tasks: dict[str, Any], **said: Any) -> str:
        return self.engine.create_workflow(pattern, name, tasks=list(tasks), **said)["workflow_id"]


SAID: dict[str, Any] = {
    "summary": "Three sources agree; the fourth is older than the change.",
    "confidence": "medium",
}


def tell(engine: Engine, clock: Clock) -> dict[str, str]:
    """Tell it all; the ids of its workflows by what they show."""
    story = Story(engine, clock)
    return {
        "done": article(story),
        "stages": stages(story),
        "panel": panel(story),
        "risk": risk(story),
        "broken": broken(story),
        "running": running(story),
    }


def article(story: Story) -> str:
    names = ("research", "outline", "draft", "review", "polish")
    tasks = [
        task(name, *names[:place][-1:], label=f"{name.capitalize()} the release notes for 3.2")
        for place, name in enumerate(names)
    ]
    made = story.create("pipeline", "Release notes for 3.2", *tasks, project="docs")
    for name, minutes in zip(names, (9, 4, 12, 6, 2), strict=True):
        story.run(made, name, minutes, f"writer-{name[0]}")
    return made


def stages(story: Story) -> str:
    for minutes, failed in ((7, False), (9, True), (6, False), (8, False), (11, False), (7, True)):
        made = story.engine.create_workflow(name="Warm up", stages=STAGES[:2], hooks=[])
        advance(story.engine, made["workflow_id"])
        story.after(minutes)
        outcome: dict[str, Any] = {"outcome": "completed", **PROOF[0]}
        if failed:
            outcome = {"outcome": "failed", "reason": "the build broke", "error_code": "crash"}
        advance(story.engine, made["workflow_id"], 0, **outcome)
        if not failed:
            story.engine.claim_task(made["workflow_id"])
        story.engine.resolve(_cancel(made["workflow_id"]))
    made = story.engine.create_workflow(
        name="Refresh tokens in the sign-in service", project="auth", stages=STAGES
    )["workflow_id"]
    advance(story.engine, made)
    story.after(8)
    advance(story.engine, made, 0, outcome="completed", **PROOF[0])
    return made


def _cancel(workflow_id: str) -> Any:
    from relaybook.engine.request import Resolution

    return Resolution(workflow_id=workflow_id, decision="cancel", reason="a rehearsal")


def panel(story: Story) -> str:
    criteria = [
        {"name": name, "question": f"Is the {name} right?"} for name in ("safety", "effort")
    ]
    tasks = [
        {
            "id": role,
            "label": f"Judge the move to event sourcing for {role}",
            "expert_role": role,
            "args": {"proposal": "Store events, derive the tables.", "criteria": criteria},
        }
        for role in EXPERTS
    ]
    made = story.create("expert_panel", "Event sourcing for orders?", *tasks, project="orders")
    for role, (verdict, scores) in EXPERTS.items():
        opinion = {
            "verdict": verdict,
            "reason": f"Seen from {role}, the gain in audit outweighs a second store to run.",
            "criteria": [{"name": n, "score": s, "why": "measured"} for n, s in scores.items()],
            "blockers": [],
            "risks": [],
            "alternatives": [],
            "would_change_mind": "a load test",
        }
        start(story.engine, made, role, session_key=f"expert-{role}")
        story.after(4)
        complete(story.engine, made, role, opinion)
    return made


def risk(story: Story) -> str:
    made = story.engine.create_workflow(composition="deal_review", args=ARGS["deal_review"])
    workflow_id = made["workflow_id"]
    for domain, colour in COLOURS.items():
        found = {
            "domain": domain,
            "colour": colour,
            "why": f"The {domain} terms were read clause by clause; see 7.2 on liability.",
            "issues": [],
            "facts": {"term": "24 months" if domain == "legal" else "36 months"},
            "missing": [],
            "questions": [],
        }
        start(story.engine, workflow_id, domain, session_key=f"reviewer-{domain}")
        story.after(3)
        complete(story.engine, workflow_id, domain, found)
    return workflow_id


def broken(story: Story) -> str:
    tasks = [task(f"region-{name}", expected_minutes=5) for name in ("eu", "us", "apac", "latam")]
    made = story.create("fan_out", "Migrate customer exports", *tasks, project="data")
    for name in ("eu", "us", "apac"):
        start(story.engine, made, f"region-{name}", session_key=f"exporter-{name}")
    story.after(4)
    for name in ("eu", "us", "apac"):
        fail(
            story.engine,
            made,
            f"region-{name}",
            "HTTP 403 from the export API: the service account may not read bucket exports-old.",
            error_code="crash",
        )
    return made


def running(story: Story) -> str:
    areas = ("auth", "billing", "search", "webhooks", "reports")
    tasks = [
        task(f"read-{area}", label=f"Read the {area} module for unsafe input", expected_minutes=6)
        for area in areas
    ]
    tasks.append(task("summary", *[f"read-{area}" for area in areas], label="Rank the findings"))
    tasks.append(task("ticket", "summary", label="Write the ticket"))
    made = story.create("pipeline", "Security review of the payment service", *tasks)
    start(story.engine, made, "read-auth", session_key="worker-1")
    start(story.engine, made, "read-billing", session_key="worker-2")
    start(story.engine, made, "read-search", session_key="worker-3")
    story.after(5)
    found = {"findings": [{"file": "auth/session.py", "line": 88, "risk": "high"}]}
    said = result(found, **SAID, gaps=["auth/legacy.py was too long to read whole"])
    update(story.engine, made, "read-auth", "completed", output=said)
    fail(story.engine, made, "read-billing", "no <result> block", error_code="malformed_output")
    start(story.engine, made, "read-billing", session_key="worker-4")
    asked = {"status": "needs_input", "questions": ["Is the staging key in scope?"]}
    update(story.engine, made, "read-search", "completed", output=result(None, **asked))
    start(story.engine, made, "read-webhooks", session_key="worker-1")
    story.after(2)
    return made


def hostile(engine: Engine) -> str:
    """A workflow in which every text is markup or a script address."""
    made = engine.create_workflow(
        "fan_out",
        HOSTILE_NAME,
        project="p-x",
        tasks=[
            task("done", label=f"{MARKUP} javascript:document.title='owned'"),
            task("failed", label="{{7*7}}${document.title='owned'}"),
            task("asks", label="a" * 300),
        ],
    )["workflow_id"]
    for name in ("done", "failed", "asks"):
        start(engine, made, name, session_key=MARKUP)
    said = {"summary": MARKUP, "gaps": [MARKUP], "artifacts": [{"path": f"javascript:{MARKUP}"}]}
    update(engine, made, "done", "completed", output=result({MARKUP: MARKUP}, **said))
    fail(engine, made, "failed", MARKUP)
    asked = {"status": "needs_input", "questions": [MARKUP]}
    update(engine, made, "asks", "completed", output=result(None, **asked))
    return made


def large(engine: Engine, tasks: int = 2_000, wide: int = 100) -> str:
    """A pipeline of layers, each `wide`, with its first ones done."""
    plan = [
        task(f"t{n}", *([f"t{n - wide}"] if n >= wide else []), label=f"Part {n}")
        for n in range(tasks)
    ]
    made = engine.create_workflow("pipeline", "A very large migration", tasks=plan)["workflow_id"]
    for _ in range(30):
        claimed = engine.claim_task(made)
        engine.update_task(
            Update(claim=claimed["claim"], status="completed", output=result(1), actor="worker")
        )
    return made
