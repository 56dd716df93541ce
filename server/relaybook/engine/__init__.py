"""The verbs of relaybook, a file each, and `Engine`, the desk with the verbs on it.

This is the Python API. Each verb that changes something is: begin, load the case,
decide, apply, commit.
"""

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from relaybook.engine.desk import Desk
from relaybook.engine.retry import retried


class Verb:
    """A method whose function is imported when it is first used: a start pays for none of them."""

    def __init__(self, module: str, *, retry: bool = True, harmless: str = "") -> None:
        """The function has the method's name and stands in that module of `relaybook.engine`.

        There also stands the function `harmless`, which says whether a repeat does no harm.
        """
        self.module = f"relaybook.engine.{module}"
        self._retry = retry
        self._harmless = harmless

    def __set_name__(self, owner: type[Desk], name: str) -> None:
        self._name = name

    def __get__(self, engine: Desk | None, owner: type[Desk]) -> Any:
        return self._function.__get__(engine, owner)

    @cached_property
    def _function(self) -> Any:
        module = import_module(self.module)
        verb = getattr(module, self._name)
        if not self._retry:
            return verb
        return retried(verb, getattr(module, self._harmless)) if self._harmless else retried(verb)


class Engine(Desk):
    """The ledger's verbs over one store, each run again if the database lost its transaction."""

    if TYPE_CHECKING:
        from relaybook.engine.aggregate import aggregate
        from relaybook.engine.cleanup import cleanup
        from relaybook.engine.complete import complete, complete_argument
        from relaybook.engine.export import export_workflow, import_workflow
        from relaybook.engine.find import find_skills
        from relaybook.engine.forecast import forecast
        from relaybook.engine.items import (
            hook_events,
            item_events,
            items_graph,
            items_stats,
            list_items,
            load_item,
        )
        from relaybook.engine.learned import export_lessons, list_lessons, loop_view, skill_health
        from relaybook.engine.plans.change import change_plan
        from relaybook.engine.plans.create import create_workflow
        from relaybook.engine.plans.plan import plan
        from relaybook.engine.plans.save import save_composition
        from relaybook.engine.read import read, read_text
        from relaybook.engine.record import record
        from relaybook.engine.render import render_prompt
        from relaybook.engine.report import report
        from relaybook.engine.resolve import resolve
        from relaybook.engine.tasks.advance import advance_stage, report_stage
        from relaybook.engine.tasks.claim import claim_task
        from relaybook.engine.tasks.update import update_task
        from relaybook.engine.tasks.updates import update_tasks
        from relaybook.engine.tokens import create_token, grant_of, list_tokens, revoke_token
        from relaybook.engine.view.follow import all_writing, holders, workflow_ended, workflow_seq
        from relaybook.engine.view.open_decisions import open_decisions
        from relaybook.engine.view.workflow import show_workflow
        from relaybook.engine.view.workflows import list_workflows
        from relaybook.engine.watch import marks, newest_change
    else:
        plan = Verb("plans.plan")
        create_workflow = Verb("plans.create", harmless="names_its_request")
        change_plan = Verb("plans.change")
        advance_stage = Verb("tasks.advance")
        aggregate = Verb("aggregate")
        report_stage = Verb("tasks.advance")
        find_skills = Verb("find")
        claim_task = Verb("tasks.claim")
        update_task = Verb("tasks.update", harmless="names_its_attempt")
        update_tasks = Verb("tasks.updates", retry=False)
        show_workflow = Verb("view.workflow")
        list_workflows = Verb("view.workflows")
        render_prompt = Verb("render")
        record = Verb("record")
        read = Verb("read")
        read_text = Verb("read")
        complete = Verb("complete")
        complete_argument = Verb("complete")
        cleanup = Verb("cleanup", retry=False)
        export_workflow = Verb("export")
        import_workflow = Verb("export")
        report = Verb("report")
        forecast = Verb("forecast")
        marks = Verb("watch")
        newest_change = Verb("watch")
        resolve = Verb("resolve")
        open_decisions = Verb("view.open_decisions")
        save_composition = Verb("plans.save", retry=False)
        workflow_seq = Verb("view.follow")
        workflow_ended = Verb("view.follow")
        holders = Verb("view.follow")
        all_writing = Verb("view.follow")
        load_item = Verb("items")
        list_items = Verb("items")
        item_events = Verb("items")
        items_graph = Verb("items")
        items_stats = Verb("items")
        hook_events = Verb("items")
        list_lessons = Verb("learned")
        export_lessons = Verb("learned")
        skill_health = Verb("learned")
        loop_view = Verb("learned")
        create_token = Verb("tokens")
        list_tokens = Verb("tokens")
        revoke_token = Verb("tokens")
        grant_of = Verb("tokens")
