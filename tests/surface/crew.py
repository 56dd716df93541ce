"""Workers who claim tasks and do what a script says: finish, fail, ask, go silent, answer malformed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcp import Client

from tests.helpers import Clock, result
from tests.surface.calls import call, refusal

#: What a worker does with a task that it has claimed: the status it reports, and what it says.
Act = tuple[str, dict[str, Any]]


def done(data: Any, **members: Any) -> Act:
    return "completed", {"output": result(data, **members)}


def failed(error: str, **said: Any) -> Act:
    return "failed", {"error": error, **said}


def asks(question: str) -> Act:
    return "completed", {"output": result(None, status="needs_input", questions=[question])}


SILENT: Act = ("", {})
MALFORMED: Act = ("completed", {"output": "All done, see above."})


class Crew:
    """Workers who claim and do what the script of each task says, one act for each attempt."""

    def __init__(self, client: Client, clock: Clock, script: Mapping[str, Sequence[Act]]) -> None:
        self.client, self.clock = client, clock
        self.script: dict[str, Iterator[Act]] = {key: iter(acts) for key, acts in script.items()}
        self.prompts: list[tuple[str, str]] = []
        #: Claims of workers that went silent, in order.
        self.silent: list[str] = []

    async def work(self) -> None:
        """Claim and act until forty minutes of asking bring nothing."""
        idle = 0
        while idle < 80:
            answer = await call(self.client, "claim_task")
            if answer["claimed"]:
                await self.act(answer)
                idle = 0
            else:
                self.clock.move(30)
                idle += 1

    async def act(self, claimed: dict[str, Any]) -> None:
        task_id, claim = claimed["task_id"], claimed["claim"]
        self.prompts.append((task_id, claimed["prompt"]))
        status, said = next(self.script[task_id])
        if not status:
            self.silent.append(claim)
            return
        if (status, said) == MALFORMED:
            error = await refusal(self.client, "update_task", claim=claim, status=status, **said)
            assert error["code"] == "malformed_output"
            status, said = next(self.script[task_id])  # the same attempt, corrected
        self.clock.move(60)
        await call(self.client, "update_task", claim=claim, status=status, **said)

    def prompt(self, task_id: str, number: int = -1) -> str:
        return [text for name, text in self.prompts if name == task_id][number]
