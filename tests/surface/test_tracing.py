"""Spans, where a tracer is set up: a process of its own, for a tracer is set up once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TRACED = """
import json, sys
from pathlib import Path
import anyio
from mcp import Client
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.server import build_server

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

async def main():
    async with Client(build_server(Engine(SqliteStore(Path(sys.argv[1])))), mode=sys.argv[2]) as c:
        tasks = [{"id": "a", "label": "the secret label"}, {"id": "b", "label": "another"}]
        made = await c.call_tool("create_workflow", {"pattern": "fan_out", "tasks": tasks})
        start = {"workflow_id": made.structured_content["workflow_id"], "task_id": "a"}
        await c.call_tool("update_task", start | {"status": "in_progress"})
        await c.call_tool("update_task", start | {"status": "failed", "error": "the secret error"})
        await c.call_tool("get_workflow", {"workflow_id": "the secret text"})

anyio.run(main)
print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))
"""


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_span_names_workflow_and_task_and_no_contents(tmp_path: Path, mode: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TRACED, str(tmp_path / "ledger.db"), mode],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    spans: list[dict[str, Any]] = json.loads(ran.stdout)

    # Both sides of a call open one; only the server's knows its workflow and task.
    calls = [each["attributes"] for each in spans if each["kind"] == "SpanKind.SERVER"]
    about = [
        (
            each["gen_ai.tool.name"],
            "relaybook.workflow.id" in each,
            each.get("relaybook.task.id"),
        )
        for each in calls
        if each["mcp.method.name"] == "tools/call"
    ]
    assert about == [
        ("create_workflow", True, None),
        ("update_task", True, "a"),
        ("update_task", True, "a"),
        ("get_workflow", False, None),
    ]
    assert "secret" not in ran.stdout
