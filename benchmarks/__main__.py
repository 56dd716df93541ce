"""Measures relaybook's ground floor and prints one table: `python -m benchmarks [name ...]`.

Each ratio is the median over many short blocks of relaybook and of its floor, run by turns;
p10-p90 is the spread over the blocks. Targets bind the median.
"""

import sys
from collections.abc import Callable, Iterable, Mapping

from benchmarks import (
    counters,
    digest,
    growth,
    http,
    linear,
    makespan,
    memory,
    prompts,
    stages,
    start,
    throughput,
    tokens,
    update,
)
from benchmarks.table import HEAD

BENCHMARKS: Mapping[str, Callable[[], Iterable[str]]] = {
    "update": update.run,
    "growth": growth.run,
    "million": growth.run_million,
    "throughput": throughput.run,
    "http": http.run,
    "memory": memory.run,
    "million-calls": memory.run_million,
    "prompts": prompts.run,
    "linear": linear.run,
    "digest": digest.run,
    "stages": stages.run,
    "start": start.run,
    "counters": counters.run,
    "makespan": makespan.run,
    "tokens": tokens.run,
}

#: Benchmarks that take longer than all others, half an hour and 6 GB of disk: run if they are named.
LONG = frozenset({"million", "million-calls"})
#: Stands for all of them.
ALL = "all"


def main(names: list[str]) -> None:
    if names == [ALL]:
        names = list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
    print(HEAD, flush=True)
    for name in names or [name for name in BENCHMARKS if name not in LONG]:
        for line in BENCHMARKS[name]():
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
