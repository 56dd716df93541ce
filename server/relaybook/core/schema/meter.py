"""Keywords of `jsonschema` that stop after a bounded number of steps."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from relaybook.core.schema.load import REFERENCES

#: How many steps one value may take: a keyword is one, as are `PRINTED` parts of what it is held
#: against, since messages print them.
MAX_STEPS, PRINTED = 50_000, 100

#: The function of a keyword, as `jsonschema` calls it: validator, rule, value, schema.
Keyword = Callable[[Any, Any, Any, Any], Any]


class Spent(Exception):
    """The steps are used up."""


def metered(keywords: Mapping[str, Keyword], value: Any) -> dict[str, Keyword]:
    """`keywords` for one check of `value`; they raise `Spent` once its steps are used up.

    A part that was found to fit what a reference leads to is not held against that again.
    """
    meter = _Meter(value)
    once = {name: _once(keywords[name]) for name in REFERENCES}
    return {name: meter.counts(keyword) for name, keyword in {**keywords, **once}.items()}


class _Meter:
    def __init__(self, value: Any) -> None:
        self._left = MAX_STEPS
        self._sizes: dict[int, int] = {}
        self._size(value)

    def counts(self, keyword: Keyword) -> Keyword:
        def counted(validator: Any, rule: Any, value: Any, schema: Any) -> Any:
            self._left -= 1 + self._sizes.get(id(value), 0) // PRINTED
            if self._left < 0:
                raise Spent
            return keyword(validator, rule, value, schema)

        return counted

    def _size(self, value: Any) -> int:
        """How many parts `value` has, kept for it and for each of them."""
        match value:
            case dict():
                size = 1 + sum(map(self._size, value.values()))
            case list():
                size = 1 + sum(map(self._size, value))
            case str():
                size = 1 + len(value) // PRINTED
            case _:
                return 1
        self._sizes[id(value)] = size
        return size


def _once(reference: Keyword) -> Keyword:
    fits: set[tuple[str, int]] = set()

    def refer(validator: Any, target: str, value: Any, schema: Any) -> Iterator[Any]:
        if (target, id(value)) in fits:
            return
        error = None
        for error in reference(validator, target, value, schema):
            yield error
        if error is None:
            fits.add((target, id(value)))

    return refer
