"""Callers by OAuth: a resource server that checks the tokens of one issuer by its public keys.

https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization, RFC 9068, RFC 9728.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from relaybook.core.text import canonical, text_hash
from relaybook.engine.desk import DEFAULT_PROJECT
from relaybook.errors import Forbidden
from relaybook.surface.caller import Caller, Kind
from relaybook.surface.http.access import MissingScope
from relaybook.surface.http.signing_keys import ALGORITHMS, SigningKeys

#: Scopes that say what somebody may do; of several the first counts.
ROLES: Mapping[str, str] = {
    "relaybook:all": "all",
    "relaybook:orchestrator": "orchestrator",
    "relaybook:worker": "worker",
}
#: Begins a scope that names a project, percent-encoded; `*` is every project.
PROJECT = "relaybook:project:"
EVERY = f"{PROJECT}*"
#: The scope of the role that may do least.
LEAST_ROLE = "relaybook:worker"
#: How many of its projects a token is asked to keep.
SHOWN_PROJECTS = 10
WELL_KNOWN = "/.well-known/oauth-protected-resource"

#: By how much the clocks of the two sides may differ, in seconds.
LEEWAY_SECONDS = 30.0
#: How many tokens that were found good are remembered, each until it expires.
KNOWN_LIMIT = 1000
TOKEN_LIMIT = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whose tokens are good, and for whom they must be made."""

    issuer: str
    #: What this server is called in tokens; as a rule its URL.
    audience: str
    #: The URL that clients reach this server by, /mcp included.
    resource: str
    #: Where its keys are; empty: where its metadata says.
    jwks: str = ""


class OAuth:
    """Knows whoever presents a valid token of the issuer."""

    def __init__(self, issuer: Issuer) -> None:
        """Nothing is fetched yet.

        Raises:
            InvalidArguments: a URL cannot be used.
        """
        self._issuer = issuer
        self._keys = SigningKeys(issuer.issuer, issuer.jwks)
        self._metadata_url = _metadata_url(issuer.resource)
        #: Whom tokens are of, by their hashes, and when they end.
        self._known: dict[str, tuple[Caller, float]] = {}

    @property
    def challenge(self) -> str:
        return f'Bearer resource_metadata="{self._metadata_url}"'

    @property
    def advice(self) -> str:
        return f"send Authorization: Bearer with an access token of {self._issuer.issuer}"

    @property
    def pages(self) -> Sequence[Route]:
        """The metadata that tells clients where to get a token; pages of any site may read it."""
        said = {
            "resource": self._issuer.resource,
            "authorization_servers": [self._issuer.issuer],
            "scopes_supported": [*ROLES, EVERY],
            "bearer_methods_supported": ["header"],
            "resource_name": "relaybook",
        }

        async def metadata(_: Request) -> JSONResponse:
            return JSONResponse(said, headers={"Access-Control-Allow-Origin": "*"})

        return [Route(urlsplit(self._metadata_url).path, metadata)]

    async def caller(self, token: str | None) -> Caller | None:
        """Who presents `token`.

        Raises:
            MissingScope: it is good, but for nothing here.
            IssuerUnreachable: it cannot be checked now.
        """
        if token is None or len(token) > TOKEN_LIMIT:
            return None
        known = self._known.get(text_hash(token))
        if known is None:
            return await self._checked(token)
        caller, end = known
        return caller if datetime.now(UTC).timestamp() - LEEWAY_SECONDS < end else None

    async def _checked(self, token: str) -> Caller | None:
        claims = await self._claims(token)
        if claims is None:
            return None
        caller = _caller(claims)
        if len(self._known) >= KNOWN_LIMIT:
            self._known.clear()
        self._known[text_hash(token)] = caller, claims["exp"]
        return caller

    async def _claims(self, token: str) -> dict[str, Any] | None:
        try:
            head = jwt.get_unverified_header(token)
            if head.get("alg") not in ALGORITHMS:
                return None
            for key in await self._keys.fitting(head.get("kid"), head["alg"]):
                with suppress(jwt.InvalidSignatureError):
                    return self._signed_by(key, token)
        except jwt.PyJWTError:
            pass
        return None

    def _signed_by(self, key: jwt.PyJWK, token: str) -> dict[str, Any] | None:
        """What the token says, if it is good for this server and has an end that is a number."""
        claims = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=self._issuer.audience,
            issuer=self._issuer.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        # RFC 7519, section 4.1.4; the library takes a text of digits as well.
        return claims if isinstance(claims["exp"], int | float) else None


def _caller(claims: Mapping[str, Any]) -> Caller:
    scopes = _scopes(claims)
    said = next((scope for scope in ROLES if scope in scopes), None)
    named = [unquote(each.removeprefix(PROJECT)) for each in scopes if each.startswith(PROJECT)]
    if said is None or not named:
        raise _missing(said, named, claims["iss"])
    kind = Kind(ROLES[said], None if EVERY in scopes else frozenset(named))
    # A session belongs to whoever opened it, and to what they might do then.
    mark = canonical([claims["iss"], claims["sub"], claims.get("client_id"), sorted(scopes)])
    return Caller(f"oauth_{text_hash(mark)[:32]}", kind)


def _missing(role: str | None, projects: Sequence[str], issuer: str) -> MissingScope:
    """What a token of this role, if of any, and for these projects lacks.

    A client that asks for the scopes named, and for no others, is to keep those it has.
    """
    role_said = role or LEAST_ROLE
    kept = [quote(each, safe="*", errors="replace") for each in sorted(projects)[:SHOWN_PROJECTS]]
    scopes = [role_said, *(f"{PROJECT}{each}" for each in kept or [DEFAULT_PROJECT])]
    message = "" if role else "The token has no scope that says a role."
    if not projects:
        message += f"{' ' if message else ''}The token has no scope that names a project."
    refusal = Forbidden(
        message,
        allowed=f"{', '.join(ROLES)}; with {PROJECT}NAME for each project, or {EVERY} for all",
        next=f"get a token with such scopes from {issuer}",
    )
    return MissingScope(refusal, " ".join(scopes))


def _scopes(claims: Mapping[str, Any]) -> Collection[str]:
    """What the token is good for: `scope` by RFC 9068, or `scp` as some issuers say."""
    said: object = claims.get("scope", claims.get("scp", ""))
    parts = said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
    return {each for each in parts if isinstance(each, str)}


def _metadata_url(resource: str) -> str:
    """Where the metadata of a resource is: RFC 9728 section 3.1."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"
