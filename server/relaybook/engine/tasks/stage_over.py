"""A report on a stage that is over: the same again is answered, anything else is refused."""

from dataclasses import replace

from relaybook.core.result.block import MAX_OUTPUT
from relaybook.core.result.envelope import read_result, to_json
from relaybook.core.result.evidence import of_attempt
from relaybook.core.task.finish import other_outcome
from relaybook.core.text import text_hash
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import earlier_attempts, required_schema
from relaybook.engine.request import Update
from relaybook.engine.tasks.hand_in import failure_of
from relaybook.engine.tasks.outcome import ERROR_LIMIT
from relaybook.errors import AlreadyOver, MalformedOutput, clip
from relaybook.model import Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events


def refuse_other(desk: Desk, tx: Tx, workflow: Workflow, task: Task, update: Update) -> None:
    """Refuse an end of `task`, which is over, that is not the one on record.

    Less than what is on record repeats it too.

    Raises:
        AlreadyOver: it ended otherwise, or evidence is reported that is not on record.
    """
    if update.status != task.status or not _is_recorded(desk, tx, task, update):
        raise other_outcome(workflow, task)
    events = of_attempt(read_task_events(tx, task.workflow_id, task.id))
    known = [(event.type, event.data) for event in events]
    if new := [note for note in update.notes if note not in known]:
        raise AlreadyOver(
            f"Stage {task.position} is {task.status}, and {len(new)} of the artifacts, tests, "
            "metrics, findings and criteria reported are not on record.",
            allowed="what is on record again, which changes nothing",
            next="add to what is known of it with "
            f"record(kind=…, entries=[{{…}}], task_id={task.id!r})",
        )


def _is_recorded(desk: Desk, tx: Tx, task: Task, update: Update) -> bool:
    """Whether `task` ended with the error or the output that `update` has, if it has any."""
    if task.status is Status.FAILED:
        code, error = failure_of(replace(update, output=clip(update.output, MAX_OUTPUT)))
        return task.error == clip(error, ERROR_LIMIT) and code in ("", task.error_code)
    if not update.output:
        return True
    handed_in = earlier_attempts(tx, task)[-1].output
    return text_hash(update.output) == handed_in or _is_result(desk, tx, task, update.output)


def _is_result(desk: Desk, tx: Tx, task: Task, output: str) -> bool:
    """Whether `output` holds the result of `task`: one corrected in review is of no attempt."""
    schema = required_schema(desk, desk.spec(tx, task.workflow_id, task.spec))
    try:
        return text_hash(to_json(read_result(output, schema))) == task.result
    except MalformedOutput:
        return False
