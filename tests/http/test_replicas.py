"""Two replicas behind a balancer that sends each request to another one."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from relaybook.engine import Engine
from tests.helpers import fail, start, workflow
from tests.http.serving import serving
from tests.surface.test_resolve import User

pytestmark = pytest.mark.anyio

SECRET = "s" * 64


@asynccontextmanager
async def balanced(urls: list[str], **options: Any) -> AsyncGenerator[Client]:
    """A client of 2026-07-28 each request of which goes to the next of `urls`."""
    turns = cycle(httpx2.URL(url).port for url in urls)

    async def elsewhere(request: httpx2.Request) -> None:
        request.url = request.url.copy_with(port=next(turns))

    async with httpx2.AsyncClient(event_hooks={"request": [elsewhere]}, timeout=30) as http:
        transport = streamable_http_client(urls[0], http_client=http)
        async with Client(transport, mode="auto", cache=None, **options) as client:
            yield client


def stopped(engine: Engine) -> str:
    """A workflow whose breaker is open, so that there is something to ask the user."""
    name = workflow(engine, "a")
    start(engine, name, "a")
    fail(engine, name, "a")
    return name


async def test_any_replica_takes_the_answer_to_a_question_of_another(engine: Engine) -> None:
    name, user = stopped(engine), User("accept", decision="retry_failed", text="try again")

    async with (
        serving(engine, secrets=(SECRET,)) as one,
        serving(engine, secrets=(SECRET,)) as other,
        balanced([one, other], elicitation_callback=user) as client,
    ):
        answer = await client.call_tool("resolve", {"workflow_id": name})

    assert not answer.is_error
    assert (answer.structured_content or {})["decision"] == "retry_failed"


async def test_without_a_shared_secret_the_answer_is_refused(engine: Engine) -> None:
    name, user = stopped(engine), User("accept", decision="retry_failed", text="try again")

    async with (
        serving(engine) as one,
        serving(engine) as other,
        balanced([one, other], elicitation_callback=user) as client,
    ):
        with pytest.raises(MCPError):
            await client.call_tool("resolve", {"workflow_id": name})
