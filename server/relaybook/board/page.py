"""The page as it is served: its parts in one text, under a policy that names each by its hash."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from relaybook import __version__

#: Where the page may send requests: to the server that it came from, or nowhere.
Reach = Literal["'self'", "'none'"]

FOLDER = Path(__file__).parent
STYLES = ("tokens", "base", "frame", "parts", "lists", "charts", "narrow")
#: In the order in which they are joined into one module.
SCRIPTS = (
    *("dom", "words", "icons", "parts"),
    *("wire", "http", "host", "ledger", "routes"),
    *("progress", "decisions", "overview", "graph", "timeline", "result", "workflow"),
    *("task", "items", "skills", "lessons", "login", "frame", "main"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """The document, and the policy that it is to be served under."""

    html: str
    policy: str


@cache
def board_page(reach: Reach, *, has_token: bool = False) -> Page:
    """The board; it takes no script and no style but its own, and no markup made by script.

    With a token of its own it offers to forget it.
    """
    style = "\n".join(_text(f"style/{name}.css") for name in STYLES)
    script = "\n".join(_text(f"script/{name}.js") for name in SCRIPTS)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(script)}",
            f"style-src {_source(style)}",
            "img-src data:",
            f"connect-src {reach}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    known = {"csp": policy, "version": __version__, "token": "kept" if has_token else "none"}
    parts = {**known, "style": style, "script": script}
    html = _text("page.html")
    for name, text in parts.items():
        html = html.replace(f"{{{{{name}}}}}", text, 1)
    return Page(html, policy)


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """How a policy names an inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
