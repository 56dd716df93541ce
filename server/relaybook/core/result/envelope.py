"""A worker's result: the envelope in its `<result>` block, read and held against a schema.

The block holds an envelope, the bare data, or the one-line error form. An object that has
a `status` or an `error` is told from bare data by one rule: it is data if the schema
declares every member of it and accepts it as it stands; otherwise it is an envelope if
its `status` is one of the four words, or if all its members are members of an envelope.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, cast

from relaybook.core.names import few
from relaybook.core.result.block import (
    CLOSE,
    OPEN,
    block_values,
    find_block,
    malformed,
    parse_block,
    require_size,
)
from relaybook.core.schema.check import check_schema, find_problems
from relaybook.core.schema.problem import Problem, problem
from relaybook.core.text import canonical
from relaybook.errors import MalformedOutput, clip
from relaybook.model import Tier

#: How long a summary may be.
SUMMARY_WORDS, SUMMARY_CHARACTERS = 120, 1200
#: What stands for the summary in the block that every prompt shows, and that block.
PLACEHOLDER = f"<={SUMMARY_WORDS} words"
EXAMPLE = f'{OPEN}\n{{"status":"ok","summary":"{PLACEHOLDER}","data":{{}}}}\n{CLOSE}'
CONFIDENCES = ("low", "medium", "high")
#: Under which key a plain text is put where an object is expected.
TEXT_KEYS = {
    "evidence": "claim",
    "artifacts": "path",
    "tests": "name",
    "metrics": "name",
    "findings": "text",
    "proposed_actions": "action",
    "actions_taken": "action",
}


class ResultStatus(StrEnum):
    """How a worker says that its work ended."""

    OK = "ok"
    PARTIAL = "partial"
    ERROR = "error"
    NEEDS_INPUT = "needs_input"


WORDS = ", ".join(ResultStatus)
_STATUSES = list(ResultStatus)  # what a worker says need not be hashable


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a worker hands back."""

    status: ResultStatus
    data: Any = None
    #: One line, at most 120 words.
    summary: str = ""
    #: low, medium or high.
    confidence: str | None = None
    #: Objects {claim, source}.
    evidence: tuple[Mapping[str, Any], ...] = ()
    gaps: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    artifacts: tuple[Mapping[str, Any], ...] = ()
    tests: tuple[Mapping[str, Any], ...] = ()
    metrics: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    #: Objects {action, target, tier, why}.
    proposed_actions: tuple[Mapping[str, Any], ...] = ()
    #: Objects {action, tier}, the tier one of `Tier`.
    actions_taken: tuple[Mapping[str, Any], ...] = ()
    #: An object {code, message}.
    error: Mapping[str, Any] | None = None
    #: False only for a text taken as it is.
    validated: bool = True
    #: What was odd about the message that it was read from.
    flags: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """Its gaps; a partial result that names none still has one."""
        if self.gaps or self.status is not ResultStatus.PARTIAL:
            return self.gaps
        return (UNNAMED_GAP,)


_FIELDS = fields(Envelope)
MEMBERS = frozenset(field.name for field in _FIELDS) - {"validated", "flags"}
_TUPLES = frozenset(field.name for field in _FIELDS if field.default == ())
#: The gap of a partial result that names none.
UNNAMED_GAP = "its worker calls it partial and does not say what is missing"
#: The flag of a message with blocks that differ, of which the last is the result.
SEVERAL_RESULTS = "several_results"
#: How many members that mean nothing a flag names, and which names it shows.
IGNORED_SHOWN, _PLAIN_NAME = 5, re.compile(r"[\w-]{1,40}")
#: A tier as workers write it: T2, t2, "Tier 2", 2.
_TIER = re.compile(r"(?:t(?:ier)?[ _-]*+)?([1-4])", re.IGNORECASE)


def read_result(text: str, schema: Mapping[str, Any] | None) -> Envelope:
    """The result in a worker's message; without a schema any data will do.

    The data of a partial result may lack required members: they become gaps. The data of
    an error or a question is not checked.

    Raises:
        MalformedOutput: no block, no JSON, the example of the prompt, or not what was asked;
            `problems` lists paths.
        InvalidPlan: the schema itself is broken.
    """
    if schema is not None:
        check_schema(schema)
    value = parse_block(find_block(text))
    if _is_example(value):
        raise malformed(
            f"The <result> block is the example of the prompt: its summary is {PLACEHOLDER!r}",
            allowed="a block whose summary says what the work came to",
        )
    several = tuple(_several(text, value))
    if not _is_envelope(value, schema):
        _require_data(value, schema, at="")
        return Envelope(status=ResultStatus.OK, data=value, flags=several)
    envelope = replace(_envelope(value), flags=(*several, *_ignored(value)))
    match envelope.status:
        case ResultStatus.OK:
            _require_data(envelope.data, schema, at="/data")
            return envelope
        case ResultStatus.PARTIAL:
            return replace(envelope, gaps=envelope.gaps + _missing(envelope.data, schema))
        case _:
            return envelope


def raw_result(text: str) -> Envelope:
    """A whole message taken as it is, its data the text, its summary the start.

    Raises:
        MalformedOutput: it is too large.
    """
    require_size(text)
    kept = text.encode(errors="replace").decode()
    return Envelope(status=ResultStatus.OK, data=kept, summary=_one_line(kept), validated=False)


def to_json(envelope: Envelope) -> str:
    """Its canonical JSON text: sorted, compact, without the members that say nothing."""
    shown = {
        field.name: value
        for field in _FIELDS
        if (value := getattr(envelope, field.name)) != field.default
    }
    return canonical(shown)


def from_json(text: str) -> Envelope:
    """The envelope that `to_json` wrote."""
    shown: dict[str, Any] = json.loads(text)
    for name in _TUPLES & shown.keys():
        shown[name] = tuple(shown[name])
    shown["status"] = ResultStatus(shown["status"])
    return Envelope(**shown)


def _is_example(value: Any) -> bool:
    return isinstance(value, dict) and value.get("summary") == PLACEHOLDER


def _several(text: str, value: Any) -> Iterator[str]:
    """The flag of a message that holds another result than `value`."""
    if any(other != value and not _is_example(other) for other in block_values(text)):
        yield SEVERAL_RESULTS


def _ignored(value: Mapping[str, Any]) -> Iterator[str]:
    """The flag of an envelope with members that mean nothing, or not what they say."""
    if names := [name for name in value if name not in MEMBERS or _is_unread(name, value[name])]:
        shown = [name if _PLAIN_NAME.fullmatch(name) else "…" for name in names[:IGNORED_SHOWN]]
        yield f"ignored: {few(shown, len(names))}"


def _is_unread(name: str, said: Any) -> bool:
    """Whether a member that may be left out says something and is kept as nothing."""
    return name in _LENIENT and bool(said) and not _LENIENT[name](said, name)


def _is_envelope(value: Any, schema: Mapping[str, Any] | None) -> bool:
    if not isinstance(value, dict):
        return False
    if schema is not None and _is_declared(value, schema):
        return False
    all_ours = value.keys() <= MEMBERS
    if "status" in value:
        return value["status"] in _STATUSES or (all_ours and len(value) > 1)
    return all_ours and isinstance(value.get("error"), str | dict)


def _is_declared(value: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    declared = schema.get("properties", {})
    return value.keys() <= declared.keys() and not find_problems(value, schema)


def _envelope(value: dict[str, Any]) -> Envelope:
    status = _status(value)
    members = {name: read(value[name], name) for name, read in _READERS.items() if name in value}
    envelope = Envelope(status=status, **members)
    match status:
        case ResultStatus.ERROR if not (envelope.error or envelope.summary):
            raise _refused(problem("/error", "is missing or empty", "error or summary"))
        case ResultStatus.NEEDS_INPUT if not envelope.questions:
            raise _refused(problem("/questions", "is missing or empty", "a list of texts"))
        case ResultStatus.OK | ResultStatus.PARTIAL if "data" not in value:
            raise _refused(problem("/data", "is missing", f"data, with status {status}"))
        case _:
            return envelope


def _status(value: dict[str, Any]) -> ResultStatus:
    status = value.get("status", ResultStatus.ERROR)
    if status not in _STATUSES:
        raise _refused(problem("/status", f"is {json.dumps(status)}", WORDS))
    return ResultStatus(status)


def _error(said: Any, _: str) -> Mapping[str, Any] | None:
    match said:
        case None | "":
            return None
        case str(message):
            return {"message": message}
        case dict(members):
            return cast("dict[str, Any]", members)
        case _:
            raise _refused(problem("/error", "is of the wrong type", "{code, message} or a text"))


def _texts(said: Any, name: str) -> tuple[str, ...]:
    found = _listed(said)
    if not all(isinstance(text, str) for text in found):
        raise _refused(problem(f"/{name}", "is of the wrong type", "a list of texts"))
    return tuple(text for text in found if text.strip())


def _objects(said: Any, name: str) -> tuple[Mapping[str, Any], ...]:
    found = [{TEXT_KEYS[name]: e} if isinstance(e, str) else e for e in _listed(said)]
    if not all(isinstance(element, dict) for element in found):
        raise _refused(problem(f"/{name}", "is of the wrong type", "a list of objects"))
    return tuple(found)


def _taken(said: Any, name: str) -> tuple[Mapping[str, Any], ...]:
    """The actions, each with its tier as the ledger writes it."""
    actions = _objects(said, name)
    return tuple(
        {**action, "tier": _tier(action.get("tier"), f"/{name}/{place}/tier")}
        for place, action in enumerate(actions)
    )


def _tier(said: Any, path: str) -> str:
    digit = _TIER.fullmatch(str(said).strip())
    if digit is None:
        what = "is missing" if said is None else f"is {clip(json.dumps(said), 40)}"
        raise _refused(problem(path, what, ", ".join(Tier)))
    return str(Tier(f"T{digit[1]}"))


def _listed(said: Any) -> list[Any]:
    if said is None:
        return []
    return cast("list[Any]", said) if isinstance(said, list) else [said]


def _confidence(said: Any, _: str) -> str | None:
    word = said.strip().lower() if isinstance(said, str) else None
    return word if word in CONFIDENCES else None


def _summary(said: Any, _: str) -> str:
    """A summary that is no text is no summary."""
    return _one_line(said) if isinstance(said, str) else ""


#: How each member of an envelope but its status is read, where it is there.
_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "data": lambda said, _: said,
    "summary": _summary,
    "confidence": _confidence,
    "evidence": _objects,
    "gaps": _texts,
    "questions": _texts,
    "artifacts": _objects,
    "tests": _objects,
    "metrics": _objects,
    "findings": _objects,
    "proposed_actions": _objects,
    "actions_taken": _taken,
    "error": _error,
}


#: Those of which what cannot be read is no reason to refuse the result.
_LENIENT: Mapping[str, Callable[[Any, str], Any]] = {
    "summary": _summary,
    "confidence": _confidence,
}


def _one_line(text: str) -> str:
    """One line of printable text."""
    words = text.split()
    line = " ".join(words[:SUMMARY_WORDS]) + ("…" if len(words) > SUMMARY_WORDS else "")
    if not line.isprintable():
        line = "".join(filter(str.isprintable, line))
    return clip(line, SUMMARY_CHARACTERS)


def _require_data(data: Any, schema: Mapping[str, Any] | None, *, at: str) -> None:
    if schema is not None and (problems := find_problems(data, schema, at=at)):
        raise _refused(*problems)


def _missing(data: Any, schema: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What partial data lacks, as gaps; refuses what is wrong otherwise."""
    lacking = [] if schema is None else find_problems(data, schema, at="/data")
    if schema is None or not lacking:
        return ()
    if wrong := find_problems(data, schema, at="/data", partial=True):
        raise _refused(*wrong)
    return tuple(f"{gap['path']}: {gap['message']}" for gap in lacking)


def _refused(*problems: Problem) -> MalformedOutput:
    return malformed("The result is not what the task asks for", problems=list(problems))
