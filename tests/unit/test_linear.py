"""Whatever is read from agents and files is read in time that grows with its length, no faster.

Time itself is not asserted: the work is. A backtracking expression or a loop in a loop makes twice
the text four times the work, which shows beside a reading that is linear for certain.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest

from relaybook.core.fence import fence
from relaybook.core.prompt_rules import fingerprint, judge, may_block, read_facts
from relaybook.core.prompt_rules.example import FIXED, one, prompt
from relaybook.core.result.envelope import read_result
from relaybook.core.schema.check import find_problems
from relaybook.core.signs import scan
from relaybook.errors import MalformedOutput

SHORT, LONG = 10_000, 80_000
#: Eight times the text may cost this many times as much; were it quadratic, 64 times.
MOST = 24
TRIES = 5

#: What makes careless expressions backtrack, or careless loops start anew.
WORST = (
    " ",
    "\n",
    "<",
    "</result>\n<result>\n",
    "<result>[",
    "<data-",
    '<data-0 source="" trust="a">\n',
    "#",
    "- ",
    "a" * 7 + " ",
    "ignore all ",
    "do not, ",
    "`",
    "```\n",
    "{{ ",
    '"\\u0000',
    "\u200b",
    "system:\n",
)


def _lint(text: str) -> None:
    for facts in one(prompt(task=text, data=text)):
        judge(read_facts(facts))
    may_block((("Task", text),), frozenset(FIXED))
    fingerprint(prompt(data=text), frozenset(FIXED), (), "security")


def _parse(text: str) -> None:
    for message in (text, f"{text}\n<result>\n{text}\n</result>"):
        with suppress(MalformedOutput):
            read_result(message, {"type": "object"})


def _validate(text: str) -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 3}}
    find_problems({"a": text, text: "a"}, schema)
    find_problems({str(n): text[:9] for n in range(len(text) // 20)}, schema)


def _fence(text: str) -> None:
    fence(text, nonce="0", source=text)
    scan(text)


#: What is done with texts, by name.
WORKS: Mapping[str, Callable[[str], None]] = {
    "lint": _lint,
    "parse": _parse,
    "validate": _validate,
    "fence": _fence,
}


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
@pytest.mark.parametrize("unit", WORST)
def test_the_worst_text_costs_in_proportion_to_its_length(
    work: Callable[[str], None], unit: str
) -> None:
    short, long = (repeated(unit, size) for size in (SHORT, LONG))
    work(short)

    ratios = (_spent(work, long) / _spent(work, short) for _ in range(TRIES))

    assert any(ratio < MOST for ratio in ratios)


def repeated(unit: str, size: int) -> str:
    """A text of that many characters."""
    return (unit * (size // len(unit) + 1))[:size]


def _spent(work: Callable[[str], None], text: str) -> float:
    """Seconds of this process's own computing, whoever else is busy."""
    start = time.process_time()
    work(text)
    return max(time.process_time() - start, 1e-4)
