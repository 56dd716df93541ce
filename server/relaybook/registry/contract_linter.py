"""What is amiss between contracts, which the schema of one file cannot see."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from relaybook.core.severity import Severity, worst_first
from relaybook.model import Tier
from relaybook.registry.contract import FILLED, Contract, placeholders

#: How far each side effect reaches.
EFFECT_TIERS = {
    "files_written": Tier.T2,
    "commands_run": Tier.T2,
    "merge": Tier.T3,
    "deployment": Tier.T3,
    "installation": Tier.T3,
    "message_sent": Tier.T3,
    "memory_written": Tier.T3,
    "agent_files_edited": Tier.T3,
    "access_changed": Tier.T3,
    "payment": Tier.T4,
    "data_deleted": Tier.T4,
}


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    #: The name of the contract, or a capability that no contract has.
    contract: str
    what: str
    fix: str


ByName = Mapping[str, Contract]
#: Template -> its inputs, each with whether it is required.
Templates = Mapping[str, Mapping[str, bool]]
Check = Callable[[Contract, ByName], Iterator[Finding]]


def check_contracts(
    contracts: Iterable[Contract],
    compositions_capabilities: Iterable[str] = (),
    templates: Templates | None = None,
) -> tuple[Finding, ...]:
    """All findings, errors first; the use of templates is checked only where these are given."""
    by_name = {contract.name: contract for contract in sorted(contracts, key=lambda c: c.name)}
    findings = [f for c in by_name.values() for check in CHECKS for f in check(c, by_name)]
    findings += _capabilities_without_holder(by_name, compositions_capabilities)
    findings += _cycles(by_name)
    if templates is not None:
        findings += [f for c in by_name.values() for f in _template_use(c, templates)]
    return tuple(worst_first(findings))


def _file_name(contract: Contract, _: ByName) -> Iterator[Finding]:
    if contract.path.stem != contract.name:
        what = f"the file {contract.path.name!r} holds the contract {contract.name!r}"
        yield Finding(Severity.ERROR, contract.name, what, f"rename it to {contract.name}.json")


def _dangling(contract: Contract, by_name: ByName) -> Iterator[Finding]:
    for side in ("upstream", "downstream"):
        for other in getattr(contract, side):
            if other not in by_name:
                what = f"{side} names {other!r}, which has no contract"
                yield Finding(
                    Severity.WARN, contract.name, what, f"add {other}.json or drop the name"
                )


def _one_way(contract: Contract, by_name: ByName) -> Iterator[Finding]:
    for side, back in (("upstream", "downstream"), ("downstream", "upstream")):
        for other in getattr(contract, side):
            if other in by_name and contract.name not in getattr(by_name[other], back):
                what = f"{side} names {other!r}, whose {back} does not name it"
                fix = f"add {contract.name!r} to {back} of {other}.json"
                yield Finding(Severity.INFO, contract.name, what, fix)


def _inputs_without_source(contract: Contract, by_name: ByName) -> Iterator[Finding]:
    before = [by_name[name] for name in contract.upstream if name in by_name]
    produced = {output.name for other in before for output in other.outputs}
    for entry in contract.inputs:
        if before and entry.required and entry.name not in produced:
            what = f"no upstream skill produces the required input {entry.name!r}"
            yield Finding(
                Severity.INFO, contract.name, what, "the caller gives it, or the goal says it"
            )


def _reach(contract: Contract, _: ByName) -> Iterator[Finding]:
    cap = max([contract.tier_max, *(action.tier for action in contract.parent_actions)])
    for effect in contract.side_effects:
        tier = EFFECT_TIERS[effect]
        if tier > cap:
            what = f"{effect} is {tier}, beyond what its worker or a parent action may do ({cap})"
            yield Finding(
                Severity.ERROR, contract.name, what, f"add a parent_action of tier {tier}"
            )


def _outputs_that_pass(contract: Contract, _: ByName) -> Iterator[Finding]:
    outputs = {output.name for output in contract.outputs}
    for name in contract.passes:
        if name not in outputs:
            what = f"passes names {name!r}, which is no output"
            yield Finding(Severity.ERROR, contract.name, what, "name one of its outputs")


def _differences(contract: Contract, _: ByName) -> Iterator[Finding]:
    for name in contract.per_capability:
        if name not in contract.capabilities:
            what = f"per_capability names {name!r}, which is not among its capabilities"
            yield Finding(
                Severity.ERROR, contract.name, what, "declare the capability or drop the entry"
            )


CHECKS: tuple[Check, ...] = (
    _file_name,
    _dangling,
    _one_way,
    _inputs_without_source,
    _reach,
    _outputs_that_pass,
    _differences,
)


def _template_use(contract: Contract, templates: Templates) -> Iterator[Finding]:
    """How its template is used under each capability, each fault once."""
    given = {entry.name for entry in contract.inputs}
    faults = (
        fault
        for name in contract.capabilities
        for fault in _faults_of_use(contract.for_capability(name), given, templates)
    )
    for what, fix in dict.fromkeys(faults):
        yield Finding(Severity.ERROR, contract.name, what, fix)


def _faults_of_use(
    contract: Contract, given: set[str], templates: Templates
) -> Iterator[tuple[str, str]]:
    if contract.template is None:
        return
    inputs = templates.get(contract.template)
    if inputs is None:
        yield f"there is no template {contract.template!r}", "name one that prompt://index lists"
        return
    use = f"of the template {contract.template!r}"
    for name in contract.template_args:
        if name not in inputs:
            yield f"template_args gives {name!r}, no input {use}", "drop it or correct the name"
        for word in placeholders(contract.template_args[name]):
            if word not in FILLED:
                allowed = " or ".join(FILLED)
                yield (
                    f"template_args {name!r} is {word!r}, which nothing fills in",
                    f"use {allowed}",
                )
    for name, required in inputs.items():
        if required and name not in given and name not in contract.template_args:
            yield (
                f"nothing gives {name!r}, a required input {use}",
                "add it to inputs or template_args",
            )


def _capabilities_without_holder(by_name: ByName, capabilities: Iterable[str]) -> list[Finding]:
    held = {capability for contract in by_name.values() for capability in contract.capabilities}
    return [
        Finding(
            Severity.ERROR, name, "a composition asks for it and no skill has it", "add it to one"
        )
        for name in sorted(set(capabilities) - held)
    ]


def _cycles(by_name: ByName) -> list[Finding]:
    """One finding for each set of contracts that all lead to one another."""
    reach = {name: _reachable(name, by_name) for name in by_name}
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach[other]))
        for name in by_name
        if name in reach[name]
    }
    return [
        Finding(
            Severity.INFO, group[0], f"work can come round: {', '.join(group)}", "none if meant so"
        )
        for group in sorted(groups)
    ]


def _reachable(start: str, by_name: ByName) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        after = {name for name in by_name[ahead.pop()].downstream if name in by_name} - seen
        seen |= after
        ahead += after
    return seen
