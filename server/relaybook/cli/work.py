"""work: a command as a worker, on the ledger itself or on a server over HTTP."""

import os
import shlex
import shutil
import sys
from contextlib import AbstractContextManager, nullcontext
from math import isnan
from typing import TYPE_CHECKING, Annotated

import typer

from relaybook.cli.exits import INTERRUPTED, REFUSED, refusals
from relaybook.cli.opening import open_engine, refuse_worker, settings_of
from relaybook.cli.options import (
    ContractsOption,
    DurabilityOption,
    JsonOption,
    PromptsOption,
    StoreOption,
)
from relaybook.errors import InvalidArguments
from relaybook.settings import Settings

if TYPE_CHECKING:
    from relaybook.worker.display import Display
    from relaybook.worker.loop import Job, Worker

group = typer.Typer()


@group.command()
def work(
    context: typer.Context,
    command: Annotated[
        str, typer.Option(help="Gets a prompt on standard input, answers on standard output.")
    ],
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Commands at once.")] = 1,
    workflow: Annotated[str | None, typer.Option(help="Only tasks of this workflow.")] = None,
    project: Annotated[str | None, typer.Option(help="Only tasks of this project.")] = None,
    lease: Annotated[
        float, typer.Option(min=5, max=3600, help="Seconds after which a lost worker is replaced.")
    ] = 30,
    wait: Annotated[
        float,
        typer.Option(min=0, help="Seconds to wait for a task that others hold, or for the ledger."),
    ] = 180,
    keep: Annotated[bool, typer.Option("--keep", help="Wait for ever.")] = False,
    shell: Annotated[bool, typer.Option("--shell", help="Give the command to /bin/sh.")] = False,
    url: Annotated[
        str, typer.Option(metavar="URL", help="Of a server over HTTP, in place of a store.")
    ] = "",
    token: Annotated[
        str, typer.Option(envvar="RELAYBOOK_TOKEN", help="That the server asks for.")
    ] = "",
    durability: DurabilityOption = "full",
    store: StoreOption = None,
    prompts: PromptsOption = None,
    contracts: ContractsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a command for each task that may start.

    It gets the prompt and its answer is recorded.

    Ends with 0 if every task that it ran was completed, 1 if not, 130 if interrupted, 5 if the
    ledger was away for longer than --wait and --lease: what could not be recorded is in a file.
    """
    argv = ["/bin/sh", "-c", command] if shell else _words(command)
    with refusals(as_json):
        _refuse_idle(context)
        settings = settings_of(
            store=store, durability=durability, prompts=prompts, contracts=contracts
        )
        refuse_worker(settings, "start workers")
        from relaybook.cli.shell_words import in_shell
        from relaybook.worker.loop import Job

        job = Job(
            argv=argv,
            env=_environment(settings, url),
            workflow_id=workflow,
            project=project,
            parallel=parallel,
            lease_seconds=lease,
            wait_seconds=wait,
            keep=keep,
            in_words=in_shell,
        )
        worker = _run_remote(url, token, job) if url else _run_local(settings, job)
    if worker.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(REFUSED if worker.unfinished else 0)


#: Of each two options the second says nothing beside the first, or without it.
_BESIDE = (("url", "store"), ("keep", "wait"))
_ALONE = (("url", "token"),)


def _refuse_idle(context: typer.Context) -> None:
    """Refuse options that were typed and could do nothing."""
    typed = {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }
    for first, second in _BESIDE:
        if {first, second} <= typed:
            raise _idle(f"--{second} says nothing beside --{first}", f"--{first}, or --{second}")
    for first, second in _ALONE:
        if second in typed and first not in typed:
            raise _idle(f"--{second} says nothing without --{first}", f"--{first} with --{second}")
    if isnan(context.params["wait"]):
        raise _idle("--wait is no number", "seconds from 0 up")


def _idle(what: str, allowed: str) -> InvalidArguments:
    return InvalidArguments(f"{what}.", allowed=allowed, next="leave one out, or correct it")


def _words(command: str) -> list[str]:
    """The command as its words, the first one a program that exists."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise typer.BadParameter(f"it is not closed: {error}", param_hint="--command") from error
    if not words or shutil.which(words[0]) is None:
        named = repr(words[0]) if words else "nothing"
        raise typer.BadParameter(f"{named} is not a program", param_hint="--command")
    return words


def _environment(settings: Settings, url: str) -> dict[str, str]:
    """The command's: where the ledger is, and no token or password, which may be good for more."""
    kept = {name: value for name, value in os.environ.items() if name != "RELAYBOOK_TOKEN"}
    if url:
        from relaybook.surface.remote import without_user

        return kept | {"RELAYBOOK_URL": without_user(url)}
    from relaybook.store.open import anywhere

    return kept | {"RELAYBOOK_STORE": anywhere(settings.store)}


def _run_remote(url: str, token: str, job: "Job") -> "Worker":
    import anyio

    from relaybook.surface.remote import RemoteLedger, with_remote
    from relaybook.worker.loop import Worker

    ran: list[Worker] = []

    with _display() as shown:

        async def work_on(ledger: RemoteLedger) -> None:
            ran.append(Worker(ledger, job, shown))
            await ran[0].run()

        anyio.run(with_remote, url, token, work_on)
    return ran[0]


def _run_local(settings: Settings, job: "Job") -> "Worker":
    import anyio

    from relaybook.worker.ledger import LocalLedger
    from relaybook.worker.loop import Worker

    engine = open_engine(settings, needs="there")
    with _display() as shown:
        worker = Worker(LocalLedger(engine), job, shown)
        anyio.run(worker.run)
    return worker


def _display() -> "AbstractContextManager[Display]":
    """A live view on a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        from relaybook.worker.terminal import Terminal

        return Terminal()
    from relaybook.worker.display import Lines

    return nullcontext(Lines())
