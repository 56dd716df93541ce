"""Skills whose breaker lets nothing start: until when, and the refusal that says what to do."""

import math
from dataclasses import dataclass

from relaybook.core.learning.skill_stats import BREAKER_COOLDOWN, Breaker, admits, breaker
from relaybook.engine.desk import Desk
from relaybook.engine.fit import fit_skills
from relaybook.engine.view.advice import from_when, timestamp
from relaybook.errors import SkillBreakerOpen
from relaybook.model import Task
from relaybook.store.base import Tx
from relaybook.store.skills import skill_stats

#: When to look again at a skill that one attempt tries out, in seconds.
LOOK_AGAIN = 30.0
#: How many skills that could take over are named.
OTHERS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Rest:
    """A skill that may start nothing now."""

    skill: str
    state: Breaker
    #: When it may be tried again, in epoch seconds, or when to look again.
    until: float

    @property
    def told(self) -> str:
        if self.state is Breaker.OPEN:
            return f"open until {timestamp(math.ceil(self.until))}"
        return "half open, and one attempt tries it out"

    def seconds(self, now: float) -> int:
        return math.ceil(self.until - now)


def resting(tx: Tx, skill: str | None, now: float) -> Rest | None:
    """How `skill` rests at `now`; None if it may start an attempt."""
    if skill is None:
        return None
    stats = skill_stats(tx, skill)
    state = breaker(stats, now)
    if state is Breaker.CLOSED:
        return None
    sql = "SELECT count(*) FROM tasks WHERE status = 'in_progress' AND skill = :skill"
    if admits(stats, now, tx.rows(sql, {"skill": skill})[0][0]):
        return None
    cooled = (stats.opened_at or now) + BREAKER_COOLDOWN
    return Rest(skill, state, cooled if cooled > now else now + LOOK_AGAIN)


def refuse_resting(desk: Desk, tx: Tx, task: Task, now: float) -> None:
    """Refuse a start while the skill that is to do `task` fails all the time.

    Raises:
        SkillBreakerOpen: with the seconds until it may be tried again.
    """
    rest = resting(tx, task.skill, now)
    if rest is None:
        return
    able = [name for name in fit_skills(desk, task) if resting(tx, name, now) is None]
    wait = f"call again {from_when(rest.until, now)}"
    if able:
        entries = f"entries=[{{'to': {able[0]!r}}}]"
        wait += f"; or record(kind='handoff', task_id={task.id!r}, {entries}), then call again"
    raise SkillBreakerOpen(
        f"The breaker of skill {rest.skill!r} is {rest.told}: it failed too often.",
        allowed="one attempt once it has cooled down"
        + (f"; another skill: {', '.join(able[:OTHERS_SHOWN])}" if able else ""),
        next=wait,
        retry_after_seconds=rest.seconds(now),
    )
