"""An object in JSON whose members each have a name of their own. Pure."""

from typing import Any

NAME_LIMIT = 60


def members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members, as an `object_pairs_hook` of `json`.

    Raises:
        ValueError: a name stands there twice.
    """
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"the key {name[:NAME_LIMIT]!r} stands there twice")
        members[name] = value
    return members
