"""What may stand in a text that is stored: one rule, whichever database is under the ledger.

PostgreSQL holds no NUL and UTF-8 no unpaired surrogate; U+FFFD takes their place. The hash
that names a text is of the text as it was sent, so that a repeat is recognised.
"""

import re
from collections.abc import Mapping
from typing import Any

from relaybook.store.base import Params

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(value: Any) -> Any:
    """`value` with every text in it, however deep, as it can be stored."""
    match value:
        case str():
            return _text(value)
        case Mapping():
            return {name: storable(each) for name, each in value.items()}
        case list() | tuple():
            return type(value)(map(storable, value))
        case _:
            return value


def bindable(params: Params) -> dict[str, Any]:
    """The parameters of a statement with every text as it can be stored."""
    return {
        name: _text(value) if isinstance(value, str) else value for name, value in params.items()
    }


def _text(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub("\ufffd", text)
