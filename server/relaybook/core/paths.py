"""Paths as text: whether one lies inside the places that work may write."""

from collections.abc import Iterable


def inside(path: str, places: Iterable[str]) -> bool:
    """Whether `path` is one of `places` or lies below one, with a `/` at its end or without.

    A path that climbs out of its root by `..` is inside nothing; any other is inside where no
    places are named. `./` is the project itself and holds every relative path.
    """
    clean = normal(path)
    if clean is None:
        return False
    named = list(places)
    return not named or any(_holds(place, clean) for place in named)


def normal(path: str) -> str | None:
    """`path` without `.`, `..` and doubled or backward slashes; None if it climbs out of its root.

    The root itself is "" for relative paths and "/" for absolute ones.
    """
    forward = _forward(path)
    parts: list[str] = []
    for part in forward.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return ("/" if forward.startswith("/") else "") + "/".join(parts)


def _holds(place: str, path: str) -> bool:
    root = normal(place)
    if root is None:
        return False
    if root == "":
        return not path.startswith("/")
    return path == root or path.startswith(root.rstrip("/") + "/")


def _forward(path: str) -> str:
    return path.strip().replace("\\", "/")
