"""Imports point one way. Each row of ALLOWED names what a part may import from relaybook."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from relaybook.core.plan.graph import find_cycle

ROOT = Path(__file__).parents[2] / "server" / "relaybook"

#: From the bottom up; a part is a module or a package directly under relaybook.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "model": set(),
    "core": {"errors", "model"},
    "registry": {"errors", "model", "core"},
    "store": {"errors", "model", "core"},
    "engine": {"errors", "model", "core", "registry", "store"},
    "playbook": {"errors", "model", "core", "registry", "store", "engine"},
    "settings": {"errors", "model"},
    "board": set(),
    "surface": {"errors", "model", "core", "registry", "store", "engine", "board"},
    "worker": {"errors", "model", "core", "engine"},
    "cli": {"errors", "model", "core", "registry", "store", "engine", "settings", "surface"}
    | {"worker"},
    "__main__": {"cli"},
}

#: The only part that may import each of these libraries.
OWNERS: dict[str, set[str]] = {
    "jinja2": {"registry"},
    "yaml": {"registry"},
    "sqlite_utils": {"store"},
    "sqlite3": {"store"},
    "mcp": {"surface"},
    "mcp_types": {"surface"},
    "pydantic": {"surface"},
    "starlette": {"surface"},
    "uvicorn": {"surface"},
    "sse_starlette": {"surface"},
    "jwt": {"surface"},
    "httpx2": {"surface"},
    "typer": {"cli"},
    "rich": {"cli", "worker"},
    "jsonschema": {"core", "registry"},
    "rapidfuzz": {"core"},
    "jsonschema_rs": {"core"},
    "opentelemetry": {"surface"},
    "prometheus_client": {"surface"},
    "psycopg": {"store"},
    "time": {"cli", "engine", "store", "surface", "worker"},
    "random": {"store", "surface"},
    "secrets": {"engine", "surface"},
}

MODULES = sorted(ROOT.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Every module that `path` imports, wherever in the file; `from a import b` as a.b."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_from_the_parts_below_it(path: Path) -> None:
    part = part_of(path)
    wanted = {name.split(".")[1] for name in imported(path) if name.startswith("relaybook.")}

    above = wanted - ALLOWED.get(part, set()) - {part, "__version__"}

    assert part == "__init__" or part in ALLOWED, f"say in ALLOWED what {part} may import"
    assert not above


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_library_is_imported_only_by_the_part_that_owns_it(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imported(path)}

    strayed = {name for name in libraries & set(OWNERS) if part_of(path) not in OWNERS[name]}

    assert not strayed


def modules_needed(path: Path) -> set[str]:
    """The modules of relaybook that `path` imports, or imports a name from."""
    named = {found for name in imported(path) for found in (name, name.rpartition(".")[0])}
    return named & {name_of(module) for module in MODULES} - {name_of(path)}


def test_no_two_modules_import_each_other() -> None:
    # A package's __init__ re-exports its modules; a module that imports its own package for
    # another module of it is not a circle.
    needs = {
        name_of(path): [
            need for need in modules_needed(path) if not name_of(path).startswith(f"{need}.")
        ]
        for path in MODULES
    }

    assert find_cycle(needs) == []


def folder_of(name: str) -> str:
    """The folder inside its part that a module stands in, or the module itself if it is in none."""
    return ".".join(name.split(".")[:3])


def test_no_two_folders_of_a_part_import_from_each_other() -> None:
    needs: dict[str, set[str]] = {folder_of(name_of(path)): set() for path in MODULES}
    for path in MODULES:
        folder = folder_of(name_of(path))
        found = {folder_of(need) for need in modules_needed(path)}
        needs[folder] |= {need for need in found - {folder} if not folder.startswith(f"{need}.")}

    assert find_cycle({folder: sorted(found) for folder, found in needs.items()}) == []
