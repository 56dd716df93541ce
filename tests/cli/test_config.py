"""relaybook config: what hosts are told, printed or merged into their files."""

import json
import resource
import signal
import stat
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relaybook import __version__
from relaybook.cli import app
from relaybook.cli.config import FILES, Host
from tests.docs import ROOT

ENTRY = {"type": "stdio", "command": "relaybook", "args": ["serve"]}
JSON_HOSTS = [host for host in Host if host is not Host.CODEX]


def run(*arguments: str, code: int = 0) -> str:
    ended = CliRunner().invoke(app, ["config", *arguments])
    assert ended.exit_code == code, ended.output
    return ended.output


def test_inspector_is_told_what_mcp_json_says() -> None:
    assert json.loads(run("inspector")) == json.loads((ROOT / "mcp.json").read_text("utf-8"))


def test_codex_is_told_in_toml() -> None:
    told = tomllib.loads(run("codex"))

    assert told == {"mcp_servers": {"relaybook": {"command": "relaybook", "args": ["serve"]}}}


@pytest.mark.parametrize("host", JSON_HOSTS)
def test_other_servers_stay(host: Host, tmp_path: Path) -> None:
    file = FILES[host]
    path = tmp_path / file.path
    path.parent.mkdir(exist_ok=True)
    others = {"inputs": [1], file.key: {"other": {"command": "x"}}}
    path.write_text(json.dumps(others), encoding="utf-8")

    run(host, "--write", "--folder", str(tmp_path))
    run(host, "--write", "--folder", str(tmp_path))

    written = json.loads(path.read_text(encoding="utf-8"))
    assert written == {"inputs": [1], file.key: {"other": {"command": "x"}, "relaybook": ENTRY}}


def test_what_a_toml_file_holds_stays_word_for_word(tmp_path: Path) -> None:
    path = tmp_path / ".codex" / "config.toml"
    path.parent.mkdir()
    before = '# mine\nmodel = "o"\n\n[mcp_servers.other]\ncommand = "x"  # theirs\n'
    path.write_text(before, encoding="utf-8")

    for _ in range(2):
        run("codex", "--write", "--folder", str(tmp_path))

    written = path.read_text(encoding="utf-8")
    assert written.startswith(before)
    assert set(tomllib.loads(written)["mcp_servers"]) == {"other", "relaybook"}


@pytest.mark.parametrize(
    ("host", "text", "code"),
    [
        (Host.VSCODE, '{"servers": {}} // mine', 2),
        (Host.CURSOR, '{"mcpServers": []}', 2),
        (Host.CURSOR, "[]", 2),
        (Host.CODEX, "not toml", 2),
        (Host.CODEX, "mcp_servers = 1", 2),
        (Host.CODEX, "[mcp_servers.relaybook]\ncommand = 'old'\n", 4),
        (Host.CLAUDE_CODE, '{"mcpServers": {"relaybook": {"command": "/opt/relaybook"}}}', 4),
        (Host.VSCODE, '{"servers": {"relaybook": {"env": {"RELAYBOOK_STORE": "x"}}}}', 4),
        (Host.CURSOR, '{"mcpServers": {"mine": {}}, "mcpServers": {}}', 2),
        (Host.CURSOR, "[" * 200_000, 2),
    ],
)
def test_a_file_that_cannot_be_merged_is_left_as_it_is(
    host: Host, text: str, code: int, tmp_path: Path
) -> None:
    path = tmp_path / FILES[host].path
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")

    run(host, "--write", "--folder", str(tmp_path), code=code)

    assert path.read_text(encoding="utf-8") == text


def test_a_ledger_of_ones_own_is_named_by_its_whole_path(tmp_path: Path) -> None:
    told = json.loads(run("claude-code", "--store", "team.db"))

    store = told["mcpServers"]["relaybook"]["args"][-1]
    assert Path(store).is_absolute()
    assert store.endswith("team.db")


def test_the_registry_is_told_the_name_and_version_that_the_code_has() -> None:
    entry = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    [package] = entry["packages"]

    assert (entry["version"], package["version"]) == (__version__, __version__)
    assert package["identifier"] == "relaybook"
    assert len(entry["description"]) <= 100
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_ledger_of_the_environment_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAYBOOK_STORE", "postgresql://db.example/ledger")

    told = json.loads(run("claude-code"))

    args = ["serve", "--store", "postgresql://db.example/ledger"]
    assert told["mcpServers"]["relaybook"]["args"] == args


@pytest.mark.parametrize("host", [Host.CLAUDE_CODE, Host.CODEX])
def test_no_password_comes_into_a_file_and_the_user_is_told_where_it_belongs(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://ann:p@s:1@db/ledger?password=p2&sslmode=require&sslpassword=p3"
    monkeypatch.setenv("RELAYBOOK_STORE", url)

    told = run(host, "--write", "--folder", str(tmp_path))

    written = (tmp_path / FILES[host].path).read_text(encoding="utf-8")
    assert '"postgresql://ann@db/ledger?sslmode=require"' in written
    assert "~/.pgpass" in told
    assert "PGPASSWORD" in told


@pytest.mark.parametrize(
    "url", ["postgresql:///ledger", "postgresql://db:5433/ledger?user=ann", "postgresql://ann@db/l"]
)
def test_a_url_without_a_password_is_told_as_it_is(url: str) -> None:
    told = CliRunner().invoke(app, ["config", "claude-code", "--store", url])

    assert json.loads(told.stdout)["mcpServers"]["relaybook"]["args"][-1] == url
    assert told.stderr == ""


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "projct"

    told = run("cursor", "--write", "--folder", str(missing), code=2)

    assert "There is no folder" in told
    assert not missing.exists()


def test_a_file_that_is_no_text_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / ".mcp.json"
    path.write_bytes(b'{"a": "caf\xe9"}')

    told = run("claude-code", "--write", "--folder", str(tmp_path), code=2)

    assert "it is no UTF-8: byte 10 does not fit" in told
    assert path.read_bytes() == b'{"a": "caf\xe9"}'


def test_a_file_that_the_disk_has_no_room_for_keeps_what_it_held(tmp_path: Path) -> None:
    path = tmp_path / ".mcp.json"
    before = json.dumps({"mcpServers": {"mine": {"command": "x" * 3_900}}})
    path.write_text(before, encoding="utf-8")

    with longest_file(4_000):
        told = run("claude-code", "--write", "--folder", str(tmp_path), code=2)

    assert "was left as it is: File too large" in told
    assert path.read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [path]


@contextmanager
def longest_file(size: int) -> Generator[None]:
    """No file of this process can grow beyond `size` bytes: as full as a disk can be made."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_link_stays_a_link_and_what_it_names_keeps_its_mode(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / ".mcp.json"
    real.write_text("{}", encoding="utf-8")
    real.chmod(0o600)
    link.symlink_to("real.json")

    run("claude-code", "--write", "--folder", str(tmp_path))

    assert link.readlink() == Path("real.json")
    assert json.loads(real.read_text(encoding="utf-8")) == {"mcpServers": {"relaybook": ENTRY}}
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("host", "there", "why"),
    [
        (Host.CLAUDE_CODE, ".mcp.json/", "Is a directory"),
        (Host.CURSOR, ".cursor", "Not a directory"),
        (Host.CURSOR, ".cursor/mcp.json/", "Is a directory"),
    ],
)
def test_what_stands_in_the_way_of_the_file_is_told_in_a_line(
    host: Host, there: str, why: str, tmp_path: Path
) -> None:
    if there.endswith("/"):
        (tmp_path / there).mkdir(parents=True)
    else:
        (tmp_path / there).touch()

    told = run(host, "--write", "--folder", str(tmp_path), code=2)

    assert f"was left as it is: {why}" in told
    assert told.count("\n") == 1


def test_a_file_that_says_the_same_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / ".mcp.json"
    as_theirs = json.dumps({"mcpServers": {"relaybook": ENTRY}}).encode() + b"\r\n"
    path.write_bytes(as_theirs)

    run("claude-code", "--write", "--folder", str(tmp_path))

    assert path.read_bytes() == as_theirs


@pytest.mark.parametrize("host", [Host.CURSOR, Host.CODEX])
def test_a_program_is_told_in_json_what_was_written_and_where(host: Host, tmp_path: Path) -> None:
    (path := tmp_path / FILES[host].path).parent.mkdir()

    printed = json.loads(run(host, "--json", "--folder", str(tmp_path)))
    told = json.loads(run(host, "--write", "--json", "--folder", str(tmp_path)))

    assert printed == told | {"written": False}
    assert told == {"path": str(path), "written": True, "text": path.read_text(encoding="utf-8")}
