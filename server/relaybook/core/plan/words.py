"""What the words of a plan say against it: orders to spawn, two deliverables, the same text twice."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from relaybook.core.plan.guards import Finding, named
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.prompt_rules import orders_several, orders_to_spawn
from relaybook.core.severity import Severity
from relaybook.core.text import canonical, text_hash, texts_in

#: Words from which a text that most tasks are given is a dump.
DUMP_WORDS = 40

#: What no task is to be told, and what is said of the tasks that are.
ORDERS = (
    (
        orders_to_spawn,
        Finding(
            Severity.WARN,
            "recursive_dream",
            "a worker is told to spawn or delegate",
            "a worker that starts workers makes a tree that nobody can trace or recover",
            "split the task in your own plan; you are the only orchestrator",
        ),
    ),
    (
        orders_several,
        Finding(
            Severity.WARN,
            "deliverables",
            "more than one deliverable",
            "half done cannot be told from done, and a retry repeats what was right",
            "split it: one clear deliverable per task",
        ),
    ),
)


def check_words(specs: Sequence[TaskSpec]) -> list[Finding]:
    """The guards that read what tasks are told; partitions of items share all but their items."""
    own = [spec for spec in specs if not spec.items]
    return [*_ordered(specs), *_dumped(own), *_repeated(own)]


def _ordered(specs: Sequence[TaskSpec]) -> Iterator[Finding]:
    for ordered, finding in ORDERS:
        ids = [spec.id for spec in specs if ordered(spec.label)]
        if ids:
            yield replace(finding, what=f"{finding.what}: {named(ids)}")


def _dumped(specs: Sequence[TaskSpec]) -> Iterator[Finding]:
    """Long texts that more than half of the tasks are given; a panel judges one proposal."""
    given = _by_text(
        specs, lambda spec: set(texts_in(spec.args)) if not spec.expert_role else set()
    )
    for text, ids in given.items():
        words = len(text.split())
        if len(ids) > 1 and len(ids) * 2 > len(specs) and words >= DUMP_WORDS:
            yield Finding(
                Severity.WARN,
                "context_dump",
                f"the same {words} words are given to {named(ids)}",
                "every worker pays for them, and latches on to details that are not its own",
                "give each only its part; what all must know, say once in shared_decisions",
            )
            return


def _repeated(specs: Sequence[TaskSpec]) -> Iterator[Finding]:
    same = _by_text(specs, lambda spec: {text_hash(canonical(_told(spec)))})
    ids = next((ids for ids in same.values() if len(ids) > 1), None)
    if ids:
        yield Finding(
            Severity.WARN,
            "same_task",
            f"tasks that are told the same: {named(ids)}",
            "the same work is done and paid twice",
            "write each for its own part, or drop all but one",
        )


def _told(spec: TaskSpec) -> list[Any]:
    """All that tells its worker from the others."""
    takes = [[take.source, *take.fields] for take in spec.takes]
    waits = sorted(spec.depends_on)
    return [spec.label, spec.template, spec.args, spec.expert_role, spec.writes, takes, waits]


def _by_text(
    specs: Sequence[TaskSpec], texts: Callable[[TaskSpec], set[str]]
) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for spec in specs:
        for text in texts(spec):
            found[text].append(spec.id)
    return found
