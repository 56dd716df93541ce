"""migrate and copy through the command line, on every kind of store."""

import json
from pathlib import Path

import pytest

from relaybook.engine import Engine
from relaybook.store.open import file_of, open_store, stored_version
from relaybook.store.schema import MIGRATIONS
from tests.helpers import STORES, dump, store_name

from .conftest import Cli


@pytest.mark.parametrize("kind", STORES)
def test_migrate_makes_the_tables_once_and_says_what_it_did(
    kind: str, cli: Cli, tmp_path: Path
) -> None:
    name = store_name(kind, tmp_path)

    told = [cli("migrate", "--store", name, "--json").json for _ in range(2)]

    latest = len(MIGRATIONS)
    assert [(each["from"], each["to"]) for each in told] == [(0, latest), (latest, latest)]
    assert [each["behind"] for each in told] == [0, 0]
    assert [each["summary"] for each in told] == [
        f"The ledger was at version 0 and is at {latest}.",
        "The ledger is up to date.",
    ]
    assert stored_version(name) == latest


@pytest.mark.parametrize("kind", STORES)
def test_migrate_check_changes_nothing_and_ends_with_1_while_there_is_something_to_do(
    kind: str, cli: Cli, tmp_path: Path
) -> None:
    named = ("--store", store_name(kind, tmp_path))
    if (file := file_of(named[1])) is not None:
        file.touch()

    fresh = cli("migrate", "--check", *named)
    untouched = stored_version(named[1])
    cli("migrate", *named)
    done = cli("migrate", "--check", *named)

    assert (fresh.code, untouched, done.code) == (1, 0, 0)
    assert fresh.out.startswith(f"The ledger is to go from version 0 to {len(MIGRATIONS)}.")
    assert done.out.startswith("The ledger is up to date.")


@pytest.mark.parametrize("named", ["none.db", "."])
def test_migrate_check_of_what_is_no_file_does_not_read_as_behind(named: str, cli: Cli) -> None:
    ran = cli("migrate", "--check", "--store", named, "--json")

    assert (ran.code, json.loads(ran.err)["code"]) == (5, "store_unreachable")


def test_migrate_check_of_the_ledger_that_nobody_named_says_that_there_is_none_yet(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELAYBOOK_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    ran = cli("migrate", "--check", "--json")

    assert (ran.code, ran.json["from"]) == (1, 0)


def test_a_copy_onto_a_ledger_with_rows_is_in_conflict_with_it(
    cli: Cli, twin: tuple[Engine, str], ledger: Path, tmp_path: Path
) -> None:
    ran = cli("copy", "--from", str(ledger), "--to", str(tmp_path / "copy.db"), "--json")

    assert (ran.code, json.loads(ran.err)["code"]) == (4, "already_there")


def test_copy_moves_a_ledger_to_a_server_with_counts_and_checksums(
    cli: Cli, twin: tuple[Engine, str], ledger: Path, tmp_path: Path
) -> None:
    url = store_name("postgres", tmp_path)

    told = cli("copy", "--from", f"sqlite:///{ledger}", "--to", url, "--json").json

    store = open_store(url)
    rows = dump(store)
    store.close()
    assert rows == dump(twin[0].store)
    assert {each["table"]: each["rows"] for each in told["tables"]} == {
        name: len(rows[name]) for name in rows
    }
    assert all(len(each["checksum"]) == 64 for each in told["tables"])


def test_copy_refuses_a_source_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    ran = cli("copy", "--from", "nowhere.db", "--to", "new.db", "--json")

    assert (ran.code, json.loads(ran.err)["code"]) == (5, "store_unreachable")
    assert not (tmp_path / "nowhere.db").exists()
    assert not (tmp_path / "new.db").exists()
