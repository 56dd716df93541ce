"""find_skills: which skills can do something, or a pipeline from capabilities."""

from collections.abc import Sequence
from typing import Any

from relaybook.core.plan.tasks import DEFAULT_TEMPLATES
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import DONE_INPUT, GOAL_INPUTS
from relaybook.errors import InvalidTemplate, UnknownTemplate, clip
from relaybook.model import Pattern
from relaybook.registry.contract import Contract

SKILLS_SHOWN = 12
#: What the goal and `done` of a stage say to its template.
_SAID = {*GOAL_INPUTS, DONE_INPUT}


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
        "skills": [_told(desk, contract, capability) for contract in found[:SKILLS_SHOWN]],
        "summary": ", ".join(contract.name for contract in found[:SKILLS_SHOWN]) or "none",
        "next": "create_workflow(stages=[{capability, goal, args: {an input: its value}}]); "
        "contract://{name} has the whole",
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


def _told(desk: Desk, contract: Contract, capability: str) -> dict[str, Any]:
    return {
        "skill": contract.name,
        "capabilities": list(contract.capabilities),
        "inputs": [
            f"{name}{'' if required else '?'}"
            for name, required in _inputs(desk, contract, capability)
        ],
        "outputs": [each.name for each in contract.outputs],
        "downstream": list(contract.downstream),
        "minutes": contract.estimated_minutes,
    }


def _inputs(desk: Desk, contract: Contract, capability: str) -> list[tuple[str, bool]]:
    """The inputs of a skill, and which are required; for a capability those that its stage takes.

    What the stage before hands over is no argument, and what the goal says is not required.
    """
    wanted = [(each.name, each.required) for each in contract.inputs]
    if not capability:
        return wanted
    stage = contract.for_capability(capability)
    try:
        taken = desk.templates.get(stage.template or DEFAULT_TEMPLATES[Pattern.PIPELINE]).inputs
    except (UnknownTemplate, InvalidTemplate):
        return wanted
    said = _SAID.union(stage.template_args)
    required = {name for name, is_required in wanted if is_required}
    required |= {each.name for each in taken if each.required}
    names = [each.name for each in taken if each.kind != "prior_result"]
    return [(name, name in required and name not in said) for name in names]
