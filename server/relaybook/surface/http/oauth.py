"""Callers by OAuth: a resource server that checks the tokens of one issuer by its public keys.

https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization, RFC 9068, RFC 9728.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from relaybook.core.text import canonical, text_hash
from relaybook.errors import InvalidArguments
from relaybook.surface.caller import Caller, Kind
from relaybook.surface.http.access import MissingScope
from relaybook.surface.http.signing_keys import SigningKeys

#: Scopes that say what somebody may do; of several the first counts.
ROLES: Mapping[str, str] = {
    "relaybook:all": "all",
    "relaybook:orchestrator": "orchestrator",
    "relaybook:worker": "worker",
}
#: Begins a scope that names a project, percent-encoded; `*` is every project.
PROJECT = "relaybook:project:"
EVERY = f"{PROJECT}*"
WELL_KNOWN = "/.well-known/oauth-protected-resource"

#: Signatures that only the issuer can make; in particular neither "none" nor a shared secret.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
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
        self._known: dict[str, tuple[Caller, float]] = {}

    @property
    def challenge(self) -> str:
        return f'Bearer resource_metadata="{self._metadata_url}"'

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
        """
        if token is None or len(token) > TOKEN_LIMIT:
            return None
        known = self._known.get(text_hash(token))
        if known is None:
            return await self._checked(token)
        caller, until = known
        return caller if datetime.now(UTC).timestamp() < until else None

    async def _checked(self, token: str) -> Caller | None:
        claims = await self._claims(token)
        if claims is None:
            return None
        caller = _caller(claims)
        if len(self._known) >= KNOWN_LIMIT:
            self._known.clear()
        self._known[text_hash(token)] = caller, claims["exp"] + LEEWAY_SECONDS
        return caller

    async def _claims(self, token: str) -> dict[str, Any] | None:
        try:
            head = jwt.get_unverified_header(token)
            if head.get("alg") not in ALGORITHMS:
                return None
            key = await self._keys.key(head.get("kid"))
            if key is None:
                return None
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._issuer.audience,
                issuer=self._issuer.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError:
            return None


def _caller(claims: Mapping[str, Any]) -> Caller:
    scopes = _scopes(claims)
    role = next((role for scope, role in ROLES.items() if scope in scopes), None)
    if role is None:
        raise MissingScope("relaybook:worker")
    named = [unquote(each.removeprefix(PROJECT)) for each in scopes if each.startswith(PROJECT)]
    if not named:
        raise MissingScope(EVERY)
    kind = Kind(role, None if EVERY in scopes else frozenset(named))
    # A session belongs to whoever opened it, and to what they might do then.
    mark = canonical([claims["iss"], claims["sub"], claims.get("client_id"), sorted(scopes)])
    return Caller(f"oauth_{text_hash(mark)[:32]}", kind)


def _scopes(claims: Mapping[str, Any]) -> Collection[str]:
    """What the token is good for: `scope` by RFC 9068, or `scp` as some issuers say."""
    said: object = claims.get("scope", claims.get("scp", ""))
    parts = said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
    return {each for each in parts if isinstance(each, str)}


def _metadata_url(resource: str) -> str:
    """Where the metadata of a resource is: RFC 9728 section 3.1."""
    parts = urlsplit(resource)
    if parts.scheme not in ("http", "https") or not parts.hostname or '"' in resource:
        raise InvalidArguments(
            f"{resource[:120]!r} is no URL that clients could reach this server by.",
            allowed="such as https://ledger.example/mcp",
            next="correct --public-url",
        )
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"
