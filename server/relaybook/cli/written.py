"""What a command prints, where nobody can take it: a full disk, not a reader that has left."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, EIO, ENOSPC

import typer

from relaybook.cli.exits import REFUSED

#: What a write says where nothing more can be written.
NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG, EIO})


@contextmanager
def written() -> Generator[None]:
    """End with a word on standard error if what is printed inside cannot be written.

    By then the command has done its work.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in NO_ROOM:
            raise
        # Or Python would try once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        typer.echo(
            f"error[answer_lost]: The answer could not be written: {error.strerror}. The command "
            "has done its work. Next: make room, and look at what it did before you repeat it.",
            err=True,
        )
        sys.exit(REFUSED)
