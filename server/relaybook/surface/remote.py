"""The client that a remote worker uses: a worker's two calls, on a server over HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from relaybook.engine.request import Update
from relaybook.errors import (
    Forbidden,
    InvalidArguments,
    Refusal,
    StoreBusy,
    StoreUnreachable,
    refusal_of,
)

#: How long one call may take, in seconds; the server itself waits for its store within it.
CALL_SECONDS = 60.0


class RemoteLedger:
    """A ledger behind a server; what is said to it and answered is the tools' of these names."""

    def __init__(self, client: Client, seen: "_Seen") -> None:
        self._client = client
        self._seen = seen

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
        try:
            with anyio.fail_after(CALL_SECONDS):
                result = await self._client.call_tool(tool, {k: v for k, v in said.items() if v})
        except (MCPError, httpx2.HTTPError, TimeoutError, anyio.ClosedResourceError) as error:
            raise self._seen.refusal(error, StoreBusy) from error
        answer = result.structured_content
        if answer is None:
            raise StoreBusy(f"The server answered nothing to {tool}.", next="look at its log")
        if result.is_error:
            raise refusal_of(answer["error"])
        return answer


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
    seen = _Seen(url)
    ended: list[Refusal] = []
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    hooks = {"response": [seen.note]}
    try:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=CALL_SECONDS, event_hooks=hooks) as http,
            Client(streamable_http_client(url, http_client=http), cache=None) as client,
        ):
            try:
                await use(RemoteLedger(client, seen))
            except Refusal as refusal:
                ended.append(refusal)
    except (MCPError, httpx2.HTTPError, ExceptionGroup) as error:
        raise next(iter(ended), seen.refusal(error, StoreUnreachable)) from error
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
