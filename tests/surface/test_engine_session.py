"""The engine session of the playbook, word for word in meaning, by Python, commands and tools.

Each door is led through the same session on a ledger of its own. What it is told on the way and
what it leaves behind are the same.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from mcp import Client
from typer.testing import CliRunner

from relaybook.cli import app
from relaybook.engine import Engine
from relaybook.playbook import Pipeline, WorkflowEngine
from relaybook.store.sqlite import SqliteStore
from tests.stages import HOOKS, HOOKS_WITH_FINDINGS, NAME, PROOF, STAGES, SUMMARY
from tests.surface.calls import call, read_json
from tests.surface.conftest import Connect

pytestmark = pytest.mark.anyio

SLUG = "wf-implement-auth-refresh-stage-0"
CHAIN = ["implement", "deploy", "verification"]
#: What the playbook reads of a work item.
ITEM = ("slug", "status", "skill", "goal", "artifacts", "tests", "findings", "blockers")
#: Members of events that are drawn by chance, or a time.
CHANCE = {"claim", "prompt", "at", "lease_seconds", "output", "result"}


class Door(Protocol):
    async def create_pipeline(self) -> str:
        """Its summary."""
        ...

    async def advance(self) -> tuple[int, str] | None:
        """The stage that now runs, and its state in the ledger; None once all are done."""
        ...

    async def complete_stage(self, index: int) -> str:
        """The state of its work item."""
        ...

    async def confirm(self, index: int) -> None: ...

    async def hooks(self, index: int) -> list[tuple[str, str]]:
        """Those due, each with the label to spawn it under."""
        ...

    async def mark_post_hooks_run(self, index: int, names: list[str]) -> None: ...

    async def find_skills_for(self, capability: str) -> list[str]: ...

    async def build_pipeline(self, capabilities: list[str]) -> list[str]: ...

    async def load_contract(self, name: str) -> dict[str, list[str]]: ...

    async def load_item(self, slug: str) -> dict[str, Any]: ...

    async def list_items(self, status: str) -> list[str]: ...


class ByPython:
    def __init__(self, engine: Engine) -> None:
        self.engine = WorkflowEngine(engine)
        self.wf: Pipeline

    async def create_pipeline(self) -> str:
        self.wf = self.engine.create_pipeline(name=NAME, project="mpmp", stages=STAGES)
        return self.wf.summary()

    async def advance(self) -> tuple[int, str] | None:
        stage = self.engine.advance(self.wf)
        return stage and (stage.index, stage.status)

    async def complete_stage(self, index: int) -> str:
        stage = self.engine.complete_stage(self.wf, stage_index=index, **PROOF[index])
        return self.engine.load_item(stage.item).status

    async def confirm(self, index: int) -> None:
        self.engine.confirm_stage(self.wf, stage_index=index, reason="deployed")

    async def hooks(self, index: int) -> list[tuple[str, str]]:
        found = self.engine.get_post_hook_tasks(self.wf, stage_index=index)
        assert all("## Output Interface" in hook["description"] for hook in found)
        return [(hook["skill"], f"hook_{hook['skill']}") for hook in found]

    async def mark_post_hooks_run(self, index: int, names: list[str]) -> None:
        self.engine.mark_post_hooks_run(self.wf, stage_index=index)

    async def find_skills_for(self, capability: str) -> list[str]:
        return [each.name for each in self.engine.find_skills_for(capability=capability)]

    async def build_pipeline(self, capabilities: list[str]) -> list[str]:
        return [each.name for each in self.engine.build_pipeline(capabilities)]

    async def load_contract(self, name: str) -> dict[str, list[str]]:
        contract = self.engine.load_contract(name)
        return contract_told(json.loads(json.dumps(asdict(contract), default=str)))

    async def load_item(self, slug: str) -> dict[str, Any]:
        return item_told(json.loads(json.dumps(asdict(self.engine.load_item(slug)))))

    async def list_items(self, status: str) -> list[str]:
        return [item.slug for item in self.engine.list_items(status=status)]


class ByCommands:
    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        self.id = ""
        self.due: list[tuple[str, str]] = []

    def run(self, *args: Any) -> dict[str, Any]:
        said = [each if isinstance(each, str) else json.dumps(each) for each in args]
        ran = CliRunner().invoke(app, [*said, "--store", str(self.ledger), "--json"])
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.stdout)

    async def create_pipeline(self) -> str:
        made = self.run("create", "--name", NAME, "--project", "mpmp", "--stages", STAGES)
        self.id = made["workflow_id"]
        return made["summary"]

    async def advance(self) -> tuple[int, str] | None:
        return running(self.run("advance", "--id", self.id))

    async def complete_stage(self, index: int) -> str:
        proof = [word for name, said in PROOF[index].items() for word in (f"--{name}", said)]
        stage = ("--stage", str(index), "--outcome", "completed")
        answer = self.run("advance", "--id", self.id, *stage, *proof)
        self.due = due(answer)
        return answer["item_status"]

    async def confirm(self, index: int) -> None:
        task = ("--task-id", f"stage-{index}", "--reason", "deployed")
        self.due = due(self.run("resolve", "--decision", "confirm", "--id", self.id, *task))

    async def hooks(self, index: int) -> list[tuple[str, str]]:
        return self.due

    async def mark_post_hooks_run(self, index: int, names: list[str]) -> None:
        self.run("advance", "--id", self.id, "--stage", str(index), "--hooks-run", names)

    async def find_skills_for(self, capability: str) -> list[str]:
        found = self.run("contracts", "find", "--capability", capability)
        return [each["name"] for each in found["contracts"]]

    async def build_pipeline(self, capabilities: list[str]) -> list[str]:
        found = self.run("contracts", "pipeline", *capabilities)
        return [each["skill"] for each in found["pipeline"]]

    async def load_contract(self, name: str) -> dict[str, list[str]]:
        return contract_told(self.run("contracts", "show", name))

    async def load_item(self, slug: str) -> dict[str, Any]:
        return item_told(self.run("items", "show", slug))

    async def list_items(self, status: str) -> list[str]:
        return [each["slug"] for each in self.run("items", "list", "--status", status)["items"]]


class ByTools:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.id = ""
        self.due: list[tuple[str, str]] = []

    async def run(self, tool: str, **said: Any) -> dict[str, Any]:
        return await call(self.client, tool, **said)

    async def create_pipeline(self) -> str:
        made = await self.run("create_workflow", name=NAME, project="mpmp", stages=STAGES)
        self.id = made["workflow_id"]
        return made["summary"]

    async def advance(self) -> tuple[int, str] | None:
        return running(await self.run("advance_stage", workflow_id=self.id))

    async def complete_stage(self, index: int) -> str:
        said = {"workflow_id": self.id, "stage": index, "outcome": "completed"}
        answer = await self.run("advance_stage", **said, **PROOF[index])
        self.due = due(answer)
        return answer["item_status"]

    async def confirm(self, index: int) -> None:
        task = {"task_id": f"stage-{index}", "reason": "deployed"}
        answer = await self.run("resolve", workflow_id=self.id, decision="confirm", **task)
        self.due = due(answer)

    async def hooks(self, index: int) -> list[tuple[str, str]]:
        return self.due

    async def mark_post_hooks_run(self, index: int, names: list[str]) -> None:
        await self.run("advance_stage", workflow_id=self.id, stage=index, hooks_run=names)

    async def find_skills_for(self, capability: str) -> list[str]:
        found = await self.run("find_skills", capability=capability)
        return [each["skill"] for each in found["skills"]]

    async def build_pipeline(self, capabilities: list[str]) -> list[str]:
        found = await self.run("find_skills", capabilities=capabilities)
        return [each["skill"] for each in found["pipeline"]]

    async def load_contract(self, name: str) -> dict[str, list[str]]:
        return contract_told(await read_json(self.client, f"contract://{name}"))

    async def load_item(self, slug: str) -> dict[str, Any]:
        return item_told(await read_json(self.client, f"ledger://items/{slug}"))

    async def list_items(self, status: str) -> list[str]:
        found = await read_json(self.client, "ledger://items")
        return [each["slug"] for each in found["items"] if each["status"] == status]


def running(answer: dict[str, Any]) -> tuple[int, str] | None:
    current = answer.get("current")
    return current and (current["stage"], current["status"])


def due(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(hook["skill"], hook["label"]) for hook in answer.get("hooks", [])]


def contract_told(said: dict[str, Any]) -> dict[str, list[str]]:
    return {
        "inputs": [each["name"] for each in said["inputs"]],
        "outputs": [each["name"] for each in said["outputs"]],
        "downstream": list(said["downstream"]),
    }


def item_told(said: dict[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ITEM if said.get(name)}


async def lead(door: Door) -> list[Any]:
    """The session of the playbook; what the door answers, in order."""
    told: list[Any] = [await door.create_pipeline()]
    for index in range(len(STAGES)):
        told += [await door.advance(), await door.list_items("in_progress")]
        told.append(status := await door.complete_stage(index))
        if status == "review":
            await door.confirm(index)
        told.append(hooks := await door.hooks(index))
        await door.mark_post_hooks_run(index, [name for name, _ in hooks])
    told += [await door.advance(), await door.list_items("done")]
    told += [await door.find_skills_for(name) for name in ("deploy", "verification")]
    told += [await door.build_pipeline(CHAIN), await door.load_contract("python-backend")]
    return [*told, await door.load_item(SLUG)]


def events_of(store: SqliteStore) -> list[Any]:
    """Every event but for its workflow, its time, and what is drawn by chance."""
    sql = "SELECT seq, type, task_id, actor, data FROM events ORDER BY workflow_id, seq"
    with store.read() as tx:
        rows = tx.rows(sql)
    return [(*row[:4], _settled(json.loads(row[4]))) for row in rows]


def _settled(data: dict[str, Any]) -> dict[str, Any]:
    return {name: said for name, said in data.items() if name not in CHANCE}


@pytest.mark.requirement("S179", "S180", "S202", "S205", "S206", "S207", "S209", "S214", "A28")
async def test_the_playbooks_session_is_told_and_recorded_the_same_by_every_door(
    connect_to: Connect, tmp_path: Path
) -> None:
    files = {name: tmp_path / f"{name}.db" for name in ("python", "commands", "tools")}
    stores = {name: SqliteStore(path, "normal") for name, path in files.items()}
    async with connect_to(Engine(stores["tools"])) as client:
        told = [
            await lead(ByPython(Engine(stores["python"]))),
            await lead(ByCommands(files["commands"])),
            await lead(ByTools(client)),
        ]
    events = [events_of(store) for store in stores.values()]
    for store in stores.values():
        store.close()

    by_python, by_commands, by_tools = told
    assert by_python[0] == SUMMARY
    assert by_python[1] == (0, "in_progress")
    assert [name for name, _ in by_python[4]] == HOOKS_WITH_FINDINGS
    assert [name for name, _ in by_python[8]] == HOOKS
    assert by_commands == by_python
    assert by_tools == by_python
    assert events[1] == events[0]
    assert events[2] == events[0]


@pytest.mark.requirement("S238", "S239", "S240", "S241", "S242", "S243", "S244")
async def test_what_the_session_left_is_looked_at_by_the_commands_of_the_playbook(
    tmp_path: Path,
) -> None:
    door = ByCommands(tmp_path / "ledger.db")
    await door.create_pipeline()
    await door.advance()
    await door.complete_stage(0)
    today = datetime.now(UTC).date().isoformat()

    listed = door.run("items", "list")["items"]
    tail = door.run("items", "tail", SLUG, "--limit", "5")["events"]
    graph = door.run("items", "graph")["items"]
    hooks = door.run("items", "hooks", "completed", "--since", "2026-02-14")["events"]
    none = door.run("items", "hooks", "failed", "--since", today)["events"]
    stats = door.run("items", "stats")

    assert [each["status"] for each in listed] == ["done", "blocked", "blocked", "blocked"]
    assert [event["type"] for event in tail] == [
        "started", "artifact_added", "test_recorded", "finding_added", "completed",
    ]  # fmt: skip
    assert [each.get("blockers", []) for each in graph][1:3] == [[SLUG], [SLUG[:-1] + "1"]]
    assert [event["slug"] for event in hooks] == [SLUG]
    assert none == []
    assert stats["status"] == {"blocked": 3, "done": 1}
    assert stats["skill"] == {"devops": 1, "python-backend": 2, "sanity-check": 1}
