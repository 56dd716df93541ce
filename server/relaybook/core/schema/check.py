"""Check a value against a JSON Schema 2020-12 and say, briefly, what is wrong where.

A schema may refer only to itself: nothing is ever fetched. `jsonschema_rs` says whether a value
fits, `jsonschema` what is wrong with one that does not. Both are imported on first use, because
importing `jsonschema` costs 0.1 s. Both match patterns in linear time, see `linear_patterns`, and
what a check may cost is bounded whatever the schema: what it unfolds to is counted beforehand
(`schema_load`), and where that is too much for a value its steps are counted (`schema_meter`).
"""

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from relaybook.core.kept import by_identity
from relaybook.core.schema import linear_patterns
from relaybook.core.schema.load import MOST, Circle, loads, subschemas
from relaybook.core.schema.meter import Spent, metered
from relaybook.core.schema.problem import MAX_PART, Problem, problem, problem_of
from relaybook.errors import InvalidPlan, clip

if TYPE_CHECKING:
    import jsonschema_rs
    from jsonschema import SchemaError, ValidationError
    from jsonschema.protocols import Validator

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Bounds of a list of problems: how many, and bytes of JSON.
MAX_PROBLEMS, MAX_BYTES = 10, 560
#: What is said of a value that was not checked to its end.
UNENDED = "takes too many checks against its schema"
#: How many subschemas one value may be held against, and, by the quick library, all its parts.
MAX_LOAD, MAX_CHECKS = 1_000, 5_000_000
_CANONICAL = json.JSONEncoder(sort_keys=True, allow_nan=False)


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuse a schema that could not be checked against later.

    Raises:
        InvalidPlan: it is not JSON Schema 2020-12, refers outside itself or to nothing,
            never ends, or unfolds to more than `MAX_LOAD` subschemas for one value.
    """
    _checked(_canonical(schema))


def find_problems(
    value: Any, schema: Mapping[str, Any], *, at: str = "", partial: bool = False
) -> list[Problem]:
    """The first problems of `value`, at most 1000 levels deep, their paths starting with `at`.

    With `partial`, members that are required may be missing.

    Raises:
        InvalidPlan: the schema itself is broken.
    """
    text = _canonical(schema)
    load = _checked(text).load
    quick = load * _count(value, MAX_CHECKS // load) <= MAX_CHECKS
    if quick and not partial and _accepts(text, value):
        return []
    problems: list[Problem] = []
    left = MAX_BYTES
    try:
        for error in _validator(text, value, partial=partial).iter_errors(value):
            found = problem_of(error, at)
            left -= len(json.dumps(found, ensure_ascii=False).encode())
            if problems and (left < 0 or len(problems) == MAX_PROBLEMS):
                break
            problems.append(found)
    except Spent:
        return problems or [problem(at or "/", UNENDED, "a smaller value, or a simpler schema")]
    except (RecursionError, OverflowError):
        return [
            problem(at or "/", "is too deep, or too large a number, to check", "a simpler value")
        ]
    return problems


def _count(value: Any, most: int) -> int:
    """How many parts `value` has, itself included; counting stops soon after `most`."""
    count, level = 0, [value]
    while level and count <= most:
        count += len(level)
        parents = [each for each in level if isinstance(each, dict | list)]
        level = [child for each in parents for child in _members(each)]
    return count


def _members(parent: Any) -> Iterable[Any]:
    return parent.values() if isinstance(parent, dict) else parent


def _accepts(text: str, value: Any) -> bool:
    """Whether `value` fits, in 1 us where `jsonschema` takes 75, but without saying why not."""
    try:
        return _quick_validator(text).is_valid(value)
    except ValueError:  # it cannot read the schema or the value; `jsonschema` may
        return False


@lru_cache(maxsize=64)
def _quick_validator(text: str) -> "jsonschema_rs.Draft202012Validator":
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(
        _checked(text).schema, pattern_options=linear_patterns.pattern_options()
    )


def _invalid(why: str) -> InvalidPlan:
    return InvalidPlan(
        f"The output schema cannot be used: {why}",
        allowed="JSON Schema 2020-12 whose references start with '#'",
        next="correct the schema and repeat the call",
    )


@by_identity(most=64)
def _canonical(schema: Mapping[str, Any]) -> str:
    """The JSON text of `schema`."""
    try:
        return _CANONICAL.encode(dict(schema))
    except (TypeError, ValueError, RecursionError):
        raise _invalid("it is not JSON") from None


@dataclass(frozen=True, slots=True)
class _Checked:
    """A sound schema without `$schema` and `$id`, and against how many subschemas it holds a part."""

    schema: dict[str, Any]
    load: int


@lru_cache(maxsize=64)
def _checked(text: str) -> _Checked:
    from jsonschema import SchemaError

    schema: dict[str, Any] = json.loads(text)
    dialect = schema.pop("$schema", DIALECT)
    if dialect not in (DIALECT, DIALECT + "#"):
        raise _invalid(f"its $schema is {clip(str(dialect), MAX_PART)!r}")
    schema.pop("$id", None)
    try:
        _check_form(schema)
        load = _load(schema)
    except SchemaError as error:
        raise _invalid(_fault(error)) from None
    except RecursionError:
        raise _invalid("it is nested too deep") from None
    if _mentions(schema, "patternProperties") and _mentions(schema, "unevaluatedProperties"):
        raise _invalid("it has unevaluatedProperties and patternProperties; use one of them")
    return _Checked(schema, load)


def _check_form(schema: dict[str, Any]) -> None:
    """Hold a schema against that of all schemas; the slow library says what is wrong."""
    import jsonschema_rs
    from jsonschema import Draft202012Validator

    if jsonschema_rs.meta.is_valid(schema):
        found = list(subschemas(schema))
        patterns = [each["pattern"] for each in found if "pattern" in each]
        patterns += [name for each in found for name in each.get("patternProperties", ())]
        if all(map(linear_patterns.compiles, patterns)):
            return
    Draft202012Validator.check_schema(schema, linear_patterns.format_checker())


def _load(schema: dict[str, Any]) -> int:
    """Against how many subschemas a part of a value may be held."""
    schemas = {id(each): each for each in subschemas(schema)}
    targets = _targets(schema)
    for target in targets.values():
        if isinstance(target, dict) and id(target) not in schemas:
            _check_form(target)
            schemas |= {id(each): each for each in subschemas(target)}
    try:
        unfolded, load = loads(schemas.values(), targets.__getitem__)
    except Circle:
        raise _invalid("its references run in a circle") from None
    if unfolded > MAX_LOAD:
        raise InvalidPlan(
            "The output schema cannot be used: what its references lead to, unfolded, holds one "
            f"value against {'more than ' if unfolded >= MOST else ''}{unfolded} subschemas",
            allowed=f"at most {MAX_LOAD}",
            next="list fewer alternatives, or name each once, and repeat the call",
        )
    return load(schema)


def _validator(text: str, value: Any, *, partial: bool) -> "Validator":
    """What says what is wrong with `value`, and only with that: it counts its steps."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry

    rules: dict[str, Any] = {
        **Draft202012Validator.VALIDATORS,
        "uniqueItems": _unique_items,
        **linear_patterns.RULES,
    }
    if partial:
        rules["required"] = _anything
    dialect = extend(Draft202012Validator, metered(rules, value))
    return dialect(_checked(text).schema, registry=Registry())


def _fault(error: "SchemaError") -> str:
    """What is wrong with a schema, and where."""
    found = problem_of(error, "")
    said = f"at {found['path']!r}, it {found['message']}"
    if error.validator != "format":
        return said
    return (
        f"{said}, which is no regular expression that can be matched in linear time "
        "(one without look-around and back-references, and not too large)"
    )


def _targets(schema: dict[str, Any]) -> dict[str, Any]:
    """What each reference leads to, a schema inside this one."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    here = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
    found: dict[str, Any] = {}
    for keyword, target in sorted(set(_identifiers(schema))):
        named = f"{keyword} {clip(target, MAX_PART)!r}"
        if keyword in ("$id", "$schema"):
            raise _invalid(f"{named} stands below its top")
        if not target.startswith("#"):
            raise _invalid(f"{named} lies outside it, and nothing is fetched")
        try:
            found[target] = here.lookup(target).contents
        except (Unresolvable, ValueError):
            raise _invalid(f"{named} leads nowhere") from None
        if not isinstance(found[target], dict | bool):
            raise _invalid(f"{named} leads to no schema")
    return found


def _mentions(schema: dict[str, Any], keyword: str) -> bool:
    return any(keyword in members for members in _objects(schema))


def _identifiers(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for members in _objects(schema):
        for keyword in ("$id", "$schema", "$ref", "$dynamicRef"):
            if isinstance(target := members.get(keyword), str):
                yield keyword, target


def _objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object in a schema, itself included."""
    stack: list[Any] = [schema]
    while stack:
        match stack.pop():
            case dict() as members:
                stack.extend(members.values())
                yield members
            case list() as items:
                stack.extend(items)
            case _:
                pass


def _unique_items(
    validator: Any, rule: Any, items: Any, schema: Any
) -> "Iterator[ValidationError]":
    """`uniqueItems` in linear time; the library compares every pair of objects."""
    from jsonschema import ValidationError

    if rule and isinstance(items, list) and len({_frozen(item) for item in items}) < len(items):
        yield ValidationError("has items that are equal")


def _frozen(value: Any) -> Hashable:
    """A hashable that is equal for values that JSON Schema calls equal: 1 and 1.0, not 1 and true."""
    match value:
        case bool():
            return ("bool", value)
        case dict():
            return frozenset((key, _frozen(member)) for key, member in value.items())
        case list():
            return ("list", *map(_frozen, value))
        case _:
            return value


def _anything(validator: Any, rule: Any, value: Any, schema: Any) -> "Iterator[ValidationError]":
    yield from ()
