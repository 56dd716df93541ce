"""/metrics: calls by tool, the ledger's open work, and nothing for who may not see all of it."""

import sys

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from relaybook.engine import Engine
from relaybook.surface.caller import Caller, Kind
from relaybook.surface.http.app import metrics_of
from relaybook.surface.tools import tools_for
from tests.helpers import complete, start, workflow
from tests.http.conftest import Connect
from tests.http.serving import serving

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, tuple[str, ...]], float]


async def scrape(url: str, http: httpx2.AsyncClient) -> Samples:
    """Every sample by its name and the values of its labels, in the order of the labels' names."""
    page = await http.get(url.replace("/mcp", "/metrics"))
    assert page.status_code == 200
    return {
        (each.name, tuple(value for _, value in sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(page.text)
        for each in family.samples
    }


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


async def test_without_its_extra_there_is_no_page(
    engine: Engine, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "relaybook.surface.http.metrics", raising=False)

    async with serving(engine) as url:
        page = await http.get(url.replace("/mcp", "/metrics"))

    assert metrics_of(engine) is None
    assert page.status_code == 404
