"""serve: the ledger over MCP, on standard input and output or over HTTP."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

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
from relaybook.errors import InvalidArguments
from relaybook.settings import Role, Settings

if TYPE_CHECKING:
    from relaybook.engine import Engine
    from relaybook.surface.http.caller import Access
    from relaybook.surface.http.oauth import OAuth
    from relaybook.surface.http.options import HttpOptions

#: The parameters that count on standard input and output, too.
WITHOUT_HTTP = frozenset({"durability", "role", "http", "store", "prompts", "contracts", "as_json"})

group = typer.Typer()


@group.command()
def serve(
    context: typer.Context,
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
    public_url: Annotated[
        str, typer.Option(metavar="URL", help="What callers reach it by, /mcp included.")
    ] = "",
    oauth_issuer: Annotated[
        str, typer.Option(metavar="URL", help="Takes the tokens of this OAuth issuer.")
    ] = "",
    oauth_audience: Annotated[
        str, typer.Option(metavar="TEXT", help="Whom they are made for; default: --public-url.")
    ] = "",
    oauth_jwks: Annotated[
        str, typer.Option(metavar="URL", help="Its keys; default: as its metadata says.")
    ] = "",
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
            _refuse_given(context)
            return _serve_stdio(settings)
        from relaybook.surface.http.options import HttpOptions

        options = HttpOptions(
            host=host,
            port=port,
            tls_cert=tls_cert,
            tls_key=tls_key,
            allowed_hosts=(*(allowed_host or ()), *_host_of(public_url)),
            allowed_origins=tuple(allowed_origin or ()),
            trusted_proxies=tuple(trusted_proxy or ()),
            body_limit=round(max_body_mib * 1024 * 1024),
            grace_seconds=grace_seconds,
            stateless=stateless,
            anyone_may_connect=anyone,
            secrets=settings.secrets,
        )
        ways = _Ways(require_token, oauth_issuer, oauth_audience, public_url, oauth_jwks)
        _serve_http(settings, options, ways)


def _refuse_given(context: typer.Context) -> None:
    """Refuse what was said on the command line about HTTP."""
    for option in context.command.params:
        if option.name in WITHOUT_HTTP:
            continue
        source = context.get_parameter_source(option.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise InvalidArguments(
                f"{option.opts[0]} is for serving over HTTP.", next="add --http, or leave it out"
            )


def _serve_stdio(settings: Settings) -> None:
    from relaybook.surface.startup import without_collection

    with without_collection():
        from relaybook.surface.server import serve_stdio

        engine = open_engine(settings)
    serve_stdio(engine, settings.role)


@dataclass(frozen=True, slots=True)
class _Ways:
    """By what callers are known; if by nothing, anyone may call."""

    token: bool
    issuer: str
    audience: str
    resource: str
    jwks: str

    def oauth(self) -> "OAuth | None":
        """The issuer's side, if there is an issuer.

        Raises:
            InvalidArguments: something is missing, or no URL.
        """
        if not self.issuer:
            return None
        if not self.resource:
            raise InvalidArguments(
                "Tokens of an issuer are made for a server that they name.",
                next="add --public-url, the URL that clients reach this server by",
            )
        from relaybook.surface.http.oauth import Issuer, OAuth

        audience = self.audience or self.resource
        return OAuth(
            Issuer(issuer=self.issuer, audience=audience, resource=self.resource, jwks=self.jwks)
        )


def _serve_http(settings: Settings, options: "HttpOptions", ways: _Ways) -> None:
    from relaybook.surface.http.options import check_options

    check_options(options, authenticated=ways.token or bool(ways.issuer))
    from relaybook.surface.http.serve import serve_http

    oauth = ways.oauth()
    engine = open_engine(settings)
    try:
        access = _access(engine, settings, ways, oauth)
        serve_http(engine, access, options, _announce, pages=oauth.pages if oauth else ())
    finally:
        engine.store.close()


def _access(engine: "Engine", settings: Settings, ways: _Ways, oauth: "OAuth | None") -> "Access":
    from relaybook.surface.http.caller import Anyone, AsWorkers, Either
    from relaybook.surface.http.tokens import Tokens

    tokens = Tokens(engine) if ways.token else None
    access = Either(tokens, oauth) if tokens and oauth else tokens or oauth
    if access is None:
        return Anyone(settings.role)
    return AsWorkers(access) if settings.role == "worker" else access


def _host_of(url: str) -> list[str]:
    return list(filter(None, [urlsplit(url).netloc]))


def _announce(url: str) -> None:
    typer.echo(f"relaybook serves {url}", err=True)
