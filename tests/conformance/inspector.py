"""The Inspector's command lines: listing, calling, reading, getting and completing.

Over stdio they start the server from `mcp.json`; over HTTP they call one that runs.
`inspector --cli` has no command that completes, `mcpdo` of the same package has.
"""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.conformance.kit import REPO, Finding, Kit, last_line
from tests.conformance.serving import http_server

CLI = "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
MCPDO = ".bin/mcpdo"
#: What the Inspector calls the eras, and the revision that each lands on.
ERAS = {"legacy": "2025-11-25", "modern": "2026-07-28"}
CONNECTION = ("--format", "json", "--connection", "relaybook")
CONFIG = ("--config", str(REPO / "mcp.json"))

PLAN = {
    "pattern": "fan_out",
    "name": "inspected",
    "tasks": [{"id": "a", "label": "Look at it"}, {"id": "b", "label": "Look again"}],
}


@dataclass(frozen=True, slots=True)
class Target:
    """One way to a server in one era."""

    name: str
    era: str
    #: How `inspector --cli` is told where the server is, and how `mcpdo` is.
    where: tuple[str, ...]
    connect: tuple[str, ...]


def check_inspector(kit: Kit) -> list[Finding]:
    with http_server(kit) as url:
        ways = (
            (
                "stdio by mcp.json",
                (*CONFIG, "--server", "relaybook"),
                (*CONFIG, "connect", "relaybook"),
            ),
            ("HTTP", ("--server-url", url), ("connect", url)),
        )
        targets = [
            Target(f"{way}, {version}", era, where, connect)
            for era, version in ERAS.items()
            for way, where, connect in ways
        ]
        return [_check(kit, each) for each in targets]


def _check(kit: Kit, target: Target) -> Finding:
    try:
        workflow_id = _check_cli(kit, target)
        _check_mcpdo(kit, target, workflow_id)
    except AssertionError as error:
        return Finding(False, f"Inspector over {target.name}: {str(error)[:300]}")
    return Finding(True, f"Inspector over {target.name}: lists, calls, reads, gets, completes")


def _check_cli(kit: Kit, target: Target) -> str:
    """What people do with `inspector --cli`; answers the workflow it made."""

    def inspect(method: str, *more: str) -> Any:
        options = ("--method", method, "--protocol-era", target.era, "--format", "json", "-q")
        return _said(kit, CLI, "--cli", *target.where, *options, *more)["result"]

    tools = inspect("tools/list", "--strict")["tools"]
    assert len(tools) == 13, f"{len(tools)} tools"
    call = ("--tool-name", "create_workflow", "--tool-args-json", json.dumps(PLAN))
    created = inspect("tools/call", *call)["structuredContent"]
    read = inspect("resources/read", "--uri", f"ledger://workflows/{created['workflow_id']}")
    assert json.loads(read["contents"][0]["text"])["name"] == "inspected"
    got = inspect("prompts/get", "--prompt-name", "orchestrate", "--prompt-args", "goal=ship")
    assert "ship" in got["messages"][0]["content"]["text"]
    return created["workflow_id"]


def _check_mcpdo(kit: Kit, target: Target, workflow_id: str) -> None:
    """The rest, over one connection."""

    def ask(*command: str) -> Any:
        return _said(kit, MCPDO, *CONNECTION, *command)

    with _connected(kit, target):
        met = ask("connections/show")["protocolVersion"]
        assert met == ERAS[target.era], f"it met {met}"
        assert ask("resources/list")["resources"]
        assert ask("resources/templates/list")["resourceTemplates"]
        assert ask("prompts/list")["prompts"]
        for kind, name, argument in (
            ("ref/resource", "ledger://workflows/{id}", "id"),
            ("ref/prompt", "recover", "workflow_id"),
        ):
            ref = ("--complete-ref-type", kind, "--complete-ref", name)
            typed = ("--complete-arg-name", argument, "--complete-arg-value", workflow_id)
            found = ask("prompts/complete", *ref, *typed)
            assert found["values"] == [workflow_id], f"{name} is not completed: {found}"


@contextmanager
def _connected(kit: Kit, target: Target) -> Generator[None]:
    try:
        _must(kit, MCPDO, *CONNECTION, *target.connect, "--era", target.era)
        yield
    finally:
        kit.run_node(MCPDO, "daemon", "stop")


def _said(kit: Kit, *command: str) -> Any:
    """What the command prints, as JSON."""
    return json.loads(_must(kit, *command))


def _must(kit: Kit, script: str, *arguments: str) -> str:
    done = kit.run_node(script, *arguments)
    told = f"{_method(arguments)} ended with {done.returncode}: {last_line(done.stderr)}"
    assert done.returncode == 0, told
    return done.stdout


def _method(arguments: Sequence[str]) -> str:
    return " ".join(each for each in arguments if "/" in each and "://" not in each)[:80]
