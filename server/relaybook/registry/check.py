"""Checking a template against itself: its example renders, its example result fits its schema."""

from relaybook.core.schema.check import find_problems
from relaybook.errors import InvalidPlan, Refusal
from relaybook.registry.frame import Frame
from relaybook.registry.prompt import render
from relaybook.registry.template import Problem, Template


def plain(template: Template) -> Frame:
    """What every worker with the template gets, and nothing of one task."""
    return Frame(nonce="0", minutes=template.expected_minutes, tier=template.tier)


def check_template(template: Template) -> list[Problem]:
    """What is wrong with a template that could be read; empty if nothing is."""
    reasons = _example_args(template) + _example_result(template)
    return [Problem(template.path, 1, reason) for reason in reasons]


def _example_args(template: Template) -> list[str]:
    try:
        render(template, template.example_args, plain(template))
    except Refusal as refusal:
        return [f"example_args do not render: {refusal.message}"]
    return []


def _example_result(template: Template) -> list[str]:
    if template.output_schema is None:
        return []
    try:
        problems = find_problems(template.example_result, template.output_schema)
    except InvalidPlan as refusal:
        return [refusal.message]
    return [
        "example_result at {path!r}: {message}, not {expected}".format(**each) for each in problems
    ]
