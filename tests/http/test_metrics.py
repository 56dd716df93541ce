"""/metrics: calls by tool, the ledger's open work, and nothing for who may not see all of it."""

import sys
from collections.abc import Iterator

import anyio
import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from relaybook.engine import Engine
from relaybook.errors import StoreUnreachable
from relaybook.store.open import open_store
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.caller import Caller, Kind
from relaybook.surface.http import remembered
from relaybook.surface.http.app import metrics_of
from relaybook.surface.http.tokens import Tokens
from relaybook.surface.tools import tools_for
from tests.helpers import complete, start, workflow
from tests.http.conftest import Connect
from tests.http.serving import connected, serving
from tests.postgres import Server

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, tuple[str, ...]], float]


async def scrape(url: str, http: httpx2.AsyncClient, token: str = "") -> Samples:
    """Every sample by its name and the values of its labels, in the order of the labels' names."""
    page = await http.get(url.replace("/mcp", "/metrics"), headers=bearer(token))
    assert page.status_code == 200
    return {
        (each.name, tuple(value for _, value in sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(page.text)
        for each in family.samples
    }


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


@pytest.fixture
def database() -> Iterator[Server]:
    """A PostgreSQL server that a test may stop."""
    server = Server()
    yield server
    server.remove()


async def test_calls_are_counted_by_tool_and_outcome(
    url: str, connect: Connect, http: httpx2.AsyncClient
) -> None:
    async with connect(url) as client:
        await client.call_tool("get_workflow", {})
        await client.call_tool("get_workflow", {"workflow_id": "wf_none"})
        await client.call_tool("get_workflow", {"colour": "red"})
        await client.call_tool("wf_secret_of_mine", {})

    seen = await scrape(url, http)

    calls = {
        labels: count for (name, labels), count in seen.items() if name == "relaybook_calls_total"
    }
    assert calls == {
        ("ok", "get_workflow"): 1,
        ("refused", "get_workflow"): 2,
        ("refused", "other"): 1,
    }
    assert seen["relaybook_call_seconds_count", ("get_workflow",)] == 3


async def test_the_open_work_of_the_ledger_is_shown(
    engine: Engine, url: str, http: httpx2.AsyncClient
) -> None:
    name = workflow(engine, "a", "b", "c")
    start(engine, name, "a")
    complete(engine, name, "a")
    start(engine, name, "b")

    seen = await scrape(url, http)

    assert seen["relaybook_ledger_up", ()] == 1
    assert seen["relaybook_open_workflows", ()] == 1
    assert seen["relaybook_open_tasks", ("pending",)] == 1
    assert seen["relaybook_open_tasks", ("in_progress",)] == 1


async def test_no_label_holds_what_callers_or_plans_say(
    engine: Engine, url: str, connect: Connect, http: httpx2.AsyncClient
) -> None:
    workflow(engine, "a", project="secret-project")
    async with connect(url) as client:
        await client.call_tool("no-such-tool", {"workflow_id": "wf_1"})

    labels = {value for _, values in await scrape(url, http) for value in values}

    tools = {tool.name for tool in tools_for(engine, "all")} | {"other"}
    statuses = {"pending", "in_progress", "input_required", "review", "failed"}
    bounds = {each for each in labels if each[0].isdigit() or each == "+Inf"}
    assert labels <= tools | statuses | bounds | {"ok", "refused", "failed"}


class Only:
    """Knows one caller, who shows no token."""

    challenge = "Bearer"
    advice = "ask for one"

    def __init__(self, kind: Kind | None) -> None:
        self._kind = kind

    async def caller(self, token: str | None) -> Caller | None:
        return self._kind and Caller("somebody", self._kind)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (None, 401),
        (Kind("worker"), 403),
        (Kind("all", frozenset({"ours"})), 403),
        (Kind("orchestrator"), 200),
    ],
)
async def test_only_who_may_see_the_whole_ledger_sees_its_figures(
    kind: Kind | None, status: int, engine: Engine, http: httpx2.AsyncClient
) -> None:
    async with serving(engine, Only(kind)) as url:
        page = await http.get(url.replace("/mcp", "/metrics"))

    assert page.status_code == status


async def test_a_ledger_that_is_taken_away_is_not_up(
    engine: Engine, ledger: SqliteStore, url: str, http: httpx2.AsyncClient
) -> None:
    up = ("relaybook_ledger_up", ())
    found = [(await scrape(url, http))[up]]
    away = ledger.path.rename(ledger.path.with_suffix(".away"))
    found.append((await scrape(url, http))[up])
    ready = await http.get(url.replace("/mcp", "/ready"))
    away.rename(ledger.path)
    found.append((await scrape(url, http))[up])

    assert found == [1, 0, 1]
    assert ready.status_code == 503


async def test_that_the_database_is_away_is_told_to_who_was_let_in_before(
    database: Server, http: httpx2.AsyncClient
) -> None:
    engine = Engine(open_store(database.url))
    token = engine.create_token("prometheus", role="orchestrator", projects=None)["token"]

    async with serving(engine, Tokens(engine)) as url:
        async with connected(url, token) as client:
            await client.call_tool("get_workflow", {})
        before = await scrape(url, http, token)
        database.stop()
        away = await scrape(url, http, token)
    engine.store.close()

    assert before["relaybook_ledger_up", ()] == 1
    assert away["relaybook_ledger_up", ()] == 0
    assert away["relaybook_calls_total", ("ok", "get_workflow")] == 1
    assert ("relaybook_open_workflows", ()) not in away


class Patient:
    """Knows who is in `known`, while it answers."""

    challenge = "Bearer"
    advice = "ask for one"

    def __init__(self) -> None:
        self.known = {"one", "two"}
        self.answers = True

    async def caller(self, token: str | None) -> Caller | None:
        if not self.answers:
            await anyio.sleep_forever()
        return Caller(token, Kind("all")) if token in self.known else None


async def test_a_ledger_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    access = Patient()
    asked = remembered.Remembered(access)
    for token in ("one", "two"):
        await asked.caller(token)
    access.known = {"one"}
    revoked = await asked.caller("two")
    access.answers = False
    monkeypatch.setattr(remembered, "PATIENCE_SECONDS", 0.0)

    assert revoked is None
    assert await asked.caller("one") == Caller("one", Kind("all"))
    for token in ("two", "guess"):
        with pytest.raises(StoreUnreachable):
            await asked.caller(token)


async def test_of_many_callers_the_first_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    access = Patient()
    asked = remembered.Remembered(access)
    monkeypatch.setattr(remembered, "REMEMBERED_LIMIT", 1)
    for token in ("one", "two"):
        await asked.caller(token)
    access.answers = False
    monkeypatch.setattr(remembered, "PATIENCE_SECONDS", 0.0)

    assert await asked.caller("two") is not None
    with pytest.raises(StoreUnreachable):
        await asked.caller("one")


async def test_a_replica_is_asked_by_its_address_where_a_token_guards_the_page(
    engine: Engine, http: httpx2.AsyncClient
) -> None:
    by_address = {"Host": "10.42.0.7:8000"}
    async with serving(engine, Only(Kind("orchestrator"))) as url:
        guarded = await http.get(url.replace("/mcp", "/metrics"), headers=by_address)
    async with serving(engine) as url:
        open_to_all = await http.get(url.replace("/mcp", "/metrics"), headers=by_address)

    assert (guarded.status_code, open_to_all.status_code) == (200, 421)


async def test_the_page_is_read_and_not_written_to(url: str, http: httpx2.AsyncClient) -> None:
    answer = await http.post(url.replace("/mcp", "/metrics"), json={})

    assert answer.status_code == 405
    assert "GET" in answer.json()["error"]["allowed"]


async def test_without_its_extra_there_is_no_page(
    engine: Engine, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "relaybook.surface.http.metrics", raising=False)

    async with serving(engine) as url:
        page = await http.get(url.replace("/mcp", "/metrics"))

    assert metrics_of(engine) is None
    assert page.status_code == 404
