"""The commands about tokens: create, list, revoke. Nothing else hands out access."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.errors import InvalidArguments
from relaybook.model import Role

if TYPE_CHECKING:
    from relaybook.engine import Engine

#: How long a token is good for unless said otherwise.
DAYS = 90.0

group = typer.Typer(name="token", help="Who may call a server over HTTP.", no_args_is_help=True)


@command(group, "create", needs="made")
def create(
    engine: "Engine",
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    role: Annotated[Role, typer.Option(help="Which tools its holder gets.")] = "worker",
    project: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A project that it is good for; may be repeated."),
    ] = None,
    all_projects: Annotated[
        bool, typer.Option("--all-projects", help="Good for every project.")
    ] = False,
    days: Annotated[
        float | None, typer.Option(help="Until it expires.", show_default=f"{DAYS:g}")
    ] = None,
    never_expires: Annotated[
        bool, typer.Option("--never-expires", help="Until it is revoked.")
    ] = False,
) -> dict[str, Any]:
    """Make a token and print it, once."""
    if bool(project) == all_projects:
        raise InvalidArguments(
            "A token is good for some projects, or for all.",
            allowed="--project NAME, which may be repeated, or --all-projects",
            next="say which",
        )
    if never_expires and days is not None:
        raise InvalidArguments(
            "A token ends after some days, or never.",
            allowed="--days or --never-expires",
            next="leave one of them out",
        )
    lasting = None if never_expires else DAYS if days is None else days
    return engine.create_token(name, role=role, projects=project or None, days=lasting)


@command(group, "list")
def list_tokens(engine: "Engine") -> dict[str, Any]:
    """Every token, what it is good for and whether it is valid; not its text."""
    return engine.list_tokens()


@command(group, "revoke")
def revoke(
    engine: "Engine", id: Annotated[str, typer.Argument(metavar="ID", help="As in the list.")]
) -> dict[str, Any]:
    """Make a token invalid at once, wherever the ledger is served."""
    return engine.revoke_token(id)
