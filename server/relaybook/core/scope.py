"""Write scopes: paths and resource names, of which a folder ends in `/` and holds all below it."""

from collections.abc import Iterable


def overlap(one: str, other: str) -> bool:
    """Whether two scopes are the same, or one is a folder that holds the other."""
    return one == other or _holds(one, other) or _holds(other, one)


def clashes(writes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of (scope, task) pairs, tasks whose scopes overlap, each with one it overlaps with.

    Not every pair: a task is listed with the nearest folder above its scope. Sorting puts a
    folder just before all that it holds, so one pass finds them.
    """
    found: dict[tuple[str, str], None] = {}
    around: list[tuple[str, str]] = []
    for scope, task in sorted(set(writes)):
        while around and not overlap(around[-1][0], scope):
            around.pop()
        if around and around[-1][1] != task:
            found[(around[-1][1], task)] = None
        around.append((scope, task))
    return list(found)


def _holds(folder: str, scope: str) -> bool:
    return folder.endswith("/") and scope.startswith(folder)
