"""What every verb works with: the store, the registry, a clock and a source of tokens."""

import json
import secrets
from collections.abc import Callable
from typing import TypeVar

from relaybook.core.plan import TaskSpec, read_spec
from relaybook.registry.compositions import Compositions
from relaybook.registry.contracts import Contracts
from relaybook.registry.roles import Roles
from relaybook.registry.templates import Templates
from relaybook.store.base import Store, Tx
from relaybook.store.ledger import get_text, spec_of

K = TypeVar("K")

#: How many specifications are kept at hand.
SPECS_KEPT = 1000


class Desk:
    """The things a verb may use. Nothing else in the engine knows the time or draws a number."""

    def __init__(
        self,
        store: Store,
        templates: Templates | None = None,
        contracts: Contracts | None = None,
        *,
        clock: Callable[[], float] | None = None,
        token: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        """The clock is the store's unless one is given.

        `token(n)` answers 2 n fresh hexadecimal digits.
        """
        self.store = store
        self.templates = templates or Templates()
        self.contracts = contracts or Contracts()
        self.compositions = Compositions(self.templates.folders)
        self.roles = Roles(self.templates.folders)
        self.clock = clock or store.clock
        self.token = token
        #: By the hash of their texts, so that they cannot go stale.
        self._specs: dict[str, TaskSpec] = {}
        #: By workflow and task; no change of a plan gives a task another specification.
        self._specs_of: dict[tuple[str, str], TaskSpec] = {}

    def spec(self, tx: Tx, workflow_id: str, name: str) -> TaskSpec:
        """The specification of the task whose `spec` is `name`."""
        known = self._specs.get(name)
        if known is None:
            known = read_spec(json.loads(get_text(tx, workflow_id, name)))
            _keep(self._specs, name, known)
        return known

    def spec_of(self, workflow_id: str, task_id: str) -> TaskSpec:
        """The specification of a task.

        Raises:
            UnknownWorkflow, UnknownTask: there is none; the error names the nearest.
        """
        known = self._specs_of.get((workflow_id, task_id))
        if known is None:
            with self.store.look() as tx:
                known = self.spec(tx, workflow_id, spec_of(tx, workflow_id, task_id))
            _keep(self._specs_of, (workflow_id, task_id), known)
        return known


def _keep(known: dict[K, TaskSpec], key: K, spec: TaskSpec) -> None:
    if len(known) == SPECS_KEPT:
        known.clear()
    known[key] = spec
