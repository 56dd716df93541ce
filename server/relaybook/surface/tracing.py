"""What spans tell of a call besides its method and tool: which workflow and task, no contents."""

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace

ATTRIBUTES = {"workflow_id": "relaybook.workflow.id", "task_id": "relaybook.task.id"}


def is_traced() -> bool:
    """Whether anyone set up a tracer that gets the spans."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def note_ids(arguments: Mapping[str, Any], answer: Mapping[str, Any] | None) -> None:
    """Put the ids that a call was about on the span that is open, if one is recorded."""
    span = trace.get_current_span()
    if not span.is_recording():
        return
    # Imported here: hardly any server is traced.
    from relaybook.core.plan.task_fields import ID_FORM

    for name, attribute in ATTRIBUTES.items():
        told = (answer or {}).get(name, arguments.get(name))
        # What has the form of no id may be anything.
        if isinstance(told, str) and ID_FORM.fullmatch(told):
            span.set_attribute(attribute, told)
