"""What every store is, whichever database is under it."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relaybook.core.text import text_hash
from relaybook.engine import Engine
from relaybook.errors import Refusal, StoreUnreachable, TransactionLost, UnknownWorkflow
from relaybook.store.base import Store, Tx
from relaybook.store.events import read_events
from relaybook.store.open import anywhere, open_store
from relaybook.store.sqlite import SqliteStore
from relaybook.store.texts import get_text, put_texts
from tests.helpers import (
    STORES,
    Clock,
    dump,
    engine_on,
    fail,
    start,
    store_name,
    task,
    update,
    workflow,
)

ODD = "a\0b \ud800 \U0001f600 %s %% ::text :name 'x"
STORED = "a\ufffdb \ufffd \U0001f600 %s %% ::text :name 'x"


def at_once(work: Callable[[int], str], times: int) -> list[str]:
    """What `work(0)`, `work(1)` … answer, or the codes of their refusals, sorted.

    All begin together.
    """
    gate = threading.Barrier(times)

    def one(number: int) -> str:
        gate.wait()
        try:
            return work(number)
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(times) as threads:
        return sorted(threads.map(one, range(times)))


def test_what_fails_half_way_leaves_nothing(ledger: Store, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    before = dump(ledger)

    def change(tx: Tx) -> None:
        tx.rows("UPDATE tasks SET label = 'changed'")
        put_texts(tx, workflow_id, ["a text"])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), ledger.transaction() as tx:
        change(tx)

    assert dump(ledger) == before


def test_a_reader_sees_one_moment(ledger: Store, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    sql = "SELECT seq FROM workflows"

    with ledger.read() as tx:
        first = tx.rows(sql)
        with ThreadPoolExecutor(1) as threads:
            threads.submit(start, engine, workflow_id, "a").result()
        second = tx.rows(sql)

    assert (first, second) == ([(2,)], [(2,)])
    with ledger.read() as tx:
        assert tx.rows(sql) == [(3,)]


def test_a_colon_and_a_percent_sign_in_a_statement_stand_for_themselves(ledger: Store) -> None:
    sql = "SELECT ':no' , 'it''s 100 %', 'a' LIKE :like, :like"

    with ledger.read() as tx:
        row = tx.rows(sql, {"like": "%"})[0]

    assert (row[0], row[1], bool(row[2]), row[3]) == (":no", "it's 100 %", True, "%")


def test_a_text_no_database_can_hold_is_kept_under_the_hash_of_what_was_sent(
    ledger: Store, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")

    with ledger.transaction() as tx:
        put_texts(tx, workflow_id, [ODD, ODD])

    with ledger.read() as tx:
        assert get_text(tx, workflow_id, text_hash(ODD)) == STORED


def test_odd_characters_in_any_argument_are_stored_alike_in_row_and_event(
    ledger: Store, engine: Engine
) -> None:
    workflow_id = workflow(engine, task("a", label=f"label {ODD}"))
    start(engine, workflow_id, "a")

    fail(engine, workflow_id, "a", ODD, output=ODD)

    with ledger.read() as tx:
        rows = tx.rows("SELECT label, error FROM tasks")
        event = read_events(tx, workflow_id)[-1]
    assert rows == [(f"label {STORED}", STORED)]
    assert event.data["error"] == STORED


def test_a_report_with_odd_characters_is_recognised_when_repeated(engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    claim = start(engine, workflow_id, "a")

    fail(engine, workflow_id, "a", "no", output=ODD, claim=claim)
    again = fail(engine, workflow_id, "a", "no", output=ODD, claim=claim)

    assert again["repeated"] is True


def test_odd_characters_in_an_id_are_an_id_that_is_not_there(engine: Engine) -> None:
    with pytest.raises(UnknownWorkflow):
        engine.show_workflow(ODD)


@pytest.mark.requirement("S7")
def test_of_several_who_claim_one_task_at_once_one_has_it(engine: Engine) -> None:
    workflow_id = workflow(engine, "a")

    answers = at_once(lambda _: str(engine.claim_task(workflow_id)["claimed"]), 4)

    assert answers == ["False", "False", "False", "True"]


def test_several_who_claim_at_once_have_a_task_each(engine: Engine) -> None:
    workflow_id = workflow(engine, *(f"t{n}" for n in range(4)))

    answers = at_once(lambda _: engine.claim_task()["task_id"], 4)

    assert answers == ["t0", "t1", "t2", "t3"]
    assert engine.show_workflow(workflow_id)["counts"] == {"in_progress": 4}


def test_one_request_sent_several_times_at_once_makes_one_workflow(
    ledger: Store, engine: Engine
) -> None:
    answers = at_once(lambda _: workflow(engine, "a", request_id="r1"), 4)

    assert len(set(answers)) == 1
    assert len(dump(ledger)["workflows"]) == 1


def test_one_scope_is_held_by_one_task_whatever_its_workflow(engine: Engine) -> None:
    ids = [workflow(engine, task("a", writes=[place])) for place in ("docs/", "docs/a.md")]

    answers = at_once(lambda n: update(engine, ids[n], "a", "in_progress")["status"], 2)

    assert answers == ["held", "in_progress"]


def test_a_claim_passes_over_workflows_whose_tasks_are_held(engine: Engine) -> None:
    first, _held = (workflow(engine, task("a", writes=["docs/"])) for _ in range(2))
    free = workflow(engine, "a")
    start(engine, first, "a")

    assert engine.claim_task()["workflow_id"] == free


def test_a_verb_whose_transaction_was_lost_runs_once_more(ledger: Store, engine: Engine) -> None:
    lost = [TransactionLost("gone")]
    clock = engine.clock

    def lose_once() -> float:
        if lost:
            raise lost.pop()
        return clock()

    workflow_id = workflow(engine, "a")
    engine.clock = lose_once

    assert engine.claim_task(workflow_id)["claimed"]
    assert len(dump(ledger)["attempts"]) == 1


def test_a_verb_is_not_run_a_third_time(engine: Engine) -> None:
    lost = [TransactionLost("gone"), TransactionLost("gone again"), TransactionLost("for good")]

    def lose() -> float:
        raise lost.pop(0)

    workflow_id = workflow(engine, "a")
    engine.clock = lose

    with pytest.raises(TransactionLost, match="gone again"):
        engine.claim_task(workflow_id)


@pytest.mark.parametrize("kind", STORES)
def test_an_engine_has_the_time_of_its_store(kind: str, tmp_path: Path) -> None:
    store = open_store(store_name(kind, tmp_path))
    engine = Engine(store)

    assert engine.clock == store.clock
    store.close()


@pytest.mark.requirement("S134")
@pytest.mark.parametrize("kind", STORES)
def test_a_ledger_that_is_opened_again_is_as_it_was(kind: str, tmp_path: Path) -> None:
    name = store_name(kind, tmp_path)
    first = open_store(name)
    workflow(engine_on(first, Clock()), "a", "b")
    before = dump(first)
    first.close()

    second = open_store(name)

    assert dump(second) == before
    second.close()


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_a_path_is_a_file(prefix: str, tmp_path: Path) -> None:
    store = open_store(f"{prefix}{tmp_path}/ledger.db")

    assert isinstance(store, SqliteStore)
    assert (tmp_path / "ledger.db").exists()
    store.close()


@pytest.mark.parametrize("name", ["ledger.db", "sqlite:///ledger.db"])
def test_a_file_has_a_name_that_holds_in_every_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert anywhere(name) == str(tmp_path / "ledger.db")
    assert anywhere(f"sqlite:///{tmp_path}/ledger.db") == str(tmp_path / "ledger.db")
    assert anywhere("postgresql://host/ledger") == "postgresql://host/ledger"


@pytest.mark.parametrize("name", ["mysql://ann:secret@host", "sqlite://ledger.db", "sqlite:///"])
def test_a_store_of_no_known_kind_is_refused(name: str) -> None:
    with pytest.raises(StoreUnreachable, match="There is no store of the kind") as refused:
        open_store(name)

    assert "secret" not in str(refused.value)


def test_postgres_without_its_extra_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "relaybook.store.postgres", raising=False)

    with pytest.raises(StoreUnreachable) as caught:
        open_store("postgresql://localhost/ledger")

    assert "pip install 'relaybook[postgres]'" in caught.value.next
