"""Makes a command of a verb: adds the shared options, opens the engine, prints the answer."""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any

import typer

from relaybook.cli.exits import REFUSED, refusals
from relaybook.cli.opening import Needs, open_engine, refuse_worker, settings_of
from relaybook.cli.options import ContractsOption, JsonOption, PromptsOption, StoreOption
from relaybook.cli.printing import print_answer

#: Takes the engine, then its own options by name; answers what `--json` prints.
Verb = Callable[..., dict[str, Any]]
#: What a person is shown of an answer.
View = Callable[[Mapping[str, Any]], Mapping[str, Any]]

#: The options of every command of the ledger, by name.
SHARED: Mapping[str, tuple[Any, Any]] = {
    "store": (StoreOption, None),
    "prompts": (PromptsOption, None),
    "contracts": (ContractsOption, None),
    "as_json": (JsonOption, False),
}


def whole(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The view that leaves nothing out."""
    return answer


def command(
    group: typer.Typer,
    name: str,
    *,
    needs: Needs | Callable[[Mapping[str, Any]], Needs] = "there",
    view: View = whole,
    fails: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> Callable[[Verb], Verb]:
    """Add the verb to `group` under `name`; `fails` says which answers end with 1.

    `needs` may depend on the options of the verb.
    """

    def add(verb: Verb) -> Verb:
        def run(
            *,
            store: str | None,
            prompts: list[Path] | None,
            contracts: list[Path] | None,
            as_json: bool,
            **said: Any,
        ) -> None:
            with refusals(as_json):
                settings = settings_of(store=store, prompts=prompts, contracts=contracts)
                refuse_worker(settings, f"use relaybook {_full(group, name)}")
                engine = open_engine(settings, needs(said) if callable(needs) else needs)
                try:
                    answer = verb(engine, **said)
                finally:
                    engine.store.close()
            print_answer(answer, as_json=as_json, view=view)
            if fails(answer):
                raise typer.Exit(REFUSED)

        parameters = [*_options(verb), *_shared()]
        run.__doc__ = verb.__doc__
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__signature__ = Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
        group.command(name)(run)
        return verb

    return add


def _full(group: typer.Typer, name: str) -> str:
    """The command as it is typed, after those groups that have a name."""
    named = group.info.name
    return f"{named} {name}" if isinstance(named, str) else name


def _options(verb: Verb) -> list[Parameter]:
    """The parameters of the verb after the engine."""
    _, *own = signature(verb).parameters.values()
    return [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own]


def _shared() -> list[Parameter]:
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in SHARED.items()
    ]
