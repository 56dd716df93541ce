"""The command line. What a command needs is imported when it is named, so that all start fast."""

import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from relaybook import __version__
from relaybook.cli.exits import EPILOG
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
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character is no reason to fail.
            stream.reconfigure(errors="replace")
    if COMPLETE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
    app(prog_name="relaybook")


def _open_closed() -> None:
    """Put a stream that holds nothing in the place of one that was closed (`>&-`)."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # the lowest number first
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


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
