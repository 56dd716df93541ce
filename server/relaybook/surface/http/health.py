"""/health: the process lives; /ready: so does its ledger. For load balancers, open to anyone."""

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from relaybook.engine import Engine
from relaybook.errors import Refusal

#: How long the ledger may take to answer, in seconds.
PATIENCE_SECONDS = 5.0


def health_routes(engine: Engine) -> list[Route]:
    """The two pages; neither says anything about the ledger's contents."""

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> JSONResponse:
        answers = False
        with anyio.move_on_after(PATIENCE_SECONDS):
            answers = await to_thread.run_sync(_answers, engine, abandon_on_cancel=True)
        if answers:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "the ledger does not answer"}, 503)

    return [Route("/health", health), Route("/ready", ready)]


def _answers(engine: Engine) -> bool:
    try:
        with engine.store.read() as tx:
            tx.rows("SELECT 1 FROM workflows LIMIT 1")
    except Refusal:
        return False
    return True
