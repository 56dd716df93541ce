"""Three whole jobs over MCP, with workers that fail, stall, answer malformed and come late."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from mcp import Client

from tests.helpers import Clock, result
from tests.surface.calls import call, refusal
from tests.surface.crew import MALFORMED, SILENT, Act, Crew, asks, done, failed

pytestmark = pytest.mark.anyio


def page(skill: str) -> dict[str, str]:
    return {"path": f"docs/skills/{skill}.md", "text": f"# {skill}\n\nPurpose, inputs, outputs."}


def pages(skills: Sequence[str]) -> Act:
    data = {"files": [page(each) for each in skills], "sections": list(skills), "uncovered": []}
    return done(data, summary=f"{len(skills)} pages written", artifacts=[{"path": "docs/skills/"}])


def batch(name: str, skills: Sequence[str]) -> dict[str, Any]:
    sources = [{"path": f"skills/{each}.md", "content": f"Does {each}."} for each in skills]
    return {
        "id": name,
        "label": f"Document {name}",
        "template": "documentation",
        "args": {"sources": sources, "doc_type": "reference", "audience": "users of the skills"},
        "expected_minutes": 12,
        "done": ["Every skill of the batch has a page."],
        "writes": [f"docs/skills/{each}.md" for each in skills],
    }


@pytest.mark.requirement("S3", "S7", "S87", "S89", "S90", "S93", "S94", "S105")
async def test_a_documentation_sweep_of_30_skills_over_5_workers(
    client: Client, worker: Client, clock: Clock
) -> None:
    skills = [f"skill-{n:02}" for n in range(30)]
    facts = {"minutes": 60, "independent": True, "homogeneous": True, "subtasks": 30}
    advice = await call(client, "plan", facts=facts, items=skills, batches=5)
    assert (advice["pattern"], advice["batches"]["sizes"]) == ("fan_out", [6, 6, 6, 6, 6])
    parts = {f"batch-{n}": skills[6 * n : 6 * n + 6] for n in range(5)}
    created = await call(
        client, "create_workflow", pattern="fan_out", name="sweep",
        tasks=[batch(name, part) for name, part in parts.items()],
        shared_decisions=["Every page has the headings Purpose, Inputs, Outputs."],
        metadata={"goal": "Document all 30 skills"},
    )  # fmt: skip
    name = created["workflow_id"]
    crew = Crew(
        worker,
        clock,
        {
            "batch-0": [pages(parts["batch-0"])],
            "batch-1": [
                failed("429 too many requests"),
                failed("rate limit reached"),
                pages(parts["batch-1"]),
            ],
            "batch-2": [MALFORMED, pages(parts["batch-2"])],
            "batch-3": [SILENT, pages(parts["batch-3"])],
            "batch-4": [failed(f"cannot parse skill-2{n}", error_code="crash") for n in range(3)],
            "batch-4a": [pages(parts["batch-4"][:3])],
            "batch-4b": [pages(parts["batch-4"][3:])],
        },
    )

    await crew.work()

    # A worker that comes late is told to stop, and changes nothing.
    late = {"claim": crew.silent[0], "status": "completed", "output": result({"files": []})}
    assert (await refusal(worker, "update_task", **late))["code"] == "stale_claim"
    assert "rate limit reached" in crew.prompt("batch-1")
    assert "429 too many requests" in crew.prompt("batch-1")
    assert "no word from attempt 1" in crew.prompt("batch-3")
    assert all("Every page has the headings" in prompt for _, prompt in crew.prompts)
    digest = await call(client, "aggregate", workflow_id=name)
    assert digest["summary"] == (
        "4 of 5 tasks completed. Failed tasks: [batch-4]. Partial results available."
    )
    assert [gap["task_id"] for gap in digest["gaps"]] == ["batch-4"]

    seen = await call(client, "get_workflow", workflow_id=name)
    assert (seen["status"], seen["failed"][0]["retries_left"]) == ("failed", 0)
    assert seen["failed"][0]["same_error"] == 3
    await call(
        client, "change_plan", workflow_id=name, replaces=["batch-4"],
        add=[batch("batch-4a", parts["batch-4"][:3]), batch("batch-4b", parts["batch-4"][3:])],
        reason="smaller batches; one skill cannot be parsed", if_seq=seen["seq"],
    )  # fmt: skip
    await crew.work()

    digest = await call(client, "aggregate", workflow_id=name, detail="detailed")
    assert (digest["status"], digest["summary"]) == ("completed", "6 of 6 tasks completed.")
    assert digest.get("gaps", []) == []
    assert all(skill in json.dumps(digest) for skill in skills)


def opinion(domain: str, colour: str, cap: str) -> dict[str, Any]:
    return {
        "domain": domain, "colour": colour, "why": f"{domain} says {colour}", "issues": [],
        "facts": {"liability_cap": cap}, "missing": [], "questions": [],
    }  # fmt: skip


@pytest.mark.requirement("S3", "S32", "S33", "S98", "S100", "S102", "S108", "A29")
async def test_a_deal_is_reviewed_in_three_domains(
    client: Client, worker: Client, clock: Clock
) -> None:
    documents = [{"path": "contract.md", "content": "7.2 The supplier's liability is unlimited."}]
    domains = ("legal", "sales", "finance")
    created = await call(
        client, "create_workflow", pattern="expert_panel", name="deal review",
        tasks=[
            {"id": each, "label": f"Risk of the deal: {each}", "template": "deal_review_domain",
             "expert_role": each, "done": ["Every check was held against every document."],
             "args": {"domain": each, "documents": documents, "checklist": ["Is there a cap?"]}}
            for each in domains
        ],
    )  # fmt: skip
    name = created["workflow_id"]
    crew = Crew(
        worker,
        clock,
        {
            "legal": [done(opinion("legal", "red", "none"), summary="LEGAL-OPINION: no cap")],
            "sales": [
                asks("Which price list holds?"),
                done(opinion("sales", "yellow", "twelve months")),
            ],
        },
    )
    # The host runs finance itself, in a session that it loses.
    session = {"workflow_id": name, "task_id": "finance", "status": "in_progress"}
    prompt = (await call(client, "render_prompt", workflow_id=name, task_id="finance"))["prompt"]
    await call(client, "update_task", **session, session_key="session-7")
    assert "The supplier's liability is unlimited." in prompt
    for _ in ("legal", "sales"):
        await crew.act(await call(worker, "claim_task", workflow_id=name))

    seen = await call(client, "get_workflow", workflow_id=name, running_sessions=[])
    assert seen["asking"] == [{"task_id": "sales", "questions": ["Which price list holds?"]}]
    assert [(line["task_id"], line["verdict"]) for line in seen["sessions"]] == [
        ("finance", "lost")
    ]
    digest = await call(client, "aggregate", workflow_id=name)  # at any time, and honest
    assert digest["counts"] == {"total": 3, "completed": 1, "failed": 0, "asking": 1, "running": 1}
    assert [line["colour"] for line in digest["risk"]["domains"]] == ["red", "grey", "grey"]

    lost = {"workflow_id": name, "task_id": "finance", "status": "failed"}
    await call(client, "update_task", **lost, error="session gone", error_code="lost_session")
    await call(
        client, "resolve", workflow_id=name, decision="answer", task_id="sales",
        answers=["The one of May."],
    )  # fmt: skip
    crew.script["finance"] = iter([done(opinion("finance", "green", "none"))])
    await crew.work()

    assert "The one of May." in crew.prompt("sales")
    assert "session gone" in crew.prompt("finance")
    assert all("LEGAL-OPINION" not in prompt for _, prompt in crew.prompts)
    digest = await call(client, "aggregate", workflow_id=name)
    assert (digest["status"], digest["summary"]) == ("completed", "3 of 3 tasks completed.")
    assert [line["colour"] for line in digest["risk"]["domains"]] == ["red", "yellow", "green"]
    assert (digest["risk"]["overall"], digest["risk"]["conflicts"]) == ("red", 1)


def piece(name: str, *depends_on: str, **said: Any) -> dict[str, Any]:
    said = {"takes": [{"from": each, "fields": ["text"]} for each in depends_on]} | said
    return {
        "id": name, "label": f"The {name} of the leaked key", "template": "incident_piece",
        "args": {"piece": name.split("-", maxsplit=1)[0], "timeline": "10:02 key k1 used by a stranger."},
        "expected_minutes": 8, "depends_on": list(depends_on),
        "done": ["Every statement has evidence."], **said,
    }  # fmt: skip


def report(name: str, **members: Any) -> Act:
    data = {
        "piece": name, "severity": "high", "blast_radius": "orders since 10:02",
        "text": f"TEXT-OF-{name}", "actions": [], "deadlines": [],
        "evidence": [{"fact": "k1 was used", "source": "timeline 10:02"}],
    }  # fmt: skip
    return done(data, summary=f"{name} written", **members)


REVIEW = {"satisfied": False, "looping": False, "progressing": True}


@pytest.mark.requirement("S3", "S23", "S24", "S25", "S26", "S92", "S95", "S96", "S101", "A30")
async def test_an_incident_is_answered_by_a_supervisor_in_six_pieces(
    client: Client, worker: Client, clock: Clock
) -> None:
    created = await call(
        client, "create_workflow", pattern="supervisor", name="leaked key",
        tasks=[piece("assessment"), piece("containment", "assessment"),
               piece("trace", "containment")],
    )  # fmt: skip
    name = created["workflow_id"]
    crew = Crew(
        worker,
        clock,
        {
            "assessment": [report("assessment")],
            "containment": [failed("no access to the key store", error_code="crash")] * 2,
            "containment-2": [
                SILENT,
                report(
                    "containment",
                    proposed_actions=[
                        {
                            "action": "withdraw k1",
                            "target": "key store",
                            "tier": "T3",
                            "why": "leak",
                        }
                    ],
                ),
            ],
            "trace": [MALFORMED, report("trace")],
            "legal": [report("legal")],
            "comms": [report("comms")],
        },
    )
    for _ in range(2):
        await crew.act(await call(worker, "claim_task", workflow_id=name))
    await decide(client, name, decision="retry", next_task="containment", instruction="again")
    await crew.act(await call(worker, "claim_task", workflow_id=name))

    # Two of three pieces are not the whole: the supervisor reassigns instead of a third try.
    seen = await call(client, "get_workflow", workflow_id=name)
    assert seen["failed"] == [
        {"task_id": "containment", "code": "crash", "error": "no access to the key store",
         "retries_left": 1, "same_error": 2}
    ]  # fmt: skip
    await decide(client, name, decision="reassign", next_task="containment-2", progressing=False)
    changed = await call(
        client, "change_plan", workflow_id=name, replaces=["containment"],
        add=[piece("containment-2", "assessment")], reason="without the key store",
    )  # fmt: skip
    await call(
        client, "change_plan", workflow_id=name, if_seq=changed["seq"],
        add=[piece("legal", "containment-2"), piece("comms", "trace", "legal"),
             piece("project", "comms")],
        reason="legal may start beside the trace",
    )  # fmt: skip
    stale = {"workflow_id": name, "add": [piece("trace-9")], "if_seq": changed["seq"]}
    assert (await refusal(client, "change_plan", **stale))["code"] == "stale_plan"
    early = await refusal(client, "resolve", workflow_id=name, decision="finish")
    assert early["code"] == "blocked"
    await call(
        client, "change_plan", workflow_id=name, replaces=["project"],
        reason="the follow-up has a project of its own",
    )  # fmt: skip

    await crew.work()

    late = {"claim": crew.silent[0], "status": "completed", "output": result({})}
    assert (await refusal(worker, "update_task", **late))["code"] == "stale_claim"
    order = [task_id for task_id, _ in crew.prompts]
    assert order.index("comms") > max(order.index("trace"), order.index("legal"))
    assert "TEXT-OF-containment" in crew.prompt("trace")
    assert "TEXT-OF-trace" in crew.prompt("comms")
    assert "TEXT-OF-assessment" not in crew.prompt("comms")
    # All pieces are done, and still only the supervisor ends it.
    seen = await call(client, "get_workflow", workflow_id=name)
    assert (seen["progress"], seen["status"] == "completed") == ("5/5 complete", False)
    await decide(client, name, decision="finish", satisfied=True)
    finished = await call(
        client, "resolve", workflow_id=name, decision="finish", reason="report written"
    )
    assert finished["status"] == "completed"
    digest = await call(client, "aggregate", workflow_id=name)
    assert (digest["status"], digest["summary"]) == ("completed", "5 of 5 tasks completed.")
    assert "withdraw k1" in json.dumps(digest["parent_actions"])
    resumed = await call(client, "get_workflow", workflow_id=name, detail="resume")
    told = " ".join(resumed["decisions"])
    assert all(w in told for w in ("retry", "reassign", "finish", "a project of its own"))


async def decide(client: Client, name: str, **said: Any) -> None:
    await call(client, "record", kind="review", workflow_id=name, entries=[REVIEW | said])


def app_piece(name: str, label: str, *after: str) -> dict[str, Any]:
    """A piece of a supervisor's work as one would plan it at first: no template, no arguments."""
    said = {"takes": [{"from": each, "fields": ["outcome"]} for each in after]}
    return {"id": name, "label": label, "done": [f"{name} is shown to work"]} | said


def outcome(name: str, **members: Any) -> Act:
    data = {
        "outcome": f"OUTCOME-OF-{name}", "blockers": [], "suggested_next": None,
        "evidence": [{"criterion": f"{name} is shown to work", "proven": True, "proof": "ran"}],
    }  # fmt: skip
    return done(data, summary=f"{name} done", **members)


DEPLOY = {"action": "deploy the app", "target": "production", "tier": "T3", "why": "it is built"}


@pytest.mark.requirement("S23", "S24", "S25", "S26", "S28")
async def test_a_web_app_is_built_and_its_deployment_prepared_piece_by_piece(
    client: Client, worker: Client, clock: Clock
) -> None:
    plan = [app_piece("pages", "Design the pages of the web app")]
    ask = {"pattern": "supervisor", "name": "Build and deploy a web app"}
    outward = [*plan, app_piece("deploy", "Deploy the web app to production", "pages")]
    refused = await refusal(client, "create_workflow", tasks=outward, **ask)
    assert "word it as 'Prepare …'" in refused["next"]
    name = (await call(client, "create_workflow", tasks=plan, **ask))["workflow_id"]
    script = {
        "pages": [outcome("pages")],
        "app": [failed("the build broke", error_code="crash"), outcome("app")],
        "deploy": [outcome("deploy", proposed_actions=[DEPLOY])],
    }
    crew = Crew(worker, clock, script)

    async def next_piece(*args: str) -> None:
        await decide(client, name, decision="next_piece", next_task=args[0])
        piece = app_piece(*args)
        await call(client, "change_plan", workflow_id=name, add=[piece], reason="the next piece")
        await crew.act(await call(worker, "claim_task", workflow_id=name))

    await crew.act(await call(worker, "claim_task", workflow_id=name))
    await next_piece("app", "Build the web app from the pages", "pages")
    await decide(client, name, decision="retry", next_task="app", progressing=False)
    await crew.act(await call(worker, "claim_task", workflow_id=name))
    await next_piece("deploy", "Prepare the deployment of the web app", "app")
    before = await call(client, "get_workflow", workflow_id=name)
    await decide(client, name, decision="finish", satisfied=True)
    digest = await call(client, "aggregate", workflow_id=name)
    ended = await call(client, "resolve", workflow_id=name, decision="finish", reason="delivered")

    assert "OUTCOME-OF-pages" in crew.prompt("app")
    assert "the build broke" in crew.prompt("app")
    assert "OUTCOME-OF-pages" not in crew.prompt("deploy")
    assert (before["progress"], before["status"]) == ("3/3 complete", "pending")
    assert [each["action"] for each in digest["parent_actions"]] == ["deploy the app"]
    assert ended["status"] == "completed"
