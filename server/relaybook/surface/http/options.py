"""What `serve --http` is told, and the refusal to listen where anyone could call."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from relaybook.errors import Forbidden, InvalidArguments
from relaybook.surface.http.names import check_names, check_url

#: The most that a request's body may hold unless said otherwise, in bytes.
BODY_LIMIT = 4 * 1024 * 1024
#: How long calls in progress may go on after the signal to stop, in seconds.
GRACE_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How the server listens."""

    host: str = "127.0.0.1"
    port: int = 8000
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: Names, or names with a port, that callers may reach this server by.
    allowed_hosts: tuple[str, ...] = ()
    #: The URL that callers reach this server by, or nothing.
    public_url: str = ""
    #: Origins, as `https://name`, of web pages that may call.
    allowed_origins: tuple[str, ...] = ()
    #: Addresses of proxies whose word for the scheme and the caller's address is taken.
    trusted_proxies: tuple[str, ...] = ()
    body_limit: int = BODY_LIMIT
    grace_seconds: int = GRACE_SECONDS
    #: Whether clients up to 2025-11-25 get no session, and so no questions nor notifications.
    stateless: bool = False
    #: Whether anyone who can reach the address may call, said in so many words.
    anyone_may_connect: bool = False
    #: Keys that replicas share, to seal what a question carries: the first seals, all unseal.
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts that a request may name: this machine, the address bound, those allowed."""
        bound = () if _is_any(self.host) else (_bracketed(self.host),)
        public = filter(None, [urlsplit(self.public_url).netloc])
        return ("127.0.0.1", "localhost", "[::1]", *bound, *public, *self.allowed_hosts)

    @property
    def is_public_over_tls(self) -> bool:
        """Whether callers are known to reach it over TLS, which may end before it."""
        return urlsplit(self.public_url).scheme == "https"


def check_options(options: HttpOptions, *, authenticated: bool) -> None:
    """Refuse what cannot be served, or would be served to anyone.

    Raises:
        Forbidden: the address can be reached from elsewhere, and nobody would be asked for a token.
        InvalidArguments: a certificate without its key, a key without its certificate, a
            name that no request could match, or a public URL that is none.
    """
    if (options.tls_cert is None) != (options.tls_key is None):
        raise InvalidArguments(
            "TLS needs a certificate and its key.", next="name both, --tls-cert and --tls-key"
        )
    check_names(options.allowed_hosts, options.allowed_origins, options.trusted_proxies)
    if options.public_url:
        check_url(options.public_url)
    if authenticated or options.anyone_may_connect or is_loopback(options.host):
        return
    raise Forbidden(
        f"{options.host!r} can be reached from other machines, and no caller would be asked "
        "for a token.",
        allowed="--require-token, --oauth-issuer with --public-url, "
        "--no-auth-anyone-may-connect, or --host 127.0.0.1",
        next="make a token with relaybook token create and add --require-token",
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_any(host: str) -> bool:
    """Whether `host` stands for every address of the machine, and so is no name of it."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def _bracketed(host: str) -> str:
    """`host` as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
