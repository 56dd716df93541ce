"""Where the ledger lies and who may do what, by the options given and the environment.

Pure: the environment, the home folder and the platform are arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from relaybook.errors import InvalidArguments
from relaybook.model import ROLES, Role

Durability = Literal["full", "normal"]

SECRET_LENGTH = 32
LEDGER_FILE = Path("relaybook", "ledger.db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every command needs to know."""

    #: A path, `sqlite:///path` or `postgresql://…`; it may hold a password, so it is never shown.
    store: str
    #: Whether somebody named it, by an option or the environment.
    named: bool
    durability: Durability
    role: Role
    #: Folders of templates beside the shipped ones; a later one shadows.
    prompts: tuple[Path, ...]
    #: Folders of contracts beside the shipped ones; a later one shadows.
    contracts: tuple[Path, ...]
    #: Keys that replicas share, to seal what a question carries: the first seals, all unseal.
    secrets: tuple[str, ...] = field(default=(), repr=False)


def read_settings(
    env: Mapping[str, str],
    *,
    home: Path,
    platform: str,
    store: str | None = None,
    durability: Durability = "full",
    role: Role | None = None,
    prompts: Sequence[Path] = (),
    contracts: Sequence[Path] = (),
) -> Settings:
    """Settings by the options given, then the environment, then the defaults.

    Raises:
        InvalidArguments: the environment or an option says what cannot be.
    """
    named = store or env.get("RELAYBOOK_STORE")
    return Settings(
        named=bool(named),
        store=named or str(default_store(env, home=home, platform=platform)),
        durability=durability,
        role=_role(role, env.get("RELAYBOOK_ROLE", "")),
        prompts=tuple(prompts),
        contracts=tuple(contracts),
        secrets=_secrets(env.get("RELAYBOOK_SECRET", "")),
    )


def default_store(env: Mapping[str, str], *, home: Path, platform: str) -> Path:
    """The ledger in the user's data folder."""
    if platform == "darwin":
        return home / "Library" / "Application Support" / LEDGER_FILE
    data = env.get("XDG_DATA_HOME", "")
    # https://specifications.freedesktop.org/basedir-spec: a relative path is to be ignored.
    folder = Path(data) if data.startswith("/") else home / ".local" / "share"
    return folder / LEDGER_FILE


def _secrets(named: str) -> tuple[str, ...]:
    secrets = tuple(each.strip() for each in named.split(",") if each.strip())
    if (named and not secrets) or any(len(each) < SECRET_LENGTH for each in secrets):
        raise InvalidArguments(
            "RELAYBOOK_SECRET holds no key, or one that is too short.",
            allowed=f"keys of {SECRET_LENGTH} characters or more, by commas: the first one seals",
            next="make one with openssl rand -hex 32",
        )
    return secrets


def _role(option: Role | None, inherited: str) -> Role:
    """A process started inside a worker stays a worker, whatever it asks for."""
    if inherited == "worker":
        return "worker"
    for role in ROLES:
        if inherited == role:
            return option or role
    if inherited:
        raise InvalidArguments(
            f"RELAYBOOK_ROLE is {inherited[:40]!r}.",
            allowed=", ".join(ROLES),
            next="correct it or leave it out",
        )
    return option or "orchestrator"
