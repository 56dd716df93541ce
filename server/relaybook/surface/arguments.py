"""The types of tool arguments, and the schema of a task, which stands once."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from relaybook.core.policy import DEFAULT_WIDTH
from relaybook.core.result.record import KINDS, OF_WORKER
from relaybook.model import FailureCode, Pattern


def _given(value: Any) -> Any:
    return "" if value is None else value


# Exactly `str` under the annotation: the SDK decodes JSON in any argument that is not, and a
# worker's output is JSON as often as not.
Text = Annotated[str, BeforeValidator(_given)]


def _id_or_none(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("it is empty, so that a repeat is not known; leave it out, or name it")
    return _given(value)


# A default is not held against it.
RequestId = Annotated[str, BeforeValidator(_id_or_none)]


_STRINGS = {"type": "array", "items": {"type": "string"}}

#: What a plan may say of one task. `core.task_fields` reads it and explains what is wrong.
TASK_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "label"],
    "properties": {
        "id": {"type": "string"},
        "label": {"type": "string", "description": "the task in one sentence"},
        "depends_on": _STRINGS,
        "template": {"type": "string", "description": "see prompt://index"},
        "args": {"type": "object"},
        "expected_minutes": {"type": "number"},
        "timeout_seconds": {"type": "integer"},
        "tool_calls": {"type": "integer", "description": "its worker's budget"},
        "done": {**_STRINGS, "description": "what holds when done"},
        "schema": {"type": "object", "description": "JSON Schema of the result's data"},
        "takes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"from": {"type": "string"}, "fields": _STRINGS},
            },
            "description": "fields of earlier results",
        },
        "writes": {**_STRINGS, "description": "paths, folders/ or resource names"},
        "when": {"type": "string"},
        "instead_of": {"type": "string"},
        "on_failure": {"type": "string", "description": "task it handles"},
        "expert_role": {"type": "string"},
        "capability": {"type": "string"},
        "worker_can_read": {"type": "boolean"},
    },
    "additionalProperties": False,
}

Tasks = Annotated[
    list[Any], WithJsonSchema({"type": "array", "items": TASK_SCHEMA}), Field(max_length=100_000)
]
Items = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "description": "texts, or objects with id, weight?, group?"}),
]
PatternName = Annotated[
    str,
    BeforeValidator(_given),
    WithJsonSchema({"type": "string", "enum": [str(each) for each in Pattern]}),
]
TaskStatus = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "enum": [
                "in_progress",
                "completed",
                "failed",
                "input_required",
                "pending",
                "cancelled",
            ],
            "description": "pending gives the claim back",
        }
    ),
]
ErrorCode = Annotated[
    str,
    BeforeValidator(_given),
    WithJsonSchema(
        {"type": "string", "description": f"e.g. {FailureCode.TIMEOUT}, {FailureCode.CRASH}"}
    ),
]
Width = Annotated[int, Field(description=f"tasks at once, 1 to {DEFAULT_WIDTH}")]
Added = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "description": "tasks as in create_workflow"}),
    Field(max_length=1_000),
]
_YES = {"type": "boolean"}
_COUNT = {"type": "integer"}
#: What `plan` may be told of a job; `core.questions.Facts` says what each means.
FactsArgument = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "required": ["minutes"],
            "properties": {
                "minutes": {"type": "number", "description": "of the whole job, in one session"},
                "subtasks": _COUNT,
                "independent": _YES,
                "sequential": _YES,
                "opinions": _YES,
                "dataset": _YES,
                "adaptive": _YES,
                "exploration": _YES,
                "questions": _COUNT,
                "stages": _YES,
                "recurring": _YES,
                "homogeneous": _YES,
                "writes_same_artefact": _YES,
            },
        }
    ),
]
Entries = Annotated[
    list[dict[str, Any]],
    WithJsonSchema({"type": "array", "items": {"type": "object"}}),
    Field(max_length=20),
]
# The engine names the nearest of a wrong one.
RecordKind = Annotated[str, WithJsonSchema({"type": "string", "enum": list(KINDS)})]
WorkerRecordKind = Annotated[str, WithJsonSchema({"type": "string", "enum": sorted(OF_WORKER)})]
Stages = Annotated[
    list[Any],
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "object", "required": ["capability", "goal"]},
            "description": "{capability, goal, skill?, args?, done?, writes?}: a pipeline by skill",
        }
    ),
    Field(max_length=1_000),
]
Hooks = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": ["array", "string"],
            "items": {"type": "string"},
            "description": "of stages; default sanity-check, reflect, skill-lifecycle; or advisory",
        }
    ),
]
Outcome = Annotated[
    str,
    BeforeValidator(_given),
    WithJsonSchema({"type": "string", "enum": ["completed", "failed"]}),
]
Artifacts = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "description": "paths, or {path, hash?}"}),
]
Tests = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "description": "{name, status: passed…, evidence?, proves?}"}),
]
Metrics = Annotated[Any, WithJsonSchema({"type": "object", "description": "values by name"})]
Findings = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "description": "texts, or {text, target?, confidence?}"}),
]
Criteria = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "description": "{criterion, evidence}"}),
]
HooksRun = Annotated[
    list[Any],
    WithJsonSchema({"type": "array", "description": "names, or {hook, output}"}),
]
#: What an object is that stands in a list or by itself, for whoever sent something else.
OBJECTS: Mapping[str, str] = {
    "updates": "an object with task_id, status, output, claim, error, …",
    "entries": "an object, such as {name, status} of a test or {text} of a finding",
    "facts": "an object with minutes, subtasks, independent, …",
    "args": "an object of arguments by name",
    "metadata": "an object of values by name",
}
