"""The read tool: every resource, page by page, for models whose host reads none for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client

from relaybook.core.text import compact
from relaybook.engine import Engine
from relaybook.engine.read import ANSWER_LIMIT, fitting
from relaybook.engine.readables.table import READABLES
from tests.helpers import complete, start, workflow
from tests.surface.calls import call, filled, raw_call, read_text, refusal, text_of

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S257")
async def test_every_resource_can_be_read_by_the_tool(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    complete(engine, workflow_id, "a", 1)

    for each in READABLES:
        uri = filled(each.uri, workflow_id, "a")
        whole = engine.read_text(uri)
        answer = await call(client, "read", uri=uri)
        assert (answer["uri"], answer["mime_type"]) == (uri, whole.mime_type)
        assert answer["total_chars"] == len(whole.text)
        assert whole.text.startswith(answer["text"])


async def test_the_pages_of_a_long_text_make_up_the_text(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    complete(engine, workflow_id, "a", 'Käse "🧀"\n' * 5_000)
    uri = f"ledger://workflows/{workflow_id}/tasks/a/result"

    pages: list[str] = []
    cursor = ""
    while cursor or not pages:
        result = await raw_call(client, "read", uri=uri, cursor=cursor)
        assert len(text_of(result).encode()) <= ANSWER_LIMIT
        assert result.structured_content is not None
        pages.append(result.structured_content["text"])
        cursor = result.structured_content.get("cursor", "")

    assert len(pages) > 3
    assert "".join(pages) == engine.read_text(uri).text


@pytest.mark.parametrize("cursor", ["-1", "x", "9999999", "1.0", "²"])
async def test_a_cursor_that_was_never_given_is_refused(client: Client, cursor: str) -> None:
    error = await refusal(client, "read", uri="guide://vocabulary", cursor=cursor)

    assert error["code"] == "invalid_arguments"
    assert repr(cursor) in error["message"]


async def test_an_unknown_uri_is_answered_with_the_nearest_forms(client: Client) -> None:
    error = await refusal(client, "read", uri="guide://quick")

    assert error["code"] == "unknown_resource"
    assert error["allowed"].startswith("guide://quick-reference")
    assert "guide://vocabulary lists all" in error["next"]


async def test_the_vocabulary_lists_every_resource(client: Client) -> None:
    vocabulary = await read_text(client, "guide://vocabulary")

    assert [each.uri for each in READABLES if f"| {each.uri} |" not in vocabulary] == []


@given(st.text(max_size=300))
def test_as_much_fits_as_the_answer_has_room_for(text: str) -> None:
    room = 150

    size = fitting(text, room)

    assert size == len(text) or len(compact(text[: size + 1]).encode()) > room
    assert len(compact(text[:size]).encode()) <= room
