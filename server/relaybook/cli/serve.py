"""serve: the ledger over MCP, on standard input and output or over HTTP."""

from typing import TYPE_CHECKING

import typer

from relaybook.cli.access import Ways
from relaybook.cli.exits import refusals
from relaybook.cli.opening import open_engine, settings_of
from relaybook.cli.options import (
    ContractsOption,
    DurabilityOption,
    JsonOption,
    PromptsOption,
    StoreOption,
)
from relaybook.cli.serve_options import (
    AllowedHostOption,
    AllowedOriginOption,
    AnyoneOption,
    GraceSecondsOption,
    HostOption,
    HttpOption,
    MaxBodyMibOption,
    OauthAudienceOption,
    OauthIssuerOption,
    OauthJwksOption,
    PortOption,
    PublicUrlOption,
    RequireTokenOption,
    RoleOption,
    StatelessOption,
    TlsCertOption,
    TlsKeyOption,
    TrustedProxyOption,
)
from relaybook.errors import InvalidArguments
from relaybook.settings import Settings

if TYPE_CHECKING:
    from relaybook.surface.http.options import HttpOptions

#: The parameters that count on standard input and output, too.
WITHOUT_HTTP = frozenset({"durability", "role", "http", "store", "prompts", "contracts", "as_json"})

group = typer.Typer()


@group.command()
def serve(
    context: typer.Context,
    durability: DurabilityOption = "full",
    role: RoleOption = None,
    http: HttpOption = False,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    allowed_host: AllowedHostOption = None,
    allowed_origin: AllowedOriginOption = None,
    trusted_proxy: TrustedProxyOption = None,
    max_body_mib: MaxBodyMibOption = 4,
    grace_seconds: GraceSecondsOption = 30,
    stateless: StatelessOption = False,
    require_token: RequireTokenOption = False,
    public_url: PublicUrlOption = "",
    oauth_issuer: OauthIssuerOption = "",
    oauth_audience: OauthAudienceOption = "",
    oauth_jwks: OauthJwksOption = "",
    anyone: AnyoneOption = False,
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
            allowed_hosts=tuple(allowed_host or ()),
            public_url=public_url,
            allowed_origins=tuple(allowed_origin or ()),
            trusted_proxies=tuple(trusted_proxy or ()),
            body_limit=round(max_body_mib * 1024 * 1024),
            grace_seconds=grace_seconds,
            stateless=stateless,
            anyone_may_connect=anyone,
            secrets=settings.secrets,
        )
        ways = Ways(require_token, oauth_issuer, oauth_audience, public_url, oauth_jwks)
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


def _serve_http(settings: Settings, options: "HttpOptions", ways: Ways) -> None:
    from relaybook.surface.http.options import check_options

    check_options(options, authenticated=ways.token or bool(ways.issuer))
    from relaybook.surface.http.serve import serve_http

    oauth = ways.oauth()
    engine = open_engine(settings)
    try:
        access = ways.access(engine, settings, oauth)
        serve_http(engine, access, options, _announce, pages=oauth.pages if oauth else ())
    finally:
        engine.store.close()


def _announce(url: str) -> None:
    typer.echo(f"relaybook serves {url}", err=True)
