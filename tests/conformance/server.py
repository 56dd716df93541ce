"""relaybook over HTTP as it is served, with the conformance suite's fixtures added.

`python -m tests.conformance.server LEDGER` prints its URL, then serves until a signal.
"""

import sys
from pathlib import Path
from typing import Any

from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.http import servers
from relaybook.surface.http.access import Anyone
from relaybook.surface.http.options import HttpOptions
from relaybook.surface.http.serve import serve_http
from relaybook.surface.rim import Server
from relaybook.surface.server import build_server
from tests.conformance.asking import add_asking
from tests.conformance.contents import add_contents
from tests.conformance.lasting import add_lasting


def build_with_fixtures(engine: Engine, *how: Any) -> Server:
    server = build_server(engine, *how)
    add_contents(server)
    add_asking(server)
    add_lasting(server)
    return server


def main(ledger: str) -> None:
    # The one seam: all else is the program that `relaybook serve --http` runs.
    servers.build_server = build_with_fixtures
    engine = Engine(SqliteStore(Path(ledger)))
    serve_http(engine, Anyone("orchestrator"), HttpOptions(port=0), _announce)
    engine.store.close()


def _announce(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
