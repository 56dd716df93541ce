"""config: what each host has to be told of this server, printed or written where the host looks.

Written means merged: other servers, and whatever else a file holds, stay as they are.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from relaybook.cli.exits import refusals
from relaybook.cli.options import StoreOption
from relaybook.errors import Conflict, InvalidArguments

group = typer.Typer()

NAME = "relaybook"


class Host(StrEnum):
    """A program that starts MCP servers."""

    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VSCODE = "vscode"
    CODEX = "codex"
    INSPECTOR = "inspector"


_LEFT_OUT = (
    "The password was left out, since others may read the file. Put it into ~/.pgpass, or as "
    "PGPASSWORD into the environment that the host starts its servers with."
)
#: What a URL of PostgreSQL may hold it in: before the host, or as a member.
_PASSWORD = re.compile(r"^(\w+://[^:/@]*):[^/]*@")
_SECRET_MEMBER = re.compile(r"(ssl)?password=")


@dataclass(frozen=True, slots=True)
class File:
    """Where a host looks, from the project's folder, and under which key it keeps servers."""

    path: str
    key: str


FILES: Mapping[Host, File] = {
    Host.CLAUDE_CODE: File(".mcp.json", "mcpServers"),
    Host.CURSOR: File(".cursor/mcp.json", "mcpServers"),
    Host.VSCODE: File(".vscode/mcp.json", "servers"),
    Host.CODEX: File(".codex/config.toml", "mcp_servers"),
    Host.INSPECTOR: File("mcp.json", "mcpServers"),
}


@group.command()
def config(
    host: Annotated[Host, typer.Argument(metavar="HOST", help=", ".join(Host))],
    write: Annotated[bool, typer.Option("--write", help="Into the project's folder.")] = False,
    folder: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
    store: StoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Refusals as JSON.")] = False,
) -> None:
    """Print what a host has to be told of this server, or write it where the host looks."""
    with refusals(as_json):
        file = FILES[host]
        path = _folder(folder) / file.path
        store = store or os.environ.get("RELAYBOOK_STORE")
        if store and (store := without_password(named := store)) != named:
            typer.echo(_LEFT_OUT, err=True)
        there = _read(path) if write else ""
        text = _toml(there, store, path) if host is Host.CODEX else _json(there, file, store, path)
        if not write:
            typer.echo(text, nl=False)
            return
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        typer.echo(f"{path} names {NAME}")


def without_password(url: str) -> str:
    """`url` as a file may hold it that others read: nothing of it opens the ledger."""
    if "://" not in url:
        return url
    bare, asked, members = _PASSWORD.sub(r"\1@", url).partition("?")
    kept = "&".join(each for each in members.split("&") if not _SECRET_MEMBER.match(each))
    return bare + (asked and kept and f"?{kept}")


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidArguments(
            f"There is no folder at {str(folder)!r}.", next="correct --folder, or make it first"
        )
    return folder


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _arguments(store: str | None) -> list[str]:
    if not store:
        return ["serve"]
    # Absolute: hosts start servers in folders of their own choice.
    named = store if "://" in store else str(Path(store).expanduser().absolute())
    return ["serve", "--store", named]


def _json(there: str, file: File, store: str | None, path: Path) -> str:
    """The text of a file in JSON, with this server among the others."""
    known = _parsed(there, path) if there.strip() else {}
    servers = known.setdefault(file.key, {})
    if not isinstance(servers, dict):
        raise _unreadable(path, f"its {file.key!r} is no object")
    servers[NAME] = {"type": "stdio", "command": NAME, "args": _arguments(store)}
    return json.dumps(known, indent=2, ensure_ascii=False) + "\n"


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        known = json.loads(text)
    except ValueError as error:
        raise _unreadable(path, f"it is no plain JSON: {error}") from error
    if not isinstance(known, dict):
        raise _unreadable(path, "it is no object")
    return known


def _toml(there: str, store: str | None, path: Path) -> str:
    """The text of a file in TOML with this server's table at its end, all else word for word."""
    import tomllib

    table = f'[mcp_servers.{NAME}]\ncommand = "{NAME}"\nargs = {json.dumps(_arguments(store))}\n'
    try:
        known = tomllib.loads(there)
        text = f"{there.rstrip()}\n\n{table}" if there.strip() else table
        if NAME not in known.get("mcp_servers", {}):
            tomllib.loads(text)
            return text
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise _unreadable(path, f"it cannot take a table: {error}") from error
    if known["mcp_servers"][NAME] == tomllib.loads(table)["mcp_servers"][NAME]:
        return there
    raise Conflict(
        f"{str(path)!r} names {NAME!r} already, with other words.",
        allowed="a file without it",
        next=f"remove its table [mcp_servers.{NAME}] and repeat the command",
    )


def _unreadable(path: Path, why: str) -> InvalidArguments:
    return InvalidArguments(
        f"{str(path)!r} was left as it is: {why}.",
        allowed="a file that the host reads",
        next="correct it, or leave out --write and copy what is printed",
    )
