"""How a command ends: its exit code, and a refusal on standard error."""

import json
from collections.abc import Generator
from contextlib import contextmanager

import typer

from relaybook.errors import Conflict, InvalidArguments, NotFound, NotNow, Refusal, StoreFault

#: The first that a refusal is one of names its code; every other ends with `REFUSED`.
EXITS: tuple[tuple[type[Refusal], int], ...] = (
    (InvalidArguments, 2),
    (NotFound, 3),
    (Conflict, 4),
    (NotNow, 4),
    (StoreFault, 5),
)
REFUSED = 1
INTERRUPTED = 130

EPILOG = (
    "Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 not found; "
    "4 in conflict with the ledger, or not now; 5 the store cannot serve; 130 interrupted."
)


def exit_code(refusal: Refusal) -> int:
    """What a command that was refused ends with."""
    return next((code for kind, code in EXITS if isinstance(refusal, kind)), REFUSED)


@contextmanager
def refusals(as_json: bool) -> Generator[None]:
    """Print a refusal on standard error and end with its code."""
    try:
        yield
    except Refusal as refusal:
        typer.echo(json.dumps(refusal.as_dict()) if as_json else _in_words(refusal), err=True)
        raise typer.Exit(exit_code(refusal)) from None


def _in_words(refusal: Refusal) -> str:
    from relaybook.cli.shell_words import in_shell
    from relaybook.core.visible import visible

    said = refusal.with_next(in_shell(refusal.next))
    return visible(f"error[{said.code}]: {said}")[0]
