"""A bare client over a server's standard input and output: JSON lines, no SDK."""

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

#: The protocol's revision of 2026 opens no session: each request says who asks. The one of
#: 2025, which most hosts still speak over stdio, begins with a handshake.
Era = Literal["2026-07-28", "2025-11-25"]

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
_INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "benchmarks", "version": "1"},
}


class StdioClient:
    """A server's process, and one conversation with it."""

    def __init__(self, command: Sequence[str], era: Era) -> None:
        self._meta = {"_meta": META} if era == "2026-07-28" else {}
        self._id = 0
        #: The last answer as it came.
        self.line = b"{}"
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=-1
        )
        if era == "2025-11-25":
            self.request("initialize", _INITIALIZE)
            self._send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def memory(self) -> int:
        """Bytes that the server holds in memory, as Linux counts them."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def call(self, tool: str, arguments: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
        """The seconds from the request's last byte to the answer's, and the answer."""
        seconds, result = self.request("tools/call", {"name": tool, "arguments": arguments})
        assert not result["isError"], result
        return seconds, result["structuredContent"]

    def calls(self, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """The answers to calls that are sent together."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        ids = range(self._id + 1, self._id + 1 + len(calls))
        lines = [
            self._line("tools/call", {"name": tool, "arguments": arguments})
            for tool, arguments in calls
        ]
        self._process.stdin.write(b"".join(lines))
        self._process.stdin.flush()
        answers = [json.loads(self._process.stdout.readline()) for _ in calls]
        results = {answer["id"]: answer["result"] for answer in answers}
        assert not any(result["isError"] for result in results.values()), results
        return [results[number]["structuredContent"] for number in ids]

    def request(self, method: str, params: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
        start = self._send(self._line(method, params))
        assert self._process.stdout is not None
        self.line = self._process.stdout.readline()
        seconds = time.perf_counter() - start
        return seconds, json.loads(self.line)["result"]

    def _line(self, method: str, params: Mapping[str, Any]) -> bytes:
        """The next request."""
        self._id += 1
        said = {**params, **self._meta}
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": said}
        return json.dumps(request).encode() + b"\n"

    def _send(self, line: bytes) -> float:
        """Send a message; the time at which it was ready to go."""
        assert self._process.stdin is not None
        start = time.perf_counter()
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return start
