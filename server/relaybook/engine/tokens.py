"""Tokens for callers over the network: made, listed, revoked, and recognised."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.text import compact, storable
from relaybook.engine.desk import Desk
from relaybook.engine.view.advice import timestamp
from relaybook.errors import InvalidArguments, UnknownToken, nearest
from relaybook.model import ROLES
from relaybook.store.tokens import TOKENS, Token, find_token, token_hash

#: Marks a token as one, for people and for scanners of leaked secrets.
PREFIX = "relaybook_"
#: Random bytes of a token, and of the id that it is spoken of by.
TOKEN_BYTES, ID_BYTES = 32, 4
NAME_LIMIT, PROJECTS_LIMIT = 200, 100
DAY_SECONDS = 86_400.0
DAYS_LIMIT = 36_500.0
#: What people mean every project by, where it would be a name.
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token lets its holder do."""

    #: The id of the token.
    token: str
    role: str
    #: None: every project.
    projects: frozenset[str] | None


def create_token(
    desk: Desk,
    name: str,
    *,
    role: str = "worker",
    projects: Sequence[str] | None = None,
    days: float | None = 90.0,
) -> dict[str, Any]:
    """Make a token; its text is in this answer and nowhere else.

    It is good for `projects`, or for every one with None, and for some days, or for ever with None.

    Raises:
        InvalidArguments: the role, a project, the name or the number of days cannot be.
    """
    _check(name, role, projects, days)
    now = desk.clock()
    text = f"{PREFIX}{desk.token(TOKEN_BYTES)}"
    token = Token(
        id=f"tok_{desk.token(ID_BYTES)}",
        hash=token_hash(text),
        name=storable(name),
        role=role,
        projects=None if projects is None else compact(sorted({storable(p) for p in projects})),
        created_at=now,
        expires_at=None if days is None else now + days * DAY_SECONDS,
    )
    with desk.store.transaction() as tx:
        TOKENS.insert(tx, [token])
    return {"token": text} | _told(token, now) | {"next": "keep it; it is not shown again"}


def list_tokens(desk: Desk) -> dict[str, Any]:
    """Every token, the latest first, without its text."""
    now = desk.clock()
    with desk.store.read() as tx:
        found = TOKENS.find(tx, "ORDER BY created_at DESC, id")
    return {"tokens": [_told(token, now) for token in found]}


def revoke_token(desk: Desk, token_id: str) -> dict[str, Any]:
    """Make a token invalid at once, for every process; harmless if repeated.

    Raises:
        UnknownToken: there is none of that id.
    """
    now = desk.clock()
    with desk.store.transaction() as tx:
        found = TOKENS.find(tx, "WHERE id = :id", id=token_id)
        if not found:
            known = [row[0] for row in tx.rows("SELECT id FROM tokens WHERE revoked_at IS NULL")]
            # What was named may be the text of a token, which no log should hold.
            named = "of that text" if token_id.startswith(PREFIX) else repr(token_id[:80])
            raise UnknownToken(
                f"There is no token {named}.",
                allowed=nearest(token_id, known),
                next="call relaybook token list; a token is named by its id, never its text",
            )
        revoked = found[0] if found[0].revoked_at else found[0]._replace(revoked_at=now)
        TOKENS.update(tx, found[0], revoked)
    return _told(revoked, now)


def grant_of(desk: Desk, text: str) -> Grant | None:
    """What the holder of the token may do now; None if it is unknown, expired or revoked."""
    with desk.store.look() as tx:
        token = find_token(tx, text)
    if token is None or not token.is_valid(desk.clock()):
        return None
    projects = None if token.projects is None else frozenset[str](json.loads(token.projects))
    return Grant(token.id, token.role, projects)


def _check(name: str, role: str, projects: Sequence[str] | None, days: float | None) -> None:
    if role not in ROLES:
        raise InvalidArguments(f"role is {role[:40]!r}.", allowed=", ".join(ROLES))
    if not 1 <= len(name.strip()) <= NAME_LIMIT:
        raise InvalidArguments("The token has no name, or a long one.", allowed="1 to 200 letters")
    if days is not None and not 0 < days <= DAYS_LIMIT:
        raise InvalidArguments(f"days is {days:g}.", allowed=f"over 0, up to {DAYS_LIMIT:g}")
    if projects is not None and EVERY in projects:
        raise InvalidArguments(
            f"{EVERY!r} is no project, and does not stand for all of them.",
            allowed="names of projects, or every project",
            next="say --all-projects for a token that is good for every project",
        )
    if projects is not None and not _are_projects(projects):
        raise InvalidArguments(
            "The token's projects cannot be.",
            allowed=f"1 to {PROJECTS_LIMIT} names, each of 1 to {NAME_LIMIT} characters",
        )


def _are_projects(names: Sequence[str]) -> bool:
    return 1 <= len(names) <= PROJECTS_LIMIT and all(
        name == name.strip() and 1 <= len(name) <= NAME_LIMIT for name in names
    )


def _told(token: Token, now: float) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "projects": "all" if token.projects is None else json.loads(token.projects),
        "status": _status(token, now),
        "created_at": timestamp(token.created_at),
    }
    if token.expires_at is not None:
        said["expires_at"] = timestamp(token.expires_at)
    if token.revoked_at is not None:
        said["revoked_at"] = timestamp(token.revoked_at)
    return said


def _status(token: Token, now: float) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "valid" if token.is_valid(now) else "expired"
