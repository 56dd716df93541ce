"""How an answer is shown: as JSON, or for a person, on a terminal or as plain lines."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from relaybook.cli.shell_words import in_shell
from relaybook.cli.written import written
from relaybook.core.visible import visible

#: Members that are texts of several lines.
BLOCKS = ("prompt", "text")
#: Members that are said in words of their own, not by name.
_APART = ("summary", "next", *BLOCKS)


class Page(Protocol):
    """Where an answer is shown. Every text is clean already, and none is markup."""

    def line(self, text: str) -> None: ...

    def facts(self, facts: Mapping[str, str]) -> None: ...

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None: ...

    def block(self, text: str) -> None: ...


def print_answer(
    answer: Mapping[str, Any],
    *,
    as_json: bool,
    view: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> None:
    """Print the answer itself as JSON in ASCII, or what `view` makes of it."""
    with written():
        if as_json:
            sys.stdout.write(f"{json.dumps(answer, indent=2)}\n")
        else:
            show(view(answer), _page())


def show(answer: Mapping[str, Any], page: Page) -> None:
    """The summary, a line or several, the single facts, a table for each list of objects, texts, what is next."""
    summary = answer.get("summary") or ()
    for line in [summary] if isinstance(summary, str) else summary:
        page.line(words(line))
    tables = {name: value for name, value in answer.items() if _is_table(value)}
    facts = {
        title(name): words(value)
        for name, value in answer.items()
        if name not in _APART and name not in tables and value not in (None, "", [], {})
    }
    if facts:
        page.facts(facts)
    for name, rows in tables.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[words(row.get(column)) for column in columns] for row in rows]
        page.table(title(name), [title(column) for column in columns], cells)
    for name in BLOCKS:
        if answer.get(name):
            page.block(visible(answer[name])[0])
    if answer.get("next"):
        page.line(f"Next: {in_shell(words(answer['next']))}")
    if answer and all(value == [] for value in answer.values()):
        page.line(f"No {' and no '.join(map(title, answer))}.")


def words(value: Any) -> str:
    """Any value as one line of text that a terminal shows and does not obey."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return " ".join(visible(value)[0].split())
        case Mapping():
            return _joined(f"{title(str(name))} {words(each)}" for name, each in value.items())
        case list() | tuple():
            return _joined(map(words, value))
        case _:
            return str(value)


def title(name: str) -> str:
    """The name of a member as words."""
    return words(name).replace("_", " ")


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(text.strip() for text in texts)


def _is_table(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


def _page() -> Page:
    if sys.stdout.isatty():
        from relaybook.cli.pretty import Pretty

        return Pretty()
    from relaybook.cli.plain import Plain

    return Plain()
