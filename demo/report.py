"""The merged report of the demo, as lines of text. Pure: results in, lines out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN = 10
BAR = 40


@dataclass(slots=True)
class Merged:
    """What the results of all partitions say of the files planned."""

    planned: Sequence[str]
    figures: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    #: Files that no figures could be given for, each with the reason.
    unread: dict[str, str] = field(default_factory=dict[str, str])
    #: Ids that were answered again, or were never asked for.
    surplus: list[str] = field(default_factory=list[str])

    def add(self, result: Mapping[str, Any]) -> None:
        """Take in the result of one partition."""
        for item in result["items"]:
            name = item["id"]
            if name in self.figures or name in self.unread or name not in self.planned:
                self.surplus.append(name)
            elif item["answer"] is None:
                self.unread[name] = item["rationale"]
            else:
                self.figures[name] = item["answer"]

    def missing(self) -> list[str]:
        """Files planned that no result speaks of."""
        return [name for name in self.planned if name not in self.figures | self.unread]


def report(merged: Merged, summary: Mapping[str, Any]) -> Iterator[str]:
    """The lines to print; `summary` is the first page of the ledger's digest."""
    scored = {name: said for name, said in merged.figures.items() if said["score"] is not None}
    yield from _totals(merged, len(scored))
    yield from _distribution(scored)
    by_score = sorted(scored, key=lambda name: (scored[name]["score"], _share(scored[name]), name))
    yield from _files("Worst", by_score[:SHOWN], scored)
    yield from _files("Best", by_score[: -SHOWN - 1 : -1], scored)
    yield from _gaps(merged, summary)


def _totals(merged: Merged, scored: int) -> Iterator[str]:
    sums = Counter[str]()
    for said in merged.figures.values():
        sums.update({name: said[name] for name in _COUNTED})
    share = sums["documented"] / sums["public"] if sums["public"] else 0.0
    without = len(merged.figures) - scored
    yield f"{len(merged.planned)} files planned, {scored} scored, {without} without code"
    yield (
        f"{sums['code_lines']} code lines, {sums['comment_lines']} comment lines, "
        f"{sums['documented']} of {sums['public']} public definitions documented ({share:.0%})"
    )


_COUNTED = ("code_lines", "comment_lines", "public", "documented")


def _share(said: Mapping[str, Any]) -> float:
    return said["documented"] / said["public"]


def _distribution(scored: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    counts = Counter(said["score"] for said in scored.values())
    most = max(counts.values(), default=1)
    yield "\nScores"
    for score in range(5, 0, -1):
        bar = "#" * round(BAR * counts[score] / most)
        yield f"  {score}  {counts[score]:6d}  {bar}"


def _files(
    title: str, names: Iterable[str], scored: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    yield f"\n{title} files"
    for name in names:
        said = scored[name]
        yield (
            f"  {said['score']}  {said['documented']:3d}/{said['public']:<3d} documented  "
            f"{said['comment_lines']:4d} comments in {said['code_lines']:5d} lines  {name}"
        )


def _gaps(merged: Merged, summary: Mapping[str, Any]) -> Iterator[str]:
    yield "\nGaps"
    lines = [
        *(f"  {name}: {reason}" for name, reason in merged.unread.items()),
        *(f"  {name}: no result speaks of it" for name in merged.missing()),
        *(f"  {name}: answered though not asked for, or twice" for name in merged.surplus),
        *(
            f"  partition {gap['task_id']}: {gap.get('reason', gap['gap'])}"
            for gap in summary.get("gaps", ())
        ),
    ]
    yield from lines or ["  none: every file of every partition is accounted for"]
    yield f"\n{summary['summary']}"
