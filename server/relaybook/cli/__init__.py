"""The command line. What a command needs is imported when it is named, so that all start fast."""

import io
import os
import sys
from typing import Annotated

import typer

from relaybook import __version__
from relaybook.cli.exits import EPILOG, REFUSED
from relaybook.cli.lazy import lazy_group, new_app

#: Each command, or group of commands, by its module here, in the order of --help.
COMMANDS = {
    "serve": "serve",
    "board": "board",
    "config": "config",
    "work": "work",
    "plan": "plans",
    "create": "plans",
    "change": "plans",
    "update": "tasks",
    "render": "tasks",
    "record": "tasks",
    "advance": "tasks",
    "status": "views",
    "list": "views",
    "aggregate": "views",
    "read": "views",
    "resolve": "decisions",
    "cleanup": "decisions",
    "migrate": "ledgers",
    "copy": "ledgers",
    "backup": "ledgers",
    "export": "transfer",
    "import": "transfer",
    "watch": "watch",
    "doctor": "doctor",
    "completion": "completion",
    "items": "items",
    "lessons": "lessons",
    "templates": "templates",
    "contracts": "contracts",
    "compositions": "compositions",
    "token": "tokens",
}

_UNSAID = (
    "error[unsaid]: The answer cannot be written: {}. What the command does was done. "
    "Next: look at what is there before you repeat it; revoke a token that was not seen."
)
#: Set by the script of a shell that wants completions.
COMPLETE = "_RELAYBOOK_COMPLETE"

app = new_app(
    cls=lazy_group(COMMANDS),
    help="The orchestration ledger for AI agents.",
    epilog=EPILOG,
    no_args_is_help=True,
)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character is no reason to fail.
            stream.reconfigure(errors="replace")
    if COMPLETE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
    try:
        app(prog_name="relaybook")
    except OSError:
        _say("\n")  # fails again if it was this that failed
        raise
    finally:
        _say("")


def _say(text: str) -> None:
    """Write `text` and what was said; where that cannot be, as on a full disk, end with 1."""
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # whoever read it wanted no more
            typer.echo(_UNSAID.format(error.strerror), err=True)
        # What is left of it would be tried again, and fail with a stack trace.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(REFUSED) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"relaybook {__version__}")
        raise typer.Exit


@app.callback()
def relaybook(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    """The orchestration ledger for AI agents."""
