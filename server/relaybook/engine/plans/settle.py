"""Settling a specification: the defaults of its pattern and template, its arguments checked."""

from dataclasses import asdict, replace

from relaybook.core.merge.plan import plan_merge
from relaybook.core.panel.criteria import check_weights
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.plan.tasks import DEFAULT_TEMPLATES
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import arguments
from relaybook.errors import Forbidden, InvalidArguments
from relaybook.model import Pattern
from relaybook.registry.arguments import check_arguments
from relaybook.registry.task_inputs import DONE_INPUT, LENS_INPUTS, ROLE_INPUT
from relaybook.registry.template import Template

#: Where a task says the inputs that have a field of their own.
_FIELDS = {DONE_INPUT: "done", ROLE_INPUT: "expert_role"}


def refuse_worker(actor: str, deed: str) -> None:
    """Refuse a plan from inside a worker: plans are one level deep.

    Raises:
        Forbidden: `actor` is a worker.
    """
    if actor == "worker":
        raise Forbidden(
            f"A worker may not {deed}. Recursive dream: plans that workers make cannot be followed "
            "or recovered.",
            allowed="one level: the orchestrator plans, workers work",
            next="return what should be split in your result; the orchestrator splits the task",
        )


def settled(desk: Desk, pattern: Pattern, spec: TaskSpec, place: str | None) -> TaskSpec:
    """`spec` with a template, an expected time, and the questions of its expert role.

    `place` is where in the call the task stands, as `tasks[0].`; empty for a partition, whose
    arguments all partitions share; None for a task of a composition.

    Raises:
        UnknownTemplate, InvalidTemplate, InvalidArguments: the template and its arguments
            do not fit, or the task's own schema cannot be merged.
    """
    template = desk.templates.get(spec.template or DEFAULT_TEMPLATES[pattern])
    spec = _through_lens(desk, template, spec)
    what = "Template" if spec.template else f"The {pattern} default template"
    try:
        check_arguments(template.name, template.inputs, arguments(template, spec), what=what)
    except InvalidArguments as fault:
        raise _of_task(fault, spec, place) from None
    if spec.expert_role:
        check_weights(spec.args)
    if spec.schema is not None:
        plan_merge(spec.schema)
    minutes = spec.expected_minutes or template.expected_minutes
    return replace(spec, template=template.name, expected_minutes=minutes)


def _of_task(fault: InvalidArguments, spec: TaskSpec, place: str | None) -> InvalidArguments:
    """`fault` of the arguments of a task, with the places in the call where to mend it."""
    following = fault.next
    if place is not None:
        names = fault.data["missing"] or fault.data["unknown"]
        fields = _FIELDS if place else {}
        places = [place + fields.get(name, f"args.{name}") for name in names] or [f"{place}args"]
        following = f"correct {', '.join(places)}, or name another {place}template; call again"
    return InvalidArguments(
        f"Task {spec.id[:40]!r}: {fault.message}",
        allowed=fault.allowed,
        next=following,
        **fault.data,
    )


def _through_lens(desk: Desk, template: Template, spec: TaskSpec) -> TaskSpec:
    """`spec` with the sentence and questions of its expert role, if it brings no criteria."""
    if "criteria" in spec.args or not LENS_INPUTS.issubset(each.name for each in template.inputs):
        return spec
    role = desk.roles.get(spec.expert_role or str(spec.args.get(ROLE_INPUT, "")))
    if role is None:
        return spec
    criteria = [asdict(question) for question in role.questions]
    args = {"role_sentence": role.sentence, **spec.args, "criteria": criteria}
    return replace(spec, args=args)
