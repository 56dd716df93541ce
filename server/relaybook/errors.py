"""Every refusal that relaybook makes, as one tree. Imports nothing of ours.

Refusal
├── NotFound                 the thing named is not there
│   ├── UnknownWorkflow
│   ├── UnknownTask
│   ├── UnknownItem
│   ├── UnknownLesson
│   ├── UnknownTemplate
│   ├── UnknownComposition
│   ├── UnknownContract
│   ├── UnknownCapability
│   ├── UnknownResource
│   ├── UnknownToken
│   └── UnknownTool
├── BadInput                 the call itself is wrong; the same call never works
│   ├── InvalidPlan
│   ├── InvalidTemplate
│   ├── InvalidComposition
│   ├── InvalidContract
│   ├── InvalidArguments
│   │   └── PromptTooLarge
│   ├── InvalidExport
│   └── MalformedOutput
├── Conflict                 the ledger has moved on; look, then decide
│   ├── StaleClaim
│   ├── StalePlan
│   ├── AlreadyInProgress
│   ├── AlreadyOver
│   ├── NotStarted
│   ├── WorkflowEnded
│   ├── RequestIdReused
│   └── AlreadyThere
├── NotNow                   it may work later, or after a decision
│   ├── Blocked
│   ├── BreakerOpen
│   ├── Held
│   ├── TooManyInProgress
│   ├── RetriesUsedUp
│   ├── QuestionsOpen
│   ├── HooksPending
│   ├── InReview
│   ├── SkillBreakerOpen
│   ├── PromptBlocked
│   └── IssuerUnreachable    a token cannot be checked without its issuer
├── Forbidden                this caller may not, ever
└── StoreFault               the ledger on disk cannot serve
    ├── StoreUnreachable
    ├── NotALedger
    ├── NewerLedger
    ├── StoreBusy
    ├── TransactionLost      ended before its commit, for certain: it may be run again
    └── OutcomeUnknown       the connection was lost while it was committed

A message has three parts: what is wrong, what is allowed, what to do next.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar, Self

#: How long each part of a refusal may be, in characters, so that an answer stays under 1 kB.
MESSAGE_LIMIT, ALLOWED_LIMIT, NEXT_LIMIT = 360, 240, 240
#: How many names a refusal lists to the last.
LISTED_WHOLE = 30


class Refusal(Exception):
    """relaybook will not do what was asked; nothing was changed."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, *, allowed: str = "", next: str = "", **data: Any) -> None:
        self.message = clip(message, MESSAGE_LIMIT)
        self.allowed = clip(allowed, ALLOWED_LIMIT)
        self.next = clip(next, NEXT_LIMIT)
        self.data = data
        super().__init__(str(self))

    def with_next(self, call: str) -> Self:
        """The same refusal with another way on."""
        return type(self)(self.message, allowed=self.allowed, next=call, **self.data)

    def __str__(self) -> str:
        parts = [self._what()]
        if self.allowed:
            parts.append(f"Allowed: {self.allowed}")
        if self.next:
            parts.append(f"Next: {self.next}")
        return " ".join(
            part if part.endswith((".", "?", "!", "…")) else f"{part}." for part in parts
        )

    def _what(self) -> str:
        """What is wrong, as a text tells it."""
        return self.message

    def as_dict(self) -> dict[str, Any]:
        """What an agent is given: code, message, allowed, next, and the data of the case."""
        shown = {"code": self.code, "message": self.message}
        if self.allowed:
            shown["allowed"] = self.allowed
        if self.next:
            shown["next"] = self.next
        return shown | self.data


class NotFound(Refusal):
    """The thing named is not there."""

    code = "not_found"


class UnknownWorkflow(NotFound):
    code = "unknown_workflow"


class UnknownTask(NotFound):
    code = "unknown_task"


class UnknownItem(NotFound):
    code = "unknown_item"


class UnknownLesson(NotFound):
    code = "unknown_lesson"


class UnknownTemplate(NotFound):
    code = "unknown_template"


class UnknownComposition(NotFound):
    code = "unknown_composition"


class UnknownContract(NotFound):
    code = "unknown_contract"


class UnknownCapability(NotFound):
    code = "unknown_capability"


class UnknownResource(NotFound):
    code = "unknown_resource"


class UnknownToken(NotFound):
    code = "unknown_token"


class UnknownTool(NotFound):
    code = "unknown_tool"


class BadInput(Refusal):
    """The call itself is wrong; the same call never works."""

    code = "bad_input"


class InvalidPlan(BadInput):
    code = "invalid_plan"


class InvalidTemplate(BadInput):
    code = "invalid_template"


class InvalidComposition(BadInput):
    code = "invalid_composition"


class InvalidContract(BadInput):
    code = "invalid_contract"


class InvalidArguments(BadInput):
    code = "invalid_arguments"


class PromptTooLarge(InvalidArguments):
    code = "prompt_too_large"


class InvalidExport(BadInput):
    code = "invalid_export"


class MalformedOutput(BadInput):
    code = "malformed_output"

    def _what(self) -> str:
        problems: Sequence[Mapping[str, str]] = self.data.get("problems", ())
        told = [
            f"{each['path']} {each['message']}, expected {each['expected']}" for each in problems
        ]
        return ": ".join([self.message, *(["; ".join(told)] if told else [])])


class Conflict(Refusal):
    """The ledger has moved on; look, then decide."""

    code = "conflict"


class StaleClaim(Conflict):
    code = "stale_claim"


class StalePlan(Conflict):
    code = "stale_plan"


class AlreadyInProgress(Conflict):
    code = "already_in_progress"


class AlreadyOver(Conflict):
    code = "already_over"


class NotStarted(Conflict):
    code = "not_started"


class WorkflowEnded(Conflict):
    code = "workflow_ended"


class RequestIdReused(Conflict):
    code = "request_id_reused"


class AlreadyThere(Conflict):
    code = "already_there"


class NotNow(Refusal):
    """It may work later, or after a decision."""

    code = "not_now"


class Blocked(NotNow):
    code = "blocked"


class BreakerOpen(NotNow):
    code = "breaker_open"


class Held(NotNow):
    code = "held"


class TooManyInProgress(NotNow):
    code = "too_many_in_progress"


class RetriesUsedUp(NotNow):
    code = "retries_used_up"


class QuestionsOpen(NotNow):
    code = "questions_open"


class HooksPending(NotNow):
    code = "hooks_pending"


class InReview(NotNow):
    code = "in_review"


class SkillBreakerOpen(NotNow):
    code = "skill_breaker_open"


class PromptBlocked(NotNow):
    code = "prompt_blocked"


class IssuerUnreachable(NotNow):
    """The issuer of a token does not say how to check it; asked again, it may."""

    code = "issuer_unreachable"


class Forbidden(Refusal):
    """This caller may not, ever."""

    code = "forbidden"


class StoreFault(Refusal):
    """The ledger on disk cannot serve."""

    code = "store_fault"


class StoreUnreachable(StoreFault):
    code = "store_unreachable"


class NotALedger(StoreFault):
    code = "not_a_ledger"


class NewerLedger(StoreFault):
    code = "newer_ledger"


class StoreBusy(StoreFault):
    code = "store_busy"


class TransactionLost(StoreFault):
    """The database ended the transaction before its commit; run again, it may work."""

    code = "transaction_lost"


class OutcomeUnknown(StoreFault):
    """The commit was sent and no answer came: the change is there whole, or not at all."""

    code = "outcome_unknown"


def refusal_of(said: Mapping[str, Any]) -> Refusal:
    """The refusal that `as_dict` made `said` of; of an unknown code a plain one."""
    rest = {k: v for k, v in said.items() if k not in ("code", "message", "allowed", "next")}
    kind = _by_code(Refusal).get(str(said.get("code")), Refusal)
    texts = {name: str(said.get(name, "")) for name in ("allowed", "next")}
    return kind(str(said.get("message", "")), **texts, **rest)


def _by_code(kind: type[Refusal]) -> dict[str, type[Refusal]]:
    found = {kind.code: kind}
    for below in kind.__subclasses__():
        found |= _by_code(below)
    return found


def clip(text: str, limit: int) -> str:
    """`text`, or its first `limit` - 1 characters and an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def closest(name: str, known: Sequence[str], most: int = 5) -> list[str]:
    """The known names that look like `name`, or the first few; each once."""
    once = list(dict.fromkeys(known))
    return get_close_matches(name[:200], once, n=most, cutoff=0.5) or once[:most]


def nearest(name: str, known: Sequence[str], most: int = 5) -> str:
    """The known names as a list to read, the closest to `name` first.

    All of them where they are few and short; else the closest, and how many more there are.
    """
    once = list(dict.fromkeys(known))
    close = closest(name, once, most)
    every = ", ".join([*close, *(each for each in once if each not in close)])
    if len(once) <= LISTED_WHOLE and len(every) <= ALLOWED_LIMIT:
        return every or "none yet"
    return ", ".join([*close, f"… and {len(once) - len(close)} more"])
