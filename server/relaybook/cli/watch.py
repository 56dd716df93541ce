"""watch: how work goes on, live: bars and times on a terminal, lines of what changed elsewhere."""

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from relaybook.cli.exits import INTERRUPTED, refusals
from relaybook.cli.opening import open_engine, refuse_worker, settings_of
from relaybook.cli.options import JsonOption, StoreOption

if TYPE_CHECKING:
    from relaybook.engine import Engine

group = typer.Typer()

#: How often the ledger is asked whether it changed, in seconds.
POLL_SECONDS = 0.5


class Screen(Protocol):
    """Shows forecasts, each time in place of those before."""

    def show(self, forecasts: list[dict[str, Any]]) -> None: ...


@group.command()
def watch(
    id: Annotated[str, typer.Argument(metavar="[ID]", help="Else all that are not ended.")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a workflow, or all that are not ended, until they end.

    The time left is that of earlier runs of the same templates. With --json a line a change.
    """
    with refusals(as_json):
        settings = settings_of(store=store)
        refuse_worker(settings, "use relaybook watch")
        engine = open_engine(settings, needs="there")
        try:
            with _screen(as_json) as screen:
                _follow(engine, [id] if id else _active(engine), screen)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        finally:
            engine.store.close()


def _active(engine: "Engine") -> list[str]:
    listed = engine.list_workflows(active=True)["workflows"]
    return [row["workflow_id"] for row in listed]


def _follow(engine: "Engine", ids: list[str], screen: Screen) -> None:
    """Show the workflows again whenever the ledger changed, until all of them have ended."""
    from relaybook.core.task.status import ENDED

    while True:
        version = engine.store.version()
        forecasts = [engine.forecast(id) for id in ids]
        screen.show(forecasts)
        if all(each["status"] in ENDED for each in forecasts):
            return
        while engine.store.version() == version:
            time.sleep(POLL_SECONDS)


def _screen(as_json: bool) -> AbstractContextManager[Screen]:
    if as_json:
        from relaybook.cli.watch_lines import JsonLines

        return nullcontext(JsonLines())
    if sys.stdout.isatty():
        from relaybook.cli.watch_bars import Bars

        return Bars()
    from relaybook.cli.watch_lines import Lines

    return nullcontext(Lines())
