"""Pages of workflows by their last change, while workflows go on changing.

A page begins after a row, not after a number of rows. A workflow that changes meanwhile leaves
its place, so what changed since the first page follows at the end, the oldest change first.
"""

import re
from typing import NamedTuple

from relaybook.errors import InvalidArguments
from relaybook.model import Workflow
from relaybook.store.base import Tx
from relaybook.store.tables import WORKFLOWS

_TIME = r"\d{1,12}\.\d{1,9}"
_CURSOR = re.compile(rf"(?P<begun>{_TIME}),(?P<at>{_TIME}),(?P<id>[\w-]{{1,64}})", re.ASCII)
_FIRST = "ORDER BY updated_at DESC, id LIMIT :limit"
_AFTER = f"AND updated_at <= :at AND (updated_at < :at OR id > :id) {_FIRST}"
_CHANGED = (
    "AND updated_at > :begun AND (updated_at > :at OR (updated_at = :at AND id > :id))"
    " ORDER BY updated_at, id LIMIT :limit"
)


class Place(NamedTuple):
    """After the row `id`, changed at `at`, of a list whose newest change was at `begun`.

    Both in epoch seconds.
    """

    begun: float
    at: float
    id: str

    def __str__(self) -> str:
        return f"{self.begun!r},{self.at!r},{self.id}"

    def after(self, row: Workflow) -> "Place":
        return self._replace(at=row.updated_at, id=row.id)


def place_of(cursor: str) -> Place | None:
    """Where the page that `cursor` names begins; None for the first.

    Raises:
        InvalidArguments: it names none.
    """
    if not cursor:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidArguments(
            f"cursor {cursor[:60]!r} is not one that relaybook gave for a list of workflows.",
            allowed="the cursor of the answer before, word for word",
            next="leave it out to begin again",
        )
    return Place(float(found["begun"]), float(found["at"]), found["id"])


def rows_from(
    tx: Tx, where: str, params: dict[str, str | None], place: Place | None, limit: int
) -> list[Workflow]:
    """Up to `limit` of the workflows for which `where` holds, from `place` on."""
    if place is None:
        return WORKFLOWS.find(tx, f"{where} {_FIRST}", **params, limit=limit)
    here = {**params, **place._asdict()}
    found: list[Workflow] = []
    if place.at <= place.begun:
        found = WORKFLOWS.find(tx, f"{where} {_AFTER}", **here, limit=limit)
    if len(found) < limit:
        found += WORKFLOWS.find(tx, f"{where} {_CHANGED}", **here, limit=limit - len(found))
    return found
