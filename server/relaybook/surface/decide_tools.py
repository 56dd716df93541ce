"""The tools that carry out what the user decides: resolve, cleanup."""

from typing import Annotated, Any, ClassVar

from mcp.server.mcpserver import (
    AcceptedElicitation,
    Context,
    DeclinedElicitation,
    Elicit,
    ElicitationResult,
    Resolve,
)
from mcp.server.mcpserver.tools import Tool
from pydantic import BaseModel, Field, WithJsonSchema, create_model

from relaybook.core.policy import KEPT_DAYS
from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import InvalidArguments
from relaybook.surface.answers import Cleaned, Resolved
from relaybook.surface.arguments import Text
from relaybook.surface.board import SHOWS_BOARD
from relaybook.surface.done import done, done_aside
from relaybook.surface.rim import tool

#: What goes on after the user was asked and would not say.
DECLINED = (
    "the user declined to decide, and it stays open: do not ask again by yourself; get_workflow "
    "tells what goes on without it"
)
#: Decisions that are about no task, whichever question they answer.
OF_WORKFLOW = ("retry_failed", "adjust", "accept_partial")


class Choice(BaseModel):
    """What the user is asked to choose; nothing chosen leaves the question open."""

    decision: str = ""
    text: str = Field(default="", description="your answer or your reason")
    #: The task that the question was about, if about one; not a field of the form.
    about: ClassVar[str] = ""
    #: The decisions that the form offers.
    offered: ClassVar[tuple[str, ...]] = ()


def resolve_tool(engine: Engine) -> Tool:
    async def ask(
        workflow_id: str, decision: str, ctx: Context[None, Any]
    ) -> Choice | Elicit[Choice]:
        """Ask the user, where something is open, no decision was given and the client can."""
        capabilities = ctx.client_capabilities
        if decision or capabilities is None or capabilities.elicitation is None:
            return Choice()
        found = (await done(engine, engine.open_decisions, workflow_id))["open"]
        return _asking(found[0]) if found else Choice()

    async def resolve(
        workflow_id: str,
        chosen: Annotated[ElicitationResult[Choice], Resolve(ask)],
        decision: Annotated[
            Text, Field(description="none: asks the user, or says what is open")
        ] = "",
        task_id: Text = "",
        answers: Annotated[list[str], Field(description="to a worker's questions, in order")] = [],  # noqa: B006
        lesson: Text = "",
        reason: Text = "",
    ) -> dict[str, Any]:
        if not decision and isinstance(chosen, AcceptedElicitation) and chosen.data.decision:
            return await done(engine, engine.resolve, _from_user(workflow_id, chosen.data))
        if not decision:
            open_now = await done(engine, engine.open_decisions, workflow_id)
            declined = isinstance(chosen, DeclinedElicitation)
            return open_now | ({"next": DECLINED} if declined else {})
        resolution = Resolution(
            workflow_id=workflow_id,
            decision=decision,
            task_id=task_id,
            lesson=lesson,
            answers=tuple(answers),
            reason=reason,
        )
        return await done(engine, engine.resolve, resolution)

    return tool(
        resolve,
        answer=Resolved,
        title="Resolve",
        description="Call when the user decides: retry_failed, accept_partial, answer, waive, "
        "confirm, accept_lesson, finish, cancel…; with no decision: what is open.",
        destructive=True,
        meta=SHOWS_BOARD,
    )


def _question(found: dict[str, Any]) -> str:
    if "question" in found:
        return str(found["question"])
    return f"Task {found['task_id']} asks: " + " / ".join(found["questions"])


def _asking(found: dict[str, Any]) -> Elicit[Choice]:
    """The question as a form that remembers its task: the ledger may move on while it is asked.

    It offers the decisions that are open and has a text for each question of a worker.
    """
    choices = {"type": "string", "enum": ["", *found["decisions"]], "default": ""}
    # The SDK would answer another one with words that help nobody.
    fields: dict[str, Any] = {"decision": (Annotated[str, WithJsonSchema(choices)], "")}
    questions = found.get("questions", ())
    for name, question in zip(_texts(len(questions)), questions, strict=True):
        fields[name] = (str, Field(default="", description=str(question)))
    form = create_model("Choice", __base__=Choice, **fields)
    form.about = str(found.get("task_id", ""))
    form.offered = tuple(found["decisions"])
    return Elicit(_question(found), form)


def _texts(count: int) -> list[str]:
    """The names of the texts of a form: text, text_2, text_3 …"""
    return ["text" if number == 1 else f"text_{number}" for number in range(1, count + 1)]


def _from_user(workflow_id: str, chosen: Choice) -> Resolution:
    if chosen.decision not in chosen.offered:
        raise InvalidArguments(
            f"The user's form came back with decision {chosen.decision[:80]!r}.",
            allowed=", ".join(chosen.offered),
            next="call resolve without a decision to ask the user again; nothing was recorded",
        )
    said = chosen.model_dump()
    answers = tuple(said[name] for name in _texts(len(said) - 1))
    return Resolution(
        workflow_id=workflow_id,
        decision=chosen.decision,
        task_id="" if chosen.decision in OF_WORKFLOW else chosen.about,
        answers=answers if chosen.decision == "answer" else (),
        reason=chosen.text,
        actor="user",
    )


def cleanup_tool(engine: Engine) -> Tool:
    async def cleanup(
        days: Annotated[float, Field(ge=0, description="since they ended")] = KEPT_DAYS,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        return await done_aside(engine, engine.cleanup, days=days, dry_run=dry_run)

    return tool(
        cleanup,
        answer=Cleaned,
        title="Clean up",
        description="Call to remove workflows that ended some days ago; dry_run says which.",
        destructive=True,
        lasts=True,
    )
