"""relaybook work --url: real worker processes on a real server."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

import relaybook
from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import (
    Forbidden,
    Refusal,
    StaleClaim,
    StoreUnreachable,
    UnknownWorkflow,
    refusal_of,
)
from relaybook.surface.http.access import Anyone
from relaybook.surface.http.tokens import Tokens
from relaybook.surface.remote import RemoteLedger, with_remote
from tests.helpers import Clock, result, start, task, update, workflow
from tests.http.serving import serving

pytestmark = pytest.mark.anyio

ANSWER = f"import sys; sys.stdin.read(); print({result({'n': 1})!r})"
#: Answers with the names of the variables that it was given.
ENVIRONMENT = """
import json, os, sys
sys.stdin.read()
names = [name for name in os.environ if name.startswith("RELAYBOOK")]
print("<result>" + json.dumps({"status": "ok", "data": names}) + "</result>")
"""
#: Answers with the address of the server that it was given.
ADDRESS = ENVIRONMENT.replace(
    '[name for name in os.environ if name.startswith("RELAYBOOK")]', 'os.environ["RELAYBOOK_URL"]'
)


def update_of(claimed: Mapping[str, Any], **said: Any) -> Update:
    """What a worker says of the task that it claimed."""
    return Update(
        workflow_id=claimed["workflow_id"],
        task_id=claimed["task_id"],
        claim=claimed["claim"],
        actor="worker",
        **said,
    )


@pytest.fixture
async def url(engine: Engine) -> AsyncIterator[str]:
    async with serving(engine, Tokens(engine)) as found:
        yield found


def work(
    folder: Path, url: str, token: str, code: str = ANSWER
) -> subprocess.CompletedProcess[str]:
    """Run a worker until nothing is left."""
    script = folder / "agent.py"
    script.write_text(code, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if "RELAYBOOK" not in name}
    options = {"--url": url, "--command": f"{sys.executable} {script}", "--parallel": "2"}
    said = [word for option in options.items() for word in option]
    return subprocess.run(
        [sys.executable, "-m", "relaybook", "work", "--wait", "0", *said],
        env={
            **kept,
            "PYTHONPATH": str(Path(relaybook.__file__).parents[1]),
            "RELAYBOOK_TOKEN": token,
            "HOME": str(folder),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


async def test_a_remote_worker_does_the_tasks_of_its_projects(
    url: str, engine: Engine, tmp_path: Path
) -> None:
    own = workflow(engine, "a", "b", task("c", "a"), project="ours")
    foreign = workflow(engine, "x", project="theirs")
    token = engine.create_token("ci", projects=["ours"])["token"]

    ran = await to_thread.run_sync(work, tmp_path, url, token, ENVIRONMENT)

    assert ran.returncode == 0, ran.stderr
    assert engine.show_workflow(own)["status"] == "completed"
    assert engine.show_workflow(foreign)["counts"] == {"pending": 1, "ready": 1}
    given = engine.read(f"ledger://workflows/{own}/tasks/a/result")["text"]
    assert "RELAYBOOK_URL" in given
    assert "RELAYBOOK_TOKEN" not in given
    assert "work@" in engine.read(f"ledger://workflows/{own}/tasks/a")["text"]


@pytest.mark.parametrize("role", [None, "orchestrator"])
async def test_a_worker_that_is_not_let_in_says_so(
    url: str, engine: Engine, tmp_path: Path, role: str | None
) -> None:
    workflow(engine, "a")
    token = engine.create_token("ci", role=role)["token"] if role else "relaybook_wrong"

    ran = await to_thread.run_sync(work, tmp_path, url, token)

    assert ran.returncode in (1, 3)
    assert "error[" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert token not in ran.stderr
    assert ("relaybook token create --role worker" in ran.stderr) == (role is not None)


async def test_a_heartbeat_keeps_the_lease_that_was_asked_for(
    url: str, engine: Engine, clock: Clock
) -> None:
    workflow(engine, "a")
    token = engine.create_token("ci")["token"]

    async def beat(ledger: RemoteLedger) -> None:
        claimed = await ledger.claim(None, None, 30, "s1")
        clock.move(20)
        beaten = await ledger.update(update_of(claimed, status="in_progress"))
        assert (claimed["lease_seconds"], beaten["lease_seconds"]) == (30, 30)

    with anyio.fail_after(60):
        await with_remote(url, token, beat)


async def test_refusals_arrive_as_what_they_are(url: str, engine: Engine) -> None:
    here = workflow(engine, "a")
    token = engine.create_token("ci", days=None)["token"]
    lost = {"workflow_id": here, "task_id": "a", "claim": start(engine, here, "a")}
    update(engine, here, "a", "pending", claim=lost["claim"])

    async def ask(ledger: RemoteLedger) -> None:
        with pytest.raises(UnknownWorkflow, match="wf_nothing"):
            await ledger.claim("wf_nothing", None, 30, "s1")
        with pytest.raises(StaleClaim):
            await ledger.update(update_of(lost, status="in_progress"))
        engine.revoke_token(engine.list_tokens()["tokens"][0]["id"])
        with pytest.raises(Forbidden, match="token"):
            await ledger.claim(None, None, 30, "s1")

    with anyio.fail_after(60):
        await with_remote(url, token, ask)


async def never(_: RemoteLedger) -> None:
    raise AssertionError("nobody is there")


async def test_a_page_that_is_no_server_of_tools_is_told_by_what_it_answered(
    url: str, engine: Engine
) -> None:
    elsewhere, token = url.replace("/mcp", "/no"), engine.create_token("ci", days=None)["token"]

    with anyio.fail_after(60), pytest.raises(StoreUnreachable, match="answered 404") as caught:
        await with_remote(elsewhere, token, never)

    assert "Error(" not in str(caught.value)


async def test_a_server_that_is_not_there_is_named() -> None:
    with anyio.fail_after(60), pytest.raises(StoreUnreachable, match="did not answer"):
        await with_remote("http://127.0.0.1:9/mcp", "", never)


@pytest.mark.parametrize(
    "url",
    [
        "http://u:s3cr3t@127.0.0.1:9/mcp",
        "http://s3cr3t@127.0.0.1:9/mcp",
        "ftp://u:s3cr3t@127.0.0.1/mcp",
        "u:s3cr3t@127.0.0.1",
        "http://u:s3cr3t@[x",
        "http://u:s3cr3t@",
    ],
)
async def test_the_password_of_a_url_is_shown_nowhere(url: str) -> None:
    with anyio.fail_after(60), pytest.raises(Refusal) as caught:
        await with_remote(url, "", never)

    assert "s3cr3t" not in str(caught.value)


async def test_a_command_is_not_given_the_password_of_the_url(
    engine: Engine, tmp_path: Path
) -> None:
    name = workflow(engine, "a")
    async with serving(engine, Anyone("worker")) as url:
        named = url.replace("://", "://u:s3cr3t@")
        ran = await to_thread.run_sync(work, tmp_path, named, "", ADDRESS)

    given = engine.read(f"ledger://workflows/{name}/tasks/a/result")["text"]
    assert ran.returncode == 0, ran.stderr
    assert url in given
    assert "s3cr3t" not in given + ran.stderr


def test_a_refusal_is_made_again_of_what_was_told_of_it() -> None:
    told = {"code": "stale_claim", "message": "m", "allowed": "a", "next": "n", "problems": [1]}

    made = refusal_of(told)

    assert isinstance(made, StaleClaim)
    assert made.as_dict() == told
    assert refusal_of({"code": "of a later version", "message": "m"}).message == "m"
