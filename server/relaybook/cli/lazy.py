"""Commands whose modules are imported when they are named, so that each starts fast."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup


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
    """The kind of group whose commands stand in `modules`."""

    class LazyGroup(TyperGroup):
        def __init__(self, **said: Any) -> None:
            super().__init__(**said)
            self.commands = cast(Any, Commands(modules))

    return LazyGroup
