"""board: the ledger as a page in the browser of this machine."""

import threading
import webbrowser
from typing import Annotated

import typer

from relaybook.cli.exits import refusals
from relaybook.cli.opening import open_engine, refuse_worker, settings_of
from relaybook.cli.options import ContractsOption, JsonOption, PromptsOption, StoreOption

group = typer.Typer()


@group.command()
def board(
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Print the address, open no browser.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 0,
    store: StoreOption = None,
    prompts: PromptsOption = None,
    contracts: ContractsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the board in a browser, until Ctrl-C. Its address works once, for one browser."""
    with refusals(as_json):
        settings = settings_of(store=store, prompts=prompts, contracts=contracts)
        refuse_worker(settings, "use relaybook board")
        engine = open_engine(settings, "there")
        from relaybook.surface.http.one_browser import OneBrowser
        from relaybook.surface.http.options import HttpOptions
        from relaybook.surface.http.serve import serve_http

        key = engine.token(16)
        access = OneBrowser(key, engine.token(32))

        def announce(url: str) -> None:
            # Behind the #, so that no request and no log ever holds it.
            address = f"{url.removesuffix('/mcp')}/board#key={key}"
            typer.echo(f"The board: {address}")
            if not no_open:
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        try:
            options = HttpOptions(port=port, grace_seconds=2)
            serve_http(engine, access, options, announce, exchange=access.exchange)
        finally:
            engine.store.close()
