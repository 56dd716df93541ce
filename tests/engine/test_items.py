"""Work items: any task as its events tell it."""

import json
import math
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import InvalidArguments, UnknownItem
from relaybook.store.base import Store
from tests.helpers import Clock, complete, dump, result, start, update, workflow
from tests.stages import HOOKS_WITH_FINDINGS, PROOF, advance, finish_first, staged

SLUG = "wf-implement-auth-refresh-stage-{}"


@pytest.mark.requirement("S214", "S216", "S217", "S226", "A20")
def test_an_item_tells_all_that_is_known_of_a_stage(engine: Engine, clock: Clock) -> None:
    workflow_id = staged(engine)
    clock.move(60)
    finish_first(engine, workflow_id)

    item = engine.load_item(SLUG.format(0))

    assert (item.status, item.project, item.skill) == ("done", "mpmp", "python-backend")
    assert (item.workflow_id, item.task_id) == (workflow_id, "stage-0")
    assert item.goal == "Build refresh token endpoint"
    assert item.success_criteria == ("Build refresh token endpoint",)
    assert [each["path"] for each in item.artifacts] == ["src/auth/refresh.py"]
    assert item.tests == ({"name": "test_refresh", "status": "passed", "evidence": "1 passed"},)
    assert [each["text"] for each in item.findings] == ["The staging clock runs two minutes late."]
    assert (item.blockers, item.dependents) == ((), (SLUG.format(1),))
    assert item.hooks_due == tuple(HOOKS_WITH_FINDINGS)
    assert item.ended_at == item.started_at == item.created_at + 60
    assert engine.load_item(workflow_id=workflow_id, task_id="stage-0") == item


@pytest.mark.requirement("S226")
def test_an_item_carries_its_limits_its_figures_and_what_remains_to_do(
    engine: Engine, clock: Clock
) -> None:
    limits = {"constraints": ["No new dependency.", "Keep the interface."]}
    stage = {"capability": "implement", "goal": "Build it", "args": limits}
    made = engine.create_workflow(name="limits", stages=[stage])
    advance(engine, made["workflow_id"])
    here = {"workflow_id": made["workflow_id"], "task_id": "stage-0"}
    clock.move(60)
    engine.record("metric", [{"name": "coverage", "value": 91}], **here)
    engine.record("followup", [{"text": "Tidy up."}], **here)

    item = engine.load_item("wf-limits-stage-0")

    assert item.constraints == ("No new dependency.", "Keep the interface.")
    assert item.metrics == {"coverage": 91}
    assert [each["text"] for each in item.followups] == ["Tidy up."]
    assert item.updated_at == item.created_at + 60


@pytest.mark.requirement("S216")
def test_an_item_has_one_of_the_six_statuses_of_the_playbook(engine: Engine) -> None:
    names = ("waits", "runs", "works", "lacks", "breaks")
    waits, runs, works, lacks, breaks = (staged(engine, name=name) for name in names)
    for workflow_id in (runs, works, lacks, breaks):
        advance(engine, workflow_id)
    advance(engine, works, 0, outcome="completed", **PROOF[0])
    advance(engine, lacks, 0, outcome="completed")
    advance(engine, breaks, 0, outcome="failed", reason="no")

    found = {name: engine.load_item(f"wf-{name}-stage-0").status for name in names}

    assert found == {
        "waits": "todo",
        "runs": "in_progress",
        "works": "done",
        "lacks": "review",
        "breaks": "failed",
    }
    assert engine.load_item(workflow_id=waits, task_id="stage-1").status == "blocked"


@pytest.mark.requirement("S216", "A20", "S219", "S220")
def test_items_are_found_by_status_project_and_skill(engine: Engine) -> None:
    first = staged(engine)
    staged(engine, "deploy", name="ship", project="other")
    advance(engine, first)

    def found(**wanted: Any) -> list[str]:
        return [item.slug for item in engine.list_items(**wanted)]

    assert found(status="in_progress") == [SLUG.format(0)]
    assert found(status="blocked") == [SLUG.format(n) for n in (1, 2, 3)]
    assert found(status="todo") == found(project="other") == ["wf-ship-stage-0"]
    assert found(skill="devops", project="mpmp") == [SLUG.format(2)]
    assert len(found()) == 5
    with pytest.raises(InvalidArguments, match="status"):
        found(status="doing")


@pytest.mark.requirement("S221")
def test_an_item_is_summed_up_in_a_line(engine: Engine) -> None:
    staged(engine)

    lines = [item.summary() for item in engine.list_items()][:2]

    assert lines == [
        f"⏳ {SLUG.format(0)} [todo] Build refresh token endpoint → python-backend",
        f"❓ {SLUG.format(1)} [blocked] Write integration tests → python-backend",
    ]


@pytest.mark.requirement("S222")
def test_an_unknown_slug_is_refused_with_the_nearest(engine: Engine) -> None:
    staged(engine)

    with pytest.raises(UnknownItem) as caught:
        engine.load_item("wf-implement-auth-refres-stage-0")

    assert caught.value.allowed.split(", ")[0] == SLUG.format(0)


def test_where_no_item_is_a_stage_an_unknown_slug_is_refused_with_those_of_tasks(
    engine: Engine,
) -> None:
    workflow_id = workflow(engine, "a", "b")

    with pytest.raises(UnknownItem) as caught:
        engine.load_item("nope")

    assert sorted(caught.value.allowed.split(", ")) == [f"{workflow_id}/a", f"{workflow_id}/b"]


def test_an_item_is_read_under_the_slug_that_the_list_of_items_tells(engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    told = json.loads(engine.read_text("ledger://items").text)["items"][0]["slug"]

    item = engine.read_text(f"ledger://items/{told}").text

    assert told == f"{workflow_id}/a"
    assert item == engine.read_text(f"ledger://items/{workflow_id}%2Fa").text


@pytest.mark.requirement("S218", "A21")
def test_whoever_holds_the_claim_updates_the_item_while_it_works(engine: Engine) -> None:
    workflow_id = staged(engine)
    claim = advance(engine, workflow_id)["current"]["claim"]

    engine.record("test", [{"name": "t", "status": "failed"}], claim=claim, actor="worker")

    item = engine.load_item(SLUG.format(0))
    assert (item.status, item.tests) == ("in_progress", ({"name": "t", "status": "failed"},))


@pytest.mark.requirement("A28")
def test_any_task_is_an_item(engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    engine.record("artifact", [{"path": "x.md"}], workflow_id=workflow_id, task_id="a")
    complete(engine, workflow_id, "a", 1)

    item = engine.load_item(f"{workflow_id}/a")

    assert (item.status, item.artifacts) == ("done", ({"path": "x.md"},))


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400, True, "3"])
def test_a_metric_that_no_export_could_carry_is_refused(
    engine: Engine, ledger: Store, value: Any
) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    before = dump(ledger)

    with pytest.raises(InvalidArguments, match="'value' must be a number"):
        engine.record(
            "metric", [{"name": "m", "value": value}], workflow_id=workflow_id, task_id="a"
        )

    assert dump(ledger) == before


@pytest.mark.requirement("S224", "S225")
def test_the_events_of_an_item_come_under_their_twelve_names(engine: Engine) -> None:
    workflow_id = staged(engine, hooks=[])
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="failed", reason="no", metrics={"coverage": 1})
    said = {"workflow_id": workflow_id, "task_id": "stage-0"}
    engine.record("handoff", [{"to": "web-builder", "reason": "busy"}], **said)
    engine.record("followup", [{"text": "Tidy up."}], **said)
    finish_first(engine, workflow_id)

    types = [each["type"] for each in engine.item_events(SLUG.format(0), limit=100)]
    later = engine.item_events(SLUG.format(1), limit=100)

    assert types == [
        "created",
        "started",
        "metric_recorded",
        "failed",
        "handoff",
        "followup_added",
        "started",
        "artifact_added",
        "test_recorded",
        "finding_added",
        "completed",
    ]
    assert [each["type"] for each in later] == ["created", "dependency_added", "started"]
    assert later[1]["payload"] == {"depends_on": "stage-0"}
    assert {"slug", "type", "at", "author", "payload"} == set(later[0])
    assert all("claim" not in each["payload"] for each in later)
    assert len(engine.item_events(SLUG.format(0))) == 10


@pytest.mark.requirement("S225")
def test_every_other_change_of_state_is_a_status_change(engine: Engine) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    update(engine, workflow_id, "stage-0", "pending")
    advance(engine, workflow_id)
    message = result(status="needs_input", questions=["which port?"])
    advance(engine, workflow_id, 0, outcome="completed", output=message)

    types = [each["type"] for each in engine.item_events(SLUG.format(0), limit=100)]

    assert types == ["created", *("started", "status_change") * 2]


@pytest.mark.requirement("S227")
def test_a_handoff_changes_the_assignee(engine: Engine) -> None:
    workflow_id = staged(engine)

    engine.record("handoff", [{"to": "web-builder"}], workflow_id=workflow_id, task_id="stage-0")

    item = engine.load_item(SLUG.format(0))
    assert (item.skill, item.handoffs) == ("web-builder", ({"to": "web-builder"},))


@pytest.mark.requirement("A23")
def test_events_of_one_name_are_found_from_a_date_on(engine: Engine, clock: Clock) -> None:
    clock.now = 1_771_027_199.0  # 2026-02-13T23:59:59Z
    finish_first(engine, staged(engine, name="early"))
    clock.move(1)
    finish_first(engine, staged(engine, name="late"))

    def found(since: str) -> list[str]:
        return [each["slug"] for each in engine.hook_events("completed", since=since)]

    assert found("") == ["wf-early-stage-0", "wf-late-stage-0"]
    assert found("2026-02-14") == found("2026-02-14T00:00:00Z") == ["wf-late-stage-0"]
    assert found("2026-02-14T00:59:59+01:00") == ["wf-early-stage-0", "wf-late-stage-0"]
    for type, since in (("ended", ""), ("completed", "yesterday")):
        with pytest.raises(InvalidArguments):
            engine.hook_events(type, since=since)


def test_the_graph_and_the_figures_follow_the_items(engine: Engine) -> None:
    workflow_id = staged(engine, "implement", "deploy")
    workflow(engine, "a")

    graph = engine.items_graph(workflow_id=workflow_id)

    assert graph == [
        {"slug": SLUG.format(0), "status": "todo", "blockers": []},
        {"slug": SLUG.format(1), "status": "blocked", "blockers": [SLUG.format(0)]},
    ]
    assert len(engine.items_graph()) == 3
    assert engine.items_stats() == {
        "status": {"blocked": 1, "todo": 2},
        "project": {"default": 1, "mpmp": 2},
        "skill": {"devops": 1, "python-backend": 1},
    }


def test_the_times_of_an_item_that_is_read_are_iso_8601(engine: Engine, clock: Clock) -> None:
    finish_first(engine, staged(engine))

    item = json.loads(engine.read_text(f"ledger://items/{SLUG.format(0)}").text)
    events = json.loads(engine.read_text(f"ledger://items/{SLUG.format(0)}/events").text)["events"]

    times = [value for name, value in item.items() if name.endswith("_at")]
    assert {*times, *(event["at"] for event in events)} == {"2027-01-15T08:00:00Z"}
    assert len(times) == 4
