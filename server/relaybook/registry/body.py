"""The body of a template: a small, portable part of Jinja2, in the immutable sandbox.

A body may use if, for, comments, comparisons and six filters; anything else is refused when
the file is loaded. It can look up fields and items of the values it is given and nothing else:
no attribute of a Python object, no call, no global. Values are printed, never evaluated.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.runtime import LoopContext, Undefined, new_context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from relaybook.errors import InvalidTemplate

FILTERS = ("default", "join", "length", "lower", "trim", "upper")

_ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name,
    nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
_LANGUAGE = f"if, for, comments, comparisons, and the filters {', '.join(FILTERS)}"


class BodyFault(Exception):
    """A body is outside the language; `line` counts from 1 in the body."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was read and found sound."""

    source: str
    #: The names it takes from outside, each with the first line that uses it.
    variables: Mapping[str, int]
    compiled: jinja2.Template = field(repr=False, compare=False)

    def render(self, values: Mapping[str, Any]) -> str:
        """The body with `values` in place.

        Raises:
            InvalidTemplate: it looks up something that the values do not hold.
        """
        try:
            # As `Template.render`, which merges the values with globals; there are none.
            context = new_context(self.compiled.environment, None, {}, dict(values), shared=True)
            return "".join(self.compiled.root_render_func(context))
        except (jinja2.TemplateError, TypeError) as error:
            raise InvalidTemplate(
                f"The template's body cannot be rendered: {error}.",
                next="correct the body, or give the field that it looks up",
            ) from error


def read_body(source: str) -> Body:
    """Parse, check and compile `source`.

    Raises:
        BodyFault: it is no Jinja2, or uses more of it than is allowed.
    """
    environment = _environment()
    try:
        tree = environment.parse(source)
        _check(tree)
        compiled = environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise BodyFault(error.lineno, error.message or "is no Jinja2") from error
    except (RecursionError, SyntaxError) as error:
        raise BodyFault(1, "is nested too deeply") from error
    return Body(source, _variables(tree), compiled)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Looks up keys of mappings, items of sequences and the `loop` variable, nothing else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        found = isinstance(obj, Mapping) and argument in obj
        if not found and isinstance(obj, Sequence) and isinstance(argument, int):
            found = -len(obj) <= argument < len(obj)
        return obj[argument] if found else self.undefined(obj=obj, name=str(argument))


@lru_cache(maxsize=1)
def _environment() -> _Sandbox:
    environment = _Sandbox(
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printed,
        cache_size=0,
    )
    environment.globals.clear()
    environment.tests.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


def _printed(value: Any) -> Any:
    """A value as a reader expects it: words for booleans, nothing for null, 8 rather than 8.0."""
    match value:
        case str() | Undefined():
            return value
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _check(tree: nodes.Node) -> None:
    for node in _walk(tree):
        reason = _objection(node)
        if reason:
            raise BodyFault(node.lineno, f"{reason}; allowed: {_LANGUAGE}")


def _objection(node: nodes.Node) -> str | None:
    """Why `node` is not in the language, if it is not."""
    if not isinstance(node, _ALLOWED_NODES):
        return f"uses {type(node).__name__.lower()!r}, which is not in the portable part of Jinja2"
    if isinstance(node, nodes.Filter) and (node.name not in FILTERS or node.kwargs):
        return f"uses the filter {node.name!r} in a way that is not allowed"
    if isinstance(node, nodes.For) and (node.recursive or node.test or node.else_):
        return "uses a 'for' with a condition, an 'else' or recursion"
    if isinstance(node, nodes.Name) and node.name == "self":
        return "uses 'self'"
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return f"looks up {node.attr!r}, a private name"
    return None


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _variables(tree: nodes.Template) -> dict[str, int]:
    free = meta.find_undeclared_variables(tree)
    lines: dict[str, int] = {}
    for name in tree.find_all(nodes.Name):
        if name.name in free:
            lines[name.name] = min(name.lineno, lines.get(name.name, name.lineno))
    return lines
