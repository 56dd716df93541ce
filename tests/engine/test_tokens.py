"""Tokens: what the ledger keeps of them, and when they are good no more."""

import hashlib
from pathlib import Path

import pytest

from relaybook.engine import Engine
from relaybook.engine.tokens import Grant
from relaybook.errors import InvalidArguments, UnknownToken
from relaybook.store.base import Store
from tests.helpers import STORES, Clock, dump, engine_on, open_ledger

DAY = 86_400


def test_the_ledger_keeps_the_hash_of_a_token_and_never_the_token(engine: Engine) -> None:
    made = engine.create_token("ci", role="all", projects=["b", "a", "a"], days=30)

    (row,) = dump(engine.store)["tokens"]
    assert made["token"].startswith("relaybook_")
    assert hashlib.sha256(made["token"].encode()).hexdigest() in row
    assert made["token"] not in repr(dump(engine.store))
    assert made["token"] not in repr(engine.list_tokens())
    assert engine.list_tokens()["tokens"][0]["projects"] == ["a", "b"]


def test_a_token_is_good_for_its_role_and_projects(engine: Engine) -> None:
    some = engine.create_token("some", role="orchestrator", projects=["a", "b"])
    every = engine.create_token("every", role="all")

    assert engine.grant_of(some["token"]) == Grant(
        some["id"], "orchestrator", frozenset(["a", "b"])
    )
    assert engine.grant_of(every["token"]) == Grant(every["id"], "all", None)


@pytest.mark.parametrize("text", ["", "relaybook_", "relaybook_" + "0" * 64, "\0", "\ud800", "é"])
def test_nobody_is_let_in_by_what_is_no_token(engine: Engine, text: str) -> None:
    made = engine.create_token("ci")

    assert engine.grant_of(text) is None
    assert engine.grant_of(made["id"]) is None
    assert engine.grant_of(made["token"].upper()) is None
    assert engine.grant_of(f"{made['token']} ") is None


def test_a_token_expires(engine: Engine, clock: Clock) -> None:
    made = engine.create_token("ci", days=1)
    lasting = engine.create_token("for ever", days=None)

    clock.move(DAY - 1)
    before = engine.grant_of(made["token"])
    clock.move(1)

    assert before is not None
    assert engine.grant_of(made["token"]) is None
    assert engine.grant_of(lasting["token"]) is not None
    shown = {each["name"]: each["status"] for each in engine.list_tokens()["tokens"]}
    assert shown == {"ci": "expired", "for ever": "valid"}


@pytest.mark.parametrize("kind", STORES)
def test_a_revoked_token_is_good_no_more_in_any_process(
    kind: str, tmp_path: Path, clock: Clock
) -> None:
    one, two = (engine_on(open_ledger(kind, tmp_path), clock) for _ in range(2))
    made = one.create_token("ci")
    before = two.grant_of(made["token"])

    first = one.revoke_token(made["id"])
    clock.move(60)
    again = one.revoke_token(made["id"])

    assert before is not None
    assert two.grant_of(made["token"]) is None
    assert first == again
    one.store.close()
    two.store.close()


def test_a_token_that_cannot_be_is_refused_and_leaves_no_trace(
    engine: Engine, ledger: Store
) -> None:
    before = dump(ledger)

    for wrong in (
        {"name": " "},
        {"name": "x" * 201},
        {"role": "admin"},
        {"projects": []},
        {"projects": [""]},
        {"projects": [" a"]},
        {"projects": ["p"] * 101},
        {"days": 0},
        {"days": -1},
        {"days": float("nan")},
        {"days": 1e9},
    ):
        with pytest.raises(InvalidArguments):
            engine.create_token(**{"name": "ci", **wrong})  # pyright: ignore[reportArgumentType]
    with pytest.raises(UnknownToken, match="token list"):
        engine.revoke_token("tok_nothing")
    assert dump(ledger) == before
