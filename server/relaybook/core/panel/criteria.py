"""The criteria that an expert was asked to judge by, against those that came back with a score."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.fence import clean
from relaybook.core.merge.coverage import uncovered
from relaybook.core.merge.merger import pairs, reach


def asked_criteria(args: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the criteria in the arguments of a task; empty if it was given none."""
    named = [each for each, _ in reach(args, ("criteria",)) or [] if isinstance(each, dict)]
    return tuple(dict.fromkeys(str(each["name"]) for each in named if "name" in each))


def given_scores(data: Any, asked: Sequence[str]) -> Mapping[str, Any]:
    """What a result gives for each criterion, by the names asked for where they differ in case."""
    names = {_key(name): name for name in asked}
    scores = pairs(data, "criteria", "name", "score")
    return {names.get(_key(name), name): score for name, score in scores.items()}


def off_criteria(data: Any, asked: Sequence[str]) -> dict[str, list[str]]:
    """The first few criteria that a result leaves out or invents, by problem.

    Empty where none were asked for, or where the result scores none at all.
    """
    scores = given_scores(data, asked)
    return uncovered(asked, list(scores)) if asked and scores else {}


def _key(name: str) -> str:
    return clean(name)[0].strip().casefold()
