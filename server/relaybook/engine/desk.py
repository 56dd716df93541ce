"""What every verb works with: the store, the registry, a clock and a source of tokens."""

import json
import secrets
from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from relaybook.errors import Forbidden
from relaybook.store.base import Store, Tx
from relaybook.store.partial import PartialStore

if TYPE_CHECKING:
    from relaybook.core.plan.task_spec import TaskSpec
    from relaybook.registry.compositions import Compositions
    from relaybook.registry.contracts import Contracts
    from relaybook.registry.roles import Roles
    from relaybook.registry.templates import Templates

K = TypeVar("K")

#: How many specifications are kept at hand.
SPECS_KEPT = 1000
DEFAULT_PROJECT = "default"


class Desk:
    """The things a verb may use. Nothing else in the engine knows the time or draws a number."""

    def __init__(
        self,
        store: Store,
        prompts: Sequence[Path] = (),
        contracts: Sequence[Path] = (),
        *,
        clock: Callable[[], float] | None = None,
        token: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        """`prompts` and `contracts` are folders beside what is shipped; a later one shadows.

        The clock is the store's unless one is given. `token(n)` answers 2 n fresh hexadecimal
        digits.
        """
        self.store: Store = store
        #: Those that may be seen and changed; None: all.
        self.projects: frozenset[str] | None = None
        self._prompts = tuple(prompts)
        self._contracts = tuple(contracts)
        self.clock = clock or store.clock
        self.token = token
        #: By the hash of their texts, so that they cannot go stale.
        self._specs: dict[str, TaskSpec] = {}
        #: By workflow and task; no change of a plan gives a task another specification.
        self._specs_of: dict[tuple[str, str], TaskSpec] = {}

    # The shelves are imported when one is first asked for: a server tells what it offers before.

    @cached_property
    def templates(self) -> "Templates":
        from relaybook.registry.templates import Templates

        return Templates(self._prompts)

    @cached_property
    def contracts(self) -> "Contracts":
        from relaybook.registry.contracts import Contracts

        return Contracts(self._contracts)

    @cached_property
    def compositions(self) -> "Compositions":
        from relaybook.registry.compositions import Compositions

        return Compositions(self._prompts)

    @cached_property
    def roles(self) -> "Roles":
        from relaybook.registry.roles import Roles

        return Roles(self._prompts)

    def within(self, projects: frozenset[str]) -> Self:
        """This desk for callers who may see and change only `projects`."""
        _ = self.templates, self.contracts, self.compositions, self.roles  # one for all of them
        other = copy(self)
        other.store = PartialStore(self.store, projects)
        other.projects = projects
        other._specs_of = {}  # it must find each task by itself
        return other

    def own(self, project: str) -> str:
        """`project`, if work may be put there.

        Raises:
            Forbidden: it is not one of those that are seen.
        """
        if self.projects is None or project in self.projects:
            return project
        raise Forbidden(
            f"You may not use project {project[:80]!r}.",
            allowed=", ".join(sorted(self.projects)),
            next="call again with one of these",
        )

    @property
    def home(self) -> str:
        """The project of what names none."""
        if self.projects is None or DEFAULT_PROJECT in self.projects:
            return DEFAULT_PROJECT
        return min(self.projects, default=DEFAULT_PROJECT)

    def spec(self, tx: Tx, workflow_id: str, name: str) -> "TaskSpec":
        """The specification of the task whose `spec` is `name`."""
        known = self._specs.get(name)
        if known is None:
            # Imported here: an engine that is only opened needs neither.
            from relaybook.core.plan.task_fields import read_spec
            from relaybook.store.texts import get_text

            known = read_spec(json.loads(get_text(tx, workflow_id, name)))
            _keep(self._specs, name, known)
        return known

    def spec_of(self, workflow_id: str, task_id: str) -> "TaskSpec":
        """The specification of a task.

        Raises:
            UnknownWorkflow, UnknownTask: there is none; the error names the nearest.
        """
        known = self._specs_of.get((workflow_id, task_id))
        if known is None:
            from relaybook.store.cases import spec_of

            with self.store.look() as tx:
                known = self.spec(tx, workflow_id, spec_of(tx, workflow_id, task_id))
            self.keep_spec(workflow_id, task_id, known)
        return known

    def keep_spec(self, workflow_id: str, task_id: str, spec: "TaskSpec") -> None:
        """Have the specification of a task at hand when `spec_of` is asked for it."""
        _keep(self._specs_of, (workflow_id, task_id), spec)


def _keep(known: "dict[K, TaskSpec]", key: K, spec: "TaskSpec") -> None:
    if len(known) >= SPECS_KEPT:
        known.clear()
    known[key] = spec
