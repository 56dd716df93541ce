"""Accepted lessons as a patch: a unified diff that adds them to the file they are meant for."""

from collections.abc import Iterable, Sequence

from relaybook.core.learning.lessons import Lesson, fingerprint

#: What a patch adds its lines under.
HEADING = "## Lessons"
#: Lines around a change that a patch shows.
CONTEXT = 3

_NO_NEWLINE = "\\ No newline at end of file"


def target_path(target: str) -> str:
    """The file that a target stands for, relative to the agent's workspace."""
    return f"skills/{target[6:]}/SKILL.md" if target.startswith("skill:") else target


def as_patch(lessons: Iterable[Lesson], target: str, current: str) -> str:
    """A unified diff that adds the lessons for `target` to its file, whose text is `current`.

    They are added at the end of the section HEADING, which is made if it is missing. A lesson
    that the text already holds is left out; with none left the patch is empty.
    """
    lines = _lines_of(lessons, target, current)
    if not lines:
        return ""
    path = target_path(target)
    old = f"a/{path}" if current else "/dev/null"
    return f"--- {old}\n+++ b/{path}\n" + _hunk(current, lines)


def _lines_of(lessons: Iterable[Lesson], target: str, current: str) -> list[str]:
    held = {fingerprint(_text_of(line)) for line in current.split("\n")}
    lines: dict[str, str] = {}
    for lesson in lessons:
        mark = fingerprint(lesson.text)
        if lesson.target == target and mark not in held:
            lines.setdefault(mark, f"- {lesson.text} [task {lesson.source_task}]")
    return list(lines.values())


def _text_of(line: str) -> str:
    """The text of a lesson in a line that a patch added."""
    return line.removeprefix("- ").rpartition(" [task ")[0]


def _place(old: Sequence[str], lines: Sequence[str]) -> tuple[int, list[str]]:
    """Before which of the old lines to insert, and what: with the heading if it is missing."""
    heading = next((n for n, line in enumerate(old) if line.rstrip() == HEADING), None)
    if heading is None:
        gap = [""] if old and old[-1].strip() else []
        return len(old), [*gap, HEADING, "", *lines]
    at = heading + 1
    while at < len(old) and not old[at].startswith(("# ", "## ")):
        at += 1
    while not old[at - 1].strip():
        at -= 1
    return at, [*([""] if at == heading + 1 else []), *lines]


def _hunk(current: str, lines: Sequence[str]) -> str:
    """The one hunk that inserts `lines`; a last line that lacks its newline is given one."""
    old = current.split("\n")
    whole = old[-1] == ""
    if whole:
        old.pop()
    at, added = _place(old, lines)
    if old and old[0].endswith("\r"):
        added = [f"{line}\r" for line in added]
    start = max(0, at - CONTEXT)
    before, after = old[start:at], old[at : at + CONTEXT]
    body = [f" {line}" for line in before]
    if not whole and at == len(old):
        body[-1:] = [f"-{old[-1]}", _NO_NEWLINE, f"+{old[-1]}"]
    body += [f"+{line}" for line in added] + [f" {line}" for line in after]
    if not whole and at < len(old) <= at + CONTEXT:
        body.append(_NO_NEWLINE)
    size = len(before) + len(after)
    first = start + 1 if size else 0
    head = f"@@ -{first},{size} +{start + 1},{size + len(added)} @@"
    return "\n".join([head, *body, ""])
