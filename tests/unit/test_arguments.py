"""Arguments are typed and checked before anything is rendered, all faults at once."""

from typing import Any

import pytest

from relaybook.errors import InvalidArguments
from relaybook.registry.arguments import check_arguments
from relaybook.registry.kinds import Mismatch, read_as
from relaybook.registry.parameter import KINDS, Parameter


def parameter(kind: str, **fields: Any) -> Parameter:
    return Parameter(name="x", kind=kind, **fields)


TEXTS = parameter("array", items=parameter("string"))
CRITERION = parameter(
    "object",
    properties=(
        Parameter(name="name", kind="string", required=True),
        Parameter(name="weight", kind="float", default=1),
    ),
)


@pytest.mark.requirement("S149", "S151")
def test_all_faults_are_named_at_once() -> None:
    inputs = (
        Parameter(name="topic", kind="string", required=True),
        Parameter(name="files", kind="sources", required=True),
        Parameter(name="depth", kind="integer"),
    )

    with pytest.raises(InvalidArguments) as refused:
        check_arguments("research", inputs, {"topic": " ", "filez": [], "depth": "deep"})

    assert refused.value.data == {
        "missing": ["topic", "files"],
        "unknown": ["filez"],
        "invalid": ["depth must be an integer, not 'deep'"],
    }
    assert refused.value.message == (
        "Template 'research' cannot take these arguments: missing 'topic' (string); "
        "missing 'files' (array of {path, content?}); unknown 'filez' (nearest: files); "
        "depth must be an integer, not 'deep'."
    )
    assert refused.value.allowed == (
        "topic (string), files (array of {path, content?}), depth (integer)"
    )


def test_a_refusal_stays_short_whatever_is_sent() -> None:
    hostile = {"n" * 9_000 + str(number): "v" * 9_000 for number in range(500)}

    with pytest.raises(InvalidArguments) as refused:
        check_arguments("research", (parameter("integer"),), {**hostile, "x": "9" * 9_000})

    assert len(str(refused.value.as_dict())) < 4_000


def test_what_is_left_out_gets_its_default_or_none() -> None:
    inputs = (
        Parameter(name="a", kind="integer", default=3),
        Parameter(name="b", kind="string"),
        Parameter(name="c", kind="boolean", default=False),
    )

    assert check_arguments("t", inputs, {"b": None}) == {"a": 3, "b": None, "c": False}


@pytest.mark.requirement("S151")
@pytest.mark.parametrize(
    ("declared", "given", "read"),
    [
        (parameter("string"), "a", "a"),
        (parameter("string"), 5, "5"),
        (parameter("text"), "a\nb", "a\nb"),
        (parameter("integer"), "3", 3),
        (parameter("integer"), -4.0, -4),
        (parameter("float"), "0.5", 0.5),
        (parameter("minutes"), 8, 8.0),
        (parameter("boolean"), "Yes", True),
        (parameter("boolean"), False, False),
        (parameter("enum", enum_values=("low", "high")), "low", "low"),
        (TEXTS, ["a", 2], ["a", "2"]),
        (TEXTS, '["a", "b"]', ["a", "b"]),
        (TEXTS, "a", ["a"]),
        (CRITERION, {"name": "cost"}, {"name": "cost", "weight": 1.0}),
        (parameter("object"), '{"any": [1]}', {"any": [1]}),
        (parameter("source"), {"path": "a.py"}, {"path": "a.py", "content": None}),
        (
            parameter("sources"),
            {"path": "a.py", "content": ""},
            [{"path": "a.py", "content": ""}],
        ),
        (parameter("records"), '[{"id": 1}]', [{"id": 1}]),
        (parameter("prior_result"), {"task": "t1", "fields": {}}, {"task": "t1", "fields": {}}),
        (parameter("prior_result"), {}, None),
        (parameter("schema"), {"type": "integer"}, {"type": "integer"}),
    ],
)
def test_a_value_is_read_as_the_kind_declared(declared: Parameter, given: Any, read: Any) -> None:
    assert read_as(declared, given, "x") == read


@pytest.mark.requirement("S151")
@pytest.mark.parametrize(
    ("declared", "given", "said"),
    [
        (parameter("string"), ["a"], "x must be a string, not 'list'"),
        (parameter("string"), True, "x must be a string, not 'bool'"),
        (parameter("integer"), True, "x must be an integer, not 'bool'"),
        (parameter("integer"), "3.5", "x must be an integer, not '3.5'"),
        (parameter("integer"), "9" * 50, f"x must be an integer, not '{'9' * 40}'"),
        (parameter("float"), "nan", "x must be a number, not 'nan'"),
        (parameter("float"), 10**400, "x must be a number, not 'int'"),
        (parameter("minutes"), 0, "x must be a number of minutes above 0, not 'int'"),
        (parameter("boolean"), 1, "x must be true or false, not 'int'"),
        (
            parameter("enum", enum_values=("low", "high")),
            "mid",
            "x must be one of low, high, not 'mid'",
        ),
        (TEXTS, [["a"]], "x[0] must be a string, not 'list'"),
        (CRITERION, {}, "x.name is missing (string)"),
        (CRITERION, {"name": "a", "wieght": 1}, "x has no field 'wieght', only name, weight"),
        (CRITERION, {"name": "a", "weight": "b"}, "x.weight must be a number, not 'b'"),
        (parameter("source"), "a.py", "x must be an object, not 'a.py'"),
        (parameter("source"), {"content": "a"}, "x must be a source {path, content}, not 'dict'"),
        (parameter("sources"), [{"path": 1}], "x[0] must be a source {path, content}, not 'dict'"),
        (parameter("records"), {"id": 1}, "x must be an array of records, not 'dict'"),
        (parameter("prior_result"), {"task": 1}, "x must be a prior result {task, fields}, not 'dict'"),
        (parameter("schema"), "[" * 90_000, f"x must be an object, not '{'[' * 40}'"),
        (parameter("records"), "[" * 90_000, f"x must be an array of records, not '{'[' * 40}'"),
        (parameter("object"), {1: 2}, "x must be an object, not 'dict'"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_with_its_place(
    declared: Parameter, given: Any, said: str
) -> None:
    with pytest.raises(Mismatch) as refused:
        read_as(declared, given, "x")

    assert str(refused.value) == said


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_refuses_what_is_no_json(kind: str) -> None:
    with pytest.raises(Mismatch):
        read_as(parameter(kind, enum_values=("a",)), object(), "x")


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("integer", 0, "x must be 1 at least, not 0"),
        ("integer", "-5", "x must be 1 at least, not -5"),
        ("float", 9.5, "x must be 9 at most, not 9.5"),
        ("minutes", 10, "x must be 9 at most, not 10.0"),
    ],
)
def test_a_number_lies_between_its_bounds(kind: str, given: Any, said: str) -> None:
    bounded = parameter(kind, minimum=1, maximum=9)

    with pytest.raises(Mismatch) as wrong:
        read_as(bounded, given, "x")

    assert str(wrong.value) == said
    assert (read_as(bounded, 1, "x"), read_as(bounded, "9", "x")) == (1, 9)
