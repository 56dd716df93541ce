"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from relaybook.settings import Durability

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="PATH|URL", help="The ledger; else RELAYBOOK_STORE, else your file."
    ),
]
DurabilityOption = Annotated[
    Durability,
    typer.Option(help="full: survives a power cut; normal: survives a crash of the process."),
]
PromptsOption = Annotated[
    list[Path] | None,
    typer.Option("--prompts", metavar="DIR", help="A folder of templates; may be repeated."),
]
ContractsOption = Annotated[
    list[Path] | None,
    typer.Option("--contracts", metavar="DIR", help="A folder of contracts; may be repeated."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the answer, or the error, as JSON.")
]

IdOption = Annotated[str, typer.Option("--id", "--workflow-id", metavar="ID", help="The workflow.")]
TaskIdOption = Annotated[str, typer.Option("--task-id", metavar="ID", help="The task.")]
ProjectOption = Annotated[str, typer.Option(metavar="NAME", help="Only of this project.")]
CursorOption = Annotated[
    str, typer.Option(metavar="CURSOR", help="Where the answer before said that more follows.")
]
ReasonOption = Annotated[str, typer.Option(metavar="TEXT", help="Why; kept on record.")]
ArgsOption = Annotated[
    str, typer.Option("--args", metavar="JSON|@FILE", help="Arguments as a JSON object.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be; change nothing.")]

ResultOption = Annotated[
    str,
    typer.Option(
        "--result",
        "--output",
        metavar="TEXT|@FILE|-",
        help="The worker's message, word for word; - reads standard input.",
    ),
]
SessionOption = Annotated[
    str, typer.Option("--session-key", metavar="KEY", help="Of the worker that was spawned.")
]
ErrorCodeOption = Annotated[
    str, typer.Option("--error-code", metavar="CODE", help="timeout, crash, rate_limit …")
]
MetricsOption = Annotated[
    str, typer.Option(metavar="JSON|@FILE", help="{name: value}, or a list of {name, value, unit}.")
]
JsonListOption = Annotated[str, typer.Option(metavar="JSON|@FILE", help="A list of objects.")]
