"""The public keys that an OAuth issuer signs its tokens with, fetched when they are needed."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from relaybook.errors import InvalidArguments
from relaybook.surface.http.options import is_loopback

#: After how many seconds keys are fetched again; and how soon again for a key that is not known,
#: so that tokens with invented keys do not make this server a burden to the issuer.
KEPT_SECONDS, AGAIN_SECONDS = 600.0, 30.0
FETCH_SECONDS = 5.0
#: The longest answer that is read, in bytes.
ANSWER_LIMIT = 1_000_000

_log = logging.getLogger(__name__)


class SigningKeys:
    """The keys at `url`, or where the issuer's metadata says they are."""

    def __init__(self, issuer: str, url: str = "") -> None:
        """Nothing is fetched yet.

        Raises:
            InvalidArguments: a URL is neither https nor on this machine.
        """
        for each in filter(None, (issuer, url)):
            _refuse_unsafe(each)
        self._issuer = issuer
        self._url = url
        self._keys: Mapping[str | None, PyJWK] = {}
        self._fetched_at = -KEPT_SECONDS
        self._tried_at = -KEPT_SECONDS
        self._fetching = anyio.Lock()

    async def key(self, key_id: str | None) -> PyJWK | None:
        """The key of that id; without an id the only key there is."""
        async with self._fetching:
            now = anyio.current_time()
            wait = KEPT_SECONDS if self._known(key_id) else AGAIN_SECONDS
            if now - self._fetched_at >= wait and now - self._tried_at >= AGAIN_SECONDS:
                self._tried_at = now
                await self._fetch(now)
        return self._known(key_id)

    def _known(self, key_id: str | None) -> PyJWK | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def _fetch(self, now: float) -> None:
        """Fetch the keys; those known stay if that fails."""
        try:
            async with httpx2.AsyncClient(timeout=FETCH_SECONDS) as http:
                self._url = self._url or await self._discovered(http)
                found = PyJWKSet.from_dict(await _json(http, self._url))
        except (httpx2.HTTPError, PyJWTError, ValueError) as error:
            _log.warning("the keys of %s were not fetched: %r", self._issuer, error)
            return
        # A secret that both sides know signs nothing here: whoever can check could forge.
        self._keys = {key.key_id: key for key in found.keys if key.key_type != "oct"}
        self._fetched_at = now

    async def _discovered(self, http: httpx2.AsyncClient) -> str:
        for place in _metadata_urls(self._issuer):
            try:
                said = await _json(http, place)
            except (httpx2.HTTPError, ValueError):
                continue
            if said.get("issuer") == self._issuer and isinstance(said.get("jwks_uri"), str):
                _refuse_unsafe(said["jwks_uri"])
                return said["jwks_uri"]
        raise ValueError("the issuer's metadata names no keys")


async def _json(http: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    """The object at `url`.

    Raises:
        ValueError: it is none, or a long one.
    """
    body = b""
    async with http.stream("GET", url) as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > ANSWER_LIMIT:
                raise ValueError("the answer is too long")
    said = httpx2.Response(200, content=body).json()
    if isinstance(said, dict):
        return said
    raise ValueError("the answer is no object")


def _metadata_urls(issuer: str) -> Sequence[str]:
    """Where an issuer's metadata may be: RFC 8414 section 3, OpenID Connect Discovery section 4."""
    parts = urlsplit(issuer)
    root, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return (
        f"{root}/.well-known/oauth-authorization-server{path}",
        f"{root}/.well-known/openid-configuration{path}",
        f"{root}{path}/.well-known/openid-configuration",
    )


def _refuse_unsafe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return
    raise InvalidArguments(
        f"{url[:120]!r} is no address that keys can be trusted from.",
        allowed="an https URL, or http on this machine",
        next="correct --oauth-issuer or --oauth-jwks",
    )
