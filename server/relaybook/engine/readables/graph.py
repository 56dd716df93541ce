"""A plan drawn: as a Mermaid flowchart, and as the data of a drawing."""

from collections.abc import Iterable, Mapping
from typing import Any

from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.readables.plan_graph import NODES_SHOWN, Group, Node, PlanGraph, load_graph
from relaybook.errors import clip
from relaybook.model import WORDS, EdgeKind, Status

LABEL_SHOWN = 60
#: How many groups a drawing of layers has at most, and how many tasks of each it names.
GROUPS_SHOWN, NAMED = 40, 12
#: In a group those are named first that somebody may have to do something about.
_ORDER = (
    *(Status.FAILED, Status.INPUT_REQUIRED, Status.REVIEW, Status.IN_PROGRESS),
    *(Status.PENDING, Status.COMPLETED, Status.NOT_APPLICABLE, Status.CANCELLED),
)

_HEAD = "flowchart LR"
_ARROWS = {
    EdgeKind.NEEDS: "-->",
    EdgeKind.ON_FAILURE: "-. on failure .->",
    EdgeKind.INSTEAD_OF: "-. or else .->",
}


def read_graph(desk: Desk, id: str) -> str:
    """The tasks of a workflow and what waits for what; a large plan by its layers."""
    with desk.store.read() as tx:
        graph = load_graph(tx, id)
    return _lines(_grouped(graph.groups(NODES_SHOWN)) if graph.is_large else _single(graph))


def _lines(body: Iterable[str]) -> str:
    return "\n    ".join([_HEAD, *body]) + "\n"


def _single(graph: PlanGraph) -> Iterable[str]:
    place = {name: f"t{number}" for number, name in enumerate(graph.nodes)}
    for name, node in graph.nodes.items():
        shown = _escaped(f"{name}: {clip(node.label, LABEL_SHOWN)}")
        yield f'{place[name]}["{WORDS[node.status].icon} {shown}"]'
    for edge in graph.edges:
        yield f"{place[edge.needs]} {_ARROWS[edge.kind]} {place[edge.task_id]}"


def _grouped(groups: Iterable[Group]) -> Iterable[str]:
    """A chain of groups."""
    for number, group in enumerate(groups):
        title = f"Layer {group.first}" if group.layers == 1 else f"Layers from {group.first}"
        yield f'g{number}["{title}: {len(group.nodes)} tasks<br/>{_counts(group.counts)}"]'
        if number:
            yield f"g{number - 1} --> g{number}"


def _counts(counts: Mapping[Status, int]) -> str:
    return " ".join(f"{WORDS[status].icon} {number}" for status, number in counts.items())


def _escaped(text: str) -> str:
    """`text` for a label in quotes: every sign that could mean something as its entity."""
    return "".join(
        char if char.isalnum() or char in " .,:_-…" else f"#{ord(char)};" for char in text
    )


def read_layers(desk: Desk, id: str) -> str:
    """The tasks by layer and what waits for what; of a large plan the layers with counts."""
    with desk.store.read() as tx:
        graph = load_graph(tx, id)
    said: dict[str, Any] = {"workflow_id": id, "tasks": len(graph.nodes)}
    if graph.is_large:
        return compact(said | {"groups": [_group(each) for each in graph.groups(GROUPS_SHOWN)]})
    edges = [{"needs": e.needs, "task_id": e.task_id, "kind": str(e.kind)} for e in graph.edges]
    layers = [[_node(node) for node in layer] for layer in graph.layers()]
    return compact(said | {"layers": layers, "edges": edges})


def _node(node: Node) -> dict[str, Any]:
    return {"id": node.id, "label": clip(node.label, LABEL_SHOWN), "status": str(node.status)}


def _group(group: Group) -> dict[str, Any]:
    named = sorted(group.nodes, key=lambda node: _ORDER.index(node.status))[:NAMED]
    return {
        "first": group.first,
        "layers": group.layers,
        "tasks": len(group.nodes),
        "counts": {str(status): number for status, number in group.counts.items()},
        "named": [_node(node) for node in named],
    }
