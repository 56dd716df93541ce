"""An OAuth issuer that really signs, and really serves its keys and metadata over HTTP."""

import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from relaybook.surface.http.options import HttpOptions
from relaybook.surface.http.serve import listen
from tests.http.serving import PATIENCE

AUDIENCE = "https://ledger.example/mcp"


class IssuerServer:
    """Signs tokens; `published` are its keys, as its page of keys lists them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.published = [jwk(self.key, kid="one", use="sig", alg="ES256")]
        #: Whether its pages answer nothing but that they cannot.
        self.is_away = False
        #: How often the keys were asked for.
        self.asked = 0

    def token(
        self,
        scope: object = "relaybook:all relaybook:project:*",
        *,
        key: Any = None,
        algorithm: str = "ES256",
        headers: dict[str, Any] | None = None,
        without: Iterable[str] = (),
        **claims: Any,
    ) -> str:
        """A signed token; `claims` replace those of a good one, `without` leaves some out.

        A header of None is left out.
        """
        now = int(time.time())
        named = {"kid": "one"} | (headers or {})
        said = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "client_id": "a client",
            "iat": now,
            "exp": now + 300,
            "scope": scope,
        } | claims
        kept = {name: value for name, value in said.items() if name not in without}
        signer = self.key if key is None else key
        shown = {name: value for name, value in named.items() if value is not None}
        return jwt.encode(kept, signer, algorithm, headers=shown)

    def app(self) -> Starlette:
        """Its pages: metadata and keys."""

        async def metadata(_: Request) -> JSONResponse:
            if self.is_away:
                return JSONResponse({}, 503)
            return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

        async def keys(_: Request) -> JSONResponse:
            self.asked += 1
            return JSONResponse({"keys": self.published}, 503 if self.is_away else 200)

        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", metadata),
                Route("/keys", keys),
            ]
        )


def jwk(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, **said: str) -> dict[str, Any]:
    """The public half of `key` as an issuer publishes it, with what is `said` of it."""
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | said
    return ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | said


@asynccontextmanager
async def issuing() -> AsyncGenerator[IssuerServer]:
    """An issuer that serves while this is open."""
    listener = listen(HttpOptions(port=0))
    issuer = IssuerServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
    config = uvicorn.Config(issuer.app(), log_config=None, lifespan="off", ws="none", http="h11")
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [listener])
        with anyio.fail_after(PATIENCE):
            while not server.started:  # noqa: ASYNC110  # it has no event for it
                await anyio.sleep(0.01)
        yield issuer
        server.should_exit = True
