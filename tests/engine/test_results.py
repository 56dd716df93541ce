"""Results and prompts: what a worker hands in, and what the next one is handed."""

import json
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import (
    InvalidArguments,
    InvalidPlan,
    MalformedOutput,
    NotStarted,
    Refusal,
)
from relaybook.store.base import Store
from relaybook.store.cases import get_task
from relaybook.store.tables import ATTEMPTS
from relaybook.store.texts import get_text
from tests.helpers import (
    complete,
    dump,
    fail,
    recorded,
    result,
    start,
    status,
    task,
    update,
    workflow,
)


@pytest.mark.requirement("S74")
def test_no_result_is_accepted_before_a_start(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a")
    before = dump(ledger)

    with pytest.raises(NotStarted):
        complete(engine, name, "a")
    assert dump(ledger) == before


@pytest.mark.requirement("S122", "S123")
def test_the_parsed_result_and_the_whole_message_are_kept(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")
    text = "Thinking {{ 7*7 }} {% raw %} …\n" + result({"n": 1}) + "Bye."

    update(engine, name, "a", "completed", output=text)

    envelope, output = recorded(ledger, name, "a")
    assert (envelope["data"], output) == ({"n": 1}, text)


def test_the_last_of_two_blocks_is_the_result(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")

    update(engine, name, "a", "completed", output=result("draft") + result("final"))

    assert recorded(ledger, name, "a")[0]["data"] == "final"


RATED = {"domain": "legal", "colour": "green", "issues": [{"clause": "7.2", "colour": "red"}]}


@pytest.mark.parametrize(
    ("output", "flag"),
    [
        (result("draft") + result("final"), "several_results"),
        (result(RATED), "colour_below_issues"),
        (
            '<result>\n{"status": "ok", "data": 1, "gap": ["tests"]}\n</result>',
            "ignored: gap",
        ),
    ],
)
def test_what_is_odd_about_a_result_is_told_at_once_and_in_every_digest(
    engine: Engine, output: str, flag: str
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    answer = update(engine, name, "a", "completed", output=output)

    digest = engine.aggregate(name)
    assert answer["flags"] == [flag]
    assert [line.get("flags") for line in digest["tasks"]] == [[flag], None]
    assert "Flagged output, check before use: a." in digest["brief"]["must_mention"]


@pytest.mark.parametrize(
    ("said", "gap"),
    [
        ({"status": "partial"}, "its worker calls it partial and does not say what is missing"),
        ({"status": "partial", "gaps": ["the tests"]}, "the tests"),
        ({"status": "ok", "gaps": ["the tests"]}, "the tests"),
    ],
)
def test_a_result_that_is_not_whole_is_a_gap_at_once_in_the_digest_and_in_the_next_prompt(
    engine: Engine, said: dict[str, Any], gap: str
) -> None:
    name = workflow(engine, "a", task("b", "a"))
    start(engine, name, "a")

    answer = update(engine, name, "a", "completed", output=result({"v": 1}, **said))

    prompt = update(engine, name, "b", "in_progress")["prompt"]
    complete(engine, name, "b", {"v": 2})
    found = engine.aggregate(name)["gaps"]
    assert answer["gaps"] == [gap]
    assert "\na says that its result is not whole\n" in prompt
    assert (prompt.count(gap), len(found)) == (0, 1)
    assert (found[0]["task_id"], found[0]["gap"], found[0]["reason"]) == ("a", "partial", gap)


@pytest.mark.requirement("S76", "A37")
@pytest.mark.parametrize(
    "output",
    [
        "I am done.",
        "<result>\n{",
        "<result>\n{not json}\n</result>",
        result({"count": "three"}),
        result({}),
        result({"count": 1}) + "x" * 200_000,
        "<result>" + "[" * 100_000 + "</result>",
    ],
    ids=["none", "unclosed", "no json", "wrong type", "missing", "over 200 kB", "deep"],
)
def test_a_result_that_cannot_be_used_changes_nothing(
    engine: Engine, ledger: Store, output: str
) -> None:
    name = workflow(engine, task("a", template="counted"))
    claim = start(engine, name, "a")
    before = dump(ledger)

    with pytest.raises(MalformedOutput) as caught:
        update(engine, name, "a", "completed", output=output, claim=claim)

    assert dump(ledger) == before
    assert "same claim" in caught.value.next
    assert len(json.dumps(caught.value.as_dict())) < 1_500
    assert complete(engine, name, "a", {"count": 3}, claim=claim)["status"] == "completed"


@pytest.mark.requirement("A37")
def test_a_raw_result_is_kept_and_marked(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, task("a", template="counted"))
    start(engine, name, "a")

    update(engine, name, "a", "completed", output='{"count": 1}', accept_raw=True)

    envelope, output = recorded(ledger, name, "a")
    assert (envelope["data"], envelope["validated"], output) == (output, False, '{"count": 1}')


def test_an_empty_raw_result_is_refused(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")
    before = dump(ledger)

    with pytest.raises(MalformedOutput):
        update(engine, name, "a", "completed", output=" \n", accept_raw=True)
    assert dump(ledger) == before


@pytest.mark.requirement("S84", "S85", "A37")
def test_a_failure_keeps_the_text_and_counts(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    text = "rambling " * 40_000

    answer = update(engine, name, "a", "failed", error_code="malformed_output", output=text)

    assert answer["error"]["code"] == "malformed_output"
    with ledger.read() as tx:
        found = get_task(tx, name, "a")
        output = ATTEMPTS.find(tx, "WHERE task_id = 'a'")[0].output
        kept = get_text(tx, name, output or "")
    assert (found.status, found.failures) == ("failed", 1)
    assert kept == text[:199_999] + "…"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"status": "error", "error": {"code": "crash", "message": "no disk"}}, "failed"),
        ({"status": "needs_input", "questions": ["Which branch?"]}, "input_required"),
        ({"status": "partial", "gaps": ["one file"]}, "completed"),
        ({"actions_taken": [{"action": "deploy", "tier": "T3"}]}, "failed"),
    ],
    ids=["error", "needs_input", "partial", "tier"],
)
@pytest.mark.requirement("S5", "A37")
def test_a_block_is_recorded_as_what_it_says(
    engine: Engine, said: dict[str, Any], expected: str
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    text = result("half", **said)

    answer = update(engine, name, "a", "completed", output=text)
    again = update(engine, name, "a", "completed", output=text)

    assert (answer["status"], again["status"], again["repeated"]) == (expected, expected, True)


@pytest.mark.requirement("S173")
def test_an_action_above_the_tier_is_final(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    answer = complete_with(engine, name, actions_taken=[{"action": "deploy", "tier": "T4"}])

    assert answer["error"]["code"] == "tier_violation"
    assert engine.show_workflow(name)["failed"][0]["retries_left"] == 0


@pytest.mark.requirement("S173")
def test_an_action_above_the_tier_of_the_task_is_a_violation(engine: Engine) -> None:
    name = workflow(engine, task("a", tier="T1"), task("b", tier="T2"))
    start(engine, name, "a")
    start(engine, name, "b")
    said = result(1, actions_taken=[{"action": "edited src/x.py", "tier": "t2"}])

    reading = update(engine, name, "a", "completed", output=said)
    writing = update(engine, name, "b", "completed", output=said)

    assert (reading["status"], writing["status"]) == ("failed", "completed")
    assert reading["error"]["code"] == "tier_violation"
    assert "above tier T1" in reading["error"]["message"]


def complete_with(engine: Engine, name: str, **said: Any) -> dict[str, Any]:
    return update(engine, name, "a", "completed", output=result(1, **said))


def test_updates_stand_each_by_itself(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    answer = engine.update_tasks(
        [
            Update(workflow_id=name, task_id="a", status="completed", output=result(1)),
            Update(workflow_id=name, task_id="nope", status="completed", output=result(1)),
            Update(workflow_id=name, task_id="b", status="in_progress"),
        ]
    )

    assert answer["results"][1]["error"]["code"] == "unknown_task"
    assert answer["summary"] == "2 of 3 updates recorded"
    assert status(engine, name) == {"a": "completed", "b": "in_progress"}


@pytest.mark.requirement("S86", "S104")
def test_a_retry_is_told_every_earlier_error(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    for error in ("the disk was full", "the network was down"):
        start(engine, name, "a")
        fail(engine, name, "a", error, error_code="crash")

    prompt = engine.claim_task(name)["prompt"]

    assert "the disk was full" in prompt
    assert "the network was down" in prompt


@pytest.mark.requirement("S18", "S19", "S107")
def test_a_step_is_handed_the_fields_that_it_takes(engine: Engine) -> None:
    takes = [{"from": "a", "fields": ["plan"]}]
    name = workflow(engine, "a", task("b", takes=takes), pattern="pipeline")
    start(engine, name, "a")
    early = engine.render_prompt(workflow_id=name, task_id="b")
    complete(engine, name, "a", {"plan": "build a bridge", "cost": "nine hundred"})

    rendered = engine.render_prompt(workflow_id=name, task_id="b")
    claimed = engine.claim_task(name)

    for prompt in (rendered["prompt"], claimed["prompt"]):
        assert ("build a bridge" in prompt, "nine hundred" in prompt) == (True, False)
    assert early["next"].startswith("wait until get_workflow names it as ready")
    assert rendered["next"].startswith("spawn a worker with it")


@pytest.mark.requirement("S6", "S60")
def test_what_is_handed_on_names_its_source_and_not_what_that_task_was_told(
    engine: Engine,
) -> None:
    label = "Plan the bridge for the council"
    name = workflow(engine, task("a", label=label), task("b", "a"))
    start(engine, name, "a")
    complete(engine, name, "a", {"plan": "three arches"})

    prompt = engine.claim_task(name)["prompt"]

    assert 'source="result of a"' in prompt
    assert ("three arches" in prompt, label in prompt) == (True, False)


@pytest.mark.requirement("S107")
def test_a_task_waits_for_what_it_takes(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", takes=[{"from": "a"}]), pattern="supervisor")

    with pytest.raises(Refusal, match=r"waits for .a. .pending"):
        start(engine, name, "b")


def test_the_vocabulary_lists_the_flags_of_a_result_and_what_metadata_may_hold(
    engine: Engine,
) -> None:
    text = str(engine.read("guide://vocabulary"))

    assert "| several_results |" in text
    assert '{"experts": {expert: number}' in text


@pytest.mark.parametrize(
    ("status", "text", "belongs"),
    [
        ("in_progress", "output", "completed, failed, input_required"),
        ("pending", "output", "completed, failed, input_required"),
        ("cancelled", "output", "completed, failed, input_required"),
        ("in_progress", "error", "failed, input_required, pending, cancelled"),
        ("completed", "error", "failed, input_required, pending, cancelled"),
    ],
)
def test_a_text_that_a_status_does_not_keep_is_refused_with_where_it_belongs(
    engine: Engine, ledger: Store, status: str, text: str, belongs: str
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    before = dump(ledger)

    with pytest.raises(InvalidArguments, match=f"{text} came with status '{status}'") as refusal:
        update(engine, name, "a", status, **{text: "some"})

    assert refusal.value.allowed == f"{text} with {belongs}"
    assert dump(ledger) == before


@pytest.mark.parametrize("status", ["pending", "cancelled"])
def test_the_reason_of_a_task_that_is_given_back_or_cancelled_is_kept(
    engine: Engine, status: str
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    seq = engine.show_workflow(name)["seq"]

    update(engine, name, "a", status, error="not now")

    assert engine.show_workflow(name, since=seq)["events"][0]["reason"] == "not now"


LABELS = [{"name": "billing", "definition": "Money."}, {"name": "access", "definition": "Doors."}]


def answers(*values: Any) -> dict[str, Any]:
    """What a worker on a partition answers, item by item."""
    said = {"info": "-", "rationale": "-", "confidence": "high"}
    items = [{"id": f"i{n}", "answer": value, **said} for n, value in enumerate(values)]
    return {"partition": "p1", "items": items, "carry_over": []}


def labelled(**labels: str | None) -> dict[str, Any]:
    said = {"why": "-", "confidence": "high"}
    return {"labels": [{"id": name, "label": label, **said} for name, label in labels.items()]}


@pytest.mark.parametrize(
    ("template", "args", "right", "wrong", "path"),
    [
        (
            "map_partition",
            {
                "instruction": "Rate it.",
                "partition": "p1",
                "items": [{"id": "i0"}, {"id": "i1"}],
                "answer_schema": {"$ref": "#/$defs/mark", "$defs": {"mark": {"maximum": 5}}},
            },
            answers(5, None),
            answers(5, 99),
            "/data/items/1/answer",
        ),
        (
            "data_extraction",
            {"sources": [{"path": "a", "content": "x"}], "fields": '{"required": ["number"]}'},
            {"records": [{"id": "r1", "source": "a", "fields": {"number": 7}}], "skipped": []},
            {"records": [{"id": "r1", "source": "a", "fields": {"wrong": 5}}], "skipped": []},
            "/data/records/0/fields",
        ),
        (
            "classify",
            {"items": [{"id": "a", "text": "x"}, {"id": "b", "text": "y"}], "labels": LABELS},
            labelled(a="billing", b=None),
            labelled(a="billing", b="sports"),
            "/data/labels/1/label",
        ),
    ],
)
def test_a_result_is_held_against_what_the_arguments_ask_of_it(
    engine: Engine, template: str, args: dict[str, Any], right: Any, wrong: Any, path: str
) -> None:
    name = workflow(engine, task("a", template=template, args=args))
    start(engine, name, "a")

    with pytest.raises(MalformedOutput) as caught:
        complete(engine, name, "a", wrong)
    answer = complete(engine, name, "a", right)

    assert [each["path"] for each in caught.value.data["problems"]] == [path]
    assert answer["status"] == "completed"


def test_an_argument_that_is_a_broken_schema_is_refused_with_the_plan(engine: Engine) -> None:
    args = {"sources": [{"path": "a", "content": "x"}], "fields": {"type": "text"}}

    with pytest.raises(InvalidPlan, match="Task 'a': The output schema cannot be used"):
        workflow(engine, task("a", template="data_extraction", args=args))


@pytest.mark.parametrize("pattern", ["fan_out", "pipeline", "supervisor", "map_reduce"])
def test_items_given_in_arguments_are_covered_like_those_of_a_partition(
    engine: Engine, pattern: str
) -> None:
    items = [{"id": "a", "text": "x"}, {"id": "b", "text": "y"}]
    labelling = task("t", template="classify", args={"items": items, "labels": LABELS})
    name = workflow(engine, labelling, pattern=pattern)
    start(engine, name, "t")

    answer = complete(engine, name, "t", labelled(a="billing", zz="access"))

    assert answer["coverage"] == {"missing": ["b"], "invented": ["zz"]}
    problems = {each["problem"] for each in engine.aggregate(name)["coverage_problems"]}
    assert problems == {"missing", "invented"}
