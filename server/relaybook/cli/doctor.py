"""doctor: what is wrong with an installation and its ledger, and how to mend it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import typer

from relaybook.cli.command import whole
from relaybook.cli.exits import REFUSED
from relaybook.cli.opening import missing, open_engine, refuse_worker, settings_of
from relaybook.cli.options import ContractsOption, JsonOption, PromptsOption, StoreOption
from relaybook.cli.printing import print_answer
from relaybook.errors import Refusal
from relaybook.settings import Settings

group = typer.Typer()

#: What relaybook does not run without, and what it can do without.
NEEDED = ("mcp", "pydantic", "sqlite-utils", "jinja2", "PyYAML", "jsonschema", "typer", "rich")
OPTIONAL = ("psycopg",)

#: What was looked at, what was found there, and what to do; nothing where all is well.
Found = tuple[str, str, str]


@group.command()
def doctor(
    store: StoreOption = None,
    prompts: PromptsOption = None,
    contracts: ContractsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at libraries, settings, ledger, templates and contracts; say what is wrong.

    Ends with 1 if something is. Changes nothing, except that opening a ledger
    brings its tables up to date.
    """
    found = [*_libraries(), *_looked_at(lambda: _settings(store, prompts, contracts))]
    wrong = sum(bool(mend) for _, _, mend in found)
    answer: dict[str, Any] = {
        "summary": f"{len(found)} checks, {wrong or 'nothing'} wrong",
        "wrong": wrong,
        "checks": [
            {"check": name, "status": "error" if mend else "ok", "found": told, "mend": mend}
            for name, told, mend in found
        ],
    }
    print_answer(answer, as_json=as_json, view=whole)
    if wrong:
        raise typer.Exit(REFUSED)


def _looked_at(look: Callable[[], Iterator[Found]]) -> Iterator[Found]:
    """What `look` finds, until it meets a refusal, which is found as well."""
    try:
        yield from look()
    except Refusal as refusal:
        yield refusal.code, refusal.message, refusal.next or "correct it"


def _libraries() -> Iterator[Found]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from relaybook import __version__

    yield "relaybook", f"{__version__} on Python {platform.python_version()}", ""
    for name in (*NEEDED, *OPTIONAL):
        try:
            yield name, version(name), ""
        except PackageNotFoundError:
            mend = "" if name in OPTIONAL else f"pip install {name}"
            yield name, "not installed", mend


def _settings(
    store: str | None, prompts: list[Path] | None, contracts: list[Path] | None
) -> Iterator[Found]:
    settings = settings_of(store=store, prompts=prompts, contracts=contracts)
    refuse_worker(settings, "use relaybook doctor")
    yield "role", settings.role, ""
    yield from _looked_at(lambda: _ledger(settings))
    yield from _looked_at(lambda: _files(settings))


def _ledger(settings: Settings) -> Iterator[Found]:
    from relaybook.store.open import file_of
    from relaybook.store.schema import MIGRATIONS
    from relaybook.store.sqlite_file import read_only_uri

    if path := missing(settings.store):
        yield "ledger", f"none at {path} yet; relaybook create or serve makes it", ""
        return
    engine = open_engine(settings, "there")
    with closing(engine.store) as ledger:
        with ledger.read() as tx:
            count = tx.rows("SELECT count(*) FROM workflows")[0][0]
        file = file_of(settings.store)
        told = f"{count} workflow(s), tables of version {len(MIGRATIONS)}"
        if file is not None and read_only_uri(file):
            told += ", can be read and not written"
        yield "ledger", f"{file or 'PostgreSQL'}: {told}", ""
        faults = ledger.faults()
        yield (
            "integrity",
            "; ".join(faults) or "sound",
            "stop what uses it, and put a backup in its place" if faults else "",
        )


def _files(settings: Settings) -> Iterator[Found]:
    from relaybook.registry.check_files import file_problems
    from relaybook.registry.compositions import Compositions
    from relaybook.registry.contracts import Contracts
    from relaybook.registry.roles import Roles
    from relaybook.registry.templates import Templates

    templates, contracts = Templates(settings.prompts), Contracts(settings.contracts)
    compositions, roles = Compositions(templates.folders), Roles(templates.folders)
    shelves = {
        "templates": templates,
        "compositions": compositions,
        "roles": roles,
        "contracts": contracts,
    }
    for name, shelf in shelves.items():
        yield name, f"{len(shelf.names())} found", ""
    for name, problem in file_problems(templates, compositions, roles):
        told = f"{problem.path} line {problem.line}: {problem.reason}"
        yield name, told, "correct the file"
    for fault in contracts.problems():
        yield "contracts", f"{fault.path}: {fault.reason}", "correct the file"
