"""The commands about prompt templates: list, preview, check."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.cli.inputs import json_of, pairs, sources
from relaybook.cli.options import ArgsOption
from relaybook.cli.shown import prompt_alone
from relaybook.errors import InvalidArguments

if TYPE_CHECKING:
    from relaybook.engine import Engine
    from relaybook.registry.template import Template

group = typer.Typer(name="templates", help="Prompt templates.", no_args_is_help=True)


def described(text: str, line: Mapping[str, Any]) -> str:
    """What a list says of a template or a composition, with what sets it apart."""
    if "broken" in line:
        return str(line["broken"])
    return f"{text} (in place of another of this name)" if line.get("shadows") else text


def _listed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = [
        {
            "name": each["name"],
            "description": described(each.get("description", ""), each),
            "required": each.get("required", ()),
        }
        for each in answer["templates"]
    ]
    return {"templates": rows}


@command(group, "list", needs="any", view=_listed)
def list_templates(engine: "Engine") -> dict[str, Any]:
    """Every template in a line."""
    return json.loads(engine.read_text("prompt://index").text)


@command(group, "preview", needs="any", view=prompt_alone)
def preview(
    engine: "Engine",
    name: Annotated[str, typer.Argument(metavar="NAME")],
    files: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Put into the prompt; may be repeated."),
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="One argument; VALUE may be @FILE; repeated."),
    ] = None,
    args: ArgsOption = "",
    example: Annotated[
        bool, typer.Option("--example", help="The template's example for what is not given.")
    ] = False,
) -> dict[str, Any]:
    """Print the prompt that a template gives."""
    said = {**json_of(args, "--args", dict), **pairs(arg or (), "--arg")}
    if example:
        said = {**engine.templates.get(name).example_args, **said}
    if files:
        said |= _with_files(engine.templates.get(name), files)
    return engine.render_prompt(template=name, args=said)


def _with_files(template: "Template", files: list[Path]) -> dict[str, Any]:
    """The content of the files under the input of the template that takes files."""
    for each in template.inputs:
        if each.kind == "sources":
            return {each.name: sources(files, "--files")}
        if each.kind == "source" and len(files) == 1:
            return {each.name: sources(files, "--files")[0]}
    raise InvalidArguments(
        f"Template {template.name!r} has no input for {len(files)} file(s).",
        allowed=", ".join(f"{each.name} ({each.kind})" for each in template.inputs) or "no input",
        next="pass the content with --arg NAME=@FILE",
    )


@command(group, "check", needs="any", fails=lambda answer: bool(answer["problems"]))
def check(engine: "Engine") -> dict[str, Any]:
    """Check that each can be read and its example works; compositions and roles are read too."""
    from relaybook.registry.check_files import file_problems

    problems = [
        {"path": str(each.path), "line": each.line, "reason": each.reason}
        for _, each in file_problems(engine.templates, engine.compositions, engine.roles)
    ]
    return {
        "summary": f"{len(engine.templates.names())} template(s), {len(problems)} problem(s)",
        "problems": problems,
    }
