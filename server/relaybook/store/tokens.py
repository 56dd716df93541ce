"""Tokens that callers present over the network: who may call, as what, and of which projects.

The ledger holds the SHA-256 of each, never the token: it has 256 random bits, so that nobody who
reads the ledger can find it.
"""

import hashlib
from typing import NamedTuple

from relaybook.store.base import Tx
from relaybook.store.table import Table


class Token(NamedTuple):
    """A token as the ledger knows it; a row of `tokens`."""

    id: str
    hash: str
    #: What it is for, in the words of whoever made it.
    name: str
    role: str
    #: A JSON list of names; None: every project.
    projects: str | None
    created_at: float
    expires_at: float | None
    revoked_at: float | None = None

    def is_valid(self, now: float) -> bool:
        """Whether it lets its holder in."""
        in_time = self.expires_at is None or now < self.expires_at
        return in_time and self.revoked_at is None


TOKENS = Table("tokens", Token, key=["id"])


def token_hash(token: str) -> str:
    """What the ledger keeps of a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def find_token(tx: Tx, token: str) -> Token | None:
    """The token, valid or not, if the ledger knows it."""
    found = TOKENS.find(tx, "WHERE hash = :hash", hash=token_hash(token))
    return found[0] if found else None
