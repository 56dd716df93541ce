"""An attacker with a good token for another project: every tool, resource, prompt, completion."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from relaybook.engine import Engine
from relaybook.engine.readables.table import READABLES
from relaybook.surface.http.tokens import Tokens
from relaybook.surface.tools import tools_for
from tests.helpers import dump, result, start, task, workflow
from tests.http.conftest import Connect
from tests.http.foreign import PROJECT, REQUEST, Foreign, foreign_work, leaks
from tests.http.serving import serving
from tests.surface.calls import call, raw_call, read_json, refusal
from tests.surface.listening import Inbox, listening

pytestmark = pytest.mark.anyio

OWN = "own_project"


@dataclass(frozen=True)
class Attack:
    """A client with a token for OWN, and what it knows of the other project."""

    client: Client
    engine: Engine
    foreign: Foreign
    own: str

    @property
    def overheard(self) -> tuple[str, ...]:
        """What a question may hold, and so its answer too."""
        return (PROJECT, *vars(self.foreign).values())


def token(engine: Engine, role: str = "all", projects: tuple[str, ...] = (OWN,)) -> str:
    return engine.create_token("a test", role=role, projects=projects)["token"]


@pytest.fixture(params=["all", "worker"])
async def attack(
    request: pytest.FixtureRequest, engine: Engine, connect: Connect
) -> AsyncIterator[Attack]:
    foreign = foreign_work(engine)
    own = workflow(engine, "a", "b", project=OWN)
    async with (
        serving(engine, Tokens(engine)) as url,
        connect(url, token(engine, request.param)) as client,
    ):
        yield Attack(client, engine, foreign, own)


def calls(foreign: Foreign, own: str) -> list[tuple[str, dict[str, Any]]]:
    """Every tool with every argument that could reach into the other project."""
    here: dict[str, Any] = {"workflow_id": foreign.workflow_id}
    there = {**here, "task_id": foreign.task_id}
    plan = [task("x")]
    done = {"status": "completed", "output": result(1)}
    return [
        ("plan", {"facts": {"minutes": 60, "subtasks": 4}, "template": "piece"}),
        ("create_workflow", {"pattern": "fan_out", "tasks": plan, "project": PROJECT}),
        (
            "create_workflow",
            {"pattern": "fan_out", "tasks": plan, "project": PROJECT, "dry_run": True},
        ),
        ("create_workflow", {"pattern": "fan_out", "tasks": plan, "request_id": REQUEST}),
        ("change_plan", {**here, "add": plan, "reason": "x"}),
        ("render_prompt", there),
        ("render_prompt", {"workflow_id": own, "task_id": foreign.task_id}),
        ("update_task", {**there, **done}),
        ("update_task", {**there, "status": "in_progress", "claim": foreign.claim}),
        ("update_task", {"claim": foreign.claim, **done}),
        ("update_task", {"workflow_id": own, "task_id": "a", "claim": foreign.claim, **done}),
        ("update_task", {"updates": [{**there, "status": "failed", "error": "x"}]}),
        ("record", {**there, "kind": "finding", "entries": [{"text": "x"}]}),
        ("record", {**here, "kind": "user_told", "entries": [{}]}),
        (
            "record",
            {"claim": foreign.claim, "kind": "finding", "entries": [{"text": "x"}]},
        ),
        ("advance_stage", {**here}),
        ("advance_stage", {**here, "stage": 0, "outcome": "completed"}),
        ("get_workflow", {}),
        ("get_workflow", {"active": True}),
        ("get_workflow", {"project": PROJECT}),
        ("get_workflow", here),
        ("get_workflow", {**here, "since": 0, "wait_seconds": 1}),
        ("get_workflow", {**here, "detail": "resume", "running_sessions": []}),
        ("aggregate", {**here, "detail": "detailed"}),
        ("resolve", here),
        ("resolve", {**here, "decision": "cancel", "reason": "x"}),
        ("resolve", {**there, "decision": "cancel", "reason": "x"}),
        (
            "resolve",
            {
                "workflow_id": own,
                "decision": "accept_lesson",
                "lesson": foreign.lesson,
                "reason": "x",
            },
        ),
        ("find_skills", {"capability": "implement"}),
        ("cleanup", {"days": 0, "dry_run": True}),
        ("cleanup", {"days": 0}),
        ("claim_task", here),
        ("claim_task", {"project": PROJECT}),
        *(("read", {"uri": foreign.uri(each.uri)}) for each in READABLES),
        *(("read", {"uri": foreign.uri(each.uri), "claim": foreign.claim}) for each in READABLES),
    ]


async def test_no_tool_shows_or_changes_another_project(attack: Attack) -> None:
    asked = calls(attack.foreign, attack.own)
    before = _foreign_rows(attack.engine)

    assert {name for name, _ in asked} == {t.name for t in tools_for(attack.engine, "all")}
    for name, arguments in asked:
        result = await raw_call(attack.client, name, **arguments)
        said = result.model_dump_json()
        assert not leaks(said, *attack.overheard), (name, arguments, said)
    assert _foreign_rows(attack.engine) == before


def _foreign_rows(engine: Engine) -> list[str]:
    return [row for row in map(repr, _rows(engine)) if leaks(row)]


def _rows(engine: Engine) -> list[Any]:
    return [(table, row) for table, rows in dump(engine.store).items() for row in rows]


async def test_what_is_forbidden_and_what_is_not_there_are_answered_alike(attack: Attack) -> None:
    unknown = Foreign(
        "wf_00000000",
        "no_task",
        "0" * 32,
        "wf-nothing-stage-0",
        "l_0000000000",
        attack.foreign.target,
        "absent_project",
    )
    both = zip(calls(attack.foreign, attack.own), calls(unknown, attack.own), strict=True)

    for (name, arguments), (_, others) in both:
        if "project" in arguments or name in ("cleanup", "plan", "find_skills"):
            continue
        answers = [
            await raw_call(attack.client, name, **said)
            for said in (arguments, others)
            if "request_id" not in said
        ]
        shown = [_without(each.model_dump_json(), attack.foreign, unknown) for each in answers]
        assert len(set(shown)) <= 1, (name, arguments, shown)


def _without(text: str, *names: Foreign) -> str:
    for each in names:
        for name, value in vars(each).items():
            text = text.replace(value.replace("/", "%2F"), name).replace(value, name)
    return text


async def test_no_resource_shows_another_project(attack: Attack) -> None:
    listed = [str(each.uri) for each in (await attack.client.list_resources()).resources]
    asked = [*listed, *(attack.foreign.uri(each.uri) for each in READABLES)]

    for uri in asked:
        try:
            said = (await attack.client.read_resource(uri)).model_dump_json()
        except MCPError as error:
            said = error.error.model_dump_json()
        assert not leaks(said, *attack.overheard), (uri, said)


async def test_no_prompt_shows_another_project(attack: Attack) -> None:
    for prompt in (await attack.client.list_prompts()).prompts:
        given = {each.name: attack.foreign.workflow_id for each in prompt.arguments or ()}
        try:
            said = (await attack.client.get_prompt(prompt.name, given)).model_dump_json()
        except MCPError as error:
            said = error.error.model_dump_json()
        assert not leaks(said, *attack.overheard), (prompt.name, said)


async def test_no_completion_shows_another_project(attack: Attack) -> None:
    chosen = {"id": attack.foreign.workflow_id}
    refs: list[tuple[Any, str]] = [
        (ResourceTemplateReference(type="ref/resource", uri=each.uri), name)
        for each in READABLES
        for name in each.variables
    ]
    refs += [(PromptReference(type="ref/prompt", name="recover"), "workflow_id")]

    for ref, name in refs:
        for typed in ("", "can", attack.foreign.workflow_id):
            argument = {"name": name, "value": typed}
            found = (await attack.client.complete(ref, argument, chosen)).completion
            if name not in ("name", "event", "since"):  # which are everybody's
                own = {attack.own, f"{attack.own}/a", f"{attack.own}/b"}
                assert set(found.values) <= own, (ref, name, typed)
                assert found.total == len(found.values)


async def test_nothing_is_told_of_another_project(engine: Engine, connect: Connect) -> None:
    foreign, own = foreign_work(engine), workflow(engine, "a", "b", project=OWN)
    theirs, ours = (f"ledger://workflows/{name}" for name in (foreign.workflow_id, own))
    inbox = Inbox()

    async with (
        serving(engine, Tokens(engine)) as url,
        connect(url, token(engine), message_handler=inbox.handle) as client,
        listening(client, inbox, theirs, ours) as listener,
    ):
        heard: list[str] = []
        for claimed in ("a", "b"):
            engine.claim_task(foreign.workflow_id)
            start(engine, own, claimed)
            heard.append(await listener.next())

    inbox.close()
    assert heard == [ours, ours]


async def test_figures_and_lists_are_of_the_own_project(engine: Engine, connect: Connect) -> None:
    foreign_work(engine)
    own = workflow(engine, "a", "b", project=OWN)

    async with (
        serving(engine, Tokens(engine)) as url,
        connect(url, token(engine)) as client,
        connect(url, token(engine, projects=(OWN, PROJECT))) as both,
    ):
        stats = await read_json(client, "ledger://stats")
        health = await read_json(client, "ledger://health")
        listed = await call(client, "get_workflow")
        items = await read_json(client, "ledger://items")
        all_stats = await read_json(both, "ledger://stats")
        all_health = await read_json(both, "ledger://health")

    assert stats["workflows"] == {"open": 1}
    assert stats["tasks"] == {"pending": 2}
    assert health == {"skills": {}}
    assert [row["workflow_id"] for row in listed["workflows"]] == [own]
    assert {item["project"] for item in items["items"]} == {OWN}
    assert all_stats["workflows"]["open"] == 3
    assert list(all_health["skills"]) == [f"python-backend in {PROJECT}"]


async def test_work_goes_into_the_own_project_and_no_other(
    engine: Engine, connect: Connect
) -> None:
    async with (
        serving(engine, Tokens(engine)) as url,
        connect(url, token(engine)) as client,
    ):
        made = await call(client, "create_workflow", pattern="fan_out", tasks=[task("a")])
        error = await refusal(
            client, "create_workflow", pattern="fan_out", tasks=[task("a")], project="default"
        )

    assert engine.show_workflow(made["workflow_id"])["project"] == OWN
    assert (error["code"], error["allowed"]) == ("forbidden", OWN)
    assert len(engine.list_workflows()["workflows"]) == 1


async def test_two_projects_may_use_one_request_id(engine: Engine, connect: Connect) -> None:
    foreign_work(engine)
    plan = {"pattern": "fan_out", "tasks": [task("a")], "request_id": REQUEST}

    async with (
        serving(engine, Tokens(engine)) as url,
        connect(url, token(engine)) as client,
    ):
        made = await call(client, "create_workflow", **plan)
        again = await call(client, "create_workflow", **plan)

    assert "repeated" not in made
    assert (again["workflow_id"], again["repeated"]) == (made["workflow_id"], True)


@pytest.mark.requirement("A7")
async def test_a_worker_token_gets_the_worker_tools_and_its_own_task(
    engine: Engine, connect: Connect
) -> None:
    own = workflow(engine, "a", "b", project=OWN)

    async with (
        serving(engine, Tokens(engine)) as url,
        connect(url, token(engine, "worker")) as client,
    ):
        names = {each.name for each in (await client.list_tools()).tools}
        claimed = await call(client, "claim_task")
        sibling = "b" if claimed["task_id"] == "a" else "a"
        here = f"ledger://workflows/{own}/tasks"
        seen = await call(
            client, "read", uri=f"{here}/{claimed['task_id']}", claim=claimed["claim"]
        )
        error = await refusal(client, "read", uri=f"{here}/{sibling}", claim=claimed["claim"])
        refused = await refusal(client, "create_workflow", pattern="fan_out", tasks=[task("x")])

    assert names == {"claim_task", "update_task", "record", "read"}
    assert "in_progress" in seen["text"]
    assert (error["code"], refused["code"]) == ("forbidden", "unknown_tool")
