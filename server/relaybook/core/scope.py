"""Write scopes: paths and resource names, each of which holds all below it."""

from collections.abc import Iterable

from relaybook.core.paths import normal

#: How what a task of a closed workflow writes is freed before its lease ends.
FREE = (
    "once its worker has stopped, update_task(status='pending', task_id, claim) frees what it "
    "writes; otherwise the end of its lease does"
)


def read_scope(said: str) -> str | None:
    """A scope in the one form that it is compared in; None for what names no place or several.

    `./src//a.py` and `src/a.py` are one file; `..` and `*` are for no scope, nor is the root.
    """
    place = normal(said)
    if ".." in said.replace("\\", "/").split("/") or "*" in said or place in {None, "", "/"}:
        return None
    return f"{place}/" if said.strip().endswith(("/", "\\")) else place


def overlap(one: str, other: str) -> bool:
    """Whether two scopes are the same, or one lies in the other.

    `docs` and `docs/` are the same: no file has the name of a folder beside it, and what has
    something below it is a folder.
    """
    near, far = as_folder(one), as_folder(other)
    return near.startswith(far) or far.startswith(near)


def clashes(writes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of (scope, task) pairs, tasks whose scopes overlap, each with one it overlaps with.

    Not every pair: a task is listed with the nearest folder above its scope. Sorting puts a
    folder just before all that it holds, so one pass finds them.
    """
    found: dict[tuple[str, str], None] = {}
    around: list[tuple[str, str]] = []
    for scope, task in sorted(set(writes), key=lambda pair: (as_folder(pair[0]), *pair)):
        while around and not overlap(around[-1][0], scope):
            around.pop()
        if around and around[-1][1] != task:
            found[(around[-1][1], task)] = None
        around.append((scope, task))
    return list(found)


def as_folder(scope: str) -> str:
    """`scope` with a `/` at its end."""
    return scope if scope.endswith("/") else f"{scope}/"
