"""Every shipped composition is started by its name and run to its end by scripted workers."""

import json
from typing import Any

import pytest
from mcp import Client

from relaybook.engine import Engine
from tests.surface.calls import call, refusal
from tests.surface.conftest import Connect
from tests.surface.scenarios import ARGS, SKILLS, claim, create, decide, do, finish, status, work

pytestmark = pytest.mark.anyio

#: The order in which one worker after another does the tasks of those that need no decision.
ORDERS = {
    "customer_research": ["memory", "email", "tickets", "synthesis", "draft"],
    "deal_review": ["legal", "sales", "finance"],
    "documentation_sweep": [f"batch_{number}" for number in range(1, 6)],
    "implement_test_deploy": ["implement", "test", "deploy", "verify"],
    "pr_review_merge_deploy": ["review", "merge", "deploy", "verify"],
    "product_launch": ["spec", "campaign", "battlecard", "kb", "tracker"],
    "qbr": ["finance", "sales", "product", "data", "marketing"],
}


@pytest.fixture
async def client(connect: Connect) -> Any:
    """A client that plans and works."""
    async with connect("all") as opened:
        yield opened


def prompt_of(engine: Engine, workflow_id: str, task_id: str) -> str:
    return engine.render_prompt(workflow_id=workflow_id, task_id=task_id)["prompt"]


@pytest.mark.requirement("S159", "S162", "S165", "S166", "A13")
@pytest.mark.parametrize("name", ORDERS)
async def test_a_composition_is_started_by_name_and_runs_to_its_end(
    client: Client, name: str
) -> None:
    workflow_id = await create(client, name)

    ran = await work(client, name, workflow_id)

    assert ran == ORDERS[name]
    assert await status(client, workflow_id) == "completed"


@pytest.mark.requirement("S153", "S155", "S159")
@pytest.mark.parametrize("name", ARGS)
async def test_a_composition_is_previewed_with_its_tasks_and_their_cost(
    client: Client, name: str
) -> None:
    shown = await call(client, "create_workflow", composition=name, args=ARGS[name], dry_run=True)

    cost = shown["cost"]
    tasks = shown["tasks"]
    assert cost["workers"] == len(tasks)
    assert abs(cost["total_words"] - cost["words"] * len(tasks)) <= len(tasks)
    assert all({"id", "label", "template"} <= set(task) for task in tasks)
    assert (await call(client, "get_workflow"))["workflows"] == []


async def test_arguments_that_are_missing_or_unknown_are_all_named(client: Client) -> None:
    args = {"deal": "Example Ltd", "decison_date": "2027-03-01"}

    refused = await refusal(client, "create_workflow", composition="deal_review", args=args)

    assert refused["missing"] == ["decision_date", "documents"]
    assert refused["unknown"] == ["decison_date"]
    assert "nearest: decision_date" in refused["message"]


async def test_an_unknown_composition_is_answered_with_the_nearest(client: Client) -> None:
    refused = await refusal(client, "create_workflow", composition="deal_revue")

    assert refused["code"] == "unknown_composition"
    assert refused["allowed"].split(", ")[0] == "deal_review"


async def test_a_composition_comes_without_a_plan_beside_it(client: Client) -> None:
    refused = await refusal(
        client,
        "create_workflow",
        composition="deal_review",
        args=ARGS["deal_review"],
        pattern="fan_out",
        tasks=[{"id": "a", "label": "a"}],
    )

    assert refused["code"] == "invalid_arguments"
    assert "pattern, tasks came too" in refused["message"]


async def test_the_workflow_keeps_what_the_composition_says_besides_tasks(
    client: Client, engine: Engine
) -> None:
    workflow_id = await create(client, "product_launch")

    with engine.store.read() as tx:
        sql = "SELECT name, pattern, options FROM workflows WHERE id = :id"
        ((name, pattern, options),) = tx.rows(sql, {"id": workflow_id})
    kept = json.loads(options)
    assert (name, pattern) == ("Prepare the launch of Scheduled reports on 2027-04-01.", "pipeline")
    assert (kept["composition"], kept["merge"], len(kept["acceptance"])) == (
        "product_launch", "stage", 3,
    )  # fmt: skip
    assert kept["brief"].startswith("For the launch owner: what is ready for 2027-04-01")
    assert "The product is called Scheduled reports" in prompt_of(engine, workflow_id, "spec")


@pytest.mark.requirement("S3", "S12")
async def test_thirty_skills_are_documented_by_five_workers_six_each(
    client: Client, engine: Engine
) -> None:
    workflow_id = await create(client, "documentation_sweep")
    prompts = [prompt_of(engine, workflow_id, task) for task in ORDERS["documentation_sweep"]]

    await work(client, "documentation_sweep", workflow_id)

    named = [[skill["path"] for skill in SKILLS if skill["path"] in text] for text in prompts]
    assert [len(paths) for paths in named] == [6, 6, 6, 6, 6]
    assert [path for paths in named for path in paths] == [skill["path"] for skill in SKILLS]
    assert "Document batch 1" not in prompts[1]
    digest = await call(client, "aggregate", workflow_id=workflow_id)
    assert (digest["counts"]["completed"], digest["status"]) == (5, "completed")


@pytest.mark.requirement("S3", "S160", "S161", "A29")
async def test_a_deal_gets_a_colour_per_domain_and_the_worst_of_them(client: Client) -> None:
    workflow_id = await create(client, "deal_review")
    claims = [await claim(client, workflow_id) for _ in range(3)]

    for claimed, colour in zip(claims, ("yellow", "red", "green"), strict=True):
        why = f"It is {colour}."
        await finish(client, "deal_review", claimed, colour=colour, why=why, issues=[])

    digest = await call(client, "aggregate", workflow_id=workflow_id)
    assert digest["status"] == "completed"
    assert digest["risk"] == {
        "overall": "red",
        "worst_known": "red",
        "domains": [
            {"domain": "legal", "colour": "yellow", "why": "It is yellow."},
            {"domain": "sales", "colour": "red", "why": "It is red."},
            {"domain": "finance", "colour": "green", "why": "It is green."},
        ],
        "missing": [],
        "conflicts": 0,
    }
    assert "spawn no worker for it" in digest["brief"]["rule"]


@pytest.mark.requirement("S3", "S163", "S164", "A30", "A31")
async def test_an_incident_is_answered_in_six_pieces_and_ends_when_it_is_finished(
    client: Client,
) -> None:
    workflow_id = await create(client, "incident_response")

    ran = await work(client, "incident_response", workflow_id)
    before = await status(client, workflow_id)
    await call(client, "resolve", workflow_id=workflow_id, decision="finish", reason="all done")

    assert ran[:2] == ["assessment", "containment"]
    assert set(ran[2:4]) == {"trace", "legal"}
    assert ran[4:] == ["comms", "project"]
    assert before == "pending"
    assert await status(client, workflow_id) == "completed"


@pytest.mark.requirement("A30")
async def test_legal_duties_are_looked_into_beside_the_trace(client: Client) -> None:
    workflow_id = await create(client, "incident_response")
    await do(client, "incident_response", workflow_id, "assessment")
    await do(client, "incident_response", workflow_id, "containment")

    await decide(client, workflow_id, "containment", "confirm")

    shown = await call(client, "get_workflow", workflow_id=workflow_id)
    assert set(shown["ready"]) == {"trace", "legal"}


@pytest.mark.requirement("S164", "A31")
async def test_what_no_worker_may_do_returns_to_the_parent_once_it_is_prepared(
    client: Client,
) -> None:
    workflow_id = await create(client, "incident_response")
    await do(client, "incident_response", workflow_id, "assessment")
    nothing = await call(client, "aggregate", workflow_id=workflow_id)

    done = await do(client, "incident_response", workflow_id, "containment")

    digest = await call(client, "aggregate", workflow_id=workflow_id, detail="detailed")
    await decide(client, workflow_id, "containment", "waive")
    declined = await call(client, "aggregate", workflow_id=workflow_id, detail="detailed")
    (own,) = [each for each in digest["parent_actions"] if each["from"] == "plan"]
    assert (done["status"], "ready" in done) == ("review", False)
    assert "parent_actions" not in nothing
    assert (own["task_id"], own["action"], own["tier"]) == (
        "containment", "Carry out the containment of leaked key as planned.", "T3",
    )  # fmt: skip
    assert "parent_actions" not in declined
    (entry,) = declined["decisions"]
    assert (entry["task_id"], entry["decision"], entry["reason"]) == (
        "containment", "decline", "as the result says",
    )  # fmt: skip


@pytest.mark.requirement("S164", "S250", "A31")
@pytest.mark.parametrize(
    ("name", "before", "task_id", "after"),
    [
        ("implement_test_deploy", ["implement", "test"], "deploy", "verify"),
        ("pr_review_merge_deploy", ["review"], "merge", "deploy"),
    ],
)
async def test_nothing_after_a_deed_of_the_parent_starts_before_it_is_confirmed(
    client: Client, engine: Engine, name: str, before: list[str], task_id: str, after: str
) -> None:
    workflow_id = await create(client, name)
    for each in before:
        await do(client, name, workflow_id, each)

    done = await do(client, name, workflow_id, task_id)

    said = {"workflow_id": workflow_id}
    early = await refusal(client, "update_task", **said, task_id=after, status="in_progress")
    assert (done["status"], "ready" in done) == ("review", False)
    assert f"resolve(decision='confirm', task_id={task_id!r}, reason)" in done["next"]
    assert early["code"] == "blocked"
    assert early["next"] == done["next"]
    assert (await call(client, "resolve", **said))["next"] == done["next"]
    assert not (await claim(client, workflow_id))["claimed"]
    reason = "done as build 42, on https://staging.example"
    await call(client, "resolve", **said, decision="confirm", task_id=task_id, reason=reason)
    assert (await call(client, "get_workflow", **said))["ready"] == [after]
    assert reason in prompt_of(engine, workflow_id, after)


@pytest.mark.requirement("S166", "S167")
async def test_the_synthesis_of_customer_research_waits_for_all_three_sources(
    client: Client, engine: Engine
) -> None:
    workflow_id = await create(client, "customer_research")
    claims = [await claim(client, workflow_id) for _ in range(3)]
    fourth = await claim(client, workflow_id)

    freed = [(await finish(client, "customer_research", each)).get("ready") for each in claims]

    assert [each["task_id"] for each in claims] == ["memory", "email", "tickets"]
    assert not fourth["claimed"]
    assert freed == [None, None, ["synthesis"]]
    prompt = prompt_of(engine, workflow_id, "synthesis")
    assert prompt.count("export of 1400 rows ends at row 1000") == 3
    assert '"confidence"' in prompt


@pytest.mark.requirement("S168", "S169", "S171", "A14")
@pytest.mark.parametrize(
    ("taken", "decision"), [("acquire", "applicable"), ("create", "not_applicable")]
)
async def test_a_skill_is_acquired_or_created_then_scanned_installed_and_watched(
    client: Client, taken: str, decision: str
) -> None:
    workflow_id = await create(client, "skill_factory")
    await do(client, "skill_factory", workflow_id, "scout")
    undecided = await claim(client, workflow_id)
    await decide(client, workflow_id, "acquire", decision)

    made = await work(client, "skill_factory", workflow_id)
    await decide(client, workflow_id, "install", "applicable")
    installed = await work(client, "skill_factory", workflow_id)

    assert not undecided["claimed"]
    assert (made, installed) == ([taken, "scan"], ["install", "monitor"])
    assert await status(client, workflow_id) == "completed"
    shown = await call(client, "get_workflow", workflow_id=workflow_id)
    assert shown["counts"] == {"completed": 5, "not_applicable": 2}


@pytest.mark.requirement("S170")
async def test_a_skill_that_works_is_not_repaired(client: Client) -> None:
    workflow_id = await create(client, "skill_factory")
    await do(client, "skill_factory", workflow_id, "scout")
    await decide(client, workflow_id, "acquire", "applicable")

    await work(client, "skill_factory", workflow_id)
    await decide(client, workflow_id, "install", "applicable")
    await work(client, "skill_factory", workflow_id)

    shown = await call(client, "get_workflow", workflow_id=workflow_id)
    states = {task["id"]: task["status"] for task in shown["tasks"]}
    assert (states["monitor"], states["repair"]) == ("completed", "not_applicable")


@pytest.mark.requirement("S170", "A14")
async def test_a_skill_whose_smoke_test_fails_for_good_is_repaired(client: Client) -> None:
    workflow_id = await create(client, "skill_factory")
    await do(client, "skill_factory", workflow_id, "scout")
    await decide(client, workflow_id, "acquire", "applicable")
    for task_id in ("acquire", "scan"):
        await do(client, "skill_factory", workflow_id, task_id)
    await decide(client, workflow_id, "install", "applicable")
    await do(client, "skill_factory", workflow_id, "install")
    await decide(client, workflow_id, "install", "confirm")

    for attempt in range(3):
        watched = await claim(client, workflow_id)
        assert watched["task_id"] == "monitor", attempt
        await call(
            client,
            "update_task",
            claim=watched["claim"],
            status="failed",
            error=f"run {attempt}: 3 of 10 runs succeeded",
        )
    repaired = await claim(client, workflow_id)
    await finish(client, "skill_factory", repaired)

    assert repaired["task_id"] == "repair"
    digest = await call(client, "aggregate", workflow_id=workflow_id)
    assert "Apply the repair of csv_to_parquet or remove the skill." in [
        each["action"] for each in digest["parent_actions"]
    ]


@pytest.mark.requirement("S171")
async def test_nothing_is_installed_when_the_scan_fails(client: Client) -> None:
    workflow_id = await create(client, "skill_factory")
    await do(client, "skill_factory", workflow_id, "scout")
    await decide(client, workflow_id, "acquire", "applicable")
    await do(client, "skill_factory", workflow_id, "acquire")
    early = await refusal(
        client, "update_task", workflow_id=workflow_id, task_id="install", status="in_progress"
    )

    for attempt in range(3):
        scanned = await claim(client, workflow_id)
        assert scanned["task_id"] == "scan", attempt
        found = {"code": "verification_incorrect", "message": f"{attempt}: it runs unread code"}
        block = json.dumps({"status": "error", "summary": "The verdict is fail.", "error": found})
        output = f"<result>\n{block}\n</result>"
        await call(client, "update_task", claim=scanned["claim"], status="completed", output=output)

    assert early["code"] == "blocked"
    assert not (await claim(client, workflow_id))["claimed"]
    late = await refusal(
        client, "update_task", workflow_id=workflow_id, task_id="install", status="in_progress"
    )
    assert late["code"] == "blocked"
    assert await status(client, workflow_id) == "failed"
