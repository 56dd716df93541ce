"""Which skills can do a stage, and the refusal of a handoff to one that cannot."""

from relaybook.engine.desk import Desk
from relaybook.errors import InvalidArguments, UnknownContract, nearest
from relaybook.model import Task
from relaybook.registry.contract import Contract


def fit_skills(desk: Desk, task: Task) -> list[str]:
    """The skills that have the capability of a stage, then those that work by its template.

    A handoff leaves the prompt as it is, so who works by that template can do it as well.
    """
    able = desk.contracts.find(task.capability)
    alike = [each for each in desk.contracts.find() if task.template in _templates(each)]
    return list(dict.fromkeys(contract.name for contract in (*able, *alike)))


def _templates(contract: Contract) -> set[str | None]:
    return {contract.for_capability(each).template for each in contract.capabilities}


def refuse_unfit(desk: Desk, task: Task, skill: str) -> None:
    """Refuse to hand a stage to a skill that there is not, or that cannot do it.

    Raises:
        UnknownContract: there is no such skill; names the nearest of those that can.
        InvalidArguments: it neither has the capability nor works by the template of the stage.
    """
    fit = fit_skills(desk, task)
    if skill in fit:
        return
    known = skill in desk.contracts.names()
    others = [name for name in fit if name != task.skill]
    raise (InvalidArguments if known else UnknownContract)(
        f"Skill {skill[:64]!r} "
        + (f"cannot do {task.capability!r}." if known else "has no contract."),
        allowed=nearest(skill, others) if others else f"none: {task.skill!r} alone can do it",
        next="hand it to one of these"
        if others
        else f"change_plan(replaces=[{task.id!r}], add=[…]) with a task that another can do",
    )
