"""A plan as a Mermaid flowchart: a node for each task, or for each group of a large plan."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from relaybook.core.graph import layers
from relaybook.engine.desk import Desk
from relaybook.errors import clip
from relaybook.model import WORDS, Edge, EdgeKind, Status
from relaybook.store.base import Tx
from relaybook.store.ledger import get_workflow

#: A plan of more tasks is drawn by groups, of which there are at most as many.
NODES_SHOWN = 200
LABEL_SHOWN = 60

_TASKS = """
    SELECT id, label, status FROM tasks
    WHERE workflow_id = :id AND replaced_by IS NULL ORDER BY position
"""
_EDGES = """
    SELECT needs, task_id, kind FROM edges WHERE workflow_id = :id ORDER BY task_id, needs
"""
_HEAD = "flowchart LR"
_ARROWS = {
    EdgeKind.NEEDS: "-->",
    EdgeKind.ON_FAILURE: "-. on failure .->",
    EdgeKind.INSTEAD_OF: "-. or else .->",
}


def read_graph(desk: Desk, id: str) -> str:
    """The tasks of a workflow and what waits for what; a large plan by its layers."""
    with desk.store.read() as tx:
        get_workflow(tx, id)
        tasks = {row[0]: (row[1], Status(row[2])) for row in tx.rows(_TASKS, {"id": id})}
        edges = [edge for edge in _edges(tx, id) if {edge.needs, edge.task_id} <= tasks.keys()]
    if len(tasks) > NODES_SHOWN:
        return _lines(_grouped({name: status for name, (_, status) in tasks.items()}, edges))
    return _lines(_single(tasks, edges))


def _edges(tx: Tx, workflow_id: str) -> list[Edge]:
    return [Edge(row[0], row[1], EdgeKind(row[2])) for row in tx.rows(_EDGES, {"id": workflow_id})]


def _lines(body: Iterable[str]) -> str:
    return "\n    ".join([_HEAD, *body]) + "\n"


def _single(tasks: dict[str, tuple[str, Status]], edges: Sequence[Edge]) -> Iterable[str]:
    place = {name: f"t{number}" for number, name in enumerate(tasks)}
    for name, (label, status) in tasks.items():
        shown = _escaped(f"{name}: {clip(label, LABEL_SHOWN)}")
        yield f'{place[name]}["{WORDS[status].icon} {shown}"]'
    for edge in edges:
        yield f"{place[edge.needs]} {_ARROWS[edge.kind]} {place[edge.task_id]}"


def _grouped(tasks: dict[str, Status], edges: Sequence[Edge]) -> Iterable[str]:
    """A chain of groups, each of one layer, or of several neighbouring ones if there are many."""
    needs: dict[str, list[str]] = {name: [] for name in tasks}
    for edge in edges:
        needs[edge.task_id].append(edge.needs)
    found = layers(needs)
    size = math.ceil(len(found) / NODES_SHOWN)
    for number, first in enumerate(range(0, len(found), size)):
        group = [name for layer in found[first : first + size] for name in layer]
        title = f"Layer {first + 1}" if size == 1 else f"Layers from {first + 1}"
        yield f'g{number}["{title}: {len(group)} tasks<br/>{_counts(tasks[n] for n in group)}"]'
        if number:
            yield f"g{number - 1} --> g{number}"


def _counts(statuses: Iterable[Status]) -> str:
    found = Counter(statuses)
    return " ".join(f"{WORDS[status].icon} {found[status]}" for status in Status if found[status])


def _escaped(text: str) -> str:
    """`text` for a label in quotes: every sign that could mean something as its entity."""
    return "".join(
        char if char.isalnum() or char in " .,:_-…" else f"#{ord(char)};" for char in text
    )
