"""find_skills: which skills can do something, or a pipeline from capabilities."""

from collections.abc import Sequence
from typing import Any

from relaybook.engine.desk import Desk
from relaybook.errors import clip
from relaybook.registry.contract import Contract

SKILLS_SHOWN = 12


def find_skills(
    desk: Desk,
    *,
    capability: str = "",
    input: str = "",
    output: str = "",
    capabilities: Sequence[str] = (),
) -> dict[str, Any]:
    """The contracts that fit all that is given, best first; all of them if nothing is.

    With `capabilities` a pipeline instead: the skill for each, in that order.

    Raises:
        UnknownCapability: no skill has one of them; names the nearest.
    """
    if capabilities:
        return _pipeline(desk, capabilities)
    if capability:
        desk.contracts.resolve(capability)
    found = desk.contracts.find(capability or None, input or None, output or None)
    answer: dict[str, Any] = {
        "skills": [_told(contract) for contract in found[:SKILLS_SHOWN]],
        "summary": ", ".join(contract.name for contract in found[:SKILLS_SHOWN]) or "none",
        "next": "create_workflow(stages=[{capability, goal}]); contract://{name} has the whole",
    }
    if len(found) > SKILLS_SHOWN:
        answer["summary"] += f" and {len(found) - SKILLS_SHOWN} more in contract://index"
    if problems := desk.contracts.problems():
        answer["problems"] = [f"{p.path.name}: {clip(p.reason, 160)}" for p in problems[:5]]
    return answer


def _pipeline(desk: Desk, capabilities: Sequence[str]) -> dict[str, Any]:
    routes = [desk.contracts.resolve(capability) for capability in capabilities]
    pipeline = [
        {"capability": capability, "skill": route.contract.name}
        | ({"runners_up": list(route.runners_up[:5])} if route.runners_up else {})
        for capability, route in zip(capabilities, routes, strict=True)
    ]
    return {
        "pipeline": pipeline,
        "summary": " → ".join(route.contract.name for route in routes),
        "next": "create_workflow(stages=[{capability, goal}, …])",
    }


def _told(contract: Contract) -> dict[str, Any]:
    return {
        "skill": contract.name,
        "capabilities": list(contract.capabilities),
        "inputs": [f"{each.name}{'' if each.required else '?'}" for each in contract.inputs],
        "outputs": [each.name for each in contract.outputs],
        "downstream": list(contract.downstream),
        "minutes": contract.estimated_minutes,
    }
