"""A body that is no message is refused as a line of a pipe is; the SDK would quote its validator."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relaybook.surface.lines import NotUnderstood, message_of


class InOurWords:
    """An ASGI layer around the SDK's `app`; a body is looked at only once that has answered 400."""

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
            if message["type"] == "http.response.start" and message["status"] == 400:
                held.append(message)
                return
            if held:
                message = _said_again(held[0], message, b"".join(asked))
                await send(held.pop())
            await send(message)

        await self._app(scope, received, send_in_words)


def _said_again(start: Message, message: Message, asked: bytes) -> Message:
    """The body of a refusal: as it is, or ours if `asked` is no message; `start` says how long."""
    found = message_of(asked.decode(errors="replace"))
    if not isinstance(found, NotUnderstood):
        return message
    body = found.answer.model_dump_json(by_alias=True, exclude_unset=True).encode()
    MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
    return {"type": "http.response.body", "body": body}
