"""What a command answered and the ledger did not take, kept in a file beside the worker."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from relaybook.worker.ledger import Answer


def keep_output(claimed: Answer, output: str) -> str:
    """Put `output` into a file of its own in the current folder; say where, and what helps."""
    workflow_id, task_id = claimed["workflow_id"], claimed["task_id"]
    with suppress(OSError):
        file, path = tempfile.mkstemp(".txt", f"{workflow_id}-{task_id}-", ".")
        with os.fdopen(file, "w", encoding="utf-8") as kept:
            kept.write(output)
        name = Path(path).name
        return (
            f"its output is in {name!r}; relaybook update --id {workflow_id} --task-id {task_id} "
            f"--status completed --result @{name} records it"
        )
    return "its output is lost: no file could be written in the current folder"
