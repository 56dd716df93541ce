"""The official TypeScript clients run a whole workflow, over stdio and over HTTP."""

from tests.conformance.kit import HERE, Finding, Kit
from tests.conformance.serving import http_server

#: How `workflow.mjs` names each client.
CLIENTS = {
    "1": "@modelcontextprotocol/sdk",
    "legacy": "@modelcontextprotocol/client, 2025-11-25",
    "modern": "@modelcontextprotocol/client, 2026-07-28",
}


def check_typescript(kit: Kit) -> list[Finding]:
    with http_server(kit) as url:
        ways = (("stdio", "relaybook"), ("http", url))
        return [
            _run(kit, era, name, kind, where)
            for era, name in CLIENTS.items()
            for kind, where in ways
        ]


def _run(kit: Kit, era: str, name: str, kind: str, where: str) -> Finding:
    done = kit.run_node(HERE / "workflow.mjs", era, kind, where)
    faults = [line for line in done.stderr.splitlines() if "Error" in line]
    told = "a whole workflow" if done.returncode == 0 else (faults or [done.stderr])[0][:300]
    return Finding(done.returncode == 0, f"TypeScript {name} over {kind}: {told}")
