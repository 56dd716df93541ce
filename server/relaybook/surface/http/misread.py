"""What the SDK refuses is told as every layer tells it: its own answers are empty or no JSON.

A body that is no message is refused as a line of a pipe is; the SDK would quote its validator.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relaybook.errors import InvalidArguments, Refusal
from relaybook.surface.http.refusing import refused, wrong_method
from relaybook.surface.lines import NotUnderstood, message_of

JSON = "application/json"
SESSION = "mcp-session-id"


class InOurWords:
    """An ASGI layer around the SDK's `app`; a request is looked at only once that has refused it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked: list[bytes] = []
        held: list[Message] = []

        async def received() -> Message:
            message = await receive()
            asked.append(message.get("body", b""))
            return message

        async def send_in_words(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                held.append(message)
                return
            if held:
                message = _said_again(scope, held[0], message, b"".join(asked))
                await send(held.pop())
            await send(message)

        await self._app(scope, received, send_in_words)


def _said_again(scope: Scope, start: Message, message: Message, asked: bytes) -> Message:
    """The body of a refusal: as it is, or in our words; `start` then says so."""
    told = MutableHeaders(raw=start["headers"])
    if SESSION not in Headers(scope=scope):
        del told[SESSION]  # one that was made for this request, and is gone with it
    body = None
    if not told.get("content-type", "").startswith(JSON):
        body = _in_words(scope, start["status"], told.get("allow", ""))
    elif start["status"] == 400 and scope["method"] == "POST":
        body = _misread(asked)
    if body is None:
        return message
    told["content-type"], told["content-length"] = JSON, str(len(body))
    return {"type": "http.response.body", "body": body}


def _misread(asked: bytes) -> bytes | None:
    """What is wrong with a body that is no message."""
    found = message_of(asked.decode(errors="replace"))
    if not isinstance(found, NotUnderstood):
        return None
    return found.answer.model_dump_json(by_alias=True, exclude_unset=True).encode()


def _in_words(scope: Scope, status: int, methods: str) -> bytes | None:
    """What is wrong with the head of a request that was refused with `status`."""
    asked = Headers(scope=scope)
    refusal: Refusal | None = None
    if status == 405:
        refusal = wrong_method(scope["path"], scope["method"], methods)
    elif status == 406:
        refusal = _wrong_header("Accept", asked, f"{JSON}, text/event-stream")
    elif status in (400, 415) and not asked.get("content-type", "").startswith(JSON):
        refusal = _wrong_header("Content-Type", asked, JSON)
    return bytes(refused(refusal, status).body) if refusal else None


def _wrong_header(name: str, asked: Headers, allowed: str) -> Refusal:
    said = f"is {asked[name][:80]!r}" if name in asked else "is missing"
    return InvalidArguments(
        f"The header {name} {said}.", allowed=allowed, next=f"send {name}: {allowed}"
    )
