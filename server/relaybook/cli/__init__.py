"""The command line. Each command imports what it needs when it runs, so that all start fast."""

import io
import sys
from typing import Annotated

import typer

from relaybook import __version__
from relaybook.cli import (
    compositions,
    config,
    contracts,
    decisions,
    items,
    plans,
    serve,
    tasks,
    templates,
    views,
    work,
)
from relaybook.cli.exits import EPILOG

app = typer.Typer(
    help="The orchestration ledger for AI agents.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for group in (serve, config, work, plans, tasks, views, decisions):
    app.add_typer(group.group)
app.add_typer(items.group, name="items")
app.add_typer(templates.group, name="templates")
app.add_typer(contracts.group, name="contracts")
app.add_typer(compositions.group, name="compositions")


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character is no reason to fail.
            stream.reconfigure(errors="replace")
    app()


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
