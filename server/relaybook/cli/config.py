"""config: what each host has to be told of this server, printed or written where the host looks."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from relaybook.cli import host_files
from relaybook.cli.exits import refusals
from relaybook.cli.options import JsonOption, StoreOption
from relaybook.cli.written import written
from relaybook.errors import InvalidArguments

group = typer.Typer()


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
    as_json: JsonOption = False,
) -> None:
    """Print what a host has to be told of this server, or write it where the host looks."""
    with refusals(as_json):
        path = _folder(folder) / FILES[host].path
        store = store or os.environ.get("RELAYBOOK_STORE")
        if store and (store := without_password(named := store)) != named:
            typer.echo(_LEFT_OUT, err=True)
        there = host_files.read(path) if write else ""
        text = _merged(host, there, _arguments(store), path)
        if write and text != there:
            host_files.replace(path, text)
    with written():
        _tell(path, text, write=write, as_json=as_json)


def _merged(host: Host, there: str, arguments: list[str], path: Path) -> str:
    """What the file at `path` is to hold, of which `there` is in it now."""
    key, entry = FILES[host].key, {"command": host_files.NAME, "args": arguments}
    if host is Host.CODEX:
        return host_files.merged_toml(there, key, entry, path)
    return host_files.merged_json(there, key, {"type": "stdio"} | entry, path)


def _tell(path: Path, text: str, *, write: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"path": str(path), "written": write, "text": text}, indent=2))
    elif write:
        typer.echo(f"{path} names {host_files.NAME}")
    else:
        typer.echo(text, nl=False)


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


def _arguments(store: str | None) -> list[str]:
    if not store:
        return ["serve"]
    # Absolute: hosts start servers in folders of their own choice.
    named = store if "://" in store else str(Path(store).expanduser().absolute())
    return ["serve", "--store", named]
