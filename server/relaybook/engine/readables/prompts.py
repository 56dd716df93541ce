"""Templates and compositions as they can be read: what each is for, takes, and answers."""

from typing import Any

from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.errors import InvalidComposition, InvalidTemplate, clip
from relaybook.registry.composition import Composition
from relaybook.registry.parameter import Parameter
from relaybook.registry.template import Template

#: What the index says of each template, in characters.
DESCRIPTION_SHOWN = 160


def read_prompt_index(desk: Desk) -> str:
    """Every template and composition in a line; a broken one says what is wrong with it."""
    answer = {
        "templates": [_template_line(desk, name) for name in desk.templates.names()],
        "compositions": [_composition_line(desk, name) for name in desk.compositions.names()],
    }
    return compact(answer)


def _composition_line(desk: Desk, name: str) -> dict[str, Any]:
    try:
        composition = desk.compositions.get(name)
    except InvalidComposition as refusal:
        return {"name": name, "broken": refusal.message}
    return {
        "name": name,
        "description": clip(composition.description, DESCRIPTION_SHOWN),
        "pattern": str(composition.pattern),
        "params": [_parameter(each) for each in composition.params],
        **_shadowing(composition),
    }


def _shadowing(found: Template | Composition) -> dict[str, bool]:
    """The mark of a file that stands in for one of the same name in an earlier folder."""
    return {"shadows": True} if found.shadows else {}


def _template_line(desk: Desk, name: str) -> dict[str, Any]:
    try:
        template = desk.templates.get(name)
    except InvalidTemplate as refusal:
        return {"name": name, "broken": refusal.message}
    return {
        "name": name,
        "description": clip(template.description, DESCRIPTION_SHOWN),
        "patterns": [str(pattern) for pattern in template.patterns],
        "required": [each.name for each in template.inputs if each.required],
        "mode": template.mode,
        "model_hint": template.model_hint,
        "expected_minutes": template.expected_minutes,
        **_shadowing(template),
    }


def read_prompt(desk: Desk, name: str) -> str:
    """One template, or if none has the name, one composition."""
    if name in desk.compositions.names() and name not in desk.templates.names():
        return _composition(desk.compositions.get(name))
    return _template(desk.templates.get(name))


def _composition(composition: Composition) -> str:
    """What starts it, its parameters, its tasks, and when it is done."""
    answer: dict[str, Any] = {
        "name": composition.name,
        "trigger": composition.trigger,
        "description": composition.description,
        "pattern": str(composition.pattern),
        "tags": list(composition.tags),
        "params": [_parameter(each) for each in composition.params],
        "tasks": [dict(each) for each in composition.tasks],
        "shared_decisions": list(composition.shared_decisions),
        "merge": composition.merge,
        "acceptance": list(composition.acceptance),
        "brief": composition.brief,
    }
    if composition.items:
        answer |= {"items": composition.items, "batches": composition.batches}
    return compact(answer | _shadowing(composition))


def _template(template: Template) -> str:
    """Metadata, inputs, the schema of its result, an example of both."""
    answer: dict[str, Any] = {
        "name": template.name,
        "title": template.display_name,
        "description": template.description,
        "version": template.version,
        "tags": list(template.tags),
        "patterns": [str(pattern) for pattern in template.patterns],
        "mode": template.mode,
        "tier": str(template.tier),
        "model_hint": template.model_hint,
        "expected_minutes": template.expected_minutes,
        "worker_needs": list(template.worker_needs),
        "aggregate": template.aggregate,
        "instruction_word_budget": template.instruction_word_budget,
        "inputs": [_parameter(each) for each in template.inputs],
        "output_schema": template.output_schema,
    }
    return compact(answer | _shadowing(template) | _example(template))


def _parameter(parameter: Parameter) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": parameter.name, "kind": parameter.kind}
    if parameter.description:
        shown["description"] = parameter.description
    if parameter.required:
        shown["required"] = True
    elif parameter.default is not None:
        shown["default"] = parameter.default
    if parameter.enum_values:
        shown["values"] = list(parameter.enum_values)
    if parameter.properties:
        shown["fields"] = [_parameter(each) for each in parameter.properties]
    if parameter.items is not None:
        shown["items"] = _parameter(parameter.items)
    return shown


def _example(template: Template) -> dict[str, Any]:
    found = {"args": dict(template.example_args), "result": template.example_result}
    shown = {name: value for name, value in found.items() if value}
    return {"example": shown} if shown else {}
