"""Who calls, and where the rest of the server finds it."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import Scope


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides the tools and the part of the ledger that a caller gets."""

    role: str
    #: None: all of them.
    projects: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may call."""

    #: The same for every request of one credential, and for no other's.
    name: str
    kind: Kind


def keep_caller(scope: Scope, caller: Caller | None) -> None:
    """Note who makes the request of `scope`."""
    scope.setdefault("state", {})["caller"] = caller


def caller_of(scope: Scope | HTTPConnection) -> Caller:
    """Who makes a request that passed the door.

    Raises:
        LookupError: nobody was asked, as on a page that strangers may see.
    """
    caller = scope.get("state", {}).get("caller")
    if caller is None:
        raise LookupError("this page is open to strangers")
    return caller
