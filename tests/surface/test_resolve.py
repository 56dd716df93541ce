"""resolve over MCP: what is open, the decision given, and the user asked where the client can."""

from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS, ElicitResult, InputRequiredResult, InputResponses

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from tests.helpers import fail, result, start, update, workflow
from tests.surface.calls import call, refusal
from tests.surface.conftest import Connect, Mode

pytestmark = pytest.mark.anyio


class User:
    """A user who gives one answer to whatever is asked, and remembers the questions."""

    def __init__(self, action: str, **content: str) -> None:
        self.action, self.content = action, content
        self.asked: list[str] = []
        self.fields: list[str] = []
        self.offered: list[str] = []
        self.meanwhile = lambda: None

    async def __call__(self, _context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        self.fields = sorted(params.requested_schema["properties"])
        self.offered = params.requested_schema["properties"]["decision"]["enum"]
        self.meanwhile()
        content = self.content if self.action == "accept" else None
        return ElicitResult.model_validate({"action": self.action, "content": content})


def failing(engine: Engine) -> str:
    name = workflow(engine, "a", "b", "c", "d")
    for each in ("a", "b", "c"):
        start(engine, name, each)
        fail(engine, name, each)
    return name


def asking(engine: Engine, name: str, task_id: str) -> None:
    start(engine, name, task_id)
    text = result(None, status="needs_input", questions=[f"Which colour for {task_id}?"])
    update(engine, name, task_id, "completed", output=text)


@pytest.mark.requirement("S95", "S96")
@pytest.mark.parametrize(
    ("decision", "status"), [("retry_failed", "in_progress"), ("accept_partial", "partial")]
)
async def test_the_user_is_asked_after_the_breaker_and_decides(
    engine: Engine, connect: Connect, decision: str, status: str
) -> None:
    name = failing(engine)
    user = User("accept", decision=decision, text="as we said")

    async with connect(elicitation_callback=user) as client:
        answer = await call(client, "resolve", workflow_id=name)

    (asked,) = user.asked
    assert asked == (
        "0 of 4 tasks completed. Failed tasks: [a, b, c]. Partial results available. "
        "Retry the failed tasks, adjust the plan, or accept the partial results?"
    )
    assert user.fields == ["decision", "text"]
    assert (answer["decision"], answer["status"]) == (decision, status)
    told = engine.show_workflow(name, detail="resume")["decisions"][0]
    assert told.endswith(" (as we said)")


async def test_a_retry_of_one_task_says_which_was_reopened(engine: Engine, client: Client) -> None:
    name = failing(engine)

    answer = await call(
        client, "resolve", workflow_id=name, decision="retry_failed", task_id="b", reason="ok"
    )

    assert answer["reopened"] == ["b"]
    assert engine.show_workflow(name)["counts"]["failed"] == 2


@pytest.mark.requirement("S95")
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_user_who_does_not_answer_leaves_the_decision_open(
    engine: Engine, connect: Connect, action: str
) -> None:
    name = failing(engine)
    user, seq = User(action), engine.workflow_seq(name)

    async with connect(elicitation_callback=user) as client:
        answer = await call(client, "resolve", workflow_id=name)

    assert len(user.asked) == 1
    assert answer["open"][0]["decisions"] == ["retry_failed", "adjust", "accept_partial"]
    assert engine.workflow_seq(name) == seq


async def test_a_user_who_declined_is_not_to_be_asked_again_at_once(
    engine: Engine, connect: Connect
) -> None:
    name = failing(engine)

    async with connect(elicitation_callback=User("decline")) as client:
        declined = await call(client, "resolve", workflow_id=name)
    async with connect(elicitation_callback=User("cancel")) as client:
        dismissed = await call(client, "resolve", workflow_id=name)

    assert declined["next"].startswith("the user declined to decide")
    assert dismissed["next"].startswith("ask the user")


@pytest.mark.parametrize("decision", ["cancel", "nonsense", "x" * 5_000])
async def test_a_form_that_comes_back_with_what_it_did_not_offer_is_refused(
    engine: Engine, connect: Connect, decision: str
) -> None:
    name = failing(engine)
    seq = engine.workflow_seq(name)

    async with connect(elicitation_callback=User("accept", decision=decision)) as client:
        error = await refusal(client, "resolve", workflow_id=name)

    assert error["code"] == "invalid_arguments"
    assert error["allowed"] == "retry_failed, adjust, accept_partial"
    assert "resolve without a decision" in error["next"]
    assert engine.workflow_seq(name) == seq


async def test_a_user_who_chooses_nothing_leaves_the_decision_open(
    engine: Engine, connect: Connect
) -> None:
    name = failing(engine)

    async with connect(elicitation_callback=User("accept")) as client:
        answer = await call(client, "resolve", workflow_id=name)

    assert len(answer["open"]) == 1


@pytest.mark.requirement("S5")
async def test_a_workers_question_reaches_the_user_and_its_answer_the_next_prompt(
    engine: Engine, connect: Connect
) -> None:
    name = workflow(engine, "a", "b")
    asking(engine, name, "a")
    user = User("accept", decision="answer", text="ultramarine")

    async with connect(elicitation_callback=user) as client:
        await call(client, "resolve", workflow_id=name)

    assert user.asked == ["Task a asks: Which colour for a?"]
    prompts = [engine.claim_task(name)["prompt"] for _ in range(2)]
    assert ["ultramarine" in prompt for prompt in prompts] == [True, False]


async def test_the_form_has_a_text_for_each_question_and_offers_what_is_open(
    engine: Engine, connect: Connect
) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")
    asked = result(None, status="needs_input", questions=["Which branch?", "Which region?"])
    update(engine, name, "a", "completed", output=asked)
    user = User("accept", decision="answer", text="main-7", text_2="north-3")

    async with connect(elicitation_callback=user) as client:
        await call(client, "resolve", workflow_id=name)

    assert (user.offered, user.fields) == (["", "answer"], ["decision", "text", "text_2"])
    prompt = engine.claim_task(name)["prompt"]
    words = ("Which branch?", "main-7", "Which region?", "north-3")
    positions = [prompt.index(word) for word in words]
    assert positions == sorted(positions)


@pytest.mark.parametrize("text", ["", "main-7"])
async def test_a_question_without_an_answer_stays_open(
    engine: Engine, connect: Connect, text: str
) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")
    asked = result(None, status="needs_input", questions=["Which branch?", "Which region?"])
    update(engine, name, "a", "completed", output=asked)
    user = User("accept", decision="answer", text=text)

    async with connect(elicitation_callback=user) as client:
        refused = await refusal(client, "resolve", workflow_id=name)

    assert refused["next"] == "give an answer to each question"
    assert engine.open_decisions(name)["open"][0]["decisions"] == ["answer"]


async def test_an_answer_goes_to_the_task_that_was_asked_about(
    engine: Engine, connect: Connect
) -> None:
    name = workflow(engine, "a", "b", "c")
    asking(engine, name, "a")
    asking(engine, name, "b")
    user = User("accept", decision="answer", text="ultramarine")

    def somebody_else_answers() -> None:

        if len(user.asked) == 1:
            said = Resolution(
                workflow_id=name, decision="answer", task_id="a", answers=("scarlet",)
            )
            engine.resolve(said)

    user.meanwhile = somebody_else_answers

    async with connect(elicitation_callback=user) as client:
        result_ = await client.call_tool("resolve", {"workflow_id": name})

    # The user is asked anew about b, or the late answer about a is refused: never a for b.
    if result_.is_error:
        assert user.asked == ["Task a asks: Which colour for a?"]
    else:
        assert user.asked[-1] == "Task b asks: Which colour for b?"


@pytest.mark.requirement("S95")
async def test_a_client_that_cannot_ask_is_told_what_to_decide_and_how(
    engine: Engine, client: Client
) -> None:
    name = failing(engine)

    answer = await call(client, "resolve", workflow_id=name)

    assert answer["open"][0]["question"].startswith("0 of 4 tasks completed. Failed tasks: [a")
    assert answer["next"] == (
        "ask the user, then resolve(workflow_id, decision=<one of its decisions>, task_id if it "
        "has one, reason)"
    )
    after = await call(client, "resolve", workflow_id=name, decision="retry_failed", reason="ok")
    assert (after["decision"], after["status"]) == ("retry_failed", "in_progress")


async def test_a_decision_that_is_given_asks_nobody(engine: Engine, connect: Connect) -> None:
    name = failing(engine)
    user = User("accept", decision="cancel")

    async with connect(elicitation_callback=user) as client:
        answer = await call(client, "resolve", workflow_id=name, decision="adjust", reason="new")
        wrong = await refusal(client, "resolve", workflow_id=name, decision="retry")

    assert (user.asked, answer["next"].split("(")[0]) == ([], "change_plan")
    assert "retry_failed" in wrong["allowed"]


@pytest.mark.requirement("S71", "A7")
async def test_a_worker_has_no_tool_to_plan_with(engine: Engine, worker: Client) -> None:
    tools = {tool.name for tool in (await worker.list_tools()).tools}

    assert tools.isdisjoint({"plan", "create_workflow", "change_plan", "resolve"})
    error = await refusal(worker, "create_workflow", pattern="fan_out", tasks=[])
    assert error["code"] == "unknown_tool"


class TestModernClients:
    """What only clients of 2026-07-28 do: they carry the state of a question."""

    @pytest.fixture
    def mode(self) -> Mode:
        return "auto"

    async def test_the_state_that_a_client_carries_is_sealed(
        self, engine: Engine, connect: Connect
    ) -> None:
        name = failing(engine)
        decided = {"action": "accept", "content": {"decision": "cancel"}}

        async with connect(elicitation_callback=User("accept")) as client:
            asked = await client.session.call_tool(
                "resolve", {"workflow_id": name}, allow_input_required=True
            )
            assert isinstance(asked, InputRequiredResult)
            state, requests = asked.request_state, asked.input_requests
            assert state is not None
            assert requests is not None
            answers: InputResponses = {
                key: ElicitResult.model_validate(decided) for key in requests
            }
            with pytest.raises(MCPError) as caught:
                await client.session.call_tool(
                    "resolve",
                    {"workflow_id": name},
                    input_responses=answers,
                    request_state=state[:-2] + ("AA" if state[-2:] != "AA" else "BB"),
                    allow_input_required=True,
                )

        assert caught.value.error.code == INVALID_PARAMS
        assert engine.show_workflow(name)["status"] == "in_progress"
