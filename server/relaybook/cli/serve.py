"""serve: the ledger over MCP."""

from typing import Annotated

import typer

from relaybook.cli.exits import refusals
from relaybook.cli.opening import open_engine, settings_of
from relaybook.cli.options import (
    ContractsOption,
    DurabilityOption,
    JsonOption,
    PromptsOption,
    StoreOption,
)
from relaybook.settings import Role

group = typer.Typer()


@group.command()
def serve(
    durability: DurabilityOption = "full",
    role: Annotated[
        Role | None, typer.Option(help="Which tools to offer; RELAYBOOK_ROLE=worker binds.")
    ] = None,
    store: StoreOption = None,
    prompts: PromptsOption = None,
    contracts: ContractsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the ledger over MCP on standard input and output."""
    with refusals(as_json):
        settings = settings_of(
            store=store, durability=durability, role=role, prompts=prompts, contracts=contracts
        )
        from relaybook.surface.startup import without_collection

        with without_collection():
            from relaybook.surface.server import serve_stdio

            engine = open_engine(settings)
        serve_stdio(engine, settings.role)
