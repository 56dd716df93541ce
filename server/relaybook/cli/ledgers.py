"""The commands for a ledger as a whole: migrate, copy, backup."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from relaybook.cli.command import whole
from relaybook.cli.exits import REFUSED, refusals
from relaybook.cli.opening import refuse_missing, refuse_worker, settings_of
from relaybook.cli.options import DurabilityOption, JsonOption, StoreOption
from relaybook.cli.printing import print_answer

group = typer.Typer()


@group.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; end with 1 if it is behind.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the tables of a ledger up to date; make them if there are none.

    Every command and server does so as it opens a ledger; this one does nothing else.
    """
    behind = _run(as_json, lambda: _migrated(store, check=check))["behind"]
    if check and behind:
        raise typer.Exit(REFUSED)


def _migrated(store: str | None, *, check: bool) -> dict[str, Any]:
    from relaybook.store.open import open_store, stored_version
    from relaybook.store.schema import MIGRATIONS

    settings = settings_of(store=store)
    refuse_worker(settings, "use relaybook migrate")
    if check and settings.named:
        refuse_missing(settings.store)
    before, latest = stored_version(settings.store), len(MIGRATIONS)
    if not check:
        open_store(settings.store).close()
    told = "is up to date"
    if before < latest:  # another process may have brought it there just now
        going = f"is to go from version {before} to {latest}"
        told = going if check else f"was at version {before} and is at {latest}"
    behind = latest - before if check else 0
    return {"from": before, "to": latest, "behind": behind, "summary": f"The ledger {told}."}


@group.command()
def copy(
    source: Annotated[
        str, typer.Option("--from", metavar="PATH|URL", help="The ledger that is copied.")
    ],
    target: Annotated[
        str, typer.Option("--to", metavar="PATH|URL", help="Where to; no row may be there.")
    ],
    durability: DurabilityOption = "full",
    as_json: JsonOption = False,
) -> None:
    """Copy a ledger whole, between files and servers, and verify every row of the copy.

    Stop what writes to the source first: what changes after the start is not copied.
    """

    def run() -> dict[str, Any]:
        from relaybook.store.copy import copy_ledger
        from relaybook.store.open import open_store

        refuse_worker(settings_of(store=source), "use relaybook copy")
        refuse_missing(source)
        with (
            closing(open_store(source)) as from_,
            closing(open_store(target, durability)) as to,
        ):
            tables = copy_ledger(from_, to)
        rows = sum(each.rows for each in tables)
        return {
            "rows": rows,
            "summary": f"{rows} rows copied, and read back as they were",
            "tables": [
                {"table": each.table, "rows": each.rows, "checksum": each.checksum}
                for each in tables
            ],
        }

    _run(as_json, run)


@group.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; nothing may be there.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a ledger into a file as it is at one moment; others may go on writing.

    The file is a ledger itself: put it back, or name it with --store.
    """

    def run() -> dict[str, Any]:
        from relaybook.store.open import open_store

        settings = settings_of(store=store)
        refuse_worker(settings, "use relaybook backup")
        refuse_missing(settings.store)
        with closing(open_store(settings.store)) as ledger:
            ledger.backup(file)
        size = file.stat().st_size
        return {"file": str(file), "bytes": size, "summary": f"{size} bytes written and checked"}

    _run(as_json, run)


def _run(as_json: bool, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    with refusals(as_json):
        answer = act()
    print_answer(answer, as_json=as_json, view=whole)
    return answer
