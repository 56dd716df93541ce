"""A bare client over HTTP: kept-alive connections, no SDK; 2026-07-28."""

import json
import time
from collections.abc import Mapping
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from benchmarks.stdio_client import META


class HttpConnection:
    """One connection, on which one request is answered before the next is sent."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._id = 0

    async def open(self) -> None:
        """Connect; repeated until the server listens."""
        for _ in range(600):
            try:
                self._stream: SocketStream = await anyio.connect_tcp("127.0.0.1", self._port)
            except OSError:
                await anyio.sleep(0.05)
            else:
                self._reader = BufferedByteReceiveStream(self._stream)
                return
        raise TimeoutError("the server does not listen")

    async def close(self) -> None:
        await self._stream.aclose()

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
        """The seconds from sending the request to having the answer, and the answer."""
        data = self._request(tool, arguments)
        start = time.perf_counter()
        await self._stream.send(data)
        head = await self._reader.receive_until(b"\r\n\r\n", 65_536)
        body = await self._reader.receive_exactly(_length(head))
        seconds = time.perf_counter() - start
        result = json.loads(body)["result"]
        assert not result["isError"], result
        return seconds, result["structuredContent"]

    def _request(self, tool: str, arguments: Mapping[str, Any]) -> bytes:
        self._id += 1
        params = {"name": tool, "arguments": arguments, "_meta": META}
        message = {"jsonrpc": "2.0", "id": self._id, "method": "tools/call", "params": params}
        body = json.dumps(message).encode()
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            "Content-Type: application/json\r\n"
            "Accept: application/json, text/event-stream\r\n"
            "MCP-Protocol-Version: 2026-07-28\r\n"
            f"Mcp-Method: tools/call\r\nMcp-Name: {tool}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _length(head: bytes) -> int:
    fields = [line.partition(b":") for line in head.lower().split(b"\r\n")]
    return next(int(value) for name, _, value in fields if name == b"content-length")
