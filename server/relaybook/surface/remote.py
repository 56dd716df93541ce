"""The client that a remote worker uses: a worker's two calls, on a server over HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
from anyio.abc import TaskStatus
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from relaybook.engine.request import Update
from relaybook.errors import (
    Forbidden,
    InvalidArguments,
    Refusal,
    StoreBusy,
    StoreUnreachable,
    UnknownTool,
    refusal_of,
)

#: How long one call may take, in seconds; the server itself waits for its store within it.
CALL_SECONDS = 60.0
#: Before each try to connect again, in seconds.
RECONNECT_SECONDS = 1.0


class RemoteLedger:
    """A ledger behind a server; what is said to it and answered is the tools' of these names."""

    def __init__(self, line: "_Line") -> None:
        self._line = line

    async def claim(
        self, workflow_id: str | None, project: str | None, lease_seconds: float, session_key: str
    ) -> Mapping[str, Any]:
        said = {"workflow_id": workflow_id, "project": project, "lease_seconds": lease_seconds}
        return await self._call("claim_task", said | {"session_key": session_key})

    async def update(self, update: Update) -> Mapping[str, Any]:
        said = {
            "claim": update.claim,
            "status": update.status,
            "output": update.output,
            "error": update.error,
            "error_code": update.error_code,
        }
        return await self._call("update_task", said)

    async def _call(self, tool: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        result = await self._line.call(tool, {k: v for k, v in said.items() if v})
        answer = result.structured_content
        if answer is None:
            raise StoreBusy(f"The server answered nothing to {tool}.", next="look at its log")
        if result.is_error:
            raise _as_workers_are_told(refusal_of(answer["error"]))
        return answer


def _as_workers_are_told(refusal: Refusal) -> Refusal:
    if not isinstance(refusal, UnknownTool):
        return refusal
    return UnknownTool(
        "This server has no tools for workers, or this token none of them.",
        allowed="a server that offers claim_task",
        next="start it with relaybook serve --http --role all, or with --require-token and give "
        "this command a token of relaybook token create --role worker",
    )


class _Seen:
    """What the server said last when it refused a request altogether."""

    def __init__(self, url: str) -> None:
        self._url = without_user(url)
        #: What stands before the host, which is shown nowhere.
        self._user = urlsplit(url).netloc.rpartition("@")[0]
        self._status = 0

    async def note(self, response: httpx2.Response) -> None:
        self._status = response.status_code

    def refusal(self, error: BaseException, otherwise: type[Refusal]) -> Refusal:
        """Why a request failed, as the refusal that it comes to."""
        if self._status in (401, 403):
            return Forbidden(
                f"{self._url!r} does not let this token in ({self._status}).",
                allowed="a token of the role worker or all that is neither expired nor revoked",
                next="get one, of relaybook token create or the server's OAuth issuer, and give it "
                "by RELAYBOOK_TOKEN",
            )
        inner = _innermost(error)
        what = f"did not answer: {self._told(inner)}"
        if self._status == 503:
            what = "answered 503: what it needs does not answer"
        elif self._status >= 400:
            what = f"answered {self._status}, as no server of tools does"
        return otherwise(
            f"{self._url!r} {what}.",
            next="see that relaybook serve --http runs there, and that the URL ends in /mcp",
        )

    def _told(self, error: BaseException) -> str:
        text = str(error) or type(error).__name__
        return text.replace(f"{self._user}@", "") if self._user else text


def without_user(url: str) -> str:
    """`url` without the user and password before its host."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class _Line:
    """The connection to a server. One that broke is made anew beside those who call."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._seen = _Seen(url)
        self._client: Client | None = None
        self._broken = anyio.Event()
        #: Whether it ever answered.
        self._known = False
        #: Why the last connection broke, or could not be made.
        self._error: BaseException = ConnectionError("its connection was lost")

    async def call(self, tool: str, said: dict[str, Any]) -> CallToolResult:
        """What the server answers.

        Raises:
            StoreBusy: nothing; what was asked may have been done.
            Forbidden: it does not let the token in.
        """
        if self._client is None:
            raise self._seen.refusal(self._error, StoreBusy)
        broken = self._broken
        try:
            with anyio.fail_after(CALL_SECONDS):
                return await self._client.call_tool(tool, said)
        except (MCPError, httpx2.HTTPError, TimeoutError, anyio.ClosedResourceError) as error:
            broken.set()
            raise self._seen.refusal(error, StoreBusy) from error

    async def hold(self, *, task_status: TaskStatus[None]) -> None:
        """Connect, and again whenever the connection breaks, until cancelled.

        Raises:
            StoreUnreachable, Forbidden: the first time nothing came of it.
        """
        hooks = {"response": [self._seen.note]}
        async with httpx2.AsyncClient(
            headers=self._headers, timeout=CALL_SECONDS, event_hooks=hooks
        ) as http:
            while True:
                await self._once(http, task_status)
                await anyio.sleep(RECONNECT_SECONDS)

    async def _once(self, http: httpx2.AsyncClient, task_status: TaskStatus[None]) -> None:
        """Connect, and stay so until the connection breaks."""
        try:
            async with Client(
                streamable_http_client(self._url, http_client=http), cache=None
            ) as client:
                self._broken, self._client = anyio.Event(), client
                if not self._known:
                    self._known = True
                    task_status.started()
                await self._broken.wait()
        except (MCPError, httpx2.HTTPError, ExceptionGroup) as error:
            if not self._known:
                raise self._seen.refusal(error, StoreUnreachable) from error
            self._error = error
        finally:
            self._client = None


async def with_remote(url: str, token: str, use: Callable[[RemoteLedger], Awaitable[None]]) -> None:
    """Connect to the server at `url`, and do what `use` does on its ledger.

    Raises:
        InvalidArguments: `url` is none.
        Forbidden: the server does not let the token in.
        StoreUnreachable: nobody answers there.
        Refusal: that `use` ended with.
    """
    if not _is_url(url):
        raise InvalidArguments(
            f"{url.rpartition('@')[2][:80]!r} is no URL of a server.",
            allowed="http://… or https://…/mcp",
            next="correct --url",
        )
    line = _Line(url, token)
    ended: list[Refusal] = []
    async with anyio.create_task_group() as group:
        try:
            await group.start(line.hold)
            await use(RemoteLedger(line))
        except Refusal as refusal:
            ended.append(refusal)
        group.cancel_scope.cancel()
    if ended:
        raise ended[0]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
