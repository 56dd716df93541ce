"""What a command prints, where nobody can take it: a full disk, not a reader that has left."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

import typer

from relaybook.cli.exits import REFUSED


@contextmanager
def written() -> Generator[None]:
    """End with a word on standard error if what is printed inside cannot be written.

    By then the command has done its work.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # Or Python would try once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        typer.echo(
            f"error[answer_lost]: The answer could not be written: {error.strerror}. The command "
            "has done its work. Next: make room, and look at what it did before you repeat it.",
            err=True,
        )
        raise typer.Exit(REFUSED) from None
