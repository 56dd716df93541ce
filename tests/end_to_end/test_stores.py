"""Every process on the ledger that its option or the environment names, of each kind of store."""

import sys
from itertools import chain
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.server.subscriptions import ResourceUpdated

from relaybook.store.open import open_store
from tests.helpers import PROMPTS, STORES, Clock, engine_on, result, store_name, workflow

from .conftest import SERVER, Run

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S134", "S256")
@pytest.mark.parametrize("kind", STORES)
async def test_what_one_server_wrote_the_next_one_shows(kind: str, tmp_path: Path) -> None:
    arguments = ["-m", "relaybook", "serve", "--store", store_name(kind, tmp_path)]
    env = {"PYTHONPATH": str(SERVER)}
    server = StdioServerParameters(command=sys.executable, args=arguments, env=env)
    plan = {"pattern": "fan_out", "name": "kept", "tasks": [{"id": "t1", "label": "Count"}]}

    with anyio.fail_after(60):
        async with Client(server) as first:
            await first.call_tool("create_workflow", plan)
        async with Client(server) as second:
            shown = await second.call_tool("get_workflow", {})

    assert shown.structured_content is not None
    assert [each["name"] for each in shown.structured_content["workflows"]] == ["kept"]


@pytest.mark.parametrize("kind", STORES)
async def test_a_change_made_through_one_server_is_told_by_another(
    kind: str, tmp_path: Path
) -> None:
    arguments = ["-m", "relaybook", "serve", "--store", store_name(kind, tmp_path)]
    env = {"PYTHONPATH": str(SERVER)}
    server = StdioServerParameters(command=sys.executable, args=arguments, env=env)
    plan = {"pattern": "fan_out", "name": "told", "tasks": [{"id": "t1", "label": "Count"}]}

    with anyio.fail_after(100):
        async with Client(server) as one, Client(server) as other:
            made = (await one.call_tool("create_workflow", plan)).structured_content or {}
            workflow_id, seen = made["workflow_id"], made["seq"]
            waiting = {"workflow_id": workflow_id, "since": seen, "wait_seconds": 45}
            starting = {"workflow_id": workflow_id, "task_id": "t1", "status": "in_progress"}
            uri = f"ledger://workflows/{workflow_id}"
            told: list[Any] = []
            async with (
                other.listen(resource_subscriptions=[uri]) as heard,
                anyio.create_task_group() as group,
            ):
                group.start_soon(one.call_tool, "update_task", starting)
                told.append((await other.call_tool("get_workflow", waiting)).structured_content)
                told.append(await anext(heard))

    assert told[0]["seq"] == seen + 1
    assert told[1] == ResourceUpdated(uri=uri)


@pytest.mark.parametrize("kind", STORES)
def test_the_command_of_a_worker_finds_the_ledger_in_its_environment(
    kind: str, tmp_path: Path, relaybook_process: Run
) -> None:
    store = open_store(store_name(kind, tmp_path))
    workflow_id = workflow(engine_on(store, Clock()), "a")
    agent = tmp_path / "agent.sh"
    agent.write_text(f"printenv RELAYBOOK_STORE > named\ncat <<'end'\n{result()}\nend\n", "utf-8")
    named = store_name(kind, Path() if kind == "sqlite" else tmp_path)

    options = {"--command": f"sh {agent}", "--workflow": workflow_id, "--prompts": str(PROMPTS)}

    worker = relaybook_process("work", "--store", named, *chain.from_iterable(options.items()))

    worker.communicate(timeout=60)
    assert worker.returncode == 0
    assert (tmp_path / "named").read_text("utf-8").strip() == store_name(kind, tmp_path)
    store.close()


def test_no_refusal_shows_the_password_of_a_store(relaybook_process: Run) -> None:
    url = "postgresql://ann:secret@/ledger?host=/nowhere"

    said = relaybook_process("list", "--store", url).communicate(timeout=60)

    assert said[1].startswith("error[store_unreachable]: The ledger 'ledger' on /nowhere ")
    assert "secret" not in "".join(said)
