"""The verbs of relaybook, a file each, and `Engine`, the desk with the verbs on it.

This is the Python API. Each verb that changes something is: begin, load the case,
decide, apply, commit.
"""

from typing import Any

from relaybook.engine.advance import advance_stage, report_stage
from relaybook.engine.change import change_plan
from relaybook.engine.claim import claim_task
from relaybook.engine.cleanup import cleanup
from relaybook.engine.complete import complete, complete_argument
from relaybook.engine.create import create_workflow
from relaybook.engine.desk import Desk
from relaybook.engine.find import find_skills
from relaybook.engine.items import (
    hook_events,
    item_events,
    items_graph,
    items_stats,
    list_items,
    load_item,
)
from relaybook.engine.learned import export_lessons, list_lessons, loop_view, skill_health
from relaybook.engine.plan import plan
from relaybook.engine.read import read, read_text
from relaybook.engine.record import record
from relaybook.engine.render import render_prompt
from relaybook.engine.resolve import open_decisions, resolve
from relaybook.engine.retry import retried
from relaybook.engine.save import save_composition
from relaybook.engine.update import update_task, update_tasks
from relaybook.engine.view import list_workflows, show_workflow, workflow_seq
from relaybook.engine.watch import marks, newest_change


class Engine(Desk):
    """The ledger's verbs over one store, each run again if the database lost its transaction."""

    plan = retried(plan)
    create_workflow = retried(create_workflow)
    change_plan = retried(change_plan)
    advance_stage = retried(advance_stage)
    report_stage = retried(report_stage)
    find_skills = retried(find_skills)
    claim_task = retried(claim_task)
    update_task = retried(update_task)
    update_tasks = update_tasks
    show_workflow = retried(show_workflow)
    list_workflows = retried(list_workflows)
    render_prompt = retried(render_prompt)
    record = retried(record)
    read = retried(read)
    read_text = retried(read_text)
    complete = retried(complete)
    complete_argument = retried(complete_argument)
    cleanup = retried(cleanup)
    marks = retried(marks)
    newest_change = retried(newest_change)
    resolve = retried(resolve)
    open_decisions = retried(open_decisions)
    save_composition = save_composition
    workflow_seq = retried(workflow_seq)
    load_item = retried(load_item)
    list_items = retried(list_items)
    item_events = retried(item_events)
    items_graph = retried(items_graph)
    items_stats = retried(items_stats)
    hook_events = retried(hook_events)
    list_lessons = retried(list_lessons)
    export_lessons = retried(export_lessons)
    skill_health = retried(skill_health)
    loop_view = retried(loop_view)

    @retried
    def aggregate(
        self, workflow_id: str, *, detail: str = "concise", cursor: str = ""
    ) -> dict[str, Any]:
        # Imported here: twenty modules of the digest that a start need not pay for.
        from relaybook.engine.aggregate import aggregate

        return aggregate(self, workflow_id, detail=detail, cursor=cursor)
