"""serve: the ledger over MCP, on standard input and output or over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from relaybook.settings import Role, Settings

if TYPE_CHECKING:
    from relaybook.engine import Engine
    from relaybook.surface.http.caller import Access
    from relaybook.surface.http.options import HttpOptions

group = typer.Typer()


@group.command()
def serve(
    durability: DurabilityOption = "full",
    role: Annotated[
        Role | None, typer.Option(help="Which tools to offer; RELAYBOOK_ROLE=worker binds.")
    ] = None,
    http: Annotated[bool, typer.Option("--http", help="Over HTTP, at /mcp.")] = False,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM.")] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[:PORT]", help="A name callers reach it by; may be repeated."),
    ] = None,
    allowed_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A site whose pages may call; may be repeated."),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A proxy whose X-Forwarded headers count."),
    ] = None,
    max_body_mib: Annotated[float, typer.Option(min=0.01, help="The largest request.")] = 4,
    grace_seconds: Annotated[
        int, typer.Option(min=1, help="How long calls may go on after a signal to stop.")
    ] = 30,
    stateless: Annotated[
        bool, typer.Option("--stateless", help="No sessions for clients up to 2025-11-25.")
    ] = False,
    require_token: Annotated[
        bool, typer.Option("--require-token", help="As relaybook token create makes them.")
    ] = False,
    anyone: Annotated[
        bool, typer.Option("--no-auth-anyone-may-connect", help="Beyond this machine, too.")
    ] = False,
    store: StoreOption = None,
    prompts: PromptsOption = None,
    contracts: ContractsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the ledger over MCP on standard input and output, or over HTTP."""
    with refusals(as_json):
        settings = settings_of(
            store=store, durability=durability, role=role, prompts=prompts, contracts=contracts
        )
        if not http:
            return _serve_stdio(settings)
        from relaybook.surface.http.options import HttpOptions

        options = HttpOptions(
            host=host,
            port=port,
            tls_cert=tls_cert,
            tls_key=tls_key,
            allowed_hosts=tuple(allowed_host or ()),
            allowed_origins=tuple(allowed_origin or ()),
            trusted_proxies=tuple(trusted_proxy or ()),
            body_limit=round(max_body_mib * 1024 * 1024),
            grace_seconds=grace_seconds,
            stateless=stateless,
            anyone_may_connect=anyone,
        )
        _serve_http(settings, options, require_token=require_token)


def _serve_stdio(settings: Settings) -> None:
    from relaybook.surface.startup import without_collection

    with without_collection():
        from relaybook.surface.server import serve_stdio

        engine = open_engine(settings)
    serve_stdio(engine, settings.role)


def _serve_http(settings: Settings, options: "HttpOptions", *, require_token: bool) -> None:
    from relaybook.surface.http.options import check_options

    check_options(options, authenticated=require_token)
    from relaybook.surface.http.serve import serve_http

    engine = open_engine(settings)
    try:
        access = _access(engine, settings, require_token=require_token)
        serve_http(engine, access, options, _announce)
    finally:
        engine.store.close()


def _access(engine: "Engine", settings: Settings, *, require_token: bool) -> "Access":
    from relaybook.surface.http.caller import Anyone, AsWorkers
    from relaybook.surface.http.tokens import Tokens

    if not require_token:
        return Anyone(settings.role)
    access = Tokens(engine)
    return AsWorkers(access) if settings.role == "worker" else access


def _announce(url: str) -> None:
    typer.echo(f"relaybook serves {url}", err=True)
