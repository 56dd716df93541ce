"""Attempts whose lease has run out: ended when somebody needs the task, or what it writes.

Locks are taken in one order, so that no two transactions wait for each other: the row of one
workflow, and never a second; then by name the slugs, the scopes of the project, the skills in
the order of their names, the lessons of the project. What others hold is therefore ended in
transactions of its own.
"""

from collections.abc import Callable
from typing import TypeVar

from relaybook.core.task.case import Case
from relaybook.core.task.command import Expire
from relaybook.core.task.machine import decide
from relaybook.core.task.status import is_expired
from relaybook.engine.desk import Desk
from relaybook.errors import Held
from relaybook.store.base import Tx
from relaybook.store.cases import get_task, get_workflow, load_case
from relaybook.store.ledger import apply
from relaybook.store.scopes import find_holders, lock_scopes

T = TypeVar("T")


def without_expired(desk: Desk, tx: Tx, case: Case, task_id: str, actor: str) -> Case:
    """The case with the attempt at the task ended if its lease has run out."""
    now = desk.clock()
    task = case.tasks[task_id]
    if not is_expired(task, now):
        return case
    if task.writes is not None:
        lock_scopes(tx, case.workflow.project)  # a start that follows wants them; skills come after
    return apply(tx, case, decide(case, Expire(at=now, actor=actor, task_id=task_id)))


def past_the_lost(desk: Desk, workflow_id: str, actor: str, begin: Callable[[], T]) -> T:
    """What `begin`, which starts a task, answers; done again once lost holders are out of its way.

    Raises:
        Held: those in its way are at work.
    """
    try:
        return begin()
    except Held as held:
        if not end_lost_holders(desk, workflow_id, held.data["task_id"], actor):
            raise
        return begin()


def end_lost_holders(desk: Desk, workflow_id: str, task_id: str, actor: str) -> bool:
    """End the attempts, of any workflow, that hold what the task would write and ran out of time.

    Each ends in a transaction of its own. Answers whether there were any.
    """
    with desk.store.look() as tx:
        workflow, task = get_workflow(tx, workflow_id), get_task(tx, workflow_id, task_id)
        holders = find_holders(tx, workflow.project, task)
        names = dict.fromkeys((scope.workflow_id, scope.task_id) for scope in holders)
        lost = [name for name in names if is_expired(get_task(tx, *name), desk.clock())]
    for holder in lost:
        with desk.store.transaction() as tx:
            without_expired(desk, tx, load_case(tx, *holder), holder[1], actor)
    return bool(lost)
