"""serve: what it is told that would leave callers unchecked is refused before it listens."""

import json
from pathlib import Path

import pytest

from .conftest import Cli


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (("--oauth-jwks", "https://login.example/keys"), "--oauth-jwks"),
        (("--oauth-audience", "us", "--require-token"), "--oauth-audience"),
        (("--public-url", "nonsense"), "--public-url"),
        (("--oauth-issuer", "https://login.example"), "--public-url"),
    ],
)
def test_what_is_said_of_oauth_is_used_or_refused(
    said: tuple[str, ...], named: str, cli: Cli, ledger: Path
) -> None:
    ran = cli("serve", "--http", "--json", *said)

    told = json.loads(ran.err)
    assert (ran.code, told["code"]) == (2, "invalid_arguments")
    assert named in told["message"] + told["next"]
    assert not ledger.exists()
