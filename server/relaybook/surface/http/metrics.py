"""/metrics for Prometheus: calls by tool, and what the ledger holds; no id is ever a label.

It is no public page: whoever may see all of the ledger may see it, and nobody else.
"""

from collections.abc import Collection, Iterable

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
from relaybook.surface.caller import caller_of
from relaybook.surface.http.refusing import refused

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
        self._registry = CollectorRegistry()
        self._registry.register(_Ledger(engine))
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

    def route(self) -> Route:
        """The page itself."""

        async def metrics(request: Request) -> Response:
            kind = caller_of(request).kind
            if kind.role == "worker" or kind.projects is not None:
                return refused(
                    Forbidden(
                        "Only who may see the whole ledger may see its figures.",
                        allowed="a token of an orchestrator for all projects",
                        next="ask with such a token",
                    )
                )
            text = await to_thread.run_sync(generate_latest, self._registry)
            return Response(text, media_type=CONTENT_TYPE_LATEST)

        return Route(METRICS_PATH, metrics)


class _Ledger(Collector):
    """What is not over, asked for at each scrape; the same from every replica."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("relaybook_ledger_up", "1 if the ledger answers.")
        try:
            with self._engine.store.look() as tx:
                [(workflows, *tasks)] = tx.rows(_OPEN)
        except Refusal:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        open_ones = GaugeMetricFamily("relaybook_open_workflows", "Workflows that have not ended.")
        open_ones.add_metric([], workflows)
        held = GaugeMetricFamily(
            "relaybook_open_tasks", "Tasks of open workflows by status.", labels=["status"]
        )
        for status, count in zip(_COUNTERS, tasks, strict=True):
            held.add_metric([status], count)
        return [up, open_ones, held]
