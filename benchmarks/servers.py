"""How the servers under measurement are started."""

import sys
from pathlib import Path
from typing import Literal

from relaybook.settings import Durability


def server_command(store: Path, durability: Durability, role: str = "all") -> list[str]:
    """Relaybook on the ledger at `store`, with the tools of `role`."""
    where = ["--store", str(store), "--durability", durability]
    return [sys.executable, "-m", "relaybook", "serve", *where, "--role", role]


def floor_command(tool: Literal["noop", "empty"]) -> list[str]:
    """A stock server of the SDK with that one tool."""
    return [sys.executable, "-m", "benchmarks.floor_server", tool]
