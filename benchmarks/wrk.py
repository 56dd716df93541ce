"""Tool calls under load by wrk, of this machine or as `set_up_load.sh` got it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")
FETCHED = Path(__file__).parents[1] / ".load"


@dataclass(frozen=True, slots=True)
class Figures:
    """What wrk found: calls a second, and latencies in seconds, the worst of the servers."""

    rate: float
    p50: float
    p99: float
    #: Calls that were refused or not answered, and what the last refusal said.
    failed: int
    refusal: str


def load(ports: Sequence[int], connections: int, seconds: float, *said: str) -> Figures:
    """What a load on all `ports` at once finds, the connections divided over them.

    `said` is what `load.lua` is told: an operation and names.
    """
    command, environment = _command()
    share = str(max(connections // len(ports), 1))
    options = ["-t1", "-c", share, "-d", f"{seconds:g}s", "--timeout", "30s", "-s", str(SCRIPT)]
    started = [
        subprocess.Popen(
            [command, *options, f"http://127.0.0.1:{port}", "--", *said],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for port in ports
    ]
    found = [_read(process.communicate()[0]) for process in started]
    return Figures(
        sum(each.rate for each in found),
        max(each.p50 for each in found),
        max(each.p99 for each in found),
        sum(each.failed for each in found),
        max(each.refusal for each in found),
    )


def _command() -> tuple[str, dict[str, str]]:
    found = shutil.which("wrk")
    if found is not None:
        return found, dict(os.environ)
    command = FETCHED / "usr" / "bin" / "wrk"
    if not command.exists():
        sys.exit("wrk is not here: run make bench-http, which gets it")
    libraries = ":".join(map(str, FETCHED.glob("usr/lib/*-linux-gnu*")))
    return str(command), {**os.environ, "LD_LIBRARY_PATH": libraries}


def _read(said: str) -> Figures:
    [line] = [line for line in said.splitlines() if line.startswith("figures ")]
    _, rate, p50, p99, failed, refusal = line.split(" ", 5)
    return Figures(float(rate), float(p50), float(p99), int(failed), refusal)
