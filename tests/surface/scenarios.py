"""Scripted workers: arguments for every shipped composition, and a fitting result for each task."""

from typing import Any

from mcp import Client

from relaybook.registry.compositions import Compositions
from relaybook.registry.templates import Templates
from tests.helpers import result
from tests.surface.calls import call

FILES = [{"path": "terms.md", "content": "Liability has no cap."}]
SKILLS = [{"path": f"skills/s{number:02}.py", "content": "pass"} for number in range(30)]
AREAS = ("finance", "sales", "product", "data", "marketing")

#: Arguments for each composition: what it requires, and nothing else.
ARGS: dict[str, dict[str, Any]] = {
    "customer_research": {
        "customer": "Ada of Example Ltd",
        "issue": "an export ends at row 1000",
        "memory": [],
        "policy": ["No refund without approval."],
    },
    "deal_review": {"deal": "Example Ltd", "decision_date": "2027-03-01", "documents": FILES},
    "documentation_sweep": {
        "folder": "skills",
        "skills": SKILLS,
        "audience": "new developers",
        "doc_type": "reference",
    },
    "implement_test_deploy": {
        "feature": "token refresh",
        "spec": "An expired token is refused.",
        "scope": "src/api/",
        "criteria": ["An expired token is refused with 401."],
        "test_scope": "tests/",
        "framework": "pytest 9",
        "environment": "staging",
        "health_checks": ["/health answers 200."],
    },
    "incident_response": {
        "incident": "leaked key",
        "noticed_at": "2027-03-01 10:02 UTC",
        "timeline": "10:02 key k1 was used from an unknown address.",
    },
    "pr_review_merge_deploy": {
        "pull_request": "#17",
        "changes": FILES,
        "environment": "staging",
        "health_checks": ["/health answers 200."],
    },
    "product_launch": {
        "product": "Scheduled reports",
        "launch_date": "2027-04-01",
        "product_brief": "Reports that are sent every week.",
    },
    "qbr": {"quarter": "2027 Q1"} | {f"{area}_figures": FILES for area in AREAS},
    "skill_factory": {
        "need": "Convert CSV files to Parquet.",
        "skill": "csv_to_parquet",
        "smoke_test": "csv_to_parquet --version",
    },
}

_CANDIDATE = {
    "name": "csv-to-parquet",
    "source": "skills.example/csv",
    "score": 80,
    "why": "It meets the need.",
    "risks": [],
}
_SKILL_FILES = [{"path": "run.py", "text": "print('ok')"}]

#: Results of tasks that the example of their template does not fit.
RESULTS: dict[str, dict[str, Any]] = {
    "campaign": {
        "stage": "campaign",
        "campaign_plan": "One mail to each team.",
        "content_calendar": [{"date": "2027-03-20", "channel": "mail", "piece": "Announcement"}],
        "messaging": ["The report is there on Monday."],
    },
    "battlecard": {
        "stage": "battlecard",
        "battlecard": "Against exports by hand: nobody forgets.",
        "objections": [{"objection": "We have scripts.", "answer": "Scripts need somebody."}],
        "outreach": [],
    },
    "kb": {
        "stage": "kb",
        "kb_articles": [{"title": "Schedule a report", "text": "Choose a day."}],
        "faq": [],
        "known_limitations": ["One time zone per team."],
    },
    "tracker": {
        "stage": "tracker",
        "tasks": [{"title": "Send the mail", "owner": "marketing", "due": "2027-03-20"}],
    },
    "scout": {"step": "scout", "candidates": [_CANDIDATE]},
    "acquire": {"step": "acquire", "candidates": [_CANDIDATE], "files": _SKILL_FILES},
    "create": {"step": "create", "candidates": [_CANDIDATE], "files": _SKILL_FILES},
    "scan": {
        "step": "scan",
        "candidates": [_CANDIDATE],
        "scan": {"verdict": "pass", "findings": []},
    },
}


def answer_for(composition: str, task_id: str, **members: Any) -> str:
    """What a worker that did the task says at its end, with `members` in its result."""
    if task_id in RESULTS:
        return result(RESULTS[task_id])
    tasks = {task["id"]: task for task in Compositions().get(composition).tasks}
    task = tasks[task_id] if task_id in tasks else tasks["batch"]
    example = Templates().get(task["template"]).example_result
    own = {name: value for name, value in task["args"].items() if name in example}
    return result({**example, **own, **members})


async def create(client: Client, composition: str, **said: Any) -> str:
    """The id of a new workflow of the composition with its arguments."""
    args = ARGS[composition]
    created = await call(client, "create_workflow", composition=composition, args=args, **said)
    return created["workflow_id"]


async def claim(client: Client, workflow_id: str) -> dict[str, Any]:
    return await call(client, "claim_task", workflow_id=workflow_id)


async def finish(
    client: Client, composition: str, claimed: dict[str, Any], **members: Any
) -> dict[str, Any]:
    """Complete a claimed task with a fitting result, and `members` in it."""
    return await call(
        client,
        "update_task",
        claim=claimed["claim"],
        status="completed",
        output=answer_for(composition, claimed["task_id"], **members),
    )


async def work(client: Client, composition: str, workflow_id: str) -> list[str]:
    """Do tasks until none can start; their ids in the order in which they ran.

    What one leaves to the parent is confirmed at once.
    """
    ran: list[str] = []
    while (claimed := await claim(client, workflow_id))["claimed"]:
        done = await finish(client, composition, claimed)
        if done["status"] == "review":
            await decide(client, workflow_id, claimed["task_id"], "confirm")
        ran.append(claimed["task_id"])
    return ran


async def do(client: Client, composition: str, workflow_id: str, task_id: str) -> dict[str, Any]:
    """Start and complete one task by its name, as an orchestrator does."""
    started = await call(
        client, "update_task", workflow_id=workflow_id, task_id=task_id, status="in_progress"
    )
    return await finish(client, composition, started)


async def decide(client: Client, workflow_id: str, task_id: str, decision: str) -> None:
    await call(
        client,
        "resolve",
        workflow_id=workflow_id,
        decision=decision,
        task_id=task_id,
        reason="as the result says",
    )


async def status(client: Client, workflow_id: str) -> str:
    return (await call(client, "get_workflow", workflow_id=workflow_id))["status"]
