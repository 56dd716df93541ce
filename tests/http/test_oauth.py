"""OAuth: real tokens of a real issuer, good ones and every kind of bad one."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from relaybook.engine import Engine
from relaybook.errors import InvalidArguments
from relaybook.surface.http.access import Either
from relaybook.surface.http.oauth import Issuer, OAuth
from relaybook.surface.http.tokens import Tokens
from tests.helpers import workflow
from tests.http.conftest import Connect
from tests.http.issuer import AUDIENCE, IssuerServer, issuing
from tests.http.serving import serving
from tests.surface.calls import call

pytestmark = pytest.mark.anyio


@pytest.fixture
async def issuer() -> AsyncIterator[IssuerServer]:
    async with issuing() as found:
        yield found


@pytest.fixture
def oauth(issuer: IssuerServer) -> OAuth:
    return OAuth(Issuer(issuer=issuer.url, audience=AUDIENCE, resource=AUDIENCE))


@pytest.fixture
async def url(engine: Engine, oauth: OAuth) -> AsyncIterator[str]:
    async with serving(engine, Either(Tokens(engine), oauth), pages=oauth.pages) as found:
        yield found


async def test_a_token_of_the_issuer_is_good_for_its_projects(
    url: str, issuer: IssuerServer, engine: Engine, connect: Connect
) -> None:
    own = workflow(engine, "a", project="my project")
    workflow(engine, "b", project="theirs")
    scope = "relaybook:orchestrator relaybook:project:my%20project openid"

    async with connect(url, issuer.token(scope)) as client:
        listed = await call(client, "get_workflow")
        names = {each.name for each in (await client.list_tools()).tools}

    assert [row["workflow_id"] for row in listed["workflows"]] == [own]
    assert "claim_task" not in names


async def test_a_token_of_the_ledger_is_good_beside_it(
    url: str, engine: Engine, connect: Connect
) -> None:
    async with connect(url, engine.create_token("ci")["token"]) as client:
        names = {each.name for each in (await client.list_tools()).tools}

    assert names == {"claim_task", "update_task", "record", "read"}


@pytest.mark.parametrize(
    ("scope", "role", "projects"),
    [
        ("relaybook:all relaybook:project:*", "all", None),
        ("relaybook:worker relaybook:project:a", "worker", {"a"}),
        (["relaybook:orchestrator", "relaybook:project:a"], "orchestrator", {"a"}),
        ("relaybook:worker relaybook:all relaybook:project:a%2Fb", "all", {"a/b"}),
    ],
)
async def test_scopes_say_role_and_projects(
    issuer: IssuerServer, oauth: OAuth, scope: object, role: str, projects: set[str] | None
) -> None:
    caller = await oauth.caller(issuer.token(scope))

    assert caller is not None
    assert (caller.kind.role, caller.kind.projects) == (role, projects and frozenset(projects))


def _none(issuer: IssuerServer) -> str:
    """A token that says that it is not signed."""
    head, body, _ = issuer.token().split(".")
    said = json.loads(base64.urlsafe_b64decode(f"{head}==")) | {"alg": "none"}
    unsigned = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    return f"{unsigned}.{body}."


def _by_public_key(issuer: IssuerServer) -> str:
    """A token signed with the public key, taken for a shared secret."""
    secret = issuer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _, body, _ = issuer.token().split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
    mark = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def _swapped(issuer: IssuerServer) -> str:
    """A good signature under the claims of another token."""
    head, _, mark = issuer.token("relaybook:worker relaybook:project:a").split(".")
    return f"{head}.{issuer.token().split('.')[1]}.{mark}"


BAD: dict[str, Callable[[IssuerServer], str]] = {
    "wrong issuer": lambda i: i.token(iss="https://evil.example"),
    "wrong audience": lambda i: i.token(aud="https://other.example/mcp"),
    "no audience": lambda i: i.token(without=["aud"]),
    "no issuer": lambda i: i.token(without=["iss"]),
    "no subject": lambda i: i.token(without=["sub"]),
    "no end": lambda i: i.token(without=["exp"]),
    "expired": lambda i: i.token(exp=int(time.time()) - 60),
    "not yet": lambda i: i.token(nbf=int(time.time()) + 600),
    "not signed": _none,
    "signed by the public key": _by_public_key,
    "signature of another": _swapped,
    "another key": lambda i: i.token(key=ec.generate_private_key(ec.SECP256R1())),
    "another key's id": lambda i: i.token(headers={"kid": "two"}),
    "key in the token": lambda i: i.token(
        key=ec.generate_private_key(ec.SECP256R1()),
        headers={"jku": "https://evil.example/keys", "kid": "one"},
    ),
    "no token": lambda _: "not.a.token",
    "huge": lambda i: i.token(extra="x" * 20_000),
}


@pytest.mark.parametrize("bad", BAD)
async def test_a_bad_token_lets_nobody_in(
    url: str, issuer: IssuerServer, http: httpx2.AsyncClient, bad: str
) -> None:
    headers = {"Authorization": f"Bearer {BAD[bad](issuer)}"}
    answer = await http.post(url, json={}, headers=headers)

    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert 'error="invalid_token"' in challenge
    assert "https://ledger.example/.well-known/oauth-protected-resource/mcp" in challenge


@pytest.mark.parametrize(
    "scope", ["", "openid", "relaybook:all", "relaybook:project:a", "admin relaybook:project:*", 7]
)
async def test_a_token_without_a_scope_is_told_which(
    url: str, issuer: IssuerServer, http: httpx2.AsyncClient, scope: object
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(scope)}"}
    answer = await http.post(url, json={}, headers=headers)

    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="relaybook:' in answer.headers["www-authenticate"]


async def test_the_metadata_says_where_tokens_come_from(
    url: str, issuer: IssuerServer, http: httpx2.AsyncClient
) -> None:
    page = "/.well-known/oauth-protected-resource/mcp"
    said = (await http.get(url.replace("/mcp", page))).json()
    stranger = await http.post(url, json={})

    assert said["resource"] == AUDIENCE
    assert said["authorization_servers"] == [issuer.url]
    assert "relaybook:worker" in said["scopes_supported"]
    assert stranger.headers["www-authenticate"] == (
        f'Bearer resource_metadata="{AUDIENCE.replace("/mcp", page)}"'
    )


async def test_keys_are_fetched_once_and_invented_ones_do_not_burden_the_issuer(
    issuer: IssuerServer, oauth: OAuth
) -> None:
    for place in range(5):
        assert await oauth.caller(issuer.token(jti=str(place))) is not None
        assert await oauth.caller(issuer.token(headers={"kid": f"invented-{place}"})) is None

    assert issuer.asked == 1


async def test_an_issuer_that_cannot_be_reached_lets_nobody_in(issuer: IssuerServer) -> None:
    away = OAuth(
        Issuer(
            issuer=issuer.url,
            audience=AUDIENCE,
            resource=AUDIENCE,
            jwks=f"{issuer.url}/no-such-page",
        )
    )

    assert await away.caller(issuer.token()) is None


async def test_sessions_of_two_people_are_two(issuer: IssuerServer, oauth: OAuth) -> None:
    callers: list[Any] = [
        await oauth.caller(issuer.token(sub="alice")),
        await oauth.caller(issuer.token(sub="alice", jti="another")),
        await oauth.caller(issuer.token(sub="bob")),
        await oauth.caller(issuer.token("relaybook:worker relaybook:project:*", sub="alice")),
    ]

    assert callers[0] == callers[1]
    assert len({caller.name for caller in callers}) == 3


@pytest.mark.parametrize("issuer_url", ["http://issuer.example", "ftp://issuer.example", "x"])
def test_an_issuer_is_trusted_over_https_alone(issuer_url: str) -> None:
    with pytest.raises(InvalidArguments, match="https"):
        OAuth(Issuer(issuer=issuer_url, audience="x", resource=AUDIENCE))
