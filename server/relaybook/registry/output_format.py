"""What remains of a template's Output Format where a task has a schema of its own.

A line that speaks of a field of the template which that schema does not have would contradict it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_QUOTED = re.compile("`([^`\n]+)`")


def fitting_lines(text: str, replaced: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """`text` without the lines whose first field of `replaced` is none of `schema`.

    With a line go those below it that are indented.
    """
    ours, theirs = set(_fields(replaced)), set(_fields(schema))
    kept: list[str] = []
    dropping = False
    for line in text.split("\n"):
        if not (dropping and line.startswith(" ")):
            named = [name for name in _QUOTED.findall(line) if name in ours]
            dropping = bool(named) and named[0] not in theirs
        if not dropping:
            kept.append(line)
    return "\n".join(kept).strip()


def _fields(schema: Any) -> Iterator[str]:
    """The names of the members that a schema declares, at any depth."""
    stack = [schema]
    while stack:
        each = stack.pop()
        if isinstance(each, Mapping):
            declared = each.get("properties")
            yield from declared if isinstance(declared, Mapping) else ()
            stack.extend(each.values())
        elif isinstance(each, list):
            stack.extend(each)
