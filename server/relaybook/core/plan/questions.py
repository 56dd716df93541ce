"""The decision tree as a table: what is asked about a job, in two orders, and what it leads to."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from relaybook.core.policy import WORKER_MINUTES
from relaybook.model import Pattern

Inline = Literal["inline"]
INLINE: Final[Inline] = "inline"
#: A pattern, or doing the job in the session that asks.
Choice = Pattern | Inline

#: Independent questions that make research broad enough to spread.
BROAD_QUESTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a job. None means that nobody has said; it counts as no."""

    #: Of the whole job, done in one session.
    minutes: float
    #: Pieces that the job falls into, or items of its dataset; None if not yet known.
    subtasks: int | None = None
    #: No piece needs the output of another.
    independent: bool | None = None
    #: Each step needs the output of the step before.
    sequential: bool | None = None
    #: Several expert opinions are needed; quality matters more than speed.
    opinions: bool | None = None
    #: A large dataset is processed, then aggregated.
    dataset: bool | None = None
    #: What comes next is judged from each result.
    adaptive: bool | None = None
    #: Ad-hoc exploration or research, and how many independent questions it asks.
    exploration: bool = False
    questions: int = 1
    #: A software task of several stages, such as implement, test, deploy.
    stages: bool = False
    #: The same job comes again and again.
    recurring: bool = False
    #: A batch of like pieces, so that several can go to one worker.
    homogeneous: bool = False
    #: Several pieces change the same file, document or system.
    writes_same_artefact: bool = False

    @property
    def separable(self) -> bool:
        """Whether there are two pieces or more that can run side by side."""
        several = self.subtasks is None or self.subtasks >= 2
        return self.broad or (several and bool(self.independent or self.opinions or self.dataset))

    @property
    def broad(self) -> bool:
        """Whether it is research into enough independent questions to spread."""
        return self.exploration and self.questions >= BROAD_QUESTIONS


@dataclass(frozen=True, slots=True)
class Question:
    """One step of the tree: the first question whose answer is yes decides."""

    id: str
    text: str
    choice: Choice
    holds: Callable[[Facts], bool]
    why: str
    #: The fact that answers it, where that fact can be unknown.
    fact: str | None = None


_SHORT, _LONG = WORKER_MINUTES


QUESTIONS = (
    Question(
        "small",
        "Is it under 5 minutes of work?",
        INLINE,
        lambda facts: facts.minutes < _SHORT,
        "Under 5 minutes a worker costs more than it saves.",
    ),
    Question(
        "exploration",
        "Is it ad-hoc exploration of one question, under 15 minutes?",
        INLINE,
        lambda facts: facts.exploration and facts.questions <= 1 and facts.minutes < _LONG,
        "One open question is followed best in one session.",
    ),
    Question(
        "maybe",
        "Is it 5 to 15 minutes of work without two independent pieces?",
        INLINE,
        lambda facts: facts.minutes <= _LONG and not facts.separable,
        "Between 5 and 15 minutes only independent pieces repay the cost of workers.",
    ),
    Question(
        "opinions",
        "Are several expert opinions needed?",
        Pattern.EXPERT_PANEL,
        lambda facts: bool(facts.opinions),
        "Quality matters more than speed, and each expert answers without seeing the others.",
        "opinions",
    ),
    Question(
        "dataset",
        "Is a large dataset to be processed, then aggregated?",
        Pattern.MAP_REDUCE,
        lambda facts: bool(facts.dataset),
        "Each worker takes one partition; you aggregate.",
        "dataset",
    ),
    Question(
        "adaptive",
        "Is ongoing judgement needed?",
        Pattern.SUPERVISOR,
        lambda facts: bool(facts.adaptive),
        "You decide the next piece from each result.",
        "adaptive",
    ),
    Question(
        "sequential",
        "Does each step need the output of the step before?",
        Pattern.PIPELINE,
        lambda facts: bool(facts.sequential or facts.stages),
        "Each step starts from the recorded output of the one before.",
        "sequential",
    ),
    Question(
        "independent",
        "Are the pieces independent of each other?",
        Pattern.FAN_OUT,
        lambda facts: facts.broad or bool(facts.independent and facts.separable),
        "Nothing waits, so all pieces can run at once.",
        "independent",
    ),
    Question(
        "left",
        "Is it over 15 minutes, with no other question answered yes?",
        Pattern.SUPERVISOR,
        lambda facts: facts.minutes > _LONG,
        "It is too long for one session, and how it falls into pieces will show as it goes.",
    ),
)

OrderName = Literal["specific", "playbook"]

_INLINE_FIRST = ("small", "exploration", "maybe")
#: `specific` asks for what is rarer first, since the tasks of a panel and of a map-reduce are
#: independent too; `playbook` asks in the order of the quick-reference card.
ORDERS = MappingProxyType[OrderName, tuple[str, ...]](
    {
        "specific": (
            *_INLINE_FIRST,
            *("opinions", "dataset", "adaptive", "sequential", "independent", "left"),
        ),
        "playbook": (
            *_INLINE_FIRST,
            *("independent", "sequential", "opinions", "dataset", "adaptive", "left"),
        ),
    }
)


def asked(order: OrderName) -> list[Question]:
    """The questions in that order."""
    known = {question.id: question for question in QUESTIONS}
    return [known[name] for name in ORDERS[order]]
