"""How long a plan takes with six workers: the order that claims offer, against two others.

Longest remaining chain first is what `claim_task` offers; first in, first out is the order in
which tasks become ready. Both are divided by max(critical path, work / 6), a time that no order
can beat and that some graphs do not allow: while the last tasks of a round run, nothing else may
start. A sharper bound proves how much of that no order can win: where one task waits for all before
it and all after wait for it, what lies on each side takes its own time. It counts tasks as if they
could be cut into pieces, so the truth lies higher still; the best of many random orders tells about
where. Minutes are virtual; the order is checked on a real ledger.
"""

import heapq
import random
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.graphs import FAMILIES, Graph, generated
from relaybook.core.plan.graph import chains, order, waits
from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.store.sqlite import SqliteStore

WORKERS = 6
GRAPHS = 100
#: Graphs of each family that are also run on a ledger, and on which other orders are tried.
ON_A_LEDGER, TRIED, RANDOM_ORDERS = 3, 20, 100
TARGET = 1.05
#: How far the minutes of a run are off what was expected, as the spread of their logarithm.
NOISE = 0.3

#: Smaller starts first; the task, and how many became ready before it.
Order = Callable[[str, int], tuple[float, ...]]
Start = tuple[float, str]


#: Upper ends of the classes that the distribution is printed in.
CLASSES = (1.0, 1.01, 1.02, 1.05, 1.1, 1.2)


@dataclass(frozen=True, slots=True)
class Measured:
    """The ratios of the graphs of one family, in the order of their seeds."""

    family: str
    ours: Sequence[float]
    first_in: Sequence[float]
    #: The sharper bound over the bound: what no order can be below.
    least: Sequence[float]

    @property
    def reachable(self) -> bool:
        """Whether some order might meet the target on average."""
        return statistics.mean(self.least) <= TARGET


def run() -> Iterator[str]:
    yield f"{'makespan / lower bound, 6 workers':<46} {'mean':>6} {'p50':>6} {'p90':>6} {'max':>6}  n"
    measured: list[Measured] = []
    for family in FAMILIES:
        graphs = [generated(family, seed) for seed in range(GRAPHS)]
        found = _measured(family, graphs)
        measured.append(found)
        yield _line(f"{family}, longest chain first", found.ours)
        yield _line(f"{family}, first in first out", found.first_in)
        yield _line(f"{family}, longest chain, minutes off", list(map(_ratio_as_it_went, graphs)))
        yield _line(f"{family}, best order found", list(map(_best, graphs[:TRIED])))
        yield _line(f"{family}, no order is below", found.least)
        for graph in graphs[:ON_A_LEDGER]:
            assert on_a_ledger(graph) == schedule(graph, longest_chain(graph)), family
        yield _verdict(family, statistics.mean(found.ours))
    yield from _together(measured)


def _measured(family: str, graphs: Sequence[Graph]) -> Measured:
    return Measured(
        family,
        ours=[_ratio(graph, longest_chain(graph)) for graph in graphs],
        first_in=[_ratio(graph, first_in) for graph in graphs],
        least=[bound_by_rounds(graph) / lower_bound(graph) for graph in graphs],
    )


def _together(measured: Sequence[Measured]) -> Iterator[str]:
    """All graphs at once, those of families where an order might meet the target, and the shares."""
    every = [ratio for each in measured for ratio in each.ours]
    reachable = [ratio for each in measured if each.reachable for ratio in each.ours]
    out = ", ".join(each.family for each in measured if not each.reachable)
    yield _line("all graphs, longest chain first", every)
    yield _line("all graphs, no order is below", [r for each in measured for r in each.least])
    yield f"  all graphs: {_met(statistics.mean(every))}"
    yield _line(f"all but {out}, longest chain first", reachable)
    yield f"  all but {out}, where no order can meet it: {_met(statistics.mean(reachable))}"
    yield f"{'share of the graphs with a ratio of at most':<46} " + _cells(
        f"{c:g}" for c in CLASSES
    )
    for each in measured:
        yield _shares(f"{each.family}, longest chain first", each.ours)
    yield _shares("all graphs, longest chain first", every)
    yield _shares("all graphs, first in first out", [r for each in measured for r in each.first_in])


def _shares(what: str, ratios: Sequence[float]) -> str:
    counted = [sum(ratio <= top + 1e-9 for ratio in ratios) / len(ratios) for top in CLASSES]
    return f"{what:<46} {_cells(f'{share:.0%}' for share in counted)}"


def _cells(texts: Iterable[str]) -> str:
    return " ".join(f"{text:>6}" for text in texts)


def _verdict(family: str, mean: float) -> str:
    same = f"{ON_A_LEDGER} graphs were claimed from a ledger in the same order"
    return f"  {family}: {_met(mean)}; {same}"


def _met(mean: float) -> str:
    return f"target mean {TARGET}: {'met' if mean <= TARGET else 'missed'}"


def _line(what: str, ratios: Sequence[float]) -> str:
    ordered = sorted(ratios)
    figures = (
        statistics.mean(ordered),
        statistics.median(ordered),
        ordered[round(0.9 * (len(ordered) - 1))],
        ordered[-1],
    )
    return f"{what:<46} {_cells(f'{figure:.3f}' for figure in figures)}  {len(ordered)}"


def lower_bound(graph: Graph) -> float:
    """Minutes that no order of any kind can beat."""
    work = sum(graph.minutes.values())
    return max(*chains(graph.minutes, graph.needs).values(), work / WORKERS)


def bound_by_rounds(graph: Graph) -> float:
    """A sharper bound: the times of the parts between the tasks that all others wait for or on."""
    names = order(graph.needs)
    bound, part = 0.0, list[str]()
    for place, name in enumerate(names):
        if _parts(graph, names, place):
            bound += _bound_of(graph, part) + graph.minutes[name]
            part = []
        else:
            part.append(name)
    return bound + _bound_of(graph, part)


def _bound_of(graph: Graph, names: Sequence[str]) -> float:
    kept = set(names)
    needs = {name: [each for each in graph.needs[name] if each in kept] for name in names}
    return lower_bound(Graph({name: graph.minutes[name] for name in names}, needs))


def _parts(graph: Graph, names: Sequence[str], place: int) -> bool:
    """Whether the task at `place` needs all before it, and all after it need it."""
    name = names[place]
    return all(waits(graph.needs, name, each) for each in names[:place]) and all(
        waits(graph.needs, each, name) for each in names[place + 1 :]
    )


def _ratio(graph: Graph, by: Order) -> float:
    return makespan(graph, schedule(graph, by)) / lower_bound(graph)


def makespan(graph: Graph, starts: Sequence[Start]) -> float:
    return max(at + graph.minutes[name] for at, name in starts)


def longest_chain(graph: Graph) -> Order:
    """The order of `claim_task`: the longest chain first, then the place in the plan."""
    longest = chains(graph.minutes, graph.needs)
    places = {name: place for place, name in enumerate(graph.minutes)}
    return lambda name, _: (-longest[name], places[name])


def first_in(_: str, place: int) -> tuple[float, ...]:
    return (place,)


def _best(graph: Graph) -> float:
    """The least ratio of any order tried: ours, and random changes of it."""
    rng = random.Random(0)
    longest = chains(graph.minutes, graph.needs)
    found = _ratio(graph, longest_chain(graph))
    for _ in range(RANDOM_ORDERS):
        shaken = {name: -chain * rng.uniform(0.8, 1.2) for name, chain in longest.items()}
        found = min(found, _ratio(graph, lambda name, _, by=shaken: (by[name],)))
    return found


def _ratio_as_it_went(graph: Graph) -> float:
    """The ratio where the order knows the minutes expected, and tasks take others."""
    rng = random.Random(len(graph.minutes))
    took = {name: each * rng.lognormvariate(0, NOISE) for name, each in graph.minutes.items()}
    return _ratio(Graph(took, graph.needs), longest_chain(graph))


def schedule(graph: Graph, by: Order) -> list[Start]:
    """When each task starts, in order, if a free worker always takes the first that is ready."""
    following = _following(graph)
    left = {name: len(needs) for name, needs in graph.needs.items()}
    ready: list[tuple[tuple[float, ...], str]] = []
    running: list[tuple[float, int, str]] = []
    starts: list[Start] = []
    queued, now = 0, 0.0
    free = [name for name, count in left.items() if count == 0]
    while free or ready or running:
        for name in free:
            heapq.heappush(ready, (by(name, queued), name))
            queued += 1
        while ready and len(running) < WORKERS:
            name = heapq.heappop(ready)[1]
            starts.append((now, name))
            heapq.heappush(running, (now + graph.minutes[name], len(starts), name))
        now, _, name = heapq.heappop(running)
        free = _freed(following[name], left)
    return starts


def _freed(names: Sequence[str], left: dict[str, int]) -> list[str]:
    for name in names:
        left[name] -= 1
    return [name for name in names if left[name] == 0]


def _following(graph: Graph) -> Mapping[str, list[str]]:
    following: dict[str, list[str]] = {name: [] for name in graph.needs}
    for name, needs in graph.needs.items():
        for need in needs:
            following[need].append(name)
    return following


def on_a_ledger(graph: Graph) -> list[Start]:
    """When each task starts if six workers claim from a real ledger, on a clock set by hand."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "ledger.db", "normal")
        try:
            return _claimed(Ledger(store, graph))
        finally:
            store.close()


class Ledger:
    """A workflow of a graph, and the clock that it runs by, in minutes."""

    def __init__(self, store: SqliteStore, graph: Graph) -> None:
        self.graph = graph
        self.now = 0.0
        self.engine = Engine(store, clock=lambda: self.now * 60)
        tasks = [
            {
                "id": name,
                "label": name,
                "expected_minutes": graph.minutes[name],
                "depends_on": needs,
            }
            for name, needs in graph.needs.items()
        ]
        made = self.engine.create_workflow("supervisor", tasks=tasks, max_parallel=WORKERS)
        self.workflow = made["workflow_id"]

    def claim(self) -> str | None:
        return self.engine.claim_task(self.workflow).get("task_id")

    def complete(self, name: str) -> None:
        self.engine.update_task(
            Update(
                workflow_id=self.workflow,
                task_id=name,
                status="completed",
                output="done",
                accept_raw=True,
            )
        )


def _claimed(ledger: Ledger) -> list[Start]:
    starts: list[Start] = []
    running: list[tuple[float, int, str]] = []
    while True:
        while len(running) < WORKERS and (name := ledger.claim()):
            starts.append((ledger.now, name))
            ends = ledger.now + ledger.graph.minutes[name]
            heapq.heappush(running, (ends, len(starts), name))
        if not running:
            return starts
        ledger.now, _, name = heapq.heappop(running)
        ledger.complete(name)
