"""A commit that the database did not confirm: run again where that is harmless, else told."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import OutcomeUnknown
from relaybook.store.postgres import PostgresStore
from tests.helpers import Clock, dump, engine_on, result, start, store_name, workflow

Lose = Callable[[int], None]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    store = PostgresStore(store_name("postgres", tmp_path))
    yield engine_on(store, Clock())
    store.close()


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> Lose:
    """Makes the connection of so many commits break after the commit and before its answer."""
    left = [0]
    commit = psycopg.Connection.commit

    def unconfirmed(connection: psycopg.Connection) -> None:
        writes = connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
        read_only = writes and connection.execute("SHOW transaction_read_only").fetchone()
        commit(connection)
        if read_only == ("off",) and left[0]:
            left[0] -= 1
            connection.close()
            raise psycopg.OperationalError("the connection was cut")

    monkeypatch.setattr(psycopg.Connection, "commit", unconfirmed)

    def set_left(count: int) -> None:
        left[0] = count

    return set_left


def test_a_creation_with_a_request_id_is_done_once_and_answered(engine: Engine, lose: Lose) -> None:
    lose(1)

    workflow_id = workflow(engine, "a", request_id="r1")

    assert [row[0] for row in dump(engine.store)["workflows"]] == [workflow_id]


def test_a_creation_without_one_is_told_to_be_unknown_and_not_repeated(
    engine: Engine, lose: Lose
) -> None:
    lose(1)

    with pytest.raises(OutcomeUnknown, match="request_id"):
        workflow(engine, "a")

    assert len(dump(engine.store)["workflows"]) == 1


def test_a_finish_under_a_claim_is_done_once_and_answered(engine: Engine, lose: Lose) -> None:
    workflow_id = workflow(engine, "a")
    claim = start(engine, workflow_id, "a")
    lose(1)

    answer = engine.update_task(Update(claim=claim, status="completed", output=result()))

    assert (answer["status"], answer["repeated"]) == ("completed", True)


def test_what_stays_unknown_after_the_repeat_is_told_so(engine: Engine, lose: Lose) -> None:
    workflow_id = workflow(engine, "a")
    claim = start(engine, workflow_id, "a")
    lose(9)

    # The repeat of a recorded outcome commits too, though it changes nothing.
    with pytest.raises(OutcomeUnknown):
        engine.update_task(Update(claim=claim, status="completed", output=result()))


def test_a_claim_is_never_taken_twice_by_itself(engine: Engine, lose: Lose) -> None:
    workflow_id = workflow(engine, "a", "b")
    lose(1)

    with pytest.raises(OutcomeUnknown):
        engine.claim_task(workflow_id)

    assert len(dump(engine.store)["attempts"]) == 1
