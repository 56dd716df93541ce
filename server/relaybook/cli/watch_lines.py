"""Forecasts as lines: for pipes, and for programs."""

import json
import sys
from typing import Any

from relaybook.cli.printing import words


class Lines:
    """A line for each workflow that is not as it was."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def show(self, forecasts: list[dict[str, Any]]) -> None:
        for each in forecasts:
            line = told(each)
            if self._shown.get(each["workflow_id"]) != line:
                self._shown[each["workflow_id"]] = line
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


class JsonLines:
    """A line of JSON for each change of the ledger."""

    def show(self, forecasts: list[dict[str, Any]]) -> None:
        sys.stdout.write(f"{json.dumps({'workflows': forecasts})}\n")
        sys.stdout.flush()


def told(forecast: dict[str, Any]) -> str:
    """A workflow in a line; minutes that only pass do not change it."""
    parts = [f"{forecast['workflow_id']} {forecast['status']}"]
    parts.append(f"{forecast['done']}/{forecast['total']} done")
    if forecast["failed"]:
        parts.append(f"{forecast['failed']} failed")
    if forecast["running"]:
        parts.append(f"running {', '.join(each['task_id'] for each in forecast['running'])}")
    return words("; ".join(parts))
