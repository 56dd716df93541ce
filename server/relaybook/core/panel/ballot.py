"""The options that a voter was asked to rank, against those that its ballot places."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.merge.coverage import uncovered
from relaybook.core.merge.merger import texts
from relaybook.core.panel.criteria import asked_names, spelled


def asked_options(args: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the options in the arguments of a task; empty if it was given none."""
    return asked_names(args, "options")


def ballot_of(data: Any, asked: Sequence[str]) -> list[str]:
    """The options that a result ranks, best first, by the names asked for where they differ in case."""
    return spelled(texts(data, "ranking", "option"), asked)


def off_options(data: Any, asked: Sequence[str]) -> dict[str, list[str]]:
    """The first few options that a ballot leaves out, places twice or invents, by problem.

    Empty where none were asked for, or where the result ranks none at all.
    """
    ballot = ballot_of(data, asked)
    return uncovered(asked, ballot) if asked and ballot else {}
