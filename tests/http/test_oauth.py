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
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from relaybook.engine import Engine
from relaybook.errors import InvalidArguments, IssuerUnreachable
from relaybook.surface.caller import Kind
from relaybook.surface.http import signing_keys
from relaybook.surface.http.access import Either, MissingScope
from relaybook.surface.http.oauth import Issuer, OAuth
from relaybook.surface.http.signing_keys import RSA_ALGORITHMS
from relaybook.surface.http.tokens import Tokens
from tests.helpers import workflow
from tests.http.conftest import Connect
from tests.http.issuer import AUDIENCE, IssuerServer, issuing, jwk
from tests.http.serving import serving
from tests.surface.calls import call

pytestmark = pytest.mark.anyio

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
#: What is asked of a token that has two projects and no role.
ROLELESS = "relaybook:worker relaybook:project:a%20%22 relaybook:project:b"


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
    "end as text": lambda i: i.token(exp=str(int(time.time()) + 300)),
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
    ("scope", "asked"),
    [
        ("", "relaybook:worker relaybook:project:default"),
        ("openid", "relaybook:worker relaybook:project:default"),
        (7, "relaybook:worker relaybook:project:default"),
        ("relaybook:all", "relaybook:all relaybook:project:default"),
        ("relaybook:project:b relaybook:project:a%20%22", ROLELESS),
        ("admin relaybook:project:*", "relaybook:worker relaybook:project:*"),
    ],
)
async def test_a_token_without_a_scope_is_told_the_least_that_would_do_and_where_to_get_it(
    url: str, issuer: IssuerServer, http: httpx2.AsyncClient, scope: object, asked: str
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(scope)}"}
    answer = await http.post(url, json={}, headers=headers)

    said = answer.json()["error"]
    assert (answer.status_code, said["code"]) == (403, "forbidden")
    challenge = answer.headers["www-authenticate"]
    assert challenge.endswith(f', error="insufficient_scope", scope="{asked}"')
    assert "relaybook:orchestrator" in said["allowed"]
    assert said["next"] == f"get a token with such scopes from {issuer.url}"


async def test_with_the_scopes_of_the_challenge_a_token_is_good(
    issuer: IssuerServer, oauth: OAuth
) -> None:
    with pytest.raises(MissingScope) as missing:
        await oauth.caller(issuer.token("openid"))

    caller = await oauth.caller(issuer.token(missing.value.scope))

    assert caller is not None
    assert caller.kind == Kind("worker", frozenset({"default"}))


async def test_a_stranger_is_told_of_the_ways_in_that_there_are(
    url: str, engine: Engine, oauth: OAuth, issuer: IssuerServer, http: httpx2.AsyncClient
) -> None:
    either = (await http.post(url, json={})).json()["error"]["next"]
    async with serving(engine, oauth) as only:
        bad = {"Authorization": "Bearer relaybook_guess"}
        told = (await http.post(only, json={}, headers=bad)).json()["error"]["next"]

    assert told == f"send Authorization: Bearer with an access token of {issuer.url}"
    assert "relaybook token create" in either
    assert either.endswith(f"; or {told}")


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


async def test_while_the_keys_cannot_be_fetched_no_token_is_called_invalid(
    url: str, issuer: IssuerServer, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_keys, "RETRY_SECONDS", 0.0)
    good = {"Authorization": f"Bearer {issuer.token()}"}
    issuer.is_away = True
    answer = await http.post(url, json={}, headers=good)

    issuer.is_away = False
    again = await http.post(url, json={}, headers=good)
    bad = {"Authorization": f"Bearer {issuer.token(headers={'kid': 'two'})}"}
    invented = await http.post(url, json={}, headers=bad)

    said = answer.json()["error"]
    assert (answer.status_code, said["code"]) == (503, "issuer_unreachable")
    assert "with the same token" in said["next"]
    assert "www-authenticate" not in answer.headers
    assert again.status_code not in (401, 503)
    assert invented.status_code == 401


async def test_a_known_key_is_good_while_its_issuer_is_away(
    issuer: IssuerServer, oauth: OAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    await oauth.caller(issuer.token())
    issuer.is_away = True
    for name in ("KEPT_SECONDS", "AGAIN_SECONDS"):  # so that they are asked for each time
        monkeypatch.setattr(signing_keys, name, 0.0)

    assert await oauth.caller(issuer.token(jti="another")) is not None
    with pytest.raises(IssuerUnreachable):
        await oauth.caller(issuer.token(headers={"kid": "two"}))


@pytest.mark.parametrize("page", ["/no-such-page", "/.well-known/openid-configuration"])
async def test_a_page_that_holds_no_keys_is_an_issuer_that_is_away(
    issuer: IssuerServer, page: str
) -> None:
    away = OAuth(
        Issuer(issuer=issuer.url, audience=AUDIENCE, resource=AUDIENCE, jwks=f"{issuer.url}{page}")
    )

    with pytest.raises(IssuerUnreachable):
        await away.caller(issuer.token())


async def test_a_token_that_names_no_key_is_checked_by_each_that_fits(
    issuer: IssuerServer, oauth: OAuth
) -> None:
    another = ec.generate_private_key(ec.SECP256R1())
    issuer.published.insert(0, jwk(another, kid="two"))
    stranger = ec.generate_private_key(ec.SECP256R1())

    found = [
        await oauth.caller(issuer.token(key=key, headers={"kid": None}))
        for key in (another, issuer.key, stranger)
    ]

    assert [caller is not None for caller in found] == [True, True, False]


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
async def test_an_rsa_key_signs_as_it_says_or_if_it_says_nothing_in_any_way(
    issuer: IssuerServer, oauth: OAuth, algorithm: str
) -> None:
    issuer.published = [jwk(RSA, kid="any"), jwk(RSA, kid="pinned", alg="PS384")]

    found = [
        await oauth.caller(issuer.token(key=RSA, algorithm=algorithm, headers={"kid": name}))
        for name in ("any", "pinned")
    ]

    assert [caller is not None for caller in found] == [True, algorithm == "PS384"]


async def test_a_key_for_encryption_signs_nothing(issuer: IssuerServer, oauth: OAuth) -> None:
    for_encryption = ec.generate_private_key(ec.SECP256R1())
    issuer.published.append(jwk(for_encryption, kid="enc", use="enc"))

    token = issuer.token(key=for_encryption, headers={"kid": "enc"})

    assert await oauth.caller(token) is None


async def test_sessions_of_two_people_are_two(issuer: IssuerServer, oauth: OAuth) -> None:
    callers: list[Any] = [
        await oauth.caller(issuer.token(sub="alice")),
        await oauth.caller(issuer.token(sub="alice", jti="another")),
        await oauth.caller(issuer.token(sub="bob")),
        await oauth.caller(issuer.token("relaybook:worker relaybook:project:*", sub="alice")),
    ]

    assert callers[0] == callers[1]
    assert len({caller.name for caller in callers}) == 3


@pytest.mark.parametrize(
    "issuer_url", ["http://issuer.example", "ftp://issuer.example", "x", "https://", "https://[x"]
)
def test_an_issuer_is_trusted_over_https_alone(issuer_url: str) -> None:
    with pytest.raises(InvalidArguments, match="https"):
        OAuth(Issuer(issuer=issuer_url, audience="x", resource=AUDIENCE))
