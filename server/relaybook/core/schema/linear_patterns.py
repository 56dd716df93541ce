"""Regular expressions of a JSON Schema, matched in time linear in the text.

`jsonschema` matches with `re`, which takes time exponential in the text for some patterns; these
keywords take its place and match with the linear engine of `jsonschema_rs`, which knows neither
look-around nor back-references. Both libraries are imported on first use.
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jsonschema_rs
    from jsonschema import FormatChecker, ValidationError

#: Of a compiled pattern; the time to match is its size times the length of the text.
MAX_COMPILED_BYTES = 4_000_000


def pattern_options() -> "jsonschema_rs.RegexOptions":
    """How `jsonschema_rs` is to match every pattern."""
    import jsonschema_rs

    return jsonschema_rs.RegexOptions(size_limit=MAX_COMPILED_BYTES)


@cache
def format_checker() -> "FormatChecker":
    """Holds the format `regex` against the linear engine, and no other format against anything."""
    from jsonschema import FormatChecker

    checker = FormatChecker(())
    checker.checks("regex", raises=ValueError)(_must_compile)
    return checker


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern`, which compiles, matches somewhere in `text`."""
    return _compiled(pattern).is_valid(text.encode(errors="replace").decode())


def compiles(pattern: str) -> bool:
    """Whether `pattern` can be matched in linear time, and is not too large."""
    try:
        return bool(_compiled(pattern))
    except ValueError:
        return False


def _must_compile(pattern: object) -> bool:
    return not isinstance(pattern, str) or bool(_compiled(pattern))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> "jsonschema_rs.Draft202012Validator":
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(
        {"pattern": pattern}, pattern_options=pattern_options()
    )


def pattern_rule(
    validator: Any, pattern: str, value: Any, schema: Any
) -> "Iterator[ValidationError]":
    """The keyword `pattern`."""
    from jsonschema import ValidationError

    if isinstance(value, str) and not matches(pattern, value):
        yield ValidationError("does not match the pattern")


def pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, schema: Any
) -> "Iterator[ValidationError]":
    """The keyword `patternProperties`."""
    if not isinstance(value, dict):
        return
    for pattern, rule in patterns.items():
        for name, member in value.items():
            if matches(pattern, name):
                yield from validator.descend(member, rule, path=name, schema_path=pattern)


def additional_properties(
    validator: Any, rule: Any, value: Any, schema: Mapping[str, Any]
) -> "Iterator[ValidationError]":
    """The keyword `additionalProperties`: names that a pattern matches count as declared."""
    from jsonschema import Draft202012Validator

    patterns = schema.get("patternProperties", {})
    declared = dict(schema.get("properties", {}))
    if patterns and isinstance(value, dict):
        for name in value:
            if any(matches(pattern, name) for pattern in patterns):
                declared[name] = True
    original = Draft202012Validator.VALIDATORS["additionalProperties"]
    yield from original(validator, rule, value, {"properties": declared})


RULES = {
    "pattern": pattern_rule,
    "patternProperties": pattern_properties,
    "additionalProperties": additional_properties,
}
