"""Stands in for an agent in the demo: reads a prompt, answers with a `<result>` block.

This is no language model and understands nothing. It counts: comment lines, code lines, and
which public functions and classes have a docstring. Its score, from 1 to 5, is

    1 + 4 x (7/10 of the share of public definitions with a docstring, the module among them,
             + 3/10 of the comment lines per 10 code lines, at most one), rounded half up

The same file always gets the same score, so what the demo prints can be checked.
"""

import ast
import io
import json
import re
import sys
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_FENCE = re.compile(
    r'^<data-(\w+) source="items"[^>\n]*>\n(.*?)^</data-\1>$', re.MULTILINE | re.DOTALL
)
_PARTITION = re.compile(r"^- `partition`: (\S+)\.$", re.MULTILINE)
_SCHEMA = re.compile(
    r"^- Each `answer` that is not null matches this JSON Schema: (\{.*\})$", re.MULTILINE
)
_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)
_Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted in one file."""

    code_lines: int
    comment_lines: int
    #: The module and its public classes, functions and methods.
    public: int
    documented: int
    #: None if the file has no code.
    score: int | None


def main() -> None:
    prompt = sys.stdin.read()
    figures_wanted = _wants_object(prompt)
    items = [_answer(path, figures_wanted) for path in _paths(prompt)]
    answered = sum(item["answer"] is not None for item in items)
    result = {
        "status": "ok",
        "summary": f"{answered} of {len(items)} files judged",
        "data": {"partition": _partition(prompt), "items": items, "carry_over": []},
    }
    sys.stdout.write(f"Counted, not understood.\n\n<result>\n{json.dumps(result)}\n</result>\n")


def measure(source: bytes) -> Figures:
    """The figures of a Python file.

    Raises:
        SyntaxError, ValueError, RecursionError: it is not Python that this Python reads.
        tokenize.TokenError: it ends in the middle of something.
    """
    tree = ast.parse(source)
    definitions = list(_public(tree))
    documented = [node for node in definitions if ast.get_docstring(node) is not None]
    comments, code = set[int](), set[int]()
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in _NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    code -= _docstring_lines(tree)
    return Figures(
        code_lines=len(code),
        comment_lines=len(comments),
        public=len(definitions),
        documented=len(documented),
        score=_score(len(code), len(comments), len(documented) / len(definitions)),
    )


def _score(code: int, comments: int, documented: float) -> int | None:
    if not code:
        return None
    density = min(1.0, comments / (code / 10))
    return int(1 + 4 * (0.7 * documented + 0.3 * density) + 0.5)


def _public(node: _Definition) -> Iterator[_Definition]:
    """The node and the public definitions directly in it, and so on."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for child in node.body:
        if isinstance(child, _Definition) and not child.name.startswith("_"):
            yield from _public(child)


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, _Definition) and ast.get_docstring(node) is not None:
            first = node.body[0]
            lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def _answer(path: str, figures_wanted: bool) -> dict[str, Any]:
    try:
        figures = measure(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, tokenize.TokenError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        return _item(path, "The file could not be read as Python.", reason, None, "low")
    info = (
        f"{figures.comment_lines} comment lines, {figures.code_lines} code lines, "
        f"{figures.documented} of {figures.public} public definitions documented."
    )
    reason = "By the formula." if figures.score is not None else "There is no code to judge."
    answer = asdict(figures) if figures_wanted else figures.score
    return _item(path, info, reason, answer, "high")


def _item(path: str, info: str, rationale: str, answer: Any, confidence: str) -> dict[str, Any]:
    return {
        "id": path,
        "info": info,
        "rationale": rationale,
        "answer": answer,
        "confidence": confidence,
    }


def _paths(prompt: str) -> list[str]:
    fence = _FENCE.search(prompt)
    return [json.loads(line)["id"] for line in fence[2].splitlines()] if fence else []


def _partition(prompt: str) -> str:
    found = _PARTITION.search(prompt)
    return found[1] if found else ""


def _wants_object(prompt: str) -> bool:
    """Whether the answer of a file is to be its figures, rather than its score alone."""
    found = _SCHEMA.search(prompt)
    return bool(found) and json.loads(found[1]).get("type") == "object"


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of what the files read would warn when compiled
    main()
