"""What a digest adds for a panel: the votes of its experts, or the risk of its domains."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from relaybook.core.digest.parts import Entries, Part
from relaybook.core.digest.task_outcome import TaskOutcome
from relaybook.core.merge.merger import pairs, texts
from relaybook.core.panel.ballot import ballot_of, off_options
from relaybook.core.panel.consensus import PanelReport, classification, panel
from relaybook.core.panel.criteria import given_scores, off_criteria
from relaybook.core.panel.ranking import Ballot, Ranking, rank, self_consistency
from relaybook.core.panel.risk import DomainReport, RiskMatrix, colour, risk_matrix
from relaybook.core.panel.votes import Opinion, PanelOutcome, Verdict, Weights, verdict
from relaybook.errors import InvalidArguments
from relaybook.model import Status


class PanelKind(StrEnum):
    """What the experts of a panel were asked for."""

    VERDICT = "verdict"
    CHOICE = "choice"
    DOMAIN_RISK = "domain_risk"


def panel_kind(declared: str, schema: Mapping[str, Any]) -> PanelKind:
    """What a panel is asked for, by the merge that is declared and its output schema."""
    properties = schema.get("properties") or {}
    if declared == PanelKind.DOMAIN_RISK or "colour" in properties:
        return PanelKind.DOMAIN_RISK
    return PanelKind.VERDICT if "verdict" in properties else PanelKind.CHOICE


class Votes(Part):
    """The verdicts of a panel."""

    name = "panel"

    def __init__(self, weights: Weights, quorum: int | None, model: str) -> None:
        self.weights, self.quorum, self.model = weights, quorum, model
        self.opinions: list[Opinion] = []
        self.missing: list[str] = []
        #: Experts who scored other criteria than they were asked to.
        self.off = 0

    def add(self, outcome: TaskOutcome) -> None:
        if outcome.status is Status.NOT_APPLICABLE:
            return
        known = {*self.missing, *(opinion.expert for opinion in self.opinions)}
        name = f"{outcome.name} ({outcome.task_id})" if outcome.name in known else outcome.name
        if opinion := read_opinion(outcome, name):
            self.opinions.append(opinion)
            self.off += bool(off_criteria(outcome.data, outcome.criteria))
        else:
            self.missing.append(name)

    def passing(self, outcome: TaskOutcome) -> Entries:
        if outcome.completed:
            for problem, names in off_criteria(outcome.data, outcome.criteria).items():
                found = {"problem": problem, "task_id": outcome.task_id, "criteria": names}
                yield "coverage_problems", found

    def report(self) -> PanelReport:
        return panel(
            self.opinions,
            self.missing,
            weights=self.weights,
            quorum=self.quorum,
            model=self.model,
        )

    def head(self) -> dict[str, Any]:
        head = self.report().as_dict()
        head["dissent"] = len(head["dissent"])
        return head

    def entries(self) -> Entries:
        for entry in self.report().dissent:
            yield "dissent", entry

    def mention(self) -> Iterator[str]:
        report = self.report()
        yield f"Outcome: {report.decided.outcome}, side: {report.decided.side or 'none'}."
        if report.decided.outcome is PanelOutcome.BLOCKED:
            yield "Every blocking objection, in full: one suffices to block."
        if report.dissent:
            yield f"Dissent ({len(report.dissent)}), each vote with its reason."
        if report.missing:
            yield f"Experts without a vote ({len(report.missing)}): they may object."
        if self.off:
            yield f"Experts who left criteria out or made some up ({self.off})."
        if report.weights_change_it:
            yield "Weighted votes give another outcome than plain ones: state both."
        if report.criteria_mean.weights_turn_it:
            yield "Weighted criteria stand on the other side of neutral than plain ones: state both."
        yield report.independence


class Choices(Part):
    """What a panel chose: rankings of options, labels of items, or answers to one question."""

    name = "choice"

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        #: The options of the plan, and what each voter ranked of them.
        self.options: dict[str, None] = {}
        self.ballots: list[Ballot] = []
        #: Voters who ranked other options than they were asked to.
        self.off = 0
        self.labels: dict[str, Mapping[str, str]] = {}
        self.answers: list[str] = []
        self.missing: list[str] = []

    def add(self, outcome: TaskOutcome) -> None:
        if outcome.status is Status.NOT_APPLICABLE:
            return
        data = outcome.data if outcome.completed else None
        ranking = self._ballot(data, outcome.options)
        labels = pairs(data, "labels", "id", "label")
        answer = texts(data, "answer", "text")[:1]
        if ranking:
            weight = self.weights.of(outcome.name)
            self.ballots.append(Ballot(outcome.name, tuple(ranking), weight))
        if labels:
            self.labels[outcome.task_id] = {
                item: str(label) for item, label in labels.items() if label is not None
            }
        self.answers.extend(answer)
        self.off += bool(off_options(data, outcome.options))
        if not (ranking or labels or answer):
            self.missing.append(outcome.name)

    def _ballot(self, data: Any, asked: tuple[str, ...]) -> list[str]:
        """What a result ranks; an option counts if it was asked for, or none were."""
        self.options |= dict.fromkeys(asked)
        ballot = ballot_of(data, asked)
        return [option for option in ballot if option in asked] if asked else ballot

    def passing(self, outcome: TaskOutcome) -> Entries:
        if outcome.completed:
            for problem, names in off_options(outcome.data, outcome.options).items():
                found = {"problem": problem, "task_id": outcome.task_id, "options": names}
                yield "coverage_problems", found

    def ranking(self) -> Ranking:
        return rank(self.ballots, self.options)

    def head(self) -> dict[str, Any]:
        head: dict[str, Any] = {"missing": self.missing}
        if self.ballots:
            head["ranking"] = self.ranking().as_dict()
        if self.labels:
            head["label_agreement"] = classification(self.labels).as_dict()
        if self.answers:
            head["self_consistency"] = self_consistency(self.answers)
        return head

    def mention(self) -> Iterator[str]:
        if self.missing:
            yield f"Voters without a choice ({len(self.missing)})."
        if self.off:
            yield f"Voters who left options out or made some up ({self.off})."
        if self.ballots and not self.ranking().agree:
            yield "Points and duels do not name the same winner: state both counts."


class Risk(Part):
    """The colours of a panel's domains."""

    name = "risk"

    def __init__(self) -> None:
        self.reports: list[DomainReport] = []
        self.missing: dict[str, str] = {}

    def add(self, outcome: TaskOutcome) -> None:
        if outcome.status is Status.NOT_APPLICABLE:
            return
        data = outcome.data if outcome.completed and isinstance(outcome.data, dict) else {}
        domain = str(data.get("domain") or outcome.name)
        shade = colour(data.get("colour"))
        if shade is None:
            self.missing[domain] = outcome.reason or "its result names no colour"
            return
        self.reports.append(
            DomainReport(
                domain=domain,
                colour=shade,
                why=_text(data, "why") or outcome.summary,
                facts=pairs(data, "facts", "field", "value"),
            )
        )

    def matrix(self) -> RiskMatrix:
        return risk_matrix(self.reports, self.missing)

    def head(self) -> dict[str, Any]:
        head = self.matrix().as_dict()
        head["conflicts"] = len(head["conflicts"])
        return head

    def entries(self) -> Entries:
        for conflict in self.matrix().conflicts:
            yield "conflicts", conflict

    def mention(self) -> Iterator[str]:
        matrix = self.matrix()
        yield f"Overall risk: {matrix.overall}; the colour of each domain and why."
        if matrix.missing:
            yield f"Grey domains ({len(matrix.missing)}): unknown, not green."


def read_opinion(outcome: TaskOutcome, expert: str) -> Opinion | None:
    """The vote of `expert` in a completed result; None if it holds no verdict that can be read.

    A score counts if its criterion was asked for, or none were.
    """
    data = outcome.data if outcome.completed else None
    if not isinstance(data, dict) or (given := _verdict(data.get("verdict"))) is None:
        return None
    scores = given_scores(data, outcome.criteria)
    asked = outcome.criteria or scores
    read = {name: _verdict(score) for name, score in scores.items() if name in asked}
    return Opinion(
        expert=expert,
        verdict=given,
        reason=_text(data, "reason") or outcome.summary,
        blockers=tuple(texts(data, "blockers", "text")),
        scores={name: score for name, score in read.items() if score is not None},
        weights=outcome.weights,
    )


def _verdict(given: object) -> Verdict | None:
    try:
        return verdict(given)
    except InvalidArguments:
        return None


def _text(data: Any, name: str) -> str:
    given = data.get(name)
    return given if isinstance(given, str) else ""
