"""Something that can be read by URI: its address, how it is introduced, who may read it."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from relaybook.engine.desk import Desk

JSON = "application/json"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"
MERMAID = "text/vnd.mermaid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """One row of the table of what can be read."""

    #: A URI, or a template of one whose variables are whole segments, as in `prompt://{name}`.
    uri: str
    name: str
    title: str
    description: str
    #: `module.function` of this package, imported when it is first used. Takes the desk, and
    #: the variables of the address by name; answers a text of bounded size.
    reader: str
    mime_type: str = JSON
    #: What a worker may read of it: nothing, what belongs to its claim, or all.
    worker: Literal["nothing", "own", "all"] = "nothing"

    @property
    def variables(self) -> list[str]:
        """The names of its variables, in order; empty if it is a single resource."""
        return [part[1:-1] for part in self.uri.split("/") if part.startswith("{")]

    def match(self, uri: str) -> dict[str, str] | None:
        """The value of each variable if `uri` is of this form."""
        parts, given = self.uri.split("/"), uri.split("/")
        if len(parts) != len(given):
            return None
        found: dict[str, str] = {}
        for part, value in zip(parts, given, strict=True):
            if part.startswith("{") and value:
                found[part[1:-1]] = unquote(value)
            elif part != value:
                return None
        return found

    def read(self, desk: "Desk", **variables: str) -> str:
        """The text at the address that `variables` make of this row's.

        Raises:
            NotFound: nothing is there.
        """
        module, function = self.reader.split(".")
        return getattr(import_module(f"relaybook.engine.readables.{module}"), function)(
            desk, **variables
        )


@dataclass(frozen=True, slots=True)
class Content:
    """What a URI stands for just now."""

    text: str
    mime_type: str
