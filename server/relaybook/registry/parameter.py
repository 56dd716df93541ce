"""What a template takes: one typed input, or one field or item inside it."""

from dataclasses import dataclass
from typing import Any

#: The kinds that an input may have. The last six are relaybook's own; Prompty ignores what
#: it does not know.
KINDS = (
    "string", "text", "integer", "float", "boolean", "enum", "array", "object",
    "source", "sources", "records", "prior_result", "schema", "minutes",
)  # fmt: skip

#: Those that may have bounds.
NUMBERS = frozenset({"integer", "float", "minutes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One input of a template."""

    name: str
    kind: str
    description: str = ""
    required: bool = False
    default: Any = None
    #: The least and the greatest value of a number.
    minimum: float | None = None
    maximum: float | None = None
    #: The values of an `enum`.
    enum_values: tuple[str, ...] = ()
    #: What an `array` holds, and the fields of an `object`; none declared means any.
    items: "Parameter | None" = None
    properties: tuple["Parameter", ...] = ()
    #: Its words count as context, which is to stay short, rather than as data.
    context: bool = False

    @property
    def shape(self) -> str:
        """What a value looks like, as `array of {name, weight?}`."""
        if self.kind == "array" and self.items is not None:
            return f"array of {self.items.shape}"
        if self.kind == "object" and self.properties:
            names = (each.name + ("" if each.required else "?") for each in self.properties)
            return f"{{{', '.join(names)}}}"
        return _SHAPES.get(self.kind, self.kind)


#: The shapes of relaybook's own kinds; those of the others are their names.
_SHAPES = {
    "source": "{path, content?}",
    "sources": "array of {path, content?}",
    "records": "array of {id, …}",
    "prior_result": "{task, fields}",
    "schema": "a JSON Schema",
}
