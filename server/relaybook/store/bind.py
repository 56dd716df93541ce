"""What may stand in a text that is stored: one rule, whichever database is under the ledger.

PostgreSQL holds no NUL and UTF-8 no unpaired surrogate; U+FFFD takes their place. The hash
that names a text is of the text as it was sent, so that a repeat is recognised.
"""

from collections.abc import Mapping
from typing import Any

from relaybook.core.text import is_storable
from relaybook.core.text import storable as storable_text
from relaybook.store.base import Params


def storable(value: Any) -> Any:
    """`value` with every text in it, however deep, as it can be stored."""
    match value:
        case str():
            return storable_text(value)
        case Mapping():
            return {name: storable(each) for name, each in value.items()}
        case list() | tuple():
            return type(value)(map(storable, value))
        case _:
            return value


def bindable(params: Params) -> Params:
    """The parameters of a statement with every text as it can be stored."""
    for value in params.values():
        if isinstance(value, str) and ("\0" in value or not value.isascii()):
            break
    else:
        return params  # nearly all are plain ASCII, and told so without a call
    for value in params.values():
        if isinstance(value, str) and not is_storable(value):
            return {name: storable(each) for name, each in params.items()}
    return params
