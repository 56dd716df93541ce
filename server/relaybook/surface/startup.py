"""A start that does not search its own imports for garbage.

Importing the SDK makes hundreds of thousands of objects, all of which stay. Collections
in between find nothing and take a tenth of the time until the first answer.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Generator[None]:
    """Import inside: nothing is collected until the end, and what is there then never will be."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
