"""The public keys that an OAuth issuer signs its tokens with, fetched when they are needed."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from relaybook.errors import InvalidArguments, IssuerUnreachable
from relaybook.surface.http.options import is_loopback

#: Signatures that only the issuer can make; in particular neither "none" nor a shared secret.
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = (*RSA_ALGORITHMS, "ES256", "ES384", "ES512", "EdDSA")
#: After how many seconds keys are fetched again; and how soon again for a key that is not known,
#: so that tokens with invented keys do not make this server a burden to the issuer.
KEPT_SECONDS, AGAIN_SECONDS = 600.0, 30.0
#: How soon after it failed they are fetched again for a key that is not known.
RETRY_SECONDS = 2.0
#: How long fetching may take, in seconds: a caller waits for it.
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
        self._keys: Sequence[PyJWK] = ()
        self._fetched_at = -KEPT_SECONDS
        #: When fetching them failed, if it failed the last time.
        self._failed_at: float | None = None
        self._fetching = anyio.Lock()

    async def fitting(self, key_id: str | None, algorithm: str) -> Sequence[PyJWK]:
        """The keys that may have signed a token; one that names no key, any for its algorithm.

        Raises:
            IssuerUnreachable: none is known, and they cannot be fetched now.
        """
        found = self._known(key_id, algorithm)
        if found and (self._fetching.locked() or not self._is_due(is_known=True)):
            return found
        async with self._fetching:
            if self._is_due(is_known=bool(self._known(key_id, algorithm))):
                await self._fetch()
        found = self._known(key_id, algorithm)
        if not found and self._failed_at is not None:
            raise IssuerUnreachable(
                f"The keys of the issuer {self._issuer[:120]!r} cannot be fetched, so the token "
                "cannot be checked; it may well be good.",
                next="send the request again in a few seconds, with the same token",
            )
        return found

    def _known(self, key_id: str | None, algorithm: str) -> Sequence[PyJWK]:
        return [
            key
            for key in self._keys
            if key.algorithm_name == algorithm and key_id in (None, key.key_id)
        ]

    def _is_due(self, *, is_known: bool) -> bool:
        """Whether to fetch them for a key that is known, or for one that is not."""
        now = anyio.current_time()
        if self._failed_at is not None:
            return now - self._failed_at >= (AGAIN_SECONDS if is_known else RETRY_SECONDS)
        return now - self._fetched_at >= (KEPT_SECONDS if is_known else AGAIN_SECONDS)

    async def _fetch(self) -> None:
        """Fetch the keys; those known stay if that fails."""
        try:
            with anyio.fail_after(FETCH_SECONDS):
                async with httpx2.AsyncClient(timeout=FETCH_SECONDS) as http:
                    url = self._url or await self._discovered(http)
                    self._keys = _usable(await _json(http, url))
        except (httpx2.HTTPError, InvalidArguments, TimeoutError, ValueError) as error:
            _log.warning("the keys of %s were not fetched: %r", self._issuer, error)
            self._failed_at = anyio.current_time()
        else:
            self._fetched_at, self._failed_at = anyio.current_time(), None

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


def _usable(said: dict[str, Any]) -> Sequence[PyJWK]:
    """The keys of a JWK set that sign, each with an algorithm that it may be used with.

    Raises:
        ValueError: there is none.
    """
    listed: object = said.get("keys")
    keys = [key for each in listed for key in _keys_of(each)] if isinstance(listed, list) else []
    if not keys:
        raise ValueError("no key of the issuer can be used")
    return keys


def _keys_of(said: Any) -> Iterator[PyJWK]:
    """One key of the set; an RSA key that names no algorithm once for each (RFC 7518, 3.1)."""
    # A secret that both sides know signs nothing here: whoever can check could forge.
    if not isinstance(said, dict) or said.get("kty") == "oct" or said.get("use", "sig") != "sig":
        return
    is_any_rsa = said.get("kty") == "RSA" and not said.get("alg")
    for algorithm in RSA_ALGORITHMS if is_any_rsa else (None,):
        try:
            yield PyJWK(said, algorithm)
        except (PyJWTError, TypeError):
            continue


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
    if _is_safe(url):
        return
    raise InvalidArguments(
        f"{url[:120]!r} is no address that keys can be trusted from.",
        allowed="an https URL, or http on this machine",
        next="correct --oauth-issuer or --oauth-jwks",
    )


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_here = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return is_here or (parts.scheme == "https" and bool(parts.hostname))
