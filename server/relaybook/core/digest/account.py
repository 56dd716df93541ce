"""What a digest counts whatever the pattern: states, failures, flags, repeats."""

from collections import Counter
from collections.abc import Iterator

from relaybook.core.digest.task_outcome import Gap, TaskOutcome
from relaybook.core.merge.figures import Place
from relaybook.core.merge.pile import Piles
from relaybook.core.merge.repeats import Repeats
from relaybook.core.names import Names
from relaybook.core.shorten import cut_list
from relaybook.model import Status

#: Words from which on a result without a summary is compared with the others.
WORTH_COMPARING = 10
#: How many bytes the names of tasks take in a sentence.
ROOM_FOR_NAMES = 600


class Account:
    """The running account of outcomes."""

    def __init__(self, piles: Piles) -> None:
        self.states: Counter[str] = Counter()
        self.gaps = 0
        self.failed, self.flagged, self.unsure = Names(), Names(), Names()
        self.repeats = Repeats(piles)

    def add(self, outcome: TaskOutcome) -> None:
        gap = outcome.gap
        self.gaps += gap is not None
        self.states[outcome.status if gap is None or gap is Gap.PARTIAL else gap] += 1
        for holds, names in (
            (outcome.status is Status.FAILED, self.failed),
            (bool(outcome.flags), self.flagged),
            (outcome.unsure, self.unsure),
        ):
            if holds:
                names.add(outcome.task_id, outcome.position)
        if outcome.completed and (outcome.summary or outcome.words >= WORTH_COMPARING):
            place = Place(outcome.position, outcome.task_id, 0)
            self.repeats.add(outcome.task_id, [outcome.summary, outcome.data], place)

    def counts(self) -> dict[str, int]:
        """Every state that occurs, and always the total, the completed and the failed."""
        always = {"total": self.states.total(), "completed": 0, "failed": 0}
        return always | dict(sorted(self.states.items()))

    def sentence(self) -> str:
        applicable = self.states.total() - self.states["not_applicable"]
        return account(self.states["completed"], applicable, self.failed)

    def mention(self) -> Iterator[str]:
        if not self.states["completed"]:
            yield "No task has a result yet: there is nothing to put together."
        if self.states["completed"] + self.states["not_applicable"] < self.states.total():
            yield "How much was done, in the words of `summary`, and each gap with its reason."
        elif self.gaps:
            yield f"What is missing ({self.gaps}): each gap with its reason."
        if unknown := self.states[Gap.UNKNOWN]:
            yield f"Tasks whose session was lost ({unknown}): what they did is unknown."
        if self.unsure.count:
            yield f"Low confidence: {named(self.unsure)}."
        if self.flagged.count:
            yield f"Flagged output, check before use: {named(self.flagged)}."


def account(done: int, applicable: int, failed: Names) -> str:
    """The sentence that the playbook has for a user, with every failed task.

    Its second half is for what failed and what there is beside it; without either it is left out.
    """
    told = f"{done} of {applicable} tasks completed."
    if done == applicable or not (done or failed.count):
        return told
    return f"{told} Failed tasks: [{named(failed)}]. Partial results available."


def named(names: Names, room: int = ROOM_FOR_NAMES) -> str:
    """The names, comma-separated; of more than can be shown the first and how many more."""
    shown = cut_list(names.first, 70, room)
    kept = shown if len(shown) == len(names.first) else shown[:-1]
    more = names.count - len(kept)
    return ", ".join([*kept, f"and {more} more"] if more else kept)
