"""A plan as it is drawn: its tasks and what waits for what, or groups of its layers if large."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relaybook.core.plan.graph import layers
from relaybook.model import Edge, EdgeKind, Status
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow

#: A plan of more tasks, or more edges, is drawn by groups.
NODES_SHOWN, EDGES_SHOWN = 200, 1_000

_TASKS = """
    SELECT id, label, status FROM tasks
    WHERE workflow_id = :id AND replaced_by IS NULL ORDER BY position
"""
_EDGES = """
    SELECT needs, task_id, kind FROM edges WHERE workflow_id = :id ORDER BY task_id, needs
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A task of the plan."""

    id: str
    label: str
    status: Status


@dataclass(frozen=True, slots=True)
class Group:
    """The tasks of one layer, or of several neighbouring ones, in plan order."""

    #: The number of its first layer, from 1, and how many it spans.
    first: int
    layers: int
    nodes: Sequence[Node]

    @property
    def counts(self) -> dict[Status, int]:
        """How many of its tasks are in each state that any is in."""
        found = Counter(node.status for node in self.nodes)
        return {status: found[status] for status in Status if found[status]}


@dataclass(frozen=True, slots=True)
class PlanGraph:
    """The tasks of a plan by id, in plan order, and the edges between them."""

    nodes: Mapping[str, Node]
    edges: Sequence[Edge]

    @property
    def is_large(self) -> bool:
        """Whether there are too many tasks to draw each of them."""
        return len(self.nodes) > NODES_SHOWN or len(self.edges) > EDGES_SHOWN

    def layers(self) -> list[list[Node]]:
        """The tasks by how many must run one after the other before them."""
        needs: dict[str, list[str]] = {name: [] for name in self.nodes}
        for edge in self.edges:
            needs[edge.task_id].append(edge.needs)
        return [[self.nodes[name] for name in layer] for layer in layers(needs)]

    def groups(self, most: int) -> list[Group]:
        """At most so many groups of neighbouring layers, of a layer each if they are few."""
        found = self.layers()
        size = max(math.ceil(len(found) / most), 1)
        return [
            Group(
                first=first + 1,
                layers=len(found[first : first + size]),
                nodes=[node for layer in found[first : first + size] for node in layer],
            )
            for first in range(0, len(found), size)
        ]


def load_graph(tx: Tx, workflow_id: str) -> PlanGraph:
    """The plan of a workflow, without the tasks that others took the place of.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    get_workflow(tx, workflow_id)
    params = {"id": workflow_id}
    nodes = {row[0]: Node(row[0], row[1], Status(row[2])) for row in tx.rows(_TASKS, params)}
    edges = [Edge(row[0], row[1], EdgeKind(row[2])) for row in tx.rows(_EDGES, params)]
    return PlanGraph(nodes, [edge for edge in edges if {edge.needs, edge.task_id} <= nodes.keys()])
