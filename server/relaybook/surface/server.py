"""The MCP server of a role over an engine."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from mcp.server._otel import OpenTelemetryMiddleware
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.extension import Extension
from mcp.server.mcpserver import MCPServer
from mcp.server.request_state import RequestStateSecurity

from relaybook import __version__
from relaybook.engine import Engine
from relaybook.surface.board import board_app
from relaybook.surface.changes import Changes, offer_subscriptions
from relaybook.surface.completion import offer_completion
from relaybook.surface.direct import Direct
from relaybook.surface.direct_pipe import without_direct
from relaybook.surface.malformed import tell_malformed
from relaybook.surface.openings import PromptServer
from relaybook.surface.pipe import standard_streams
from relaybook.surface.prompts import prompts_for
from relaybook.surface.rim import Server
from relaybook.surface.tasks_extension import TasksExtension
from relaybook.surface.tools import tools_for
from relaybook.surface.tracing import is_traced
from relaybook.surface.wakes import Wakes

DESCRIPTION = (
    "The orchestration ledger for AI agents: multi-agent coordination with task routing, "
    "handoff protocols, fan-out/fan-in patterns and supervisor workflows. It records, checks, "
    "renders and decides by rule; it runs no model and no worker."
)

#: These lists are the same for all callers of a role, and change only when files do. That of
#: the resources tells when the ledger changed, so it keeps no longer than they.
CACHE_HINTS: Mapping[CacheableMethod, CacheHint] = {
    "tools/list": CacheHint(ttl_ms=60_000),
    "resources/templates/list": CacheHint(ttl_ms=60_000),
    "prompts/list": CacheHint(ttl_ms=60_000),
}

ORCHESTRATOR_INSTRUCTIONS = """\
You are the orchestrator: you plan, spawn, monitor and synthesise; relaybook keeps the record.
1. create_workflow registers the plan before any worker starts.
2. For each ready task: update_task(status="in_progress") answers its prompt and claim; give the \
prompt to a worker as it stands. Workers that call claim_task need no start from you.
3. Record every end: update_task(status="completed", output=<the worker's whole message>), or \
"failed" with error. Failed tasks may be started again; their prompt then carries the errors.
4. get_workflow(workflow_id, since=seq, wait_seconds=45) follows the work.
5. aggregate gives results and gaps. Write the answer yourself; say what is missing.
Every answer has `next`: the call to make now. read(uri="guide://quick-reference") has the rules."""

WORKER_INSTRUCTIONS = """\
You are a worker: claim_task gives you one task, its prompt and a claim. Do what the prompt says, \
nothing else, then update_task(claim, status="completed", output=<your whole message with its \
<result> block>). If an answer says stale_claim or workflow_ended: stop, do not redo the work."""


def build_server(
    engine: Engine,
    role: str = "orchestrator",
    secrets: Sequence[str] = (),
    wakes: Wakes | None = None,
) -> Server:
    """The server that offers what belongs to `role`; several may share `wakes`.

    `secrets` seal what a question carries, so that another replica may take the answer; without
    any, only this server may, and long calls may go on as tasks.
    """
    worker = role == "worker"
    wakes = wakes or Wakes(engine.store)
    changes, tasks = Changes(engine, wakes), TasksExtension()
    server = PromptServer(
        engine,
        role,
        name="relaybook",
        title="relaybook",
        version=__version__,
        description=DESCRIPTION,
        instructions=WORKER_INSTRUCTIONS if worker else ORCHESTRATOR_INSTRUCTIONS,
        tools=tools_for(engine, role, wakes),
        log_level="WARNING",
        cache_hints=CACHE_HINTS,
        # Nothing that a worker may read changes.
        subscriptions=False if worker else changes.bus,
        lifespan=None if worker else _running(changes, tasks),
        extensions=[] if worker else _extensions(tasks, secrets),
        middleware=[tell_malformed],
        request_state_security=RequestStateSecurity(keys=secrets) if secrets else None,
    )
    for prompt in prompts_for(engine, role):
        server.add_prompt(prompt)
    offer_completion(server, engine, role)
    if not worker:
        offer_subscriptions(server, changes)
    _drop_idle_tracing(server)
    return server


def _extensions(tasks: TasksExtension, secrets: Sequence[str]) -> Sequence[Extension]:
    """A server that shares secrets has replicas, which know nothing of each other's tasks."""
    return [board_app()] if secrets else [board_app(), tasks]


def _running(
    changes: Changes, tasks: TasksExtension
) -> Callable[[MCPServer[None]], AbstractAsyncContextManager[None]]:
    """What goes on while a server runs."""

    @asynccontextmanager
    async def lifespan(server: MCPServer[None]) -> AsyncGenerator[None]:
        async with changes.lifespan(server), tasks.running():
            yield

    return lifespan


def _drop_idle_tracing(server: Server) -> None:
    """Open no span for each message, 25 us of a call, unless a tracer was set up to get them.

    What else wraps a message stays: it seals the state that a client carries for the server.
    """
    if not is_traced():
        low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  # no public way yet
        low.middleware[:] = [
            each for each in low.middleware if not isinstance(each, OpenTelemetryMiddleware)
        ]


def serve_stdio(engine: Engine, role: str) -> None:
    """Serve on standard input and output until the client is gone.

    Standard output belongs to the protocol; the log goes to standard error, plain, at WARNING.
    """
    # Before the SDK does: it would log in colours, and a client that never reads standard
    # error blocks a server that writes much to it.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    server = build_server(engine, role)
    # Where calls run in threads they run side by side, which calls answered in turn do not.
    anyio.run(_serve, server, Direct(server, in_turn=not engine.store.threads))


async def _serve(server: Server, direct: Direct) -> None:
    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  # no public way yet
    async with (
        standard_streams() as streams,
        without_direct(streams, direct) as (source, sink),
    ):
        await low.run(source, sink, low.create_initialization_options())
