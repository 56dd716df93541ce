"""What clients are told about each kind of resource: for whom, how important, how long it keeps."""

from dataclasses import dataclass
from typing import Literal

from mcp.server.caching import CacheHint
from mcp_types import Annotations

Audience = Literal["user", "assistant"]

#: Changes only when files do.
LASTING = CacheHint(ttl_ms=60_000, scope="public")
#: Changes at any time, and differs between callers.
LIVE = CacheHint()


@dataclass(frozen=True, slots=True)
class Kind:
    """How resources of one scheme are presented."""

    audience: tuple[Audience, ...]
    #: From 0, leave it out at will, to 1, required.
    priority: float
    cache: CacheHint

    @property
    def annotations(self) -> Annotations:
        return Annotations(audience=list(self.audience), priority=self.priority)


_KINDS = {
    "guide": Kind(("assistant",), 0.9, LASTING),
    "prompt": Kind(("assistant",), 0.5, LASTING),
    "contract": Kind(("assistant",), 0.5, LASTING),
    "ui": Kind(("user",), 0.3, LASTING),
    "ledger": Kind(("user", "assistant"), 0.7, LIVE),
}


def kind_of(uri: str) -> Kind:
    """The kind of the resource at `uri`, a template or not."""
    return _KINDS.get(uri.partition(":")[0], _KINDS["ledger"])
