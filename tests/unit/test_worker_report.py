import anyio
import pytest

from relaybook.errors import BadInput, MalformedOutput, Refusal, StoreBusy
from relaybook.model import FailureCode
from relaybook.worker.command import Ran
from relaybook.worker.ledger import Answer, patiently
from relaybook.worker.report import ERROR_LIMIT, failure

PROBLEM = {"path": "/n", "message": "is 'one'", "expected": "type integer"}
REFUSED = MalformedOutput("No.", problems=[PROBLEM])


def ran(exit_code: int | None, stderr: str = "") -> Ran:
    return Ran(output="", stderr=stderr, exit_code=exit_code)


@pytest.mark.parametrize(
    ("command", "refused", "expected"),
    [
        (ran(0), REFUSED, ("malformed_output", "No.\n/n: is 'one'; expected type integer")),
        (ran(0), BadInput("No."), ("unknown", "No.")),
        (ran(2), REFUSED, ("crash", "ended with exit code 2")),
        (ran(2, " why\n"), REFUSED, ("crash", "ended with exit code 2: why")),
        (ran(-9), REFUSED, ("crash", "ended by signal 9")),
        (ran(None, "why"), REFUSED, ("timeout", "ended after its time limit of 90 s: why")),
    ],
)
def test_a_failure_is_named_by_how_the_command_ended(
    command: Ran, refused: BadInput, expected: tuple[str, str]
) -> None:
    assert failure(command, 90, refused) == expected


def test_a_long_error_keeps_its_end() -> None:
    code, error = failure(ran(1, "x" * ERROR_LIMIT + "end"), 90, REFUSED)

    assert (code, len(error), error[-4:]) == (FailureCode.CRASH, ERROR_LIMIT, "xend")


class Ledger:
    """Busy for the first `times` calls."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def call(self) -> Answer:
        self.times -= 1
        if self.times >= 0:
            raise StoreBusy("locked")
        return {"recorded": True}


def always(_: Refusal, seconds: float) -> bool:
    return seconds >= 0


def never(_: Refusal, seconds: float) -> bool:
    return seconds < 0


def test_a_call_is_made_again_while_the_ledger_is_busy() -> None:
    assert anyio.run(patiently, Ledger(times=2).call, always) == {"recorded": True}


def test_a_call_is_given_up_when_the_caller_waits_no_longer() -> None:
    with pytest.raises(StoreBusy, match="locked"):
        anyio.run(patiently, Ledger(times=2).call, never)
