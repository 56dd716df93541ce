"""Many outcomes -> one digest: what was done, what is missing, what the synthesis must say.

Reads outcomes one at a time, in the order of the plan, at any time of a workflow. Texts of
workers pass through as data, shortened; nothing in them is followed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from relaybook.core.digest.account import Account
from relaybook.core.digest.brief import Request, brief
from relaybook.core.digest.decisions import Decisions, RecordedDecision
from relaybook.core.digest.pages import Pager
from relaybook.core.digest.panel import Choices, PanelKind, Risk, Votes
from relaybook.core.digest.parts import Chain, Covered, Merged, Part
from relaybook.core.digest.reports import Reports
from relaybook.core.digest.task_outcome import Gap, TaskOutcome
from relaybook.core.merge.pile import MemoryPile, Piles
from relaybook.core.panel.votes import Weights
from relaybook.core.shorten import shrink, size
from relaybook.errors import clip
from relaybook.model import Pattern

#: The sections of a digest, in the order in which they are shown.
SECTIONS = (
    "gaps",
    "parent_actions",
    "dissent",
    "conflicts",
    "coverage_problems",
    "carry_over",
    "duplicates",
    "decisions",
    "tasks",
    "records",
)

#: Gaps that closing the workflow leaves for good.
_LEFT = {Gap.NOT_STARTED, Gap.TO_BE_TRIED_AGAIN, Gap.RUNNING, Gap.ASKING}
#: Bytes that the cursor of the next page takes.
_CURSOR = 40


class Detail(StrEnum):
    CONCISE = "concise"
    DETAILED = "detailed"


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Bounds in bytes: of a page, of one entry, of the brief; of a summary in characters.

    A page leaves room under 4 kB and 20 kB for what the caller puts around it.
    """

    page: int
    entry: int
    brief: int
    summary: int


_SIZES = {
    Detail.CONCISE: _Sizes(page=3_400, entry=700, brief=2_000, summary=240),
    Detail.DETAILED: _Sizes(page=18_000, entry=4_000, brief=7_000, summary=1_200),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is known of a workflow beside its results."""

    request: Request = field(default_factory=Request)
    #: How the workflow was closed by decision; empty if it was not.
    closed: str = ""
    #: Of a panel.
    panel: PanelKind = PanelKind.VERDICT
    weights: Weights = field(default_factory=Weights)
    quorum: int | None = None
    #: What all experts ran on; empty if it is not known.
    model: str = ""
    #: What was decided on the way, in that order.
    decisions: Iterable[RecordedDecision] = ()
    #: How many lessons it proposed that nobody has decided.
    lessons: int = 0
    #: Of a map-reduce: the tasks that others took the place of, each with the ids of its items.
    replaced: Iterable[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One page of a digest. The parts of the pattern and the brief are on the first page."""

    pattern: Pattern
    sentence: str
    counts: Mapping[str, int]
    #: How many entries each section has on all pages.
    totals: Mapping[str, int]
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    sections: Mapping[str, Sequence[Mapping[str, Any]]] = field(
        default_factory=dict[str, Sequence[Mapping[str, Any]]]
    )
    brief: Mapping[str, Any] | None = None
    #: What to ask the next page with; None on the last.
    cursor: str | None = None

    def as_dict(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "pattern": self.pattern.value,
            "sentence": self.sentence,
            "counts": dict(self.counts),
            "totals": dict(self.totals),
            **self.parts,
            **self.sections,
        }
        if self.brief:
            shown["brief"] = dict(self.brief)
        return shown | {"cursor": self.cursor}


def digest(
    pattern: Pattern,
    outcomes: Iterable[TaskOutcome],
    frame: Frame | None = None,
    *,
    detail: Detail = Detail.CONCISE,
    cursor: str | None = None,
    piles: Piles = MemoryPile,
) -> Digest:
    """The digest of a workflow's outcomes, given in the order of its plan, from `cursor` on.

    Holds the figures and one page. What contradicts, repeats or covers what can only be told
    after the last outcome: until then it lies on `piles`.

    Raises:
        InvalidArguments: the cursor is none of a digest.
    """
    known, sizes = frame or Frame(), _SIZES[detail]
    pager = Pager(SECTIONS, cursor, sizes.page, sizes.entry)
    account, parts = Account(piles), _parts(pattern, known, piles)
    for outcome in outcomes:
        account.add(outcome)
        for part in parts:
            part.add(outcome)
        _enter(outcome, pager, parts, detail, known.closed)
    _enter_parts(pattern, account, parts, pager)
    page = Digest(
        pattern=pattern,
        sentence=account.sentence(),
        counts=account.counts(),
        totals=pager.totals,
    )
    if pager.first:
        page = replace(page, brief=_brief(pattern, known, account, parts, pager, sizes.brief))
        page = replace(page, parts=_heads(parts, sizes, sizes.page - size(page.as_dict())))
    sections, following = pager.page(sizes.page - size(page.as_dict()) - _CURSOR)
    return replace(page, sections=sections, cursor=following)


def _heads(parts: Sequence[Part], sizes: _Sizes, room: int) -> dict[str, dict[str, Any]]:
    """Each part in brief; together they leave room for an entry, if there is any."""
    heads = {part.name: head for part in parts if (head := part.head())}
    limit = (room - min(sizes.entry, room // 2)) // max(len(heads), 1)
    return {name: shrink(head, limit) for name, head in heads.items()}


def _parts(pattern: Pattern, frame: Frame, piles: Piles) -> list[Part]:
    """The views that a pattern asks for, and those of any: decisions, reports, the merge."""
    parts: list[Part] = []
    match pattern:
        case Pattern.PIPELINE:
            parts += [Chain(), Covered(piles, frame.replaced, every_task=False)]
        case Pattern.EXPERT_PANEL if frame.panel is PanelKind.DOMAIN_RISK:
            parts.append(Risk())
        case Pattern.EXPERT_PANEL if frame.panel is PanelKind.CHOICE:
            parts.append(Choices(frame.weights))
        case Pattern.EXPERT_PANEL:
            parts.append(Votes(frame.weights, frame.quorum, frame.model))
        case Pattern.MAP_REDUCE:
            parts.append(Covered(piles, frame.replaced))
        case Pattern.FAN_OUT | Pattern.SUPERVISOR:
            parts.append(Covered(piles, frame.replaced, every_task=False))
    supervised = pattern is Pattern.SUPERVISOR
    decisions = Decisions(frame.decisions, supervised=supervised, lessons=frame.lessons)
    return [*parts, decisions, Reports(), Merged(piles)]


def _enter(
    outcome: TaskOutcome, pager: Pager, parts: Sequence[Part], detail: Detail, closed: str
) -> None:
    """Put one outcome into the sections: its line, its gap, its actions, its own records."""
    pager.add("tasks", _line(outcome, detail, parts), outcome.position)
    if outcome.gap:
        pager.add("gaps", _gap(outcome, parts, closed), outcome.position)
    for action in outcome.parent_actions:
        asked = {name: action.get(name) for name in ("action", "target", "tier", "why", "from")}
        shown = {name: value for name, value in asked.items() if value is not None}
        pager.add("parent_actions", {"task_id": outcome.task_id} | shown)
    for part in parts:
        for section, entry in part.passing(outcome):
            pager.add(section, entry)


def _line(outcome: TaskOutcome, detail: Detail, parts: Sequence[Part]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "task_id": outcome.task_id,
        "label": outcome.label,
        "status": outcome.status.value,
        "summary": clip(outcome.summary, _SIZES[detail].summary),
        "confidence": outcome.confidence,
        "flags": list(outcome.flags),
        "error": outcome.error,
        "reported": {kind: len(said) for kind, said in outcome.reported.items()},
        "took": list(outcome.took),
        "link": outcome.link,
    }
    if any(isinstance(part, Chain) for part in parts):
        line["gave"] = outcome.gave
    if detail is Detail.DETAILED:
        line |= {
            "role": outcome.role,
            "reported": {kind: list(said) for kind, said in outcome.reported.items()},
            "words": outcome.words,
            "result": outcome.data,
        }
    return {name: value for name, value in line.items() if value not in (None, "", [], {})}


def _gap(outcome: TaskOutcome, parts: Sequence[Part], closed: str) -> dict[str, Any]:
    broken = next((part.broke for part in parts if isinstance(part, Chain)), None)
    reason = outcome.reason
    if broken and outcome.gap is Gap.NOT_STARTED:
        reason = f"not started: {broken.task_id} before it {broken.status}"
    if closed and outcome.gap in _LEFT:
        reason += f"; the workflow was closed as {closed}"
    entry: dict[str, Any] = {
        "task_id": outcome.task_id,
        "label": outcome.label,
        "gap": outcome.gap,
        "reason": reason,
        "error_code": outcome.error_code,
        "handled_by": outcome.handled_by,
        "questions": list(outcome.questions),
    }
    return {name: value for name, value in entry.items() if value not in (None, [])}


def _enter_parts(pattern: Pattern, account: Account, parts: Sequence[Part], pager: Pager) -> None:
    if pattern is not Pattern.EXPERT_PANEL:
        for entry in account.repeats.found():
            pager.add("duplicates", {"in": "tasks", **entry})
    for part in parts:
        for section, entry in part.entries():
            pager.add(section, entry)


def _brief(
    pattern: Pattern,
    frame: Frame,
    account: Account,
    parts: Sequence[Part],
    pager: Pager,
    room: int,
) -> dict[str, Any]:
    mention = [*account.mention(), *(line for part in parts for line in part.mention())]
    return brief(pattern, frame.panel, frame.request, mention, pager.totals, room)
