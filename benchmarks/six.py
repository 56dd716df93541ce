"""As many tasks as may run at once on their way through an engine, verb by verb."""

from collections.abc import Callable, Mapping

from benchmarks.measure import timed
from benchmarks.workload import WIDTH, output, plan
from relaybook.engine import Engine
from relaybook.engine.request import Update

VERBS = ("start", "heartbeat", "complete")


class Six:
    """Six fresh tasks of a workflow, from number `first` on; its methods are called in order."""

    def __init__(self, engine: Engine, workflow: str, first: int) -> None:
        self._engine = engine
        self._workflow = workflow
        self._outputs = {f"t{number}": output(number) for number in range(first, first + WIDTH)}
        self._claims: dict[str, str] = {}

    def verbs(self) -> Mapping[str, Callable[[], None]]:
        """The methods by name, in the order in which they are called."""
        return {"start": self.start, "heartbeat": self.heartbeat, "complete": self.complete}

    def start(self) -> None:
        for task in self._outputs:
            self._claims[task] = self._update(task, "in_progress")["claim"]

    def heartbeat(self) -> None:
        for task, claim in self._claims.items():
            self._update(task, "in_progress", claim)

    def complete(self) -> None:
        for task, claim in self._claims.items():
            self._update(task, "completed", claim, self._outputs[task])

    def _update(
        self, task: str, status: str, claim: str | None = None, output: str = ""
    ) -> Mapping[str, str]:
        return self._engine.update_task(
            Update(
                workflow_id=self._workflow,
                task_id=task,
                status=status,
                claim=claim,
                output=output,
            )
        )


def measured(six: Six, suffix: str) -> dict[str, float]:
    """The seconds a call that each verb takes, as `start suffix` and so on."""
    return {f"{name} {suffix}": timed(verb) / WIDTH for name, verb in six.verbs().items()}


def new_workflow(engine: Engine, tasks: int) -> str:
    """The id of a fresh workflow of that many tasks."""
    return engine.create_workflow("fan_out", tasks=plan(tasks))["workflow_id"]
