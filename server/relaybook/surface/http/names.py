"""The names that a request may be checked against: hosts, origins, and the addresses of proxies.

A name of another form is refused at the start, for it would match no request, and say nothing.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from relaybook.errors import InvalidArguments

_LABELS = re.compile(r"(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
_PORT = re.compile(r"(?P<name>.*?)(:(?P<port>[0-9]{1,5}))?")


def check_names(hosts: Iterable[str], origins: Iterable[str], proxies: Iterable[str]) -> None:
    """Refuse names that no request could match.

    Raises:
        InvalidArguments: one of them.
    """
    _check("--allowed-host", hosts, is_host, "a name or an address, with or without :PORT")
    _check("--allowed-origin", origins, is_origin, "such as https://app.example, with no path")
    _check("--trusted-proxy", proxies, is_proxy, "addresses, networks such as 10.0.0.0/8, or *")


def check_url(url: str) -> None:
    """Refuse a public URL that no client could use.

    Raises:
        InvalidArguments: it is none.
    """
    if not _is_url(url):
        raise InvalidArguments(
            f"{url[:120]!r} is no URL that clients could reach this server by.",
            allowed="such as https://ledger.example/mcp",
            next="correct --public-url",
        )


def _check(option: str, given: Iterable[str], fits: Callable[[str], bool], allowed: str) -> None:
    for each in given:
        if not fits(each):
            raise InvalidArguments(
                f"{option} {each[:120]!r} would match no request.",
                allowed=allowed,
                next=f"correct {option}",
            )


def is_host(text: str) -> bool:
    """Whether `text` could be the Host of a request: a name or an address, perhaps with a port."""
    found = _PORT.fullmatch(text)
    if found is None or int(found["port"] or 0) > 65_535:
        return False
    name = found["name"]
    if name.startswith("[") and name.endswith("]"):
        return _is_address(name[1:-1])
    return _LABELS.fullmatch(name) is not None


def is_origin(text: str) -> bool:
    """Whether `text` could be the Origin of a web page; a slash at its end is forgiven."""
    scheme, _, host = normal_origin(text).partition("://")
    return scheme in ("http", "https") and is_host(host)


def normal_origin(text: str) -> str:
    """An origin as browsers write it."""
    return text.lower().rstrip("/")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    # A quotation mark would end the parameter that names it in WWW-Authenticate.
    return parts.scheme in ("http", "https") and is_host(parts.netloc) and '"' not in text


def is_proxy(text: str) -> bool:
    """Whether `text` is an address, a network, or every address."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return text == "*"
    return True


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False
