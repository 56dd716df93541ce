"""Fixtures that the conformance suite reads: what its scenarios say a server must hold."""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import Message, UserMessage
from mcp_types import (
    AudioContent,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

from relaybook.surface.rim import Server

FIXTURE = "A fixture of the conformance suite."


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


#: One black pixel, and no sound at all.
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)
WAV = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\0\0\0\0"


def add_contents(server: Server) -> None:
    """Add the tools, resources and prompts that only hold something."""
    for tool in (
        test_simple_text,
        test_image_content,
        test_audio_content,
        test_embedded_resource,
        test_multiple_content_types,
        test_error_handling,
        test_tool_with_progress,
    ):
        server.add_tool(tool, description=FIXTURE, structured_output=False)
    _add_resources(server)
    for prompt in (
        test_simple_prompt,
        test_prompt_with_arguments,
        test_prompt_with_embedded_resource,
        test_prompt_with_image,
    ):
        server.prompt(description=FIXTURE)(prompt)


async def test_simple_text() -> str:
    return "This is a simple text response for testing."


async def test_image_content() -> ImageContent:
    return _image()


async def test_audio_content() -> AudioContent:
    return AudioContent(type="audio", data=base64.b64encode(WAV).decode(), mime_type="audio/wav")


async def test_embedded_resource() -> EmbeddedResource:
    return _embedded(
        "test://embedded-resource", "text/plain", "This is an embedded resource content."
    )


async def test_multiple_content_types() -> list[Any]:
    data = json.dumps({"test": "data", "value": 123})
    return [
        TextContent(type="text", text="Multiple content types test:"),
        _image(),
        _embedded("test://mixed-content-resource", "application/json", data),
    ]


async def test_error_handling() -> str:
    raise RuntimeError("This tool intentionally returns an error for testing")


async def test_tool_with_progress(ctx: Context[None, Any]) -> str:
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100)
        await anyio.sleep(0.05)
    return "done"


def _add_resources(server: Server) -> None:
    def add(uri: str, mime_type: str, read: Callable[..., Any]) -> None:
        server.resource(uri, mime_type=mime_type, name=read.__name__)(read)

    def static_text() -> str:
        return "This is the content of the static text resource."

    def static_binary() -> bytes:
        return PNG

    def watched() -> str:
        return "watched"

    def template(id: str) -> str:
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    add("test://static-text", "text/plain", static_text)
    add("test://static-binary", "image/png", static_binary)
    add("test://watched-resource", "text/plain", watched)
    add("test://template/{id}/data", "application/json", template)


def test_simple_prompt() -> str:
    return "This is a simple prompt for testing."


def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:
    return [
        UserMessage(_embedded(resourceUri, "text/plain", "Embedded resource content for testing.")),
        UserMessage("Please process the embedded resource above."),
    ]


def test_prompt_with_image() -> list[Message]:
    return [UserMessage(_image()), UserMessage("Please analyze the image above.")]


def _image() -> ImageContent:
    return ImageContent(type="image", data=base64.b64encode(PNG).decode(), mime_type="image/png")


def _embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return EmbeddedResource(type="resource", resource=contents)
