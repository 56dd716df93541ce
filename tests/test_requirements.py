"""Every requirement listed is named by a test, and every test names listed ones."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
LISTED = tomllib.loads((TESTS / "requirements.toml").read_text(encoding="utf-8"))


def named() -> Iterator[str]:
    """The ids in every `requirement(...)` mark below tests/."""
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
                yield from (ast.literal_eval(argument) for argument in node.args)


def test_each_requirement_listed_is_named_by_a_test_and_each_named_is_listed() -> None:
    listed = set(LISTED["requirements"]) | set(LISTED["decisions"])

    assert set(named()) == listed
