"""Which hosts and origins are let in, and where the server refuses to listen."""

from pathlib import Path

import httpx2
import pytest

from relaybook.engine import Engine
from relaybook.errors import Forbidden, InvalidArguments
from relaybook.surface.http.options import HttpOptions, check_options
from tests.http.serving import serving

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 404),
        ({"Host": "localhost"}, 404),
        ({"Host": "LOCALHOST:99"}, 404),
        ({"Host": "[::1]:8000"}, 404),
        ({"Host": "ledger.example"}, 404),
        ({"Host": "ledger.example:8443"}, 404),
        ({"Host": "exact.example:8443"}, 404),
        ({"Host": "exact.example"}, 421),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost.evil.example"}, 421),
        ({"Host": "evil.example:127.0.0.1"}, 421),
        ({"Host": "localhost:80@evil.example"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://localhost:3000"}, 404),
        ({"Origin": "https://ledger.example"}, 404),
        ({"Origin": "https://app.example"}, 404),
        ({"Origin": "http://app.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "file://localhost"}, 403),
        ({"Origin": "http://localhost@evil.example"}, 403),
        ({"Origin": "http://[oops"}, 403),
    ],
)
async def test_only_known_hosts_and_pages_are_let_in(
    engine: Engine, http: httpx2.AsyncClient, headers: dict[str, str], status: int
) -> None:
    async with serving(
        engine,
        host="0.0.0.0",
        allowed_hosts=("ledger.example", "exact.example:8443"),
        allowed_origins=("https://app.example",),
    ) as url:
        here = url.replace("0.0.0.0", "127.0.0.1").replace("/mcp", "/no-such-page")
        answer = await http.get(here, headers=headers)

    assert answer.status_code == status


async def test_the_health_pages_answer_under_any_name(url: str, http: httpx2.AsyncClient) -> None:
    answer = await http.get(url.replace("/mcp", "/health"), headers={"Host": "10.1.2.3"})

    assert answer.status_code == 200


async def test_a_proxy_is_not_believed_unless_it_is_named(
    engine: Engine, http: httpx2.AsyncClient
) -> None:
    forged = {
        "X-Forwarded-Host": "localhost",
        "Host": "evil.example",
        "Forwarded": "host=localhost",
    }

    async with serving(engine) as url:
        answer = await http.get(url.replace("/mcp", "/x"), headers=forged)

    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "ledger.example", ""])
def test_it_does_not_listen_beyond_this_machine_unless_told_in_words(host: str) -> None:
    with pytest.raises(Forbidden, match="no-auth-anyone-may-connect"):
        check_options(HttpOptions(host=host), authenticated=False)

    check_options(HttpOptions(host=host), authenticated=True)
    check_options(HttpOptions(host=host, anyone_may_connect=True), authenticated=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_on_this_machine_alone_it_asks_nobody(host: str) -> None:
    check_options(HttpOptions(host=host), authenticated=False)


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(InvalidArguments, match="--tls-cert and --tls-key"):
        check_options(HttpOptions(tls_cert=Path("c.pem")), authenticated=False)


@pytest.mark.parametrize(
    ("given", "option"),
    [
        *(
            ({"allowed_hosts": (host,)}, "--allowed-host")
            for host in ("*", "", "http://x/", "x/", "a b", "*.x", "x:y", "x:70000", "[x]", "::1")
        ),
        *(
            ({"allowed_origins": (origin,)}, "--allowed-origin")
            for origin in ("*", "", "app.example", "https://x/page", "file://x", "null")
        ),
        *(
            ({"trusted_proxies": (proxy,)}, "--trusted-proxy")
            for proxy in ("foo", "", "10.0.0.1/8", "10.0.0.256")
        ),
    ],
)
def test_a_name_that_no_request_could_match_is_refused(
    given: dict[str, tuple[str, ...]], option: str
) -> None:
    with pytest.raises(InvalidArguments, match=f"correct {option}"):
        check_options(HttpOptions(**given), authenticated=True)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "url",
    ["nonsense", "ledger.example/mcp", "ftp://x/mcp", "https://", "https://u:p@x/mcp", "http://[x"],
)
def test_a_public_url_that_no_client_could_use_is_refused(url: str) -> None:
    with pytest.raises(InvalidArguments, match="correct --public-url"):
        check_options(HttpOptions(public_url=url), authenticated=True)


def test_the_host_of_the_public_url_is_a_name_of_the_server() -> None:
    assert "ledger.example:8443" in HttpOptions(public_url="https://ledger.example:8443/mcp").names


def test_names_of_every_form_that_requests_have_are_taken() -> None:
    options = HttpOptions(
        allowed_hosts=("ledger", "Ledger.example:8443", "10.1.2.3", "[2001:db8::1]:80", "a_b"),
        allowed_origins=("https://App.example/", "http://localhost:3000"),
        trusted_proxies=("10.0.0.0/8", "10.1.2.3", "2001:db8::1", "*"),
    )

    check_options(options, authenticated=True)
