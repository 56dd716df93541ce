"""Tools: strict arguments, answers and refusals that are short, exact and the same twice."""

import json
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client
from mcp_types import Tool

from relaybook.engine import Engine
from relaybook.store.base import Store
from tests.helpers import Clock, complete, dump, fail, result, start, task, workflow
from tests.surface.calls import call, raw_call, refusal, text_of

pytestmark = pytest.mark.anyio

#: The tools that a `next` may name.
NAMES = (
    "plan",
    "create_workflow",
    "change_plan",
    "render_prompt",
    "update_task",
    "record",
    "advance_stage",
    "get_workflow",
    "aggregate",
    "resolve",
    "find_skills",
    "read",
    "cleanup",
    "claim_task",
)


async def tools_of(client: Client) -> dict[str, Tool]:
    return {each.name: each for each in (await client.list_tools()).tools}


@pytest.mark.requirement("S254")
async def test_every_tool_has_schemas_a_title_and_all_four_hints(client: Client) -> None:
    tools = await tools_of(client)

    assert tools.keys() >= {"create_workflow", "update_task", "render_prompt", "aggregate"}
    for each in tools.values():
        assert each.title
        assert each.description
        jsonschema.Draft202012Validator.check_schema(each.input_schema)
        assert each.input_schema["additionalProperties"] is False
        assert each.output_schema is not None
        jsonschema.Draft202012Validator.check_schema(each.output_schema)
        assert each.annotations is not None
        assert None not in (
            each.annotations.read_only_hint,
            each.annotations.destructive_hint,
            each.annotations.idempotent_hint,
            each.annotations.open_world_hint,
        )


@pytest.mark.requirement("A38")
async def test_each_role_has_its_few_tools_in_a_fixed_order(client: Client, worker: Client) -> None:
    assert list(await tools_of(client)) == [
        *("plan", "create_workflow", "change_plan", "render_prompt", "update_task", "record"),
        *("advance_stage", "get_workflow", "aggregate", "resolve", "find_skills", "cleanup"),
        "read",
    ]
    assert list(await tools_of(worker)) == ["claim_task", "update_task", "record", "read"]


async def test_an_unknown_argument_is_refused_with_the_nearest(client: Client) -> None:
    error = await refusal(client, "create_workflow", pattern="fan_out", taks=[task("a")])

    assert error == {
        "code": "invalid_arguments",
        "message": "create_workflow: unknown argument 'taks'.",
        "allowed": "tasks, stages, args, pattern, name, composition, hooks, items, batches, "
        "template, project, max_parallel, override, shared_decisions, metadata, request_id, dry_run",
        "next": "correct them and call again",
    }


@pytest.mark.parametrize(
    ("tool", "said", "what", "allowed"),
    [
        (
            "update_task",
            {"updates": [1]},
            "'updates[0]' is a number, not an object",
            "updates[0]: an object with task_id, status, output, claim, error, …",
        ),
        (
            "record",
            {"kind": "finding", "entries": [{"text": "x"}] * 300},
            "'entries' has 300 entries",
            "entries: at most 20 entries",
        ),
        ("cleanup", {"days": -1}, "'days' is too small", "days: 0 or more"),
        ("get_workflow", {"wait_seconds": 99}, "'wait_seconds' is too large", "45 or less"),
        ("create_workflow", {"batches": "x"}, "a text that is not a whole number", "batches: a"),
        ("create_workflow", {"dry_run": [1]}, "a list, not true or false", "dry_run: true or"),
        ("plan", {}, "argument 'facts' is missing", "facts, items"),
    ],
)
async def test_a_wrong_argument_is_named_with_what_is_allowed_there(
    client: Client, tool: str, said: dict[str, Any], what: str, allowed: str
) -> None:
    error = await refusal(client, tool, **said)

    assert what in error["message"]
    assert allowed in error["allowed"]
    assert not any(word in str(error).lower() for word in ("input", "valid ", "dictionary"))


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"items": ["a", "b"], "batches": 0}, "0 partitions cannot hold 2 items"),
        ({"tasks": [task("a")], "request_id": " "}, "'request_id': it is empty"),
    ],
    ids=["batches", "request_id"],
)
async def test_what_is_given_and_empty_is_not_taken_for_left_out(
    client: Client, ledger: Store, said: dict[str, Any], word: str
) -> None:
    before = dump(ledger)

    error = await refusal(
        client, "create_workflow", pattern="fan_out", args={"instruction": "Go."}, **said
    )

    assert word in error["message"]
    assert dump(ledger) == before


async def test_what_stands_beside_updates_is_refused(
    client: Client, engine: Engine, ledger: Store
) -> None:
    workflow_id = workflow(engine, "a", "b")
    before = dump(ledger)

    error = await refusal(
        client,
        "update_task",
        workflow_id=workflow_id,
        status="in_progress",
        updates=[{"task_id": "a"}, {"task_id": "b"}],
    )

    assert (error["code"], error["message"]) == (
        "invalid_arguments",
        "status came beside updates.",
    )
    assert dump(ledger) == before


async def test_an_unknown_tool_is_answered_with_the_known(client: Client) -> None:
    error = await refusal(client, "advance")

    assert error["code"] == "unknown_tool"
    assert "update_task" in error["allowed"]


@pytest.mark.parametrize(
    "output",
    ["null", "[1,2]", '{"a": 1}', "12", "true", '"x"', '{"status": "ok"}\n', " [1] "],
)
async def test_text_that_looks_like_json_arrives_word_for_word(
    client: Client, engine: Engine, output: str
) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")

    await call(
        client,
        "update_task",
        workflow_id=workflow_id,
        task_id="a",
        status="completed",
        output=output,
        accept_raw=True,
    )

    recorded = engine.read_text(f"ledger://workflows/{workflow_id}/tasks/a/result")
    assert json.loads(recorded.text)["data"] == output


async def test_null_counts_as_not_given(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")

    answer = await call(
        client,
        "update_task",
        workflow_id=workflow_id,
        task_id="a",
        status="in_progress",
        session_key=None,
        output=None,
        error=None,
        error_code=None,
        claim=None,
    )

    assert answer["attempt"] == 1


@pytest.mark.requirement("S140")
async def test_a_thousand_bad_items_get_one_short_error(client: Client) -> None:
    calls: list[dict[str, Any]] = [
        {"pattern": "fan_out", "tasks": [{"id": n, "lable": "x" * 50} for n in range(1000)]},
        {"pattern": "fan_out", "tasks": ["no object"] * 1000},
        {"pattern": "fan_out", "tasks": "[not json"},
        {"pattern": "fan_out", "tasks": [{"id": "a" * 500, "label": "b"}] * 1000},
        {"pattern": "map_reduce", "items": [{"weight": "x" * 100}] * 1000},
        {"pattern": "x" * 5000, "name": "n"},
        {"pattern": "fan_out", **{f"unknown_{n}": n for n in range(1000)}},
    ]

    for arguments in calls:
        answer = await raw_call(client, "create_workflow", **arguments)
        assert answer.is_error
        assert answer.structured_content is not None
        assert len(text_of(answer).encode()) < 1_000
        assert len(json.dumps(answer.structured_content).encode()) < 1_000


async def test_bad_members_of_updates_get_a_short_error(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    for updates in ([{"task": "a"}] * 1000, [{"task_id": 1}] * 1000, ["a"] * 1000):
        answer = await raw_call(client, "update_task", workflow_id=workflow_id, updates=updates)
        assert answer.is_error
        assert len(text_of(answer).encode()) < 1_000


async def test_the_text_of_an_answer_is_its_data(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")

    for name, arguments in [
        ("get_workflow", {}),
        ("get_workflow", {"workflow_id": workflow_id}),
        ("aggregate", {"workflow_id": workflow_id}),
        ("read", {"uri": "guide://vocabulary"}),
    ]:
        answer = await raw_call(client, name, **arguments)
        assert json.loads(text_of(answer)) == answer.structured_content


async def test_answers_meet_the_schemas_that_tools_publish(client: Client) -> None:
    tools = await tools_of(client)

    answers = await _one_of_each(client)

    assert {name for name, _ in answers} == tools.keys()
    _check_schemas(tools, answers)


async def test_a_worker_is_answered_by_the_schemas_too(worker: Client, engine: Engine) -> None:
    workflow(engine, "a")
    tools = await tools_of(worker)

    claimed = await call(worker, "claim_task")
    claim = claimed["claim"]
    entries = [{"text": "it is old"}]
    answers = [
        ("claim_task", claimed),
        ("update_task", await call(worker, "update_task", claim=claim, status="in_progress")),
        ("record", await call(worker, "record", claim=claim, kind="finding", entries=entries)),
        (
            "update_task",
            await call(worker, "update_task", claim=claim, status="completed", output=result(1)),
        ),
        ("claim_task", await call(worker, "claim_task")),
        ("read", await call(worker, "read", uri="guide://vocabulary")),
    ]

    assert {name for name, _ in answers} == tools.keys()
    _check_schemas(tools, answers)


def _check_schemas(tools: dict[str, Tool], answers: list[tuple[str, dict[str, Any]]]) -> None:
    for name, answer in answers:
        schema = tools[name].output_schema
        assert schema is not None
        jsonschema.validate(answer, schema)
        # The schemas demand nothing, so that every member is known says more.
        assert answer.keys() - schema["properties"].keys() == set(), name


async def _one_of_each(client: Client) -> list[tuple[str, dict[str, Any]]]:
    """Answers of a short story that uses every tool, failures included."""
    said: list[tuple[str, dict[str, Any]]] = []

    async def say(tool: str, **arguments: Any) -> dict[str, Any]:
        answer = await call(client, tool, **arguments)
        said.append((tool, answer))
        return answer

    await say("plan", facts={"minutes": 60, "independent": True, "subtasks": 3})
    facts = {"minutes": 90, "dataset": True, "homogeneous": True}
    await say("plan", facts=facts, items=["x", "y"], template="piece", other_workers=[9])
    tasks = [task("a"), task("b"), task("c")]
    created = await say("create_workflow", pattern="fan_out", tasks=tasks)
    here = {"workflow_id": created["workflow_id"]}
    await say("render_prompt", **here, task_id="a")
    await say("render_prompt", template="piece", args={"goal": "x"})
    for name in "abc":
        await say("update_task", **here, task_id=name, status="in_progress", session_key=name)
    await say("get_workflow", **here, since=0, detail="detailed")
    done = {"task_id": "a", "status": "completed", "output": result(1)}
    await say("update_task", **here, **done)
    await say("update_task", **here, **done)
    lost = {"task_id": "b", "status": "failed", "error": "gone", "error_code": "crash"}
    asked = {
        "task_id": "c",
        "status": "input_required",
        "output": result(status="needs_input", questions=["Which?"]),
    }
    await say("update_task", **here, updates=[lost, asked])
    await say("get_workflow", **here, running_sessions=[])
    await say("get_workflow", **here, detail="resume")
    await say("get_workflow")
    await say("record", **here, kind="user_told", entries=[{}])
    await say("change_plan", **here, add=[task("d")], reason="one more")
    await say("resolve", **here)
    await say("resolve", **here, decision="answer", task_id="c", answers=["This."])
    await say("aggregate", **here)
    await say("read", uri="prompt://index")
    await say("cleanup", dry_run=True)
    await say("find_skills", capabilities=["implement", "deploy"])
    staged = await say(
        "create_workflow", stages=[{"capability": "implement", "goal": "Build the endpoint"}]
    )
    await say("advance_stage", workflow_id=staged["workflow_id"])
    return said


@pytest.mark.requirement("S111")
async def test_the_three_subtasks_of_the_playbook_work_as_they_stand(client: Client) -> None:
    subtasks = (
        '[{"id":"t1","label":"Review auth"},{"id":"t2","label":"Review API"},'
        '{"id":"t3","label":"Review data"}]'
    )

    as_text = await call(client, "create_workflow", pattern="fan_out", tasks=subtasks)
    as_list = await call(client, "create_workflow", pattern="fan_out", tasks=json.loads(subtasks))

    assert as_text["ready"] == as_list["ready"] == ["t1", "t2", "t3"]
    assert as_text["workflow_id"] != as_list["workflow_id"]


async def test_the_advice_of_a_refusal_can_be_followed(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "alpha")

    error = await refusal(client, "get_workflow", workflow_id="wf_0")
    assert "get_workflow without an id" in error["next"]
    assert (await call(client, "get_workflow"))["workflows"][0]["workflow_id"] == workflow_id

    error = await refusal(client, "render_prompt", workflow_id=workflow_id, task_id="alpa")
    assert (error["code"], error["allowed"]) == ("unknown_task", "alpha")
    await call(client, "render_prompt", workflow_id=workflow_id, task_id=error["allowed"])

    error = await refusal(client, "render_prompt", template="reserch")
    assert error["code"] == "unknown_template"
    assert error["allowed"].split(", ")[0] == "research"
    assert "read prompt://index" in error["next"]
    await call(client, "read", uri="prompt://index")

    error = await refusal(
        client, "read", uri=f"ledger://workflows/{workflow_id}/tasks/alpha/prompt"
    )
    assert "call render_prompt" in error["next"]

    error = await refusal(client, "read", uri="guide://card")
    assert "call read" in error["next"]
    await call(client, "read", uri=error["allowed"].split(", ")[0])


async def test_every_next_that_names_a_call_names_a_tool(client: Client, engine: Engine) -> None:
    tools = await tools_of(client)
    workflow_id = workflow(engine, "a", "b")
    start(engine, workflow_id, "a")
    fail(engine, workflow_id, "a")
    start(engine, workflow_id, "b")
    complete(engine, workflow_id, "b")

    here = {"workflow_id": workflow_id}
    answers = [
        await call(client, "get_workflow"),
        await call(client, "get_workflow", **here),
        await call(client, "aggregate", **here),
        await refusal(client, "update_task", **here, task_id="b", status="failed", error="x"),
        await refusal(client, "update_task", **here, task_id="x", status="failed", error="x"),
        await refusal(client, "render_prompt"),
        await refusal(client, "read", uri="x"),
    ]

    for answer in answers:
        named = {word for word in NAMES if f"{word}(" in answer["next"]}
        assert named <= tools.keys(), answer["next"]


@pytest.mark.requirement("S119", "S120", "S178")
async def test_a_status_takes_the_sessions_that_still_run_into_account(
    client: Client, engine: Engine
) -> None:
    here = {"workflow_id": workflow(engine, "a", "b", "c")}
    for name in "abc":
        start(engine, here["workflow_id"], name, **({} if name == "c" else {"session_key": name}))

    told = await call(client, "get_workflow", **here, running_sessions=["a", "other"])
    nothing_runs = await call(client, "get_workflow", **here, running_sessions=[])
    not_asked = await call(client, "get_workflow", **here)

    assert {each["task_id"]: each["verdict"] for each in told["sessions"]} == {
        "a": "slow",
        "b": "lost",
        "c": "unknown",
    }
    assert [each["verdict"] for each in nothing_runs["sessions"]] == ["lost", "lost", "unknown"]
    assert "sessions" not in not_asked


async def test_a_wait_tells_its_progress(
    client: Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relaybook.surface.waiting.PROGRESS_SECONDS", 0)
    workflow_id = workflow(engine, "a")
    told: list[tuple[float, float | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total))
        start(engine, workflow_id, "a")

    arguments = {"workflow_id": workflow_id, "since": engine.workflow_seq(workflow_id)}
    shown = await client.call_tool(
        "get_workflow", arguments | {"wait_seconds": 40}, progress_callback=note
    )

    assert told[0] == (0, 40)
    assert shown.structured_content is not None
    assert shown.structured_content["counts"]["in_progress"] == 1


@pytest.mark.parametrize("end", ["completed", "lost"])
async def test_a_wait_ends_when_another_workflow_frees_what_a_task_writes(
    client: Client, engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr("relaybook.surface.waiting.PROGRESS_SECONDS", 0)
    one = workflow(engine, task("a", writes=["x"]))
    other = workflow(engine, task("b", writes=["x"]))
    start(engine, one, "a", lease_seconds=60)

    async def free(progress: float, total: float | None, message: str | None) -> None:
        if end == "lost":
            clock.move(61)
        elif engine.show_workflow(one)["status"] != "completed":
            complete(engine, one, "a")

    arguments = {"workflow_id": other, "since": engine.workflow_seq(other), "wait_seconds": 45}
    with anyio.fail_after(40):
        shown = await client.call_tool("get_workflow", arguments, progress_callback=free)

    assert shown.structured_content is not None
    assert shown.structured_content["next"].startswith("start the next")


async def test_the_wait_that_an_answer_advises_names_its_workflow_and_place(
    client: Client, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    seq = engine.workflow_seq(workflow_id)

    shown = await call(client, "get_workflow", workflow_id=workflow_id)

    wait = f"get_workflow(workflow_id={workflow_id!r}, since={seq}, wait_seconds=45)"
    assert shown["next"] == wait


async def test_nobody_waits_for_a_workflow_that_has_ended(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    complete(engine, workflow_id, "a")
    seen = engine.workflow_seq(workflow_id)

    with anyio.fail_after(40):
        shown = await call(
            client, "get_workflow", workflow_id=workflow_id, since=seen, wait_seconds=45
        )

    assert shown["status"] == "completed"


async def test_nobody_waits_for_what_comes_after_an_event_that_is_not_there(
    client: Client, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    seq = engine.workflow_seq(workflow_id)

    with anyio.fail_after(40):
        shown = await call(
            client, "get_workflow", workflow_id=workflow_id, since=seq + 1, wait_seconds=45
        )

    assert shown["events"] == []
    assert shown["next"].startswith(f"there is no event {seq + 1} yet, so go on from since={seq};")


@pytest.mark.parametrize("since", [2**63, -(2**63) - 1])
async def test_any_number_is_a_cursor_of_events(client: Client, engine: Engine, since: int) -> None:
    shown = await call(client, "get_workflow", workflow_id=workflow(engine, "a"), since=since)

    assert bool(shown["events"]) == (since < 0)


async def test_a_call_that_says_nothing_is_told_what_to_say(client: Client) -> None:
    update = await refusal(client, "update_task", updates=[])
    entries = await refusal(client, "record", kind="metric", entries=[])

    assert update["message"] == "No status was given, and updates has none either."
    assert entries["next"] == "say what to record in entries=[{…}]"


async def test_an_unknown_member_of_updates_is_refused_with_all_that_there_are(
    client: Client,
) -> None:
    error = await refusal(client, "update_task", updates=[{"task_id": "a", "bogus": 1}])

    assert "unknown member 'bogus'" in error["message"]
    assert {"task_id", "workflow_id", "accept_raw"} < set(error["allowed"].split(", "))


async def test_a_mistyped_claim_drops_no_work(client: Client) -> None:
    error = await refusal(client, "update_task", claim="0" * 32, status="in_progress")

    assert error["next"] == "check the claim and call again with it; if it is right, stop"


async def test_a_wrong_name_is_answered_with_every_right_one(client: Client) -> None:
    tools = await tools_of(client)

    error = await refusal(client, "create_workflow", pattren="fan_out")

    known = set(tools["create_workflow"].input_schema["properties"])
    assert set(error["allowed"].split(", ")) == known
