import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.digest.synthesis import digest
from relaybook.core.digest.task_outcome import TaskOutcome
from relaybook.core.merge.pile import MemoryPile, Pile
from relaybook.core.merge.plan import plan_merge
from relaybook.model import Pattern, Status
from relaybook.store.scratch import Scratch

texts = st.text(st.characters() | st.sampled_from("\0\ud800"), max_size=4)
rows = st.lists(st.tuples(st.tuples(texts, st.integers(0, 2**32)), texts))
ITEMS = plan_merge(
    {
        "properties": {
            "items": {
                "x-merge": "union",
                "x-key": "id",
                "items": {"properties": {"label": {"x-merge": "histogram"}}},
            }
        }
    }
)


@given(rows, st.integers(0, 3))
def test_a_pile_on_disk_holds_what_one_in_memory_does_in_the_same_order(
    laid: list[tuple[tuple[str, int], str]], held: int
) -> None:
    memory = MemoryPile()
    with Scratch(held) as scratch:
        disk = scratch.pile()
        for key, value in laid:
            memory.put(key, value)
            disk.put(key, value)

        assert list(disk.rows()) == list(memory.rows())
        assert [disk.get(key) for key, _ in laid] == [memory.get(key) for key, _ in laid]
        assert disk.get(("no such key", 0)) == memory.get(("no such key", 0))


def test_the_piles_of_one_scratch_are_apart() -> None:
    with Scratch(held=0) as scratch:
        one, other, empty = (scratch.pile() for _ in range(3))
        one.put((1,), "one")
        other.put(("a", 1), "other")

        found = [list(pile.rows()) for pile in (one, other, empty)]

    assert found == [[((1,), "one")], [(("a", 1), "other")], []]


FULL = """
import resource
from relaybook.errors import Refusal
from relaybook.store.scratch import Scratch

resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # as on a full disk: no byte can be written
with Scratch(held=0) as scratch:
    pile = scratch.pile()
    try:
        for number in range(5_000):
            pile.put((number,), "x" * 1_000)
    except Refusal as refusal:
        print(refusal.code, refusal, refusal.allowed, refusal.next, sep="\\n")
"""


def test_a_temporary_folder_without_room_is_refused_with_what_to_do() -> None:
    ended = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)

    code, message, allowed, following = ended.stdout.splitlines()
    assert code == "store_fault"
    assert message.startswith("A temporary file for large results could not be written: ")
    assert "/tmp" in allowed
    assert "TMPDIR" in following


def outcomes(number: int) -> Iterator[TaskOutcome]:
    """Results of three records each; one in ten repeats another, one in ten failed."""
    for at in range(number):
        said = at if at % 10 else at // 2
        records = [
            {"id": f"i{item}", "label": f"kind {item}", "why": f"because of {item} and others " * 5}
            for item in range(3 * said, 3 * said + 3)
        ]
        yield TaskOutcome(
            task_id=f"t{at:05}",
            label=f"partition {at}",
            status=Status.FAILED if at % 10 == 7 else Status.COMPLETED,
            position=at,
            summary=f"Of {said} records all were read",
            data={"items": records},
            items=tuple(record["id"] for record in records),
            confidence="low",
            flags=("odd",),
            merge=ITEMS,
        )


def peak(call: Callable[[], object]) -> int:
    """The most bytes that Python holds at once during `call`."""
    tracemalloc.start()
    call()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("pattern", [Pattern.FAN_OUT, Pattern.MAP_REDUCE])
def test_a_digest_of_five_times_the_results_takes_no_more_memory(pattern: Pattern) -> None:
    def summarise(number: int) -> object:
        with Scratch(held=20) as scratch:
            return digest(pattern, outcomes(number), piles=scratch.pile)

    summarise(100)  # what is loaded once, and words that are remembered
    few = peak(lambda: summarise(100))
    many = peak(lambda: summarise(500))

    assert many < 2 * few


@pytest.mark.parametrize("pattern", [Pattern.FAN_OUT, Pattern.MAP_REDUCE])
def test_a_digest_says_the_same_wherever_its_piles_lie(pattern: Pattern) -> None:
    in_memory: Callable[[], Pile] = MemoryPile
    with Scratch(held=5) as scratch:
        on_disk = digest(pattern, outcomes(60), piles=scratch.pile).as_dict()

    assert on_disk == digest(pattern, outcomes(60), piles=in_memory).as_dict()
