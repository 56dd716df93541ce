import json
import re
from typing import Any

import pytest

from relaybook.core.schema.check import check_schema, find_problems
from relaybook.errors import InvalidPlan


def unfolding(width: int, levels: int, keyword: str = "anyOf") -> dict[str, Any]:
    """A schema whose references, unfolded, are width ** levels."""
    names = [f"d{level}" for level in range(levels)]
    defs: dict[str, Any] = {
        name: {keyword: [{"$ref": f"#/$defs/d{level + 1}"}] * width}
        for level, name in enumerate(names)
    }
    return {"$defs": defs | {f"d{levels}": {"type": "string"}}, "$ref": "#/$defs/d0"}


def nested(levels: int, leaf: Any) -> Any:
    """An object of `levels` levels of the member `c`."""
    value = leaf
    for _ in range(levels):
        value = {"c": value}
    return value


def doubling(**member: Any) -> dict[str, Any]:
    """A schema that holds each `c` against twice as many schemas as the object it is in."""
    parts = [{"properties": {"c": member}, "maxProperties": most} for most in (4, 5)]
    return {"type": ["object", "integer"], "allOf": parts}


TREE = {"type": "object", "properties": {"child": {"$ref": "#"}}, "additionalProperties": False}

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a type that is none": ({"type": "text"}, "at '/type'"),
    "a pattern that is none": ({"pattern": "["}, "at '/pattern'"),
    "not JSON": ({"enum": [{1, 2}]}, "not JSON"),
    "an older draft": ({"$schema": "http://json-schema.org/draft-07/schema#"}, "draft-07"),
    "a remote reference": ({"items": {"$ref": "https://example.com/x.json"}}, "nothing is fetched"),
    "a reference to a file": ({"$ref": "file:///etc/passwd"}, "nothing is fetched"),
    "a remote dynamic reference": ({"$dynamicRef": "other#x"}, "nothing is fetched"),
    "a reference to nothing": ({"$ref": "#/$defs/item"}, "leads nowhere"),
    "a reference to no schema": ({"title": "x", "$ref": "#/title"}, "leads to no schema"),
    "an $id below the top": ({"items": {"$id": "https://example.com/"}}, "below its top"),
    "a look-ahead": ({"properties": {"a": {"pattern": "(?=a)b"}}}, "look-around"),
    "a back-reference": ({"patternProperties": {r"(a)\1": True}}, "back-references"),
    "a pattern too large": ({"pattern": "[0-9a-f]{1000}{1000}"}, "not too large"),
    "two rules of the rest": (
        {"patternProperties": {"^a": True}, "unevaluatedProperties": False},
        "use one of them",
    ),
    "a circle": ({"$ref": "#"}, "circle"),
    "a circle for some values": ({"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "circle"),
    "a circle for one member": ({"dependentSchemas": {"a": {"$ref": "#"}}}, "circle"),
    "a circle further down": (
        {"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}},
        "circle",
    ),
}


@pytest.mark.parametrize(("schema", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_schema_is_refused_with_the_reason(schema: dict[str, Any], reason: str):
    with pytest.raises(InvalidPlan) as refusal:
        check_schema(schema)

    assert reason in refusal.value.message


@pytest.mark.parametrize(
    "schema",
    [
        {},
        TREE,
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/"},
        {"$defs": {"id": {"$anchor": "id", "type": "integer"}}, "items": {"$ref": "#id"}},
        {"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}},
    ],
)
def test_a_sound_schema_is_accepted(schema: dict[str, Any]):
    before = json.dumps(schema)

    check_schema(schema)

    assert json.dumps(schema) == before


PROBLEMS: list[tuple[dict[str, Any], Any, tuple[str, str, str]]] = [
    ({"type": "string"}, 5, ("/", "is 5", 'type "string"')),
    ({"type": "string"}, [1, 2], ("/", "is a list of 2", 'type "string"')),
    ({"type": "array"}, {"a": 1}, ("/", "is an object of 1", 'type "array"')),
    ({"required": ["id"]}, {}, ("/", "'id' is a required property", 'required ["id"]')),
    ({"enum": ["a", "b"]}, "c", ("/", 'is "c"', 'enum ["a", "b"]')),
    ({"items": {"type": "null"}}, [None, 1], ("/1", "is 1", 'type "null"')),
    ({"properties": {"a": False}}, {"a": 1}, ("/", "holds 1", "nothing there")),
    ({"properties": {"a/b~": {"const": 2}}}, {"a/b~": 1}, ("/a~1b~0", "is 1", "const 2")),
    (TREE, {"child": {"child": 1}}, ("/child/child", "is 1", 'type "object"')),
    ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], ("/", "is a list of 2", "uniqueItems true")),
]


@pytest.mark.parametrize(("schema", "value", "problem"), PROBLEMS)
def test_a_problem_names_the_path_the_value_and_what_may_stand_there(
    schema: dict[str, Any], value: Any, problem: tuple[str, str, str]
):
    path, message, expected = problem

    assert find_problems(value, schema) == [
        {"path": path, "message": message, "expected": expected}
    ]


SLOW = "^(a+)+$"
ALMOST = "a" * 40 + "!"


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "pattern": SLOW}, ALMOST),
        ({"propertyNames": {"pattern": SLOW}}, {ALMOST: 1}),
        ({"patternProperties": {SLOW: True}, "additionalProperties": False}, {ALMOST: 1}),
        ({"patternProperties": {SLOW: True, "!$": {"type": "string"}}}, {ALMOST: 1}),
        ({"not": {"not": {"pattern": SLOW}}}, ALMOST),
        ({"pattern": SLOW}, ALMOST + "\ud800"),
    ],
)
def test_no_pattern_takes_more_than_linear_time(schema: dict[str, Any], value: Any, partial: bool):
    check_schema(schema)

    assert len(find_problems(value, schema, partial=partial)) == 1


def test_names_that_a_pattern_matches_are_no_additional_ones():
    schema = {
        "properties": {"a": True},
        "patternProperties": {"^x-": {"type": "string"}},
        "additionalProperties": {"type": "integer"},
    }

    problems = find_problems({"a": None, "x-b": 1, "x-c": "", "d": 1, "e": ""}, schema)

    assert sorted(found["path"] for found in problems) == ["/e", "/x-b"]


def test_every_member_that_a_schema_has_no_place_for_is_named():
    schema = {"properties": {"n": True}, "patternProperties": {"^x-": True}} | {
        "additionalProperties": False
    }
    names = ["outcome", "deliverable", "criteria", "evidence", "blockers", "suggested_next"]

    (found,) = find_problems(dict.fromkeys(["n", "x-a", *names], 1), schema)

    assert found["message"] == f"has undeclared members: {str(names)[1:-1]}"
    assert found["expected"] == "additionalProperties false"


@pytest.mark.parametrize("name", ["member_{}", "\x00\n{}" * 500, "😀{}" * 500])
def test_of_many_members_without_a_place_the_first_are_named(name: str):
    value = {name.format(*[number] * 500): 1 for number in range(1000)}

    (found,) = find_problems(value, {"additionalProperties": False})

    assert re.search(r" and 9\d\d more$", found["message"])
    assert len(found["message"].encode()) < 350


def test_items_that_json_tells_apart_are_unique():
    items = [1, True, "1", None, [1], {"a": 1}, {"a": True}, [], {}, 0, False]

    assert find_problems(items, {"uniqueItems": True}) == []


def test_many_distinct_objects_are_checked_for_uniqueness():
    items = [{"a": number} for number in range(20_000)]

    assert find_problems(items, {"uniqueItems": True}) == []


def test_a_value_too_deep_for_its_schema_is_a_problem():
    value: dict[str, Any] = {"child": 0}
    for _ in range(900):
        value = {"child": value}

    assert [found["path"] for found in find_problems(value, TREE, at="/data")] == ["/data"]


def test_required_members_may_be_missing_from_a_partial_value():
    schema = {"required": ["a"], "properties": {"b": {"type": "string"}}}

    assert find_problems({}, schema, partial=True) == []
    assert [found["path"] for found in find_problems({"b": 1}, schema, partial=True)] == ["/b"]


def test_short_problems_stop_at_ten():
    schema = {"items": {"const": 1}}

    assert len(find_problems([0] * 1000, schema)) <= 10


def test_problems_are_short_and_printable_whatever_the_value_holds():
    schema = {"additionalProperties": {"type": "integer"}}

    problems = find_problems({"\x00\n" * 500 + str(n): "😀" * 5000 for n in range(20)}, schema)

    assert problems
    assert len(json.dumps(problems, ensure_ascii=False).encode()) < 750
    assert all(part.isprintable() for found in problems for part in map(str, found.values()))


@pytest.mark.parametrize("keyword", ["anyOf", "allOf", "oneOf"])
@pytest.mark.parametrize(("width", "levels"), [(12, 4), (2, 24), (9, 1000)])
def test_a_small_schema_that_unfolds_to_thousands_is_refused(keyword: str, width: int, levels: int):
    with pytest.raises(InvalidPlan) as refusal:
        check_schema(unfolding(width, levels, keyword))

    shown = refusal.value.as_dict()
    assert "holds one value against" in shown["message"]
    assert shown["allowed"] == "at most 1000"
    assert "alternatives" in shown["next"]


def test_a_schema_that_names_one_definition_often_is_accepted():
    defs = {"money": {"type": "object", "properties": {"amount": {"type": "number"}}}}
    members = {f"cost_{number}": {"$ref": "#/$defs/money"} for number in range(500)}

    check_schema({"$defs": defs, "properties": members})

    assert find_problems({"cost_7": {"amount": 1}}, {"$defs": defs, "properties": members}) == []


def chain_of_doubling(levels: int) -> dict[str, Any]:
    defs = {f"d{level}": doubling(**{"$ref": f"#/$defs/d{level + 1}"}) for level in range(levels)}
    return {"$defs": defs | {f"d{levels}": {"type": "integer"}}, "$ref": "#/$defs/d0"}


DOUBLING = {"in itself": doubling(**{"$ref": "#"}), "along a chain": chain_of_doubling(60)}


@pytest.mark.parametrize("schema", DOUBLING.values(), ids=DOUBLING)
def test_what_fits_a_schema_that_doubles_with_each_level_is_accepted(schema: dict[str, Any]):
    assert find_problems(nested(60, 1), schema) == []


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("schema", DOUBLING.values(), ids=DOUBLING)
def test_what_breaks_a_schema_that_doubles_with_each_level_is_a_problem(
    schema: dict[str, Any], partial: bool
):
    problems = find_problems(nested(60, "x"), schema, partial=partial)

    assert problems


def test_a_value_that_takes_too_many_steps_is_a_problem_that_says_so():
    kinds = [
        {"properties": {"c": {"$ref": "#"}, "kind": {"const": kind}}, "required": ["c"]}
        for kind in range(4)
    ]
    schema = {"anyOf": [*kinds, {"type": "integer"}], "type": ["object", "integer"]}

    assert find_problems(nested(40, "x"), schema, at="/data") == [
        {
            "path": "/data",
            "message": "takes too many checks against its schema",
            "expected": "a smaller value, or a simpler schema",
        }
    ]


@pytest.mark.parametrize("count", [2, 60_000])
def test_many_alternatives_for_many_items_are_checked_within_bounds(count: int):
    schema = {"items": {"anyOf": [{"const": number} for number in range(500)]}}

    assert bool(find_problems([499] * count, schema)) is (count > 2)
