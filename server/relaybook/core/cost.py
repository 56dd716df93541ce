"""What prompts cost, and how long a task may be expected to take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from relaybook.errors import InvalidArguments

#: Tokens of an English word, about. Words are counted, tokens are only estimated from them.
TOKENS_PER_WORD = 4 / 3
#: How many runs tell how long the next will take.
ENOUGH_RUNS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """Words of all prompts of a plan: every worker reads its own from the start."""

    workers: int
    words: int
    tokens_estimate: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One way to run a plan, and its cost as a multiple of the plan's own."""

    workers: int
    words_per_prompt: int
    words: int
    factor: float


def prompt_cost(words_per_prompt: Sequence[int] | int, workers: int, packed: int = 0) -> Cost:
    """Prompt words times workers, or the sum where each of the workers has its own number.

    `packed` are the words that all of it is worth besides in tokens (`words.packed_words`).

    Raises:
        InvalidArguments: as many numbers of words as workers are needed, none negative.
    """
    if isinstance(words_per_prompt, int):
        words_per_prompt = [words_per_prompt] * workers
    if len(words_per_prompt) != workers or any(words < 0 for words in words_per_prompt):
        raise InvalidArguments(
            f"{len(words_per_prompt)} prompts do not fit {workers!r} workers.",
            allowed="one number of words for all workers, or one each, from 0 up",
            next="count the words of each worker's prompt and call again",
        )
    words = sum(words_per_prompt)
    return Cost(workers, words, math.ceil((words + packed) * TOKENS_PER_WORD))


def compare(
    words: int, workers: int, other_workers: Sequence[int], other_words: Sequence[int]
) -> tuple[Comparison, ...]:
    """The plan itself, then with each other number of workers, then with each other length.

    Raises:
        InvalidArguments: a number of words or workers is below 1.
    """
    if min(words, workers, *other_workers, *other_words) < 1:
        raise InvalidArguments(
            "A comparison needs at least one word and one worker in every plan.",
            allowed="whole numbers from 1 up",
            next="correct the number and call again",
        )
    plans = [(workers, words)]
    plans += [(other, words) for other in other_workers]
    plans += [(workers, other) for other in other_words]
    base = words * workers
    return tuple(Comparison(w, each, w * each, w * each / base) for w, each in plans)


def expected_minutes_from(durations: Sequence[float], default: float) -> tuple[float, str]:
    """Minutes that a task will take, and where the number is from.

    The median of `durations`, the minutes of earlier runs of its template, once there are
    enough of them; one run that hung does not move it.
    """
    runs = len(durations)
    if runs < ENOUGH_RUNS:
        return default, f"default; {runs} of {ENOUGH_RUNS} runs needed are in this ledger"
    return median(durations), f"median of {runs} runs in this ledger"
