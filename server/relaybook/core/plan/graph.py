"""The graph of a plan: which tasks wait for which, in what order, and the longest way on.

`needs` maps each task to the tasks that it waits for. A name that is needed but is no key is
passed over: whoever reads a plan refuses it there. Every function takes time linear in tasks
and needs, and none recurses, so a chain may be as long as the plan.
"""

from collections.abc import Iterator, Mapping, Sequence

from relaybook.errors import InvalidPlan

Needs = Mapping[str, Sequence[str]]

#: How many tasks of a circle a refusal names.
SHOWN = 6


def find_cycle(needs: Needs) -> list[str]:
    """Tasks of which each needs the next, and the last the first; empty if there are none."""
    return _walk(needs)[1]


def order(needs: Needs) -> list[str]:
    """Every task after all that it needs; a plan that is in such an order already keeps it.

    Raises:
        InvalidPlan: tasks wait for each other in a circle.
    """
    found, cycle = _walk(needs)
    if cycle:
        raise InvalidPlan(
            f"These tasks wait for each other: {_loop(cycle)}.",
            allowed="a task may need only tasks that do not need it",
            next="remove one of these dependencies and send the plan again",
        )
    return found


def layers(needs: Needs) -> list[list[str]]:
    """Tasks by how many must run one after the other before them, each layer in plan order."""
    depth: dict[str, int] = {}
    for task in order(needs):
        depth[task] = 1 + max((depth[need] for need in needs[task] if need in depth), default=-1)
    found: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for task in needs:
        found[depth[task]].append(task)
    return found


def waits(needs: Needs, task: str, other: str) -> bool:
    """Whether `task` starts only once `other` is over."""
    seen, queue = {task}, [task]
    while queue:
        for need in needs.get(queue.pop(), ()):
            if need == other:
                return True
            if need not in seen:
                seen.add(need)
                queue.append(need)
    return False


def chains(minutes: Mapping[str, float], needs: Needs) -> dict[str, float]:
    """Per task, minutes from its start to the end of the longest path of tasks that wait for it."""
    longest = {task: float(minutes[task]) for task in needs}
    for task in reversed(order(needs)):
        for need in needs[task]:
            if need in longest:
                longest[need] = max(longest[need], minutes[need] + longest[task])
    return longest


def _walk(needs: Needs) -> tuple[list[str], list[str]]:
    """Depth first through the needs: all tasks with needs before needers, or the first cycle."""
    done: dict[str, None] = {}
    #: The tasks between the one that was begun with and the one being looked at.
    path: dict[str, Iterator[str]] = {}
    for start in needs:
        if start not in done:
            path[start] = iter(needs[start])
        while path:
            task = next(reversed(path))
            need = next(path[task], None)
            if need is None:
                done[task] = None
                path.popitem()
            elif need in path:
                names = list(path)
                return [], names[names.index(need) :]
            elif need in needs and need not in done:
                path[need] = iter(needs[need])
    return list(done), []


def _loop(cycle: Sequence[str]) -> str:
    """A cycle to read, such as `'a' → 'b' → 'a'`; of a long one its first tasks."""
    shown = [repr(task) for task in cycle[:SHOWN]]
    if len(cycle) > SHOWN:
        shown.append(f"{len(cycle) - SHOWN} more")
    return " → ".join([*shown, repr(cycle[0])])
