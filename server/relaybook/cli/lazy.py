"""Commands whose modules are imported when they are named, so that each starts fast."""

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, cast

import typer
from typer._click.exceptions import UsageError
from typer.core import TyperGroup

from relaybook.errors import InvalidArguments


class Commands(Mapping[str, Any]):
    """Commands by name. Each stands in the Typer named `group` of its module."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        """`modules` names for each command its module in `relaybook.cli`."""
        self._modules = modules

    def __getitem__(self, name: str) -> Any:
        return _commands_in(self._modules[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


@cache
def _commands_in(module: str) -> Mapping[str, Any]:
    app = new_app()
    app.add_typer(import_module(f"relaybook.cli.{module}").group)
    return typer.main.get_group(app).commands


def new_app(**said: Any) -> typer.Typer:
    """A Typer that prints help and errors plainly."""
    return typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **said
    )


def lazy_group(modules: Mapping[str, str]) -> type[TyperGroup]:
    """The kind of group whose commands stand in `modules`; with --json it tells misuse in JSON."""

    class LazyGroup(TyperGroup):
        def __init__(self, **said: Any) -> None:
            super().__init__(**said)
            self.commands = cast(Any, Commands(modules))

        def main(self, *said: Any, **named: Any) -> Any:
            if "--json" not in (named.get("args") or sys.argv[1:]):
                return super().main(*said, **named)
            try:
                sys.exit(super().main(*said, **named, standalone_mode=False))
            except UsageError as error:
                sys.stderr.write(f"{json.dumps(_misused(error).as_dict())}\n")
                sys.exit(error.exit_code)

    return LazyGroup


def _misused(error: UsageError) -> InvalidArguments:
    """What the parser of options refuses, as every other refusal is told."""
    command = error.ctx.command_path if error.ctx else "relaybook"
    return InvalidArguments(error.format_message(), next=f"see {command} --help")
