"""A call that goes on as a task over HTTP: outlives its request, and is its caller's alone."""

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from relaybook.engine import Engine
from relaybook.surface.http.tokens import Tokens
from tests.helpers import start, workflow
from tests.http.serving import connected, serving
from tests.surface.as_tasks import AsTasks, ask
from tests.surface.calls import call

pytestmark = pytest.mark.anyio


def token(engine: Engine, name: str) -> str:
    return engine.create_token(name, role="orchestrator", projects=("own",))["token"]


async def test_a_token_of_the_same_kind_neither_sees_nor_cancels_the_task_of_another(
    engine: Engine,
) -> None:
    name = workflow(engine, "a", project="own")
    mine, theirs = AsTasks(), AsTasks()
    one, other = (token(engine, who) for who in ("one", "other"))
    shown: list[str] = []

    async with (
        serving(engine, Tokens(engine)) as url,
        connected(url, one, extensions=[mine]) as owner,
        connected(url, other, extensions=[theirs]) as stranger,
        anyio.create_task_group() as group,
    ):

        async def wait() -> None:
            found = await call(owner, "get_workflow", workflow_id=name, wait_seconds=45)
            shown.append(found["workflow_id"])

        group.start_soon(wait)
        await mine.came.wait()
        for method in ("get", "update", "cancel"):
            with pytest.raises(MCPError, match="Unknown task"):
                await ask(stranger, method, mine.given[0].task_id)
        start(engine, name, "a")

    assert shown == [name]
    assert theirs.given == []
