"""The tools that put facts on record, for the orchestrator and for the worker."""

from typing import Any

from mcp.server.mcpserver.tools import Tool

from relaybook.engine import Engine
from relaybook.surface.answers import Told
from relaybook.surface.arguments import Entries, RecordKind, Text, WorkerRecordKind
from relaybook.surface.done import done
from relaybook.surface.rim import tool


def record_tool(engine: Engine) -> Tool:
    async def record(
        kind: RecordKind,
        entries: Entries,
        workflow_id: Text = "",
        task_id: Text = "",
    ) -> dict[str, Any]:
        return await done(
            engine, engine.record, kind, entries, workflow_id=workflow_id, task_id=task_id
        )

    return tool(
        record,
        answer=Told,
        title="Record",
        description="Call to put facts on record: artifact{path}, test{name,status}, "
        "metric{name,value}, finding, followup{text}, handoff{to}, review, user_told{}.",
        idempotent=False,
    )


def worker_record_tool(engine: Engine) -> Tool:
    async def record(
        claim: str,
        kind: WorkerRecordKind,
        entries: Entries,
    ) -> dict[str, Any]:
        await done(engine, engine.record, kind, entries, claim=claim, actor="worker")
        return {"summary": f"{len(entries)} {kind} recorded", "next": "go on with your task"}

    return tool(
        record,
        answer=Told,
        title="Record",
        description="Call with your claim to put facts on your task's record: artifact{path}, "
        "test{name,status}, metric{name,value}, finding{text}, followup{text}.",
        idempotent=False,
        for_worker=True,
    )
