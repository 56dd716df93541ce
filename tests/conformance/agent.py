"""An agent framework, its model a script, runs a whole workflow over stdio and over HTTP."""

from tests.conformance.kit import HERE, Finding, Kit, last_line
from tests.conformance.serving import http_server


def check_agent(kit: Kit) -> list[Finding]:
    with http_server(kit) as url:
        return [_run(kit, "stdio", "relaybook"), _run(kit, "HTTP", url)]


def _run(kit: Kit, way: str, where: str) -> Finding:
    done = kit.run(kit.python, HERE / "scripted_agent.py", where)
    told = f"a whole workflow, {last_line(done.stdout)}"
    if done.returncode:
        told = last_line(done.stderr)[:300]
    return Finding(done.returncode == 0, f"pydantic-ai over {way}: {told}")
