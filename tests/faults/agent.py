"""An agent: a real MCP client that works through whatever server answers, and notes each call."""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp import Client

from tests.faults.history import Call, Ended
from tests.helpers import result

#: Opens a client on any server that may be up.
Door = Callable[[], AbstractAsyncContextManager[Client]]

#: The shortest lease there is, how long a frozen worker is silent, how long a client is patient.
LEASE, FROZEN, PATIENCE = 5, 6.5, 20.0
#: Of a hundred calls, how many the client breaks off on the way.
BROKEN_OFF = 3
#: Of a hundred tasks claimed, how many are frozen past their lease, given back, or failed.
FREEZES, GIVES_BACK, FAILS = 6, 5, 3
#: Refusals after which nobody knows what became of the call.
UNSURE = frozenset({"outcome_unknown"})
#: How often a completion of unknown outcome is sent again.
REPEATS = 6


class Lost(Exception):
    """The connection is of no use any more."""


@dataclass(slots=True)
class Plan:
    """What all agents share: the workflows, the history, and when to stop."""

    names: list[str] = field(default_factory=list[str])
    history: list[Call] = field(default_factory=list[Call])
    #: How often each kind of fault was injected, or showed itself.
    injected: Counter[str] = field(default_factory=Counter[str])
    #: Nothing breaks any more, and nobody freezes.
    calm: bool = False
    over: bool = False


class Agent:
    """Claims, completes and reads until the plan is over."""

    def __init__(self, name: str, door: Door, plan: Plan, seed: str) -> None:
        self.name, self.door, self.plan = name, door, plan
        self.random = random.Random(seed)
        self.made = 0
        #: A completion whose outcome is not known yet, with the tries that are left.
        self.open: tuple[dict[str, Any], dict[str, Any]] | None = None
        self.tries = 0

    async def work(self) -> None:
        while not self.plan.over:
            try:
                async with self.door() as client:
                    while not self.plan.over:
                        await self._turn(client)
            except* Exception:  # noqa: BLE001 - whatever a dying server does to its client
                await anyio.sleep(0.1)

    async def _turn(self, client: Client) -> None:
        if self.open is not None:
            await self._complete(client, *self.open)
            return
        if self.random.random() < 0.3:
            return await self._read(client)
        workflow_id = self.random.choice(self.plan.names)
        asked = {"workflow_id": workflow_id, "lease_seconds": LEASE}
        said = await self.call(client, "claim_task", asked, workflow_id=workflow_id)
        if said.get("claimed"):
            await self._do(client, said)
        else:
            await anyio.sleep(0.05)

    async def _read(self, client: Client) -> None:
        workflow_id = self.random.choice(self.plan.names)
        asked: dict[str, Any] = {"workflow_id": workflow_id}
        await self.call(client, "get_workflow", asked, workflow_id=workflow_id)

    async def _do(self, client: Client, claimed: Mapping[str, Any]) -> None:
        about = {"workflow_id": claimed["workflow_id"], "task_id": claimed["task_id"]}
        about |= {"claim": claimed["claim"]}
        drawn = self.random.randrange(100)
        frozen = not self.plan.calm and drawn < FREEZES
        if frozen:
            await anyio.sleep(FROZEN)
            self.plan.injected["frozen worker"] += 1
        elif drawn < FREEZES + GIVES_BACK:
            await self.call(client, "update_task", {**about, "status": "pending"}, **about)
            return
        elif drawn < FREEZES + GIVES_BACK + FAILS:
            failed = {**about, "status": "failed", "error": "it broke"}
            await self.call(client, "update_task", failed, **about)
            return
        self.made += 1
        token = f"{self.name}-{self.made}"
        asked = {**about, "status": "completed", "output": result({"by": token})}
        self.tries = REPEATS
        said = await self._complete(client, asked, {**about, "token": token, "completes": True})
        if frozen and said["how"] is Ended.REFUSED:
            self.plan.injected["late answer refused"] += 1

    async def _complete(
        self, client: Client, asked: dict[str, Any], about: dict[str, Any]
    ) -> dict[str, Any]:
        """Hand a result in; as long as nobody knows whether it arrived, the next turn does again."""
        self.tries -= 1
        self.open = (asked, about) if self.tries else None
        said = await self.call(client, "update_task", asked, **about)
        if said.get("how") != Ended.UNKNOWN:
            self.open = None
        return said

    async def call(
        self, client: Client, tool: str, asked: dict[str, Any], **about: Any
    ) -> dict[str, Any]:
        """The answer, noted; `how` alone if there is none.

        Raises:
            Lost: no answer came.
        """
        began = anyio.current_time()
        said: dict[str, Any] = {}
        how = Ended.UNKNOWN
        try:
            with anyio.move_on_after(self._patience()):
                answered = await client.call_tool(tool, asked)
                said = answered.structured_content or _as_text(answered)
                how = _how(answered.is_error or False, said)
        finally:
            known = {
                name: said[name] for name in ("task_id", "claim", "workflow_id") if name in said
            }
            kept = {key: said[key] for key in ("seq", "workflow_id", "error") if key in said}
            self.plan.history.append(
                Call(
                    client=self.name,
                    tool=tool,
                    began=began,
                    ended=anyio.current_time(),
                    how=how,
                    answer=kept,
                    **(about | known),
                )
            )
        if not said:
            self.plan.injected["call unanswered"] += 1
            raise Lost
        return {**said, "how": how}

    def _patience(self) -> float:
        broken_off = not self.plan.calm and self.random.randrange(100) < BROKEN_OFF
        return self.random.random() * 0.02 if broken_off else PATIENCE


def _how(is_error: bool, said: Mapping[str, Any]) -> Ended:
    if not is_error:
        return Ended.OK
    code = said.get("error", {}).get("code")
    return Ended.UNKNOWN if code in UNSURE or code is None else Ended.REFUSED


def _as_text(answered: Any) -> dict[str, Any]:
    """An error of the SDK's own, which has no structure."""
    return {"text": json.dumps([each.text for each in answered.content])}
