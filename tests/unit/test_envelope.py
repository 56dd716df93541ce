import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.result.block import MAX_OUTPUT
from relaybook.core.result.envelope import (
    Envelope,
    ResultStatus,
    from_json,
    raw_result,
    read_result,
    to_json,
)
from relaybook.errors import InvalidPlan, MalformedOutput
from relaybook.registry.frame import OUTPUT_INTERFACE

ITEMS = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}},
            },
        }
    },
}
HEALTH = {
    "type": "object",
    "required": ["status", "summary"],
    "properties": {"status": {"enum": ["ok", "error"]}, "summary": {"type": "string"}},
}


def block(value: Any) -> str:
    return f"Here it is.\n<result>\n{json.dumps(value, indent=1)}\n</result>"


def ok(data: Any, **members: Any) -> Envelope:
    return Envelope(status=ResultStatus.OK, data=data, **members)


def refusal(text: str, schema: dict[str, Any] | None = None) -> MalformedOutput:
    with pytest.raises(MalformedOutput) as refused:
        read_result(text, schema)
    return refused.value


def outcome(text: str, schema: dict[str, Any] | None) -> Envelope | MalformedOutput:
    try:
        return read_result(text, schema)
    except MalformedOutput as refused:
        return refused


def is_sound(result: Envelope | MalformedOutput) -> bool:
    if isinstance(result, Envelope):
        return from_json(to_json(result)) == result
    return len(json.dumps(result.as_dict(), ensure_ascii=False).encode()) < 1000


@pytest.mark.requirement("S122")
def test_every_member_of_an_envelope_is_read():
    members = {
        "summary": "Found two.",
        "confidence": "high",
        "evidence": [{"claim": "two", "source": "a.py"}],
        "gaps": ["tests not run"],
        "questions": ["Which branch?"],
        "artifacts": [{"path": "a.py"}],
        "tests": [{"name": "unit", "passed": True}],
        "metrics": [{"name": "coverage", "value": 0.9}],
        "findings": [{"text": "slow"}],
        "proposed_actions": [{"action": "deploy", "target": "prod", "tier": "T4", "why": "done"}],
        "actions_taken": [{"action": "edit", "target": "a.py", "tier": "T2"}],
    }
    tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in members.items()}

    envelope = read_result(block({"status": "ok", "data": {"items": []}, **members}), ITEMS)

    assert envelope == ok({"items": []}, **tuples)


def test_only_status_and_data_are_required():
    assert read_result(block({"status": "ok", "data": None}), None) == ok(None)


def test_members_of_a_near_type_are_read_as_meant_and_unknown_ones_ignored():
    value = {
        "status": "ok",
        "data": 1,
        "summary": 5,
        "confidence": " High ",
        "evidence": "seen in a.py",
        "gaps": "one gap",
        "questions": None,
        "artifacts": ["a.py", {"path": "b.py"}],
        "metrics": {"name": "n", "value": 1},
        "notes": "not a member",
    }

    assert read_result(block(value), None) == ok(
        1,
        confidence="high",
        evidence=({"claim": "seen in a.py"},),
        gaps=("one gap",),
        artifacts=({"path": "a.py"}, {"path": "b.py"}),
        metrics=({"name": "n", "value": 1},),
        flags=("ignored: summary, notes",),
    )


@pytest.mark.parametrize(
    ("said", "flags"),
    [
        ({"confidence": "very"}, ("ignored: confidence",)),
        ({"confidence": 0.9, "summary": ["a"]}, ("ignored: confidence, summary",)),
        ({"confidence": None, "summary": ""}, ()),
        ({"confidence": "LOW", "summary": "Done."}, ()),
    ],
)
def test_a_confidence_or_summary_that_cannot_be_read_is_flagged(
    said: dict[str, Any], flags: tuple[str, ...]
):
    assert read_result(block({"status": "ok", "data": 1, **said}), None).flags == flags


def test_many_members_that_mean_nothing_make_a_short_flag():
    strange = {"gap": [], "data ## Role\n": 1} | {f"m{number}": 1 for number in range(1000)}

    (flag,) = read_result(block({"status": "ok", "data": 1, **strange}), None).flags

    assert flag == "ignored: gap, …, m0, m1, m2 and 997 more"


FIRST, SECOND = block({"items": [{"id": "a"}]}), block({"items": [{"id": "b"}]})


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (FIRST + SECOND, ("several_results",)),
        (f"Draft <result>{json.dumps({'items': []})}</result>\n{SECOND}", ("several_results",)),
        (f"{FIRST}\nThe page said:\n```\n{SECOND}\n```", ("several_results",)),
        (SECOND + SECOND, ()),
        (f"I end with <result> and </result>.\n{SECOND}", ()),
        (OUTPUT_INTERFACE + SECOND, ()),
    ],
)
def test_blocks_that_differ_are_flagged_and_the_last_is_the_result(
    text: str, flags: tuple[str, ...]
):
    assert read_result(text, ITEMS) == ok({"items": [{"id": "b"}]}, flags=flags)


@pytest.mark.parametrize("value", [{"items": [{"id": "a"}]}, {"items": [], "status": "open"}])
def test_bare_data_that_fits_the_schema_is_the_result(value: Any):
    assert read_result(block(value), ITEMS) == ok(value)


@pytest.mark.parametrize("value", [0, "text", None, True, [], {}, {"status": "up"}, {"a": 1}])
def test_without_a_schema_any_bare_value_is_the_result(value: Any):
    assert read_result(block(value), None) == ok(value)


def test_an_object_that_the_schema_declares_and_accepts_is_data_whatever_its_status():
    value = {"status": "error", "summary": "disk full"}

    assert read_result(block(value), HEALTH) == ok(value)


def test_an_object_with_a_member_that_the_schema_does_not_declare_is_an_envelope():
    data = {"status": "ok", "summary": "fine"}

    assert read_result(block({"status": "ok", "data": data}), HEALTH) == ok(data)


def test_an_error_report_is_an_envelope_under_a_schema_that_accepts_every_object():
    envelope = read_result(block({"status": "error", "summary": "no net"}), {"type": "object"})

    assert envelope == Envelope(status=ResultStatus.ERROR, summary="no net")


@pytest.mark.requirement("S152")
@pytest.mark.parametrize(
    ("error", "read"),
    [
        ({"code": "crash", "message": "no"}, {"code": "crash", "message": "no"}),
        ("no disk", {"message": "no disk"}),
    ],
)
def test_the_one_line_error_form_is_an_error(error: Any, read: Any):
    text = f"I failed. <result>{json.dumps({'error': error})}</result>"

    assert read_result(text, ITEMS) == Envelope(status=ResultStatus.ERROR, error=read)


@pytest.mark.requirement("S5")
def test_a_worker_that_lacks_input_ends_with_its_questions():
    text = block({"status": "needs_input", "questions": ["Which branch?"]})

    assert read_result(text, ITEMS) == Envelope(
        status=ResultStatus.NEEDS_INPUT, questions=("Which branch?",)
    )


@pytest.mark.parametrize("status", ["error", "needs_input"])
def test_data_of_an_error_or_a_question_is_not_checked(status: str):
    value = {"status": status, "data": 5, "questions": ["Why?"], "error": "bad"}

    assert read_result(block(value), ITEMS).data == 5


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"status": "ok"}, "/data"),
        ({"status": "ok", "summary": "done"}, "/data"),
        ({"status": "partial", "gaps": ["all"]}, "/data"),
        ({"status": "error"}, "/error"),
        ({"status": "error", "error": {}, "summary": " "}, "/error"),
        ({"status": "error", "error": 5}, "/error"),
        ({"status": "needs_input"}, "/questions"),
        ({"status": "needs_input", "questions": [" "]}, "/questions"),
        ({"status": "needs_input", "questions": [5]}, "/questions"),
        ({"status": "success", "data": {"items": []}}, "/status"),
        ({"status": ["ok"], "data": {"items": []}}, "/status"),
        ({"status": "ok", "data": {"items": []}, "actions_taken": [5]}, "/actions_taken"),
        ({"status": "ok", "data": {"items": [{"id": 1}]}}, "/data/items/0/id"),
        ({"items": [{"id": 1}]}, "/items/0/id"),
        ("text", "/"),
    ],
)
def test_a_wrong_result_is_refused_at_its_path(value: Any, path: str):
    problems = refusal(block(value), ITEMS).data["problems"]

    assert [problem["path"] for problem in problems] == [path]


@pytest.mark.requirement("S173")
@pytest.mark.parametrize("said", ["T3", "t3", " T3 ", "Tier 3", "tier-3", "t 3", 3])
def test_the_tier_of_an_action_taken_is_read_as_it_is_meant(said: Any):
    taken = [{"action": "deploy", "tier": said}]

    envelope = read_result(block({"status": "ok", "data": 1, "actions_taken": taken}), None)

    assert envelope.actions_taken == ({"action": "deploy", "tier": "T3"},)


@pytest.mark.requirement("S173")
@pytest.mark.parametrize(
    "taken",
    [
        "deployed",
        {"action": "deploy"},
        {"action": "deploy", "tier": "T5"},
        {"action": "deploy", "tier": "high"},
        {"action": "deploy", "tier": True},
        {"action": "deploy", "tier": ["T3"]},
    ],
)
def test_an_action_taken_without_a_tier_that_can_be_read_is_refused_with_the_tiers(taken: Any):
    said = block({"status": "ok", "data": 1, "actions_taken": [taken]})

    (problem,) = refusal(said, None).data["problems"]

    assert problem["path"] == "/actions_taken/0/tier"
    assert problem["expected"] == "T1, T2, T3, T4"


def test_partial_data_may_lack_required_members_which_become_gaps():
    text = block({"status": "partial", "data": {"items": [{}]}, "gaps": ["time"]})

    assert read_result(text, ITEMS) == Envelope(
        status=ResultStatus.PARTIAL,
        data={"items": [{}]},
        gaps=("time", "/data/items/0: 'id' is a required property"),
    )


def test_partial_data_that_is_wrong_is_refused():
    text = block({"status": "partial", "data": {"items": [{"id": 1}, {}]}})

    assert [p["path"] for p in refusal(text, ITEMS).data["problems"]] == ["/data/items/0/id"]


@pytest.mark.requirement("S76", "A37")
def test_the_refusal_of_a_thousand_bad_items_is_short_and_names_the_ways_on():
    items = [{"id": {"x": "y" * 90}} for _ in range(1000)]

    refused = refusal(block({"status": "ok", "data": {"items": items}}), ITEMS)

    shown = refused.as_dict()
    assert shown["code"] == "malformed_output"
    assert shown["problems"][0] == {
        "path": "/data/items/0/id",
        "message": "is an object of 1",
        "expected": 'type "string"',
    }
    assert 3 <= len(shown["problems"]) <= 10
    assert len(json.dumps(shown)) < 1000
    assert "under the same claim" in shown["next"]
    assert "status='failed', error_code='malformed_output'" in shown["next"]
    assert "accept_raw=true" in shown["next"]


@pytest.mark.parametrize("tail", ["", "\nERROR: model overloaded"])
@pytest.mark.parametrize("schema", [None, {"type": "object"}, HEALTH])
def test_a_worker_that_only_repeats_its_prompt_has_no_result(
    schema: dict[str, Any] | None, tail: str
):
    refused = refusal(f"## Output Interface\n{OUTPUT_INTERFACE}{tail}", schema)

    assert "example of the prompt" in refused.message
    assert "under the same claim" in refused.as_dict()["next"]


def test_a_summary_that_speaks_of_words_is_a_summary():
    text = block({"status": "ok", "data": 1, "summary": "The abstract has <=120 words."})

    assert read_result(text, None) == ok(1, summary="The abstract has <=120 words.")


def test_a_broken_schema_is_not_blamed_on_the_output():
    with pytest.raises(InvalidPlan):
        read_result("no block", {"type": "text"})


def test_a_summary_is_cut_to_120_words_on_one_printable_line():
    summary = "a\x00b \u202e\n" + "word " * 130

    read = read_result(block({"status": "ok", "data": 1, "summary": summary}), None).summary

    assert read == "ab " + " " + "word " * 117 + "word…"


def test_a_summary_of_one_endless_word_is_cut():
    text = block({"status": "ok", "data": 1, "summary": "x" * 5000})

    assert len(read_result(text, None).summary) == 1200


@pytest.mark.requirement("A37")
def test_a_raw_result_keeps_the_text_and_is_marked_unvalidated():
    assert raw_result("No block.\nSorry.") == ok(
        "No block.\nSorry.", summary="No block. Sorry.", validated=False
    )


def test_a_raw_result_can_be_stored_whatever_it_holds():
    stored = to_json(raw_result("\x00 \ud800 " + "<result>"))

    assert from_json(stored.encode().decode()).data == "\x00 ? <result>"


def test_a_raw_result_that_is_too_large_is_refused():
    with pytest.raises(MalformedOutput):
        raw_result("x" * (MAX_OUTPUT + 1))


def test_json_text_is_canonical_and_holds_only_what_says_something():
    assert to_json(ok({"b": 1, "a": "é"})) == '{"data":{"a":"é","b":1},"status":"ok"}'


characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, max_size=20)
data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
).filter(lambda value: "Infinity" not in json.dumps(value))
objects = st.lists(st.dictionaries(texts, data, max_size=2), max_size=2).map(tuple)
envelopes = st.builds(
    Envelope,
    status=st.sampled_from(ResultStatus),
    data=data,
    summary=texts,
    confidence=st.none() | st.sampled_from(["low", "medium", "high"]),
    gaps=st.lists(texts).map(tuple),
    artifacts=objects,
    actions_taken=objects,
    error=st.none() | st.dictionaries(texts, data, max_size=2),
    validated=st.booleans(),
    flags=st.lists(texts).map(tuple),
)


@given(envelopes)
def test_an_envelope_survives_its_json_text(envelope: Envelope):
    assert from_json(to_json(envelope)) == envelope


@given(st.text(), data, st.text(characters).filter(lambda text: "<" not in text))
def test_an_envelope_in_any_prose_is_found(before: str, value: Any, after: str):
    text = f"{before}\n{block({'status': 'ok', 'data': value})}\n{after}"

    assert read_result(text, None) == ok(value)


@given(st.text() | st.text().map(lambda text: f"<result>{text}</result>") | data.map(block))
def test_no_message_raises_anything_but_malformed_output(text: str):
    assert is_sound(outcome(text, ITEMS))


members = st.dictionaries(
    st.sampled_from(["status", "data", "error", "questions", "gaps", "tests", "summary", "x"]),
    data | st.sampled_from([*ResultStatus]),
)


@given(members)
def test_no_object_raises_anything_but_malformed_output(value: dict[str, Any]):
    assert is_sound(outcome(block(value), None))
