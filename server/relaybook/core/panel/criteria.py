"""The criteria that an expert was asked to judge by, against those that came back with a score."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from relaybook.core.fence import clean
from relaybook.core.merge.coverage import uncovered
from relaybook.core.merge.merger import pairs, reach
from relaybook.core.panel.votes import HEAVIEST
from relaybook.errors import InvalidArguments, clip


def asked_criteria(args: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the criteria in the arguments of a task; empty if it was given none."""
    return asked_names(args, "criteria")


def asked_weights(args: Mapping[str, Any]) -> dict[str, float]:
    """How much each criterion in the arguments of a task decides, where they say it."""
    given = pairs(args, "criteria", "name", "weight")
    return {name: weight for name, weight in given.items() if _is_weight(weight)}


def check_weights(args: Mapping[str, Any]) -> None:
    """Refuse a weight that no mean can be taken by.

    Raises:
        InvalidArguments: it names the criterion.
    """
    for name, weight in pairs(args, "criteria", "name", "weight").items():
        if weight is not None and not _is_weight(weight):
            raise InvalidArguments(
                f"Criterion {name[:40]!r} has the weight {clip(repr(weight), 40)}.",
                allowed=f"numbers above 0, up to {HEAVIEST}",
                next="leave a criterion out rather than weigh it 0",
            )


def _is_weight(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and 0 < given <= HEAVIEST


def asked_names(args: Mapping[str, Any], member: str) -> tuple[str, ...]:
    """The names of what an argument lists, once each."""
    named = [each for each, _ in reach(args, (member,)) or [] if isinstance(each, dict)]
    return tuple(dict.fromkeys(str(each["name"]) for each in named if "name" in each))


def spelled(given: Iterable[str], asked: Sequence[str]) -> list[str]:
    """What is given, by the names asked for where it differs from them in case alone."""
    names = {_key(name): name for name in asked}
    return [names.get(_key(name), name) for name in given]


def given_scores(data: Any, asked: Sequence[str]) -> Mapping[str, Any]:
    """What a result gives for each criterion, by the names asked for where they differ in case."""
    scores = pairs(data, "criteria", "name", "score")
    return dict(zip(spelled(scores, asked), scores.values(), strict=True))


def off_criteria(data: Any, asked: Sequence[str]) -> dict[str, list[str]]:
    """The first few criteria that a result leaves out or invents, by problem.

    Empty where none were asked for, or where the result scores none at all.
    """
    scores = given_scores(data, asked)
    return uncovered(asked, list(scores)) if asked and scores else {}


def _key(name: str) -> str:
    return clean(name)[0].strip().casefold()
