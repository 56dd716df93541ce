"""Commands are imported when they are named, and yet none is lost."""

from importlib import import_module

from typer.main import get_group

from relaybook.cli import COMMANDS
from relaybook.cli.lazy import new_app

from .conftest import Cli


def test_the_table_names_every_command_of_each_module_and_no_other() -> None:
    for module in set(COMMANDS.values()):
        app = new_app()
        app.add_typer(import_module(f"relaybook.cli.{module}").group)
        named = {name for name, where in COMMANDS.items() if where == module}
        assert set(get_group(app).commands) == named


def test_help_lists_every_command_with_what_it_does(cli: Cli) -> None:
    shown = cli("--help").out.partition("Commands:\n")[2].partition("\n\n")[0]

    lines = [line.split(maxsplit=1) for line in shown.splitlines()]
    assert [name for name, _ in lines] == list(COMMANDS)


def test_a_wrong_command_is_answered_with_the_nearest(cli: Cli) -> None:
    ran = cli("lsit")

    assert ran.code == 2
    assert "No such command 'lsit'. Did you mean 'list'?" in ran.err
