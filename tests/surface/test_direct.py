"""Calls that are answered without the SDK between say what it would have said."""

import json
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from io import FileIO
from pathlib import Path
from typing import Any

import anyio
import pytest
from benchmarks.recording import Statement, recording
from mcp_types import JSONRPCRequest

from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.answers import Page
from relaybook.surface.direct import KINDS, LONGEST_KIND, PROTOCOL, Direct, kind_of
from relaybook.surface.direct_pipe import without_direct
from relaybook.surface.pipe import PipeReader, PipeWriter
from relaybook.surface.rim import Server, tool
from relaybook.surface.server import build_server
from relaybook.surface.tasks_extension import MAY_LAST
from tests.surface.conftest import Mode

pytestmark = pytest.mark.anyio

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


class Wire:
    """A client that knows nothing but lines of JSON."""

    def __init__(self, mode: Mode, reading: int, writing: int) -> None:
        self.meta: dict[str, Any] = {"_meta": ENVELOPE} if mode == "auto" else {}
        self.writing = writing
        self._reading = reading
        self._lines = b""
        self._id = 0

    def line(self, method: str, **params: Any) -> bytes:
        self._id += 1
        said = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params | self.meta}
        return json.dumps(said).encode() + b"\n"

    def call(self, tool: str, **arguments: Any) -> bytes:
        return self.line("tools/call", name=tool, arguments=arguments)

    async def send(self, *lines: bytes) -> None:
        left = b"".join(lines)
        while left:
            await anyio.wait_writable(self.writing)
            left = left[os.write(self.writing, left) :]

    async def answer(self) -> dict[str, Any]:
        while b"\n" not in self._lines:
            await anyio.wait_readable(self._reading)
            self._lines += os.read(self._reading, 65_536)
        line, _, self._lines = self._lines.partition(b"\n")
        return json.loads(line)

    async def asked(self, *lines: bytes) -> list[dict[str, Any]]:
        """The answers to `lines`, sent together."""
        await self.send(*lines)
        return [await self.answer() for _ in lines]


@pytest.fixture
def log() -> Iterator[list[Statement]]:
    """What is said to every ledger that the test opens."""
    with recording() as statements:
        yield statements


@pytest.fixture
def store(log: list[Statement], tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "ledger.db")
    yield store
    store.close()


@pytest.fixture
def server(store: SqliteStore) -> Server:
    server = build_server(Engine(store), "all")
    made = tool(_broken, answer=Page, title="Broken", description="Breaks.")
    server._tool_manager._tools["_broken"] = made  # pyright: ignore[reportPrivateUsage]
    return server


async def _broken() -> dict[str, Any]:
    raise ZeroDivisionError("a secret")


@pytest.fixture
def seen(server: Server) -> list[str]:
    """The methods of the requests that reach the SDK."""
    methods: list[str] = []

    async def note(ctx: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        methods.append(ctx.method)
        return await call_next(ctx)

    server._lowlevel_server.middleware.append(note)  # pyright: ignore[reportPrivateUsage]
    return methods


@pytest.fixture
async def raw(server: Server, mode: Mode) -> AsyncIterator[Wire]:
    """A client that has not said anything yet."""
    to_server, to_client = os.pipe(), os.pipe()
    for end in (to_server[1], to_client[1]):
        os.set_blocking(end, False)
    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]

    async def serve() -> None:
        streams = PipeReader(to_server[0]), PipeWriter(to_client[1])
        async with without_direct(streams, Direct(server)) as (source, sink):
            await low.run(source, sink, low.create_initialization_options())

    with FileIO(to_server[0]), FileIO(to_client[0]), FileIO(to_client[1]):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            with FileIO(to_server[1], "wb"):
                yield Wire(mode, to_client[0], to_server[1])


@pytest.fixture
async def wire(raw: Wire, mode: Mode) -> Wire:
    """A client whose connection is made, and whose first call was answered."""
    await open_connection(raw, mode)
    await raw.asked(raw.call("read", uri="guide://vocabulary"))
    return raw


async def open_connection(raw: Wire, mode: Mode) -> None:
    """Shake hands, in the era that does."""
    if mode == "legacy":
        await raw.asked(raw.line("initialize", **HELLO))
        await raw.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read", {"uri": "guide://vocabulary"}),
        ("read", {"uri": "guide://nowhere"}),
        ("read", {"url": "guide://vocabulary"}),
        ("update_task", {"workflow_id": "wf_0", "task_id": "ünknown ☃", "status": "failed"}),
        ("find_skills", {"capability": "implement"}),
    ],
)
async def test_a_call_is_answered_as_the_sdk_answers_it(
    raw: Wire, mode: Mode, seen: list[str], name: str, arguments: dict[str, Any]
) -> None:
    await open_connection(raw, mode)

    (first,) = await raw.asked(raw.call(name, **arguments))
    (second,) = await raw.asked(raw.call(name, **arguments))

    assert first.pop("id") + 1 == second.pop("id")
    assert first == second
    assert seen.count("tools/call") == 1


async def test_what_needs_its_session_or_is_unknown_is_left_to_the_sdk(
    wire: Wire, seen: list[str]
) -> None:
    seen.clear()

    answers = await wire.asked(
        wire.call("get_workflow"), wire.call("no_such_tool"), wire.line("tools/list")
    )

    assert sorted(seen) == ["tools/call", "tools/call", "tools/list"]
    assert all("result" in each for each in answers)


async def test_a_call_whose_envelope_is_another_is_left_to_the_sdk(
    wire: Wire,
) -> None:
    other = {**ENVELOPE, "io.modelcontextprotocol/protocolVersion": "1999-01-01"}
    wire.meta = {"_meta": other}

    (answer,) = await wire.asked(wire.call("read", uri="guide://vocabulary"))

    assert "error" in answer


@pytest.mark.parametrize(
    "odd",
    [
        {"name": ["read"]},
        {"name": {}},
        {"name": None},
        {"arguments": None},
        {"arguments": [1]},
        {"arguments": "{}"},
        {"_meta": []},
        {"_meta": None},
        {"_meta": "x"},
        {"more": {"deep": [[[[1]]]]}},
    ],
)
async def test_a_call_of_another_form_is_answered_by_the_sdk_and_the_next_one_as_ever(
    wire: Wire, direct: list[str], odd: dict[str, Any]
) -> None:
    params = {"name": "read", "arguments": {"uri": "guide://vocabulary"}, **wire.meta, **odd}
    wire.meta = {}

    (first,) = await wire.asked(wire.line("tools/call", **params))
    (listed,) = await wire.asked(wire.line("tools/list"))

    assert direct == []
    assert ("error" in first or "result" in first, "id" in listed) == (True, True)


async def test_what_hosts_add_for_themselves_changes_nothing(wire: Wire, seen: list[str]) -> None:
    wire.meta = {"_meta": {**wire.meta.get("_meta", {}), "progressToken": 7, "host/turn": "x"}}
    seen.clear()

    (answer,) = await wire.asked(wire.call("read", uri="guide://vocabulary"))

    assert (answer["result"]["isError"], seen) == (False, [])


async def test_before_the_handshake_nothing_is_answered(raw: Wire) -> None:
    raw.meta = {}

    first, second = await raw.asked(raw.call("cleanup"), raw.call("cleanup"))

    assert ("error" in first, "error" in second) == (True, True)


async def test_calls_that_are_read_together_share_a_commit(
    wire: Wire, log: list[Statement]
) -> None:
    tasks = [{"id": f"t{n}", "label": f"Look at part {n}"} for n in range(6)]
    (made,) = await wire.asked(wire.call("create_workflow", pattern="fan_out", tasks=tasks))
    workflow = made["result"]["structuredContent"]["workflow_id"]
    said = {"workflow_id": workflow, "status": "in_progress"}
    lines = [wire.call("update_task", task_id=f"t{n}", **said) for n in range(6)]
    refused = wire.call("update_task", task_id="nope", **said)

    log.clear()
    answers = await wire.asked(*lines[:3], refused, *lines[3:])

    failed = [each["result"]["isError"] for each in answers]
    assert failed == [False, False, False, True, False, False, False]
    assert sum(statement.sql == "COMMIT" for statement in log) == 1


async def test_a_client_may_send_all_before_it_reads_anything(wire: Wire) -> None:
    lines = [wire.call("read", uri="guide://vocabulary") for _ in range(400)]

    await wire.send(*lines)
    answers = [await wire.answer() for _ in lines]

    ids = [json.loads(line)["id"] for line in lines]
    assert [each["id"] for each in answers] == ids


async def test_a_tool_that_breaks_is_told_as_the_sdk_tells_it(
    raw: Wire, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    await open_connection(raw, mode)

    (first,) = await raw.asked(raw.call("_broken"))
    (second,) = await raw.asked(raw.call("_broken"))

    assert first["result"] == second["result"]
    assert (first["result"]["isError"], "secret" in json.dumps(second)) == (True, False)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("line", "name", "code"),
    [
        (b'{"a"', None, -32700),
        (b"\xff\xfe", None, -32700),
        (b"[" * 3000, None, -32700),
        (b"7", None, -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]', None, -32600),
        (b'{"jsonrpc":"2.0","id":"x","method":"tools/list","params":[]}', "x", -32600),
        (b'{"jsonrpc":"1.0","id":7,"method":"tools/list"}', 7, -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', None, -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}', None, -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"tools/list"}', None, -32600),
        (b'{"jsonrpc":"2.0","id":[1],"method":"tools/list"}', None, -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"x","params":[' + b"7" * 5000 + b"]}", None, -32700),
    ],
)
async def test_a_line_that_is_no_message_is_answered_and_so_is_the_call_before_it(
    wire: Wire, line: bytes, name: str | int | None, code: int
) -> None:
    call = wire.call("read", uri="guide://vocabulary")

    await wire.send(call, line + b"\n", b"\n", wire.line("tools/list"))
    answers = [await wire.answer() for _ in range(3)]

    errors = [each for each in answers if "error" in each]
    assert [(each["id"], each["error"]["code"]) for each in errors] == [(name, code)]
    assert len([each for each in answers if "result" in each]) == 2


@pytest.mark.parametrize("known", [False, True])
async def test_half_a_surrogate_pair_is_text_like_any_other(
    raw: Wire, mode: Mode, known: bool
) -> None:
    await open_connection(raw, mode)
    if known:
        await raw.asked(raw.call("read", uri="guide://vocabulary"))

    (answer,) = await raw.asked(raw.call("read", uri="half \ud83d"))

    assert answer["result"]["structuredContent"]["error"]["code"] == "unknown_resource"


async def test_a_call_that_waits_for_a_lock_holds_up_no_other(
    wire: Wire, store: SqliteStore
) -> None:
    tasks = [{"id": "t", "label": "Look at it"}]
    (made,) = await wire.asked(wire.call("create_workflow", pattern="fan_out", tasks=tasks))
    workflow = made["result"]["structuredContent"]["workflow_id"]
    said = {"workflow_id": workflow, "task_id": "t", "status": "in_progress"}

    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waits, reads = wire.call("update_task", **said), wire.call("read", uri="guide://vocabulary")
        await wire.send(waits, reads)
        first = await wire.answer()
    second = await wire.answer()

    assert first["id"] == json.loads(reads)["id"]
    assert second["result"]["structuredContent"]["status"] == "in_progress"


async def test_a_large_plan_holds_up_no_other_call(wire: Wire) -> None:
    tasks = [{"id": f"t{n}", "label": f"Look at part {n}"} for n in range(2000)]
    large = wire.call("create_workflow", pattern="fan_out", tasks=tasks)
    small = wire.call("read", uri="guide://vocabulary")

    await wire.send(large, small)
    first, second = await wire.answer(), await wire.answer()

    assert first["id"] == json.loads(small)["id"]
    assert second["result"]["structuredContent"]["progress"] == "0/2000 complete"


async def test_what_lasts_is_left_to_the_sdk_and_waits_for_no_call_read_with_it(
    wire: Wire, direct: list[str]
) -> None:
    tasks = [{"id": "t", "label": "Look at it"}]
    (made,) = await wire.asked(wire.call("create_workflow", pattern="fan_out", tasks=tasks))
    workflow = made["result"]["structuredContent"]["workflow_id"]
    direct.clear()

    answers = await wire.asked(
        wire.call("update_task", workflow_id=workflow, task_id="t", status="cancelled"),
        wire.call("cleanup", dry_run=True),
        wire.call("aggregate", workflow_id=workflow),
        wire.call("get_workflow", workflow_id=workflow),
    )

    assert [each["result"]["isError"] for each in answers] == [False] * 4
    assert direct == ["update_task"]


def test_what_may_be_answered_as_a_task_is_never_answered_directly(server: Server) -> None:
    assert not server.brief & MAY_LAST.keys()


async def test_many_kinds_of_calls_are_answered_while_few_are_remembered(wire: Wire) -> None:
    def call(kind: int) -> bytes:
        return wire.line("tools/call", name="read", arguments=guide, kind=kind)

    guide = {"uri": "guide://vocabulary"}
    kinds = [*range(KINDS + 2), 0, KINDS]

    await wire.send(*map(call, kinds))
    answers = [await wire.answer() for _ in kinds]

    assert all("result" in each for each in answers)


async def test_a_call_whose_kind_is_too_long_is_answered_by_the_sdk(
    wire: Wire, direct: list[str]
) -> None:
    wire.meta = {"_meta": {**wire.meta.get("_meta", {}), f"{PROTOCOL}x": "x" * LONGEST_KIND}}

    answers = [*await wire.asked(wire.line("tools/list"))]
    answers += await wire.asked(wire.call("read", uri="guide://vocabulary"))
    answers += await wire.asked(wire.call("read", uri="guide://vocabulary"))

    assert (direct, len(answers)) == ([], 3)


def test_a_call_nested_deeper_than_python_writes_is_of_no_kind() -> None:
    nested: list[Any] = []
    for _ in range(200_000):
        nested = [nested]
    request = JSONRPCRequest.model_construct(id=1, method="tools/call", params={"more": nested})

    assert kind_of(request) is None
