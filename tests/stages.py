"""The playbook's four stages, and short ways to report on them."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Resolution, StageReport
from relaybook.errors import Refusal

NAME = "implement-auth-refresh"
STAGES: list[dict[str, Any]] = [
    {"capability": "implement", "goal": "Build refresh token endpoint"},
    {"capability": "testing", "goal": "Write integration tests"},
    {"capability": "deploy", "goal": "Deploy to staging"},
    {"capability": "verification", "goal": "Verify deployment health"},
]
SUMMARY = """\
⏳ 0. [implement] Build refresh token endpoint → python-backend
⏳ 1. [testing] Write integration tests → python-backend
⏳ 2. [deploy] Deploy to staging → devops
⏳ 3. [verification] Verify deployment health → sanity-check"""

#: What shows that a stage of the example is done.
PROOF: list[dict[str, Any]] = [
    {
        "artifacts": ["src/auth/refresh.py"],
        "tests": [{"name": "test_refresh", "status": "passed", "evidence": "1 passed"}],
        "findings": ["The staging clock runs two minutes late."],
    },
    {
        "artifacts": [{"path": "tests/test_refresh.py", "hash": "ab12"}],
        "tests": [{"name": "test_refresh_flow", "status": "passed"}],
        "metrics": {"coverage": 91},
    },
    {"criteria": [{"criterion": "Deploy to staging", "evidence": "make stage ended with 0"}]},
    {"criteria": [{"criterion": "Verify deployment health", "evidence": "GET /health: 200"}]},
]
HOOKS = ["sanity-check", "skill-lifecycle"]
HOOKS_WITH_FINDINGS = ["sanity-check", "reflect", "skill-lifecycle"]


def staged(engine: Engine, *capabilities: str, **said: Any) -> str:
    """The id of a new workflow: the example's stages, or one for each capability named."""
    stages = [{"capability": name, "goal": f"Do {name}"} for name in capabilities] or STAGES
    said = {"name": NAME, "project": "mpmp", "stages": stages} | said
    return engine.create_workflow(**said)["workflow_id"]


def advance(engine: Engine, workflow_id: str, stage: int | None = None, **said: Any) -> Any:
    return engine.advance_stage(StageReport(workflow_id=workflow_id, stage=stage, **said))


def resolve(engine: Engine, workflow_id: str, decision: str, stage: int, reason: str = "") -> Any:
    task_id = f"stage-{stage}"
    said = Resolution(
        workflow_id=workflow_id, decision=decision, task_id=task_id, reason=reason, actor="mia"
    )
    return engine.resolve(said)


def finish_first(engine: Engine, workflow_id: str) -> Any:
    """Start stage 0 and complete it with proof."""
    advance(engine, workflow_id)
    return advance(engine, workflow_id, 0, outcome="completed", **PROOF[0])


def refused(kind: type[Refusal], engine: Engine, *args: Any, **said: Any) -> Refusal:
    """The refusal of that kind that `advance` meets."""
    with pytest.raises(kind) as caught:
        advance(engine, *args, **said)
    return caught.value
