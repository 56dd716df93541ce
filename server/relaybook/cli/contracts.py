"""The commands about skill contracts: list, show, find, pipeline, check."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relaybook.cli.command import command
from relaybook.errors import Refusal

if TYPE_CHECKING:
    from relaybook.engine import Engine
    from relaybook.registry.contract import Contract

group = typer.Typer(name="contracts", help="Skill contracts.", no_args_is_help=True)


@command(group, "list", needs="any")
def list_contracts(engine: "Engine") -> dict[str, Any]:
    """Every contract in a line."""
    return _lines(engine, (engine.contracts.get(name) for name in engine.contracts.names()))


@command(group, "find", needs="any")
def find(
    engine: "Engine",
    capability: Annotated[str, typer.Option(metavar="NAME", help="What it can do.")] = "",
    input: Annotated[str, typer.Option(metavar="NAME", help="What it takes.")] = "",
    output: Annotated[str, typer.Option(metavar="NAME", help="What it gives.")] = "",
) -> dict[str, Any]:
    """The skills that fit all that is given, the best first."""
    if capability:
        engine.contracts.resolve(capability)  # refuses one that nobody has, and names the nearest
    found = engine.contracts.find(capability or None, input or None, output or None)
    return _lines(engine, found)


@command(group, "pipeline", needs="any")
def pipeline(
    engine: "Engine",
    capabilities: Annotated[list[str], typer.Argument(metavar="CAPABILITY…")],
) -> dict[str, Any]:
    """The skill for each capability, in that order, and who else could do it."""
    return engine.find_skills(capabilities=capabilities)


def _lines(engine: "Engine", contracts: Iterable["Contract"]) -> dict[str, Any]:
    rows = [
        {
            "name": each.name,
            "description": each.description,
            "capabilities": list(each.capabilities),
            "tier": str(each.tier_max),
            "mode": each.mode,
        }
        for each in contracts
    ]
    problems = [{"file": str(p.path), "reason": p.reason} for p in engine.contracts.problems()]
    found: dict[str, Any] = {"summary": f"{len(rows)} contract(s)", "contracts": rows}
    return found | ({"problems": problems} if problems else {})


@command(group, "show", needs="any")
def show(engine: "Engine", name: Annotated[str, typer.Argument(metavar="NAME")]) -> dict[str, Any]:
    """All that one contract says."""
    contract = engine.contracts.get(name)
    return {
        member: str(value) if member in ("path", "shadows") else value
        for member, value in asdict(contract).items()
        if value not in (None, (), {}, "")
    }


def _checked(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = [each for each in answer["findings"] if each["severity"] != "info"]
    return {**answer, "findings": shown}


@command(group, "check", needs="any", view=_checked, fails=lambda answer: answer["errors"] > 0)
def check(engine: "Engine") -> dict[str, Any]:
    """Check them against each other, templates and compositions."""
    from relaybook.registry.contract_linter import check_contracts

    contracts = engine.contracts.find()
    findings = check_contracts(contracts, _wanted(engine), _inputs(engine))
    said = [asdict(each) for each in findings]
    said += [
        {"severity": "error", "contract": each.path.stem, "what": each.reason, "fix": "correct it"}
        for each in engine.contracts.problems()
    ]
    counts = Counter(each["severity"] for each in said)
    return {
        "summary": f"{len(contracts)} contract(s): {counts['error']} error(s), "
        f"{counts['warn']} warning(s), {counts['info']} note(s)",
        "errors": counts["error"],
        "findings": said,
    }


def _wanted(engine: "Engine") -> set[str]:
    """The capabilities that compositions ask for."""
    found: set[str] = set()
    for name in engine.compositions.names():
        try:
            tasks = engine.compositions.get(name).tasks
        except Refusal:
            continue  # compositions list says what is wrong with it
        found |= {str(task["capability"]) for task in tasks if task.get("capability")}
    return found


def _inputs(engine: "Engine") -> dict[str, dict[str, bool]]:
    """Template by template its inputs, each with whether it is required."""
    broken = {each.path.stem for each in engine.templates.problems()}
    return {
        name: {each.name: each.required for each in engine.templates.get(name).inputs}
        for name in engine.templates.names()
        if name not in broken
    }
