"""/metrics for Prometheus: calls by tool, and what the ledger holds; no id is ever a label.

It is no public page: whoever may see all of the ledger may see it, and nobody else; also while the
ledger is away, which is then the figure that counts.
"""

from collections.abc import Collection, Iterable

import anyio
from anyio import to_thread
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from relaybook.engine import Engine
from relaybook.errors import Forbidden, Refusal
from relaybook.store.base import Row
from relaybook.surface.caller import caller_of
from relaybook.surface.http.access import Access
from relaybook.surface.http.door import Door
from relaybook.surface.http.refusing import refused
from relaybook.surface.http.remembered import PATIENCE_SECONDS, Remembered

METRICS_PATH = "/metrics"
#: What a call of a tool that there is not is counted under.
OTHER = "other"
#: Upper bounds of the histogram, in seconds; waiting calls reach the last ones.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 45.0, 60.0)

_COUNTERS = ("pending", "in_progress", "input_required", "review", "failed")
_OPEN = (
    f"SELECT count(*), {', '.join(f'coalesce(sum({name}), 0)' for name in _COUNTERS)}"
    " FROM workflows WHERE ended_at IS NULL"
)


class Metrics:
    """The figures of one process and of the ledger that it serves."""

    def __init__(self, engine: Engine, tools: Collection[str]) -> None:
        """Calls are counted by the names in `tools`, all others as one."""
        self._tools = frozenset(tools)
        self._engine = engine
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "relaybook_calls",
            "Tool calls by tool and outcome: ok, refused, failed.",
            ["tool", "outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "relaybook_call_seconds",
            "Seconds from a tool call to its answer.",
            ["tool"],
            buckets=BUCKETS,
            registry=self._registry,
        )

    def observe(self, tool: str, outcome: str, seconds: float) -> None:
        """Count one call that ended."""
        name = tool if tool in self._tools else OTHER
        self._calls.labels(name, outcome).inc()
        self._seconds.labels(name).observe(seconds)

    def route(self, access: Access) -> Route:
        """The page itself, for those whom `access` knows, or knew before the ledger was away."""
        page = Route(METRICS_PATH, self._page)
        return Route(METRICS_PATH, Door(page, Remembered(access)))

    async def _page(self, request: Request) -> Response:
        kind = caller_of(request).kind
        if kind.role == "worker" or kind.projects is not None:
            return refused(
                Forbidden(
                    "Only who may see the whole ledger may see its figures.",
                    allowed="a token of an orchestrator for all projects",
                    next="ask with such a token",
                )
            )
        held = None
        with anyio.move_on_after(PATIENCE_SECONDS):
            held = await to_thread.run_sync(_open_work, self._engine, abandon_on_cancel=True)
        text = generate_latest(self._registry) + generate_latest(_Ledger(held))
        return Response(text, media_type=CONTENT_TYPE_LATEST)


def _open_work(engine: Engine) -> Row | None:
    """How many workflows are open, and how many of their tasks by status; None: no answer."""
    try:
        with engine.store.read() as tx:
            return tx.rows(_OPEN)[0]
    except Refusal:
        return None


class _Ledger(Collector):
    """What is not over, as it was found; the same from every replica."""

    def __init__(self, held: Row | None) -> None:
        self._held = held

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("relaybook_ledger_up", "1 if the ledger answers.")
        up.add_metric([], 0 if self._held is None else 1)
        if self._held is None:
            return [up]
        workflows, *tasks = self._held
        open_ones = GaugeMetricFamily("relaybook_open_workflows", "Workflows that have not ended.")
        open_ones.add_metric([], workflows)
        held = GaugeMetricFamily(
            "relaybook_open_tasks", "Tasks of open workflows by status.", labels=["status"]
        )
        for status, count in zip(_COUNTERS, tasks, strict=True):
            held.add_metric([status], count)
        return [up, open_ones, held]
