"""The servers of the HTTP figures: relaybook's tools on a ledger, or the stock tool that does nothing.

Run as `python -m benchmarks.http_server PORT noop` or `… PORT PATH full|normal`. Relaybook's prints,
when it is told to stop, how many commits it made.
"""

import sys
from pathlib import Path
from typing import Any, cast

import uvicorn
from mcp.server.mcpserver import MCPServer

from benchmarks.floor_server import server as floor
from benchmarks.floor_server import update_task
from benchmarks.recording import recording
from relaybook.engine import Engine
from relaybook.settings import Durability
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.server import build_server


def serve(server: MCPServer[Any], port: int) -> None:
    """Serve on this port of this machine until interrupted."""
    app = server.streamable_http_app()
    uvicorn.run(app, port=port, http="h11", log_level="warning", timeout_keep_alive=3600)


def main(port: int, *what: str) -> None:
    if what == ("noop",):
        floor.add_tool(update_task)
        serve(floor, port)
        return
    with recording() as log:
        store = SqliteStore(Path(what[0]), cast(Durability, what[1]))
        serve(build_server(Engine(store), "all"), port)
    print(sum(statement.sql == "COMMIT" for statement in log), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
