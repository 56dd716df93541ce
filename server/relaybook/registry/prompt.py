"""Rendering: a template, its arguments and what the server adds, as one self-contained prompt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from relaybook.core.signs import scan
from relaybook.core.text import texts_in
from relaybook.errors import InvalidTemplate, PromptTooLarge
from relaybook.registry import frame as added
from relaybook.registry.arguments import check_arguments
from relaybook.registry.asked_schema import shown_schema
from relaybook.registry.frame import Frame
from relaybook.registry.inlay import Inlay
from relaybook.registry.output_format import fitting_lines
from relaybook.registry.parameter import Parameter
from relaybook.registry.template import SECTIONS, Template

#: How long a prompt may be, in bytes.
PROMPT_LIMIT = 200_000

#: Bodies up to this many characters are remembered.
_SHORT = 4_000

INPUT_DATA = "### Input Data"

#: No suspicious pattern spans it.
_APART = "\n.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A rendered prompt and what is known of it."""

    text: str
    #: The five H2 sections in order, each with its text.
    sections: tuple[tuple[str, str], ...]
    #: The lines that the server wrote, whatever the template and its arguments.
    fixed: frozenset[str]
    #: The texts from elsewhere that entered it, as they were given.
    seen: tuple[str, ...]
    #: How many invisible characters were removed.
    removed: int
    #: The texts of the inputs that count as context, as they were given.
    context: tuple[str, ...]
    #: Arguments given that the body does not use.
    unused: tuple[str, ...]
    #: Sources that stand in it by their path only.
    path_only: tuple[str, ...]
    #: Whether its task speaks of what stands below, and none of its template's material was given.
    lacks_material: bool
    #: JSON Schema of `data` that it asks for.
    schema: Mapping[str, Any] | None

    @property
    def flags(self) -> tuple[str, ...]:
        """Names of the suspicious patterns in what entered it, in alphabetical order."""
        return tuple(sorted(scan(_APART.join(self.seen))))


def render(template: Template, args: Mapping[str, Any], frame: Frame) -> Prompt:
    """The prompt of `template` with `args`, framed by what the server adds.

    Raises:
        InvalidArguments: the arguments do not fit.
        PromptTooLarge: the prompt is over `PROMPT_LIMIT`.
        InvalidTemplate: the body looks up something that its arguments do not hold.
    """
    inlay = Inlay(frame.nonce, template.datamark)
    inputs, frame_prior = _inputs(template, args, frame)
    checked = check_arguments(template.name, inputs, args)
    values = {each.name: inlay.value(each, checked[each.name]) for each in inputs}
    if frame_prior:
        values[frame_prior] = added.prior_data(frame, inlay)
    limits = added.limits(frame, inlay)
    schema = frame.schema or shown_schema(template, checked)
    rendered = template.body.render(values)
    body = (_short_sections if len(rendered) <= _SHORT else _sections)(rendered)
    prior = "" if frame_prior else added.prior_data(frame, inlay)
    shown = added.schema_text(schema, inlay) if schema else ""
    texts = {
        "Role": body["Role"],
        "Task": _task(body["Task"], added.task_parts(frame, inlay), prior),
        "Constraints": _join(body["Constraints"], *limits, *added.agreed(frame, inlay), by="\n"),
        "Output Format": _join(_output_format(body["Output Format"], template, frame), shown),
        "Output Interface": added.OUTPUT_INTERFACE,
    }
    sections = [(name, inlay.fill(text)) for name, text in texts.items()]
    return Prompt(
        text=_bounded(
            "\n".join([line for name, text in sections for line in (f"## {name}", text, "")])
        ),
        sections=tuple(sections),
        fixed=added.fixed_lines(limits),
        seen=tuple(inlay.seen),
        removed=inlay.removed,
        context=tuple(
            text for each in inputs if each.context for text in texts_in(checked[each.name])
        ),
        unused=tuple(name for name in args if name not in template.body.variables),
        path_only=tuple(dict.fromkeys(inlay.path_only)),
        lacks_material=bool(template.material)
        and not (frame.prior or any(checked[name] for name in template.material))
        and "below" in body["Task"].partition(INPUT_DATA)[0],
        schema=schema,
    )


def fixed_lines(template: Template, frame: Frame) -> frozenset[str]:
    """The lines of a prompt that the server writes, whatever the template and its arguments."""
    return added.fixed_lines(added.limits(frame, Inlay(frame.nonce, template.datamark)))


def _inputs(
    template: Template, args: Mapping[str, Any], frame: Frame
) -> tuple[tuple[Parameter, ...], str | None]:
    """The inputs to check, and the name of the one that the results of earlier tasks fill."""
    for parameter in template.inputs:
        if parameter.kind == "prior_result" and frame.prior and not args.get(parameter.name):
            optional = replace(parameter, required=False)
            inputs = tuple(optional if each is parameter else each for each in template.inputs)
            return inputs, parameter.name
    return template.inputs, None


def _sections(rendered: str) -> Mapping[str, str]:
    """The text of each H2 section of a rendered body."""
    while "\n\n\n" in rendered:
        rendered = rendered.replace("\n\n\n", "\n\n")
    pieces = [piece.partition("\n") for piece in f"\n{rendered}".split("\n## ")[1:]]
    names, texts = [piece[0] for piece in pieces], [piece[2] for piece in pieces]
    if tuple(map(str.strip, names)) != SECTIONS:
        raise InvalidTemplate(
            f"With these arguments the body has the H2 sections {', '.join(names) or 'none'}.",
            allowed=", ".join(SECTIONS),
            next="move the headings of the template out of its conditions and loops",
        )
    return {name: text.strip() for name, text in zip(SECTIONS, texts, strict=True)}


#: The bodies of a template mostly differ in what is put in for the marks of data.
_short_sections = lru_cache(maxsize=256)(_sections)


def _output_format(text: str, template: Template, frame: Frame) -> str:
    if not frame.schema or not template.output_schema:
        return text
    return fitting_lines(text, template.output_schema, frame.schema)


def _task(text: str, parts: list[str], prior: str) -> str:
    """The Task section: its words, what the server adds, its Input Data last."""
    words, _, data = f"\n{text}\n".partition(f"\n{INPUT_DATA}\n")
    data = _join(data.strip(), prior, by="\n")
    return _join(words.strip(), *parts, f"{INPUT_DATA}\n{data}" if data else "")


def _join(*texts: str, by: str = "\n\n") -> str:
    return by.join(filter(None, texts))


def _bounded(text: str) -> str:
    size = len(text) if text.isascii() else len(text.encode())
    if size <= PROMPT_LIMIT:
        return text
    raise PromptTooLarge(
        f"The prompt would be {size} bytes long.",
        allowed=f"at most {PROMPT_LIMIT}",
        next="pass less input, or split the task",
        size=size,
    )
