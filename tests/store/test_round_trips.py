"""What a call sends to PostgreSQL is what docs/operations.md says, however large the workflow."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.store.postgres import PostgresStore, PostgresTx
from tests.docs import ROOT
from tests.helpers import Clock, engine_on, result, store_name, workflow

TOLD = re.findall(
    r"(?m)^\| (`.*) \| (\d+) \|$", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    store = PostgresStore(store_name("postgres", tmp_path))
    yield engine_on(store, Clock())
    store.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement sent since it was cleared."""
    found: list[str] = []
    for name in ("rows", "many"):
        original = getattr(PostgresTx, name)

        def noted(self: Any, sql: str, *said: Any, original: Any = original) -> Any:
            found.append(sql)
            return original(self, sql, *said)

        monkeypatch.setattr(PostgresTx, name, noted)
    return found


@pytest.mark.parametrize("tasks", [20, 500])
def test_each_call_sends_as_many_statements_as_the_document_says(
    tasks: int, engine: Engine, sent: list[str]
) -> None:
    counts: list[int] = []

    def count(answer: Any) -> Any:
        counts.append(len(sent))
        sent.clear()
        return answer

    sent.clear()
    name = count(workflow(engine, *(f"t{n}" for n in range(tasks))))
    engine.claim_task(name)  # the first reads the specification that all share
    sent.clear()
    claim = count(engine.claim_task(name))["claim"]
    done = Update(claim=claim, status="completed", output=result())
    beat = Update(claim=claim, status="in_progress")
    renewed = engine.update_task(beat)
    renewing = len(sent)
    sent.clear()
    count(engine.update_task(done))
    counts.append(renewing)
    count(engine.show_workflow(name))

    assert renewed["status"] == "in_progress"
    assert [str(each) for each in counts] == [told for _, told in TOLD]
