"""The options of serve alone: which tools it offers, and how over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from relaybook.model import Role

RoleOption = Annotated[
    Role | None, typer.Option(help="Which tools to offer; RELAYBOOK_ROLE=worker binds.")
]
HttpOption = Annotated[bool, typer.Option("--http", help="Over HTTP, at /mcp.")]
HostOption = Annotated[str, typer.Option(help="The address to listen on.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")]
TlsCertOption = Annotated[Path | None, typer.Option(metavar="FILE", help="PEM.")]
TlsKeyOption = Annotated[Path | None, typer.Option(metavar="FILE", help="PEM.")]
AllowedHostOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME[:PORT]", help="A name callers reach it by; may be repeated."),
]
AllowedOriginOption = Annotated[
    list[str] | None,
    typer.Option(metavar="URL", help="A site whose pages may call; may be repeated."),
]
TrustedProxyOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ADDRESS", help="A proxy whose X-Forwarded headers count."),
]
MaxBodyMibOption = Annotated[float, typer.Option(min=0.01, help="The largest request.")]
GraceSecondsOption = Annotated[
    int, typer.Option(min=1, help="How long calls may go on after a signal to stop.")
]
StatelessOption = Annotated[
    bool, typer.Option("--stateless", help="No sessions for clients up to 2025-11-25.")
]
RequireTokenOption = Annotated[
    bool, typer.Option("--require-token", help="As relaybook token create makes them.")
]
PublicUrlOption = Annotated[
    str, typer.Option(metavar="URL", help="What callers reach it by, /mcp included.")
]
OauthIssuerOption = Annotated[
    str, typer.Option(metavar="URL", help="Takes the tokens of this OAuth issuer.")
]
OauthAudienceOption = Annotated[
    str, typer.Option(metavar="TEXT", help="Whom they are made for; default: --public-url.")
]
OauthJwksOption = Annotated[
    str, typer.Option(metavar="URL", help="Its keys; default: as its metadata says.")
]
AnyoneOption = Annotated[
    bool, typer.Option("--no-auth-anyone-may-connect", help="Beyond this machine, too.")
]
