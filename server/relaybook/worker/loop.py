"""The worker's loop: claim, run, report, until nothing is left or somebody says stop."""

import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup

from relaybook.engine.request import Update
from relaybook.errors import BadInput, Conflict, InvalidArguments, NotFound, Refusal
from relaybook.worker.command import Ran, run_command
from relaybook.worker.display import Display
from relaybook.worker.ledger import AWAY, Answer, Ledger, patiently
from relaybook.worker.report import failure
from relaybook.worker.unrecorded import keep_output

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A lease is renewed this many times before it would run out.
RENEWALS_PER_LEASE = 3
#: How often a worker that is kept asks when the ledger names no time, in seconds.
KEEP_PAUSE_SECONDS = 5.0
#: How long a ledger may be away before that is said, and before a stopped worker gives up.
SILENT_SECONDS, BRIEF_SECONDS = 2.0, 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker does."""

    argv: Sequence[str]
    #: The environment of the command; what concerns its task is added.
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    workflow_id: str | None = None
    project: str | None = None
    #: How many commands run at once.
    parallel: int = 1
    lease_seconds: float = 30.0
    #: How long to wait, with nothing running, for a task that others hold or that is retried;
    #: for a ledger that is away the longer one of this and the lease.
    wait_seconds: float = 180.0
    #: Go on asking even when nothing is left or the ledger is away.
    keep: bool = False
    #: How calls that an answer names are told to whoever started the worker.
    in_words: Callable[[str], str] = str


class Worker:
    """Runs a command for each task of a ledger."""

    def __init__(self, ledger: Ledger, job: Job, display: Display) -> None:
        self._ledger = ledger
        self._job = job
        self._display = display
        self._session_key = f"work@{socket.gethostname()}:{os.getpid()}"
        #: Tasks that run here, each with its label.
        self._running: dict[str, str] = {}
        self._ended = anyio.Event()
        self._idle_since = 0.0
        #: Tasks of which the last attempt here did not complete.
        self.unfinished: set[str] = set()
        self.interrupted = False
        self._stopping = False
        #: Whether it was said that the ledger is away.
        self._away = False

    async def run(self) -> None:
        """Work until nothing is left, or until a signal says stop.

        A stopped worker ends its commands and gives their claims back first.

        Raises:
            Refusal: the ledger cannot serve, or the command cannot be started.
        """
        self._idle_since = anyio.current_time()
        try:
            with anyio.open_signal_receiver(*_stop_signals()) as signals:
                async with anyio.create_task_group() as group:
                    group.start_soon(self._stop_on, signals, group)
                    await self._dispatch(group)
                    group.cancel_scope.cancel()
        except ExceptionGroup as errors:
            raise _first(errors) from None

    async def _stop_on(self, signals: AsyncIterator[signal.Signals], group: TaskGroup) -> None:
        async for received in signals:
            self.interrupted = self._stopping = True
            self._display.say(f"{received.name}: ending {len(self._running)} command(s)")
            group.cancel_scope.cancel()
            return

    async def _dispatch(self, group: TaskGroup) -> None:
        while True:
            seconds = None
            if len(self._running) < self._job.parallel:
                answer = await self._patiently(self._claim)
                if answer["claimed"]:
                    self._began(answer)
                    group.start_soon(self._work_on, answer)
                    continue
                seconds = self._pause(answer)
                if seconds is None and not self._running:
                    self._display.say(f"stopping: {self._job.in_words(answer['reason'])}")
                    return
            await self._next_end(seconds)

    async def _claim(self) -> Answer:
        job = self._job
        return await self._ledger.claim(
            job.workflow_id, job.project, job.lease_seconds, self._session_key
        )

    def _pause(self, answer: Answer) -> float | None:
        """Seconds until the next try for a task; None if there shall be none."""
        again: float | None = answer.get("retry_after_seconds")
        if self._job.keep:
            return again or KEEP_PAUSE_SECONDS
        if again is None or self._running:
            return again
        left = self._idle_since + self._job.wait_seconds - anyio.current_time()
        if left <= 0:
            return None
        self._display.say(f"waiting {min(again, left):.0f} s: {answer['reason']}")
        return min(again, left)

    async def _next_end(self, seconds: float | None) -> None:
        """Wait until a task that runs here has ended, or for some seconds."""
        with anyio.move_on_after(seconds):
            await self._ended.wait()

    def _began(self, claimed: Answer) -> None:
        name = _name(claimed)
        self._running[name] = claimed["spawn"]["label"]
        self._display.say(f"{name} started, attempt {claimed['attempt']}")
        self._display.running(self._running)

    async def _work_on(self, claimed: Answer) -> None:
        try:
            ran = await self._run_renewed(claimed)
        except BaseException:
            self._stopping = True
            with anyio.CancelScope(shield=True):
                await self._give_back(claimed)
            raise
        with anyio.CancelScope(shield=True):
            await self._report(claimed, ran)
        del self._running[_name(claimed)]
        self._display.running(self._running)
        self._idle_since = anyio.current_time()
        self._ended.set()
        self._ended = anyio.Event()

    async def _run_renewed(self, claimed: Answer) -> Ran | None:
        """Run the command under a lease that is kept up; None if the claim was lost."""
        ran: Ran | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._renew, claimed, group)
            ran = await self._run(claimed)
            group.cancel_scope.cancel()
        return ran

    async def _run(self, claimed: Answer) -> Ran:
        argv = self._job.argv
        env = {
            **self._job.env,
            "RELAYBOOK_ROLE": "worker",
            "RELAYBOOK_WORKFLOW": claimed["workflow_id"],
            "RELAYBOOK_TASK": claimed["task_id"],
            "RELAYBOOK_CLAIM": claimed["claim"],
        }
        try:
            return await run_command(argv, claimed["prompt"], env, _limit(claimed))
        except OSError as error:
            raise InvalidArguments(
                f"The command {argv[0]!r} cannot be started: {error.strerror}.",
                next="correct --command",
            ) from error

    async def _renew(self, claimed: Answer, group: TaskGroup) -> None:
        """Renew the lease until cancelled; if the claim is lost, end what else is in `group`."""
        while True:
            await anyio.sleep(claimed["lease_seconds"] / RENEWALS_PER_LEASE)
            try:
                await self._update(
                    claimed, status="in_progress", lease_seconds=self._job.lease_seconds
                )
            except AWAY:
                continue  # a claim counts until another takes its task
            except (Conflict, NotFound) as refusal:
                self._display.say(f"{_name(claimed)} ending: {refusal.message}")
                group.cancel_scope.cancel()
                return

    async def _report(self, claimed: Answer, ran: Ran | None) -> None:
        name = _name(claimed)
        if ran is None:
            self._display.say(f"{name} not reported: its claim is over")
            return
        try:
            answer = await self._result(claimed, ran)
        except Refusal as refusal:
            self._display.say(f"{name} not recorded: {refusal.message}")
            if isinstance(refusal, (Conflict, NotFound)):
                return
            self._display.say(f"{name}: {keep_output(claimed, ran.output)}")
            raise
        status, error = answer["status"], answer.get("error")
        if status == "completed":
            self.unfinished.discard(name)
        else:
            self.unfinished.add(name)
        progress = f" ({answer['progress']})" if "progress" in answer else ""
        why = f": {error['code']}: {error['message']}" if error else ""
        self._display.say(f"{name} {status}{why}{progress}")

    async def _result(self, claimed: Answer, ran: Ran) -> Answer:
        """Record what the command answered, or why that is no result."""
        try:
            return await self._update(claimed, status="completed", output=ran.output)
        except BadInput as refused:
            code, error = failure(ran, _limit(claimed), refused)
            return await self._update(
                claimed, status="failed", error_code=str(code), error=error, output=ran.output
            )

    async def _give_back(self, claimed: Answer) -> None:
        try:
            await self._update(claimed, status="pending", error="its worker was stopped")
        except Refusal as refusal:  # its lease will run out
            self._display.say(f"{_name(claimed)} not given back: {refusal.message}")
        else:
            self._display.say(f"{_name(claimed)} given back")

    async def _update(self, claimed: Answer, **said: Any) -> Answer:
        update = Update(
            workflow_id=claimed["workflow_id"],
            task_id=claimed["task_id"],
            claim=claimed["claim"],
            actor="worker",
            **said,
        )
        return await self._patiently(lambda: self._ledger.update(update))

    async def _patiently(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        answer = await patiently(call, self._waits_on)
        self._away = False
        return answer

    def _waits_on(self, refusal: Refusal, seconds: float) -> bool:
        """Whether to wait for a ledger that has been away for some seconds."""
        if self._stopping:
            return seconds < BRIEF_SECONDS
        if seconds > SILENT_SECONDS and not self._away:
            self._away = True
            self._display.say(f"waiting: {refusal.message}")
        limit = max(BRIEF_SECONDS, self._job.lease_seconds, self._job.wait_seconds)
        return self._job.keep or seconds < limit


def _stop_signals() -> list[signal.Signals]:
    """Those that this process was not started to ignore, as `nohup` asks of SIGHUP."""
    return [each for each in STOP_SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]


def _name(claimed: Answer) -> str:
    return f"{claimed['workflow_id']}/{claimed['task_id']}"


def _limit(claimed: Answer) -> float:
    return claimed["spawn"]["timeout_seconds"]


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
