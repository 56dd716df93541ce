"""Where the data that travels with the package lies, installed or in a checkout."""

from importlib.resources import files
from pathlib import Path
from typing import Literal


def shipped(name: Literal["prompts", "contracts"]) -> Path:
    """The folder of that name: inside the installed package, or beside `server/` in a checkout."""
    installed = Path(str(files("relaybook"))) / name
    return installed if installed.is_dir() else Path(__file__).parents[3] / name
