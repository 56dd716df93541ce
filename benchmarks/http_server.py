"""The servers of the HTTP figures: relaybook's tools on a ledger, or the stock tool that does nothing.

Run as `python -m benchmarks.http_server PORT noop` or `… PORT PATH full|normal [uvloop]`. Relaybook's
prints, when it is told to stop, how many commits it made.
"""

import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

import anyio
import uvicorn

from benchmarks.floor_server import server as floor
from benchmarks.floor_server import update_task
from benchmarks.recording import recording
from relaybook.engine import Engine
from relaybook.settings import Durability
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.http.access import Anyone
from relaybook.surface.http.app import build_app
from relaybook.surface.http.options import HttpOptions
from relaybook.surface.http.serve import HttpServer, listen
from relaybook.surface.http.stopping import Stopping

#: The connections of one server rest while the others are measured.
KEEP_SECONDS = 3600


def _serve(engine: Engine, options: HttpOptions, *, uvloop: bool) -> None:
    stopping = Stopping()
    app = build_app(engine, Anyone("all"), options, stopping=stopping)
    server = HttpServer(app, options, stopping)
    server.config.timeout_keep_alive = KEEP_SECONDS
    anyio.run(server.serve, [listen(options)], backend_options={"use_uvloop": uvloop})


def main(port: int, *what: str) -> None:
    if what == ("noop",):
        floor.add_tool(update_task)
        config = uvicorn.Config(
            floor.streamable_http_app(),
            port=port,
            http="h11",
            loop="asyncio",
            log_level="warning",
            timeout_keep_alive=KEEP_SECONDS,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run()
        return
    with recording() as log:
        store = SqliteStore(Path(what[0]), cast(Durability, what[1]))
        _serve(Engine(store), HttpOptions(port=port), uvloop="uvloop" in what)
    print(sum(statement.sql == "COMMIT" for statement in log), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
