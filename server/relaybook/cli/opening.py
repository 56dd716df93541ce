"""What a command works on: settings by its options and the environment, and an engine on them."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from relaybook.errors import Forbidden, InvalidArguments, StoreUnreachable
from relaybook.model import Role
from relaybook.settings import Durability, Settings, read_settings

if TYPE_CHECKING:
    from relaybook.engine import Engine

#: What a command asks of the ledger: there; made if it is not there; shown, so that one which
#: nobody named may be empty; or any, also none, since the command is about something else.
Needs = Literal["there", "made", "shown", "any"]

NO_FILE = ":memory:"


def settings_of(
    *,
    store: str | None,
    durability: Durability = "full",
    role: Role | None = None,
    prompts: Sequence[Path] | None = None,
    contracts: Sequence[Path] | None = None,
) -> Settings:
    """The settings of this process.

    Raises:
        InvalidArguments: a folder named is none, or the environment says what cannot be.
    """
    for option, folders in (("--prompts", prompts), ("--contracts", contracts)):
        for folder in folders or ():
            if not folder.is_dir():
                raise InvalidArguments(
                    f"There is no folder at {str(folder)!r}.", next=f"correct {option}"
                )
    return read_settings(
        os.environ,
        home=Path.home(),
        platform=sys.platform,
        store=store,
        durability=durability,
        role=role,
        prompts=prompts or (),
        contracts=contracts or (),
    )


def refuse_worker(settings: Settings, what: str) -> None:
    """Refuse whoever is run by `relaybook work`, and so must stay a worker."""
    if settings.role == "worker":
        raise Forbidden(
            f"A worker cannot {what}.",
            allowed="its own task, through the tools that serve offers to a worker",
            next="put further work into the result, for the orchestrator to plan",
        )


def open_engine(settings: Settings, needs: Needs = "made") -> "Engine":
    """The engine on the ledger that the settings name.

    Raises:
        StoreFault: the ledger is not there though it needs to be, or cannot be opened.
    """
    from relaybook.engine import Engine
    from relaybook.store.open import open_store

    name = settings.store
    if needs == "there" or (needs == "shown" and settings.named):
        refuse_missing(name)
    elif needs != "made" and missing(name) is not None:
        name = NO_FILE
    store = open_store(name, settings.durability)
    return Engine(store, settings.prompts, settings.contracts)


def refuse_missing(name: str) -> None:
    """Refuse a file that is not there; whether a server holds a ledger shows when it is opened.

    Raises:
        StoreUnreachable: there is no such file.
    """
    path = missing(name)
    if path is not None:
        raise StoreUnreachable(
            f"There is no ledger at {str(path)!r}.",
            allowed="the ledger that the orchestrator uses",
            next="name it with --store or RELAYBOOK_STORE; relaybook create and serve make one",
        )


def missing(name: str) -> Path | None:
    """The file of that name, if it is none; None for a server."""
    from relaybook.store.open import file_of

    path = file_of(name)
    return None if path is None or path.exists() else path
