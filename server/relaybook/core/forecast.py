"""How long a workflow still takes, from what its tasks take. Pure."""

from collections.abc import Sequence


def minutes_left(tasks: Sequence[tuple[float, float]], width: int, longest_chain: float) -> float:
    """Minutes until all of `tasks`, each as (expected, spent) minutes, are done.

    No schedule of `width` workers is shorter than the work divided among them, than its longest
    task, or than the longest chain of tasks that wait for each other. A task that is over its
    time counts as about to end.
    """
    rest = [max(expected - spent, 0.0) for expected, spent in tasks]
    return max([sum(rest) / width, longest_chain, *rest]) if any(rest) else 0.0
