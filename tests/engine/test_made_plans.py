"""Plans that are made: what a pattern forbids, flags and lets run, on a ledger."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import InvalidArguments, InvalidPlan
from relaybook.store.base import Store
from tests.helpers import complete, dump, task, update, workflow


def rules(answer: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in answer.get("findings", ())}


@pytest.mark.requirement("A1")
def test_more_than_six_at_once_needs_a_recorded_reason(engine: Engine, ledger: Store) -> None:
    plan = [task(f"t{n}") for n in range(9)]
    before = dump(ledger)
    for width, reason in ((7, ""), (7, "  "), (101, "big host"), (0, "")):
        with pytest.raises(InvalidArguments) as refused:
            engine.create_workflow("fan_out", tasks=plan, max_parallel=width, override=reason)
        assert "override=" in refused.value.allowed
    assert dump(ledger) == before

    answer = engine.create_workflow("fan_out", tasks=plan, max_parallel=8, override="big host")

    assert {"too_wide", "waves"} <= rules(answer)
    name = answer["workflow_id"]
    assert [engine.claim_task(name)["claimed"] for _ in range(9)] == [True] * 8 + [False]
    with ledger.read() as tx:
        assert tx.rows("SELECT options FROM workflows") == [('{"override":"big host"}',)]


@pytest.mark.requirement("A1", "S42")
@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("fan_out", {"tasks": [task(f"t{n}") for n in range(9)]}),
        ("map_reduce", {"items": list("abcdefghi"), "batches": 9, "args": {"instruction": "Rate"}}),
    ],
)
def test_any_number_of_tasks_runs_in_waves_of_six(
    engine: Engine, pattern: str, said: dict[str, Any]
) -> None:
    answer = engine.create_workflow(pattern, **said)

    assert "waves" in rules(answer)
    claimed = [engine.claim_task(answer["workflow_id"]) for _ in range(7)]
    assert [each["claimed"] for each in claimed] == [True] * 6 + [False]
    update(engine, answer["workflow_id"], claimed[0]["task_id"], "failed", error="no", final=True)
    again = [engine.claim_task(answer["workflow_id"])["claimed"] for _ in range(2)]
    assert again == [True, False]


def test_decisions_that_are_shared_stand_in_every_prompt(engine: Engine) -> None:
    name = workflow(engine, "a", "b", shared_decisions=["Names are in snake case."])

    for _ in range(2):
        assert "Names are in snake case." in engine.claim_task(name)["prompt"]


@pytest.mark.parametrize(("said", "shown"), [({"tool_calls": 12}, True), ({}, False)])
def test_a_budget_of_tool_calls_stands_in_the_prompt(
    engine: Engine, said: dict[str, int], shown: bool
) -> None:
    assert engine.plan({"minutes": 60, "independent": True})["tool_calls_per_worker"] == [10, 15]

    prompt = engine.claim_task(workflow(engine, task("a", **said), "b"))["prompt"]

    assert ("Make at most 12 tool calls." in prompt) == shown


@pytest.mark.requirement("S20")
@pytest.mark.parametrize(
    ("source", "takes", "flagged"),
    [
        ("wide", None, True),
        ("wide", [{"from": "a"}], True),
        ("wide", [{"from": "a", "fields": ["plan"]}], False),
        ("open", None, False),
    ],
)
def test_a_whole_result_that_has_fields_to_choose_from_is_flagged(
    engine: Engine, source: str, takes: Any, flagged: bool
) -> None:
    wide = {"type": "object", "properties": {"plan": {}, "cost": {}}}
    first = task("a", schema=wide) if source == "wide" else task("a")
    second = task("b", "a", **({"takes": takes} if takes else {}))

    answer = engine.create_workflow("pipeline", tasks=[first, second])

    assert ("takes_whole" in rules(answer)) == flagged


@pytest.mark.parametrize(
    ("pattern", "takes", "flagged"),
    [("supervisor", None, True), ("supervisor", [{"from": "a"}], False), ("pipeline", None, False)],
)
def test_a_task_that_waits_and_is_handed_nothing_is_told_with_the_plan(
    engine: Engine, pattern: str, takes: Any, flagged: bool
) -> None:
    second = task("b", "a", **({"takes": takes} if takes else {}))

    answer = engine.create_workflow(pattern, tasks=[task("a"), second])

    assert ("takes_nothing" in rules(answer)) == flagged


@pytest.mark.parametrize(
    ("said", "flagged"),
    [
        ({"template": "edit_review"}, True),
        ({"template": "edit_review", "args": {"text": "Stop it."}}, False),
        ({"template": "edit_review", "depends_on": ["a"]}, False),
        ({"template": "skill_candidate", "args": {"step": "scan", "need": "csv"}}, True),
        ({"template": "skill_candidate", "args": {"step": "scout", "need": "csv"}}, False),
        ({"template": "piece"}, False),
    ],
)
def test_a_prompt_about_a_text_that_is_not_given_is_told_with_the_plan(
    engine: Engine, said: dict[str, Any], flagged: bool
) -> None:
    pattern = "pipeline" if "depends_on" in said else "fan_out"

    answer = engine.create_workflow(pattern, tasks=[task("a"), task("b") | said])

    found = [each["what"] for each in answer["findings"] if each["rule"] == "material_missing"]
    assert found == (["prompts about a text below, with none given: 'b'"] if flagged else [])


def test_a_prompt_about_a_text_that_is_not_given_breaks_a_rule(engine: Engine) -> None:
    bare = engine.render_prompt(template="edit_review")
    whole = engine.render_prompt(template="edit_review", args={"text": "Stop it."})

    assert [rules(bare), rules(whole)] == [{"P14"}, set()]


@pytest.mark.requirement("S21", "S17", "S22")
def test_five_steps_from_research_to_publish_run_in_order(engine: Engine) -> None:
    steps = ("research", "outline", "draft", "review", "publish")
    name = workflow(engine, *steps, pattern="pipeline")
    answer: dict[str, Any] = {}

    for place, step in enumerate(steps):
        assert engine.show_workflow(name)["ready"] == [step]
        assert engine.claim_task(name)["task_id"] == step
        assert engine.claim_task(name)["claimed"] is False
        answer = complete(engine, name, step, f"the {step}")
        assert answer.get("ready", []) == list(steps[place + 1 : place + 2])
    assert answer["workflow_status"] == "completed"


@pytest.mark.requirement("A13")
def test_a_cascade_begins_with_recalls_that_run_together(engine: Engine) -> None:
    recalls = ("memory", "tickets", "documents")
    plan = [*map(task, recalls), task("synthesis", *recalls), task("draft", "synthesis")]
    name = workflow(engine, *plan)

    assert engine.show_workflow(name)["type"] == "pipeline"
    assert {engine.claim_task(name)["task_id"] for _ in range(3)} == {*recalls}
    assert engine.claim_task(name)["claimed"] is False


@pytest.mark.requirement("S72", "S82", "S83")
def test_what_the_words_of_a_plan_break_is_told_when_it_is_made_and_when_it_is_changed(
    engine: Engine,
) -> None:
    dream = task("dream", label="Spawn three sub-agents and delegate the audit to them")
    two = task("two", label="Write the report and build the slides")

    made = engine.create_workflow("fan_out", tasks=[dream, two, task("c")])
    changed = engine.change_plan(made["workflow_id"], add=[dream | {"id": "again"}])

    assert {"recursive_dream", "deliverables"} <= rules(made)
    assert "recursive_dream" in rules(changed)
    assert all(each["what"] and each["why"] and each["fix"] for each in made["findings"])


def expert(role: str, **args: Any) -> dict[str, Any]:
    """A task of a panel that names no template."""
    criteria = [{"name": "risk", "question": "What can go wrong?", "weight": 1}]
    system = "One process behind one load balancer."
    return {
        "id": role,
        "label": f"The {role} view",
        "expert_role": role,
        "args": {"proposal": system, "criteria": criteria} | args,
    }


def panel(engine: Engine, **security: Any) -> dict[str, Any]:
    tasks = [expert("security", **security), expert("performance"), expert("architecture")]
    name = "Review this system design for production readiness"
    return engine.create_workflow("expert_panel", name, tasks=tasks)


@pytest.mark.requirement("S31")
def test_an_expert_without_a_template_takes_the_consensus_check(engine: Engine) -> None:
    tasks = [expert("security"), expert("cost")]

    made = engine.create_workflow("expert_panel", tasks=tasks, dry_run=True)

    assert [each["template"] for each in made["tasks"]] == ["consensus_check"] * 2


@pytest.mark.requirement("S32", "S34")
def test_experts_judge_the_same_proposal_and_see_no_other_opinion(engine: Engine) -> None:
    name = panel(engine)["workflow_id"]

    prompts: dict[str, str] = {}
    for _ in range(3):
        claimed = engine.claim_task(name)
        prompts[claimed["task_id"]] = claimed["prompt"]
        said = {"output": f"OPINION-{claimed['task_id']}", "accept_raw": True}
        update(engine, name, claimed["task_id"], "completed", **said)

    assert set(prompts) == {"security", "performance", "architecture"}
    assert all("One process behind one load balancer." in text for text in prompts.values())
    assert all("OPINION-" not in text for text in prompts.values())
    for role, text in prompts.items():
        assert all(f"The {other} view" not in text for other in prompts if other != role)


@pytest.mark.requirement("S109")
def test_a_template_that_says_itself_what_done_is_needs_no_criterion(engine: Engine) -> None:
    mapped = engine.create_workflow("map_reduce", items=["a", "b"], args={"instruction": "Rate it"})

    assert "done_missing" not in rules(panel(engine)) | rules(mapped)
    assert "done_missing" in rules(engine.create_workflow("pipeline", tasks=[task("a")]))


@pytest.mark.requirement("S110")
def test_a_pipeline_of_ids_and_labels_alone_is_made_and_its_steps_know_when_to_stop(
    engine: Engine,
) -> None:
    plan = [{"id": name, "label": f"Do {name}"} for name in ("first", "second")]

    made = engine.create_workflow("pipeline", tasks=plan)

    assert "done_missing" in rules(made)
    prompt = engine.claim_task(made["workflow_id"])["prompt"]
    assert "stop once done." in prompt
    assert "Done when:" not in prompt


@pytest.mark.requirement("S32")
def test_a_panel_on_different_proposals_is_refused_when_made_and_when_changed(
    engine: Engine, ledger: Store
) -> None:
    name = panel(engine)["workflow_id"]
    other = expert("cost", proposal="Two processes.")
    before = dump(ledger)

    with pytest.raises(InvalidPlan, match="different proposals: 'security', 'performance'"):
        panel(engine, proposal="Two processes.")
    with pytest.raises(InvalidPlan, match="different proposals"):
        engine.change_plan(name, add=[other])
    assert dump(ledger) == before

    # A proposal that was revised is judged by a panel that is new altogether.
    engine.change_plan(
        name,
        replaces=["security", "performance", "architecture"],
        add=[other, expert("legal", proposal="Two processes.")],
    )


@pytest.mark.requirement("S9", "S27", "S29", "S30", "S39")
@pytest.mark.parametrize(
    ("pattern", "last", "rule"),
    [
        ("fan_out", task("c", "a"), "dependency"),
        ("fan_out", task("c", takes=[{"from": "a"}]), "dependency"),
        ("supervisor", task("c", label="Supervisor"), "supervisor_role"),
        ("expert_panel", task("c"), "expert_role_missing"),
        ("expert_panel", task("c", expert_role=" VIEW  a"), "expert_role_shared"),
        ("expert_panel", task("c", "a", expert_role="view c"), "dependency"),
        ("map_reduce", task("c", "a", "b"), "reduce_task"),
        ("map_reduce", task("c", label="Aggregate the results"), "reduce_task"),
    ],
)
def test_a_plan_that_breaks_its_pattern_is_refused_and_so_is_the_change_that_would(
    engine: Engine, ledger: Store, pattern: str, last: dict[str, Any], rule: str
) -> None:
    plan = [task("a", expert_role="view a"), task("b", expert_role="view b")]
    name = engine.create_workflow(pattern, tasks=plan)["workflow_id"]
    before = dump(ledger)

    for attempt in (
        lambda: engine.create_workflow(pattern, tasks=[*plan, last]),
        lambda: engine.change_plan(name, add=[last]),
    ):
        with pytest.raises(InvalidPlan) as refused:
            attempt()
        assert refused.value.as_dict()["rule"] == rule
    assert dump(ledger) == before


@pytest.mark.requirement("S9")
def test_tasks_of_a_fan_out_that_wait_become_a_pipeline_as_the_refusal_says(
    engine: Engine,
) -> None:
    plan = [task("a"), task("b"), task("c", "a")]

    with pytest.raises(InvalidPlan, match="a dependency in a fan_out: 'c'") as refused:
        engine.create_workflow("fan_out", tasks=plan)

    assert 'create_workflow(pattern="pipeline", tasks=[…]) with the same tasks' in (
        refused.value.next
    )
    assert engine.create_workflow("pipeline", tasks=plan)["ready"] == ["a", "b"]


def test_a_plan_of_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidPlan):
        engine.create_workflow("fan_out")


def test_a_width_below_one_is_not_called_too_many(engine: Engine) -> None:
    with pytest.raises(InvalidArguments, match="at least one worker has to be at work"):
        engine.create_workflow("fan_out", tasks=[task("a")], max_parallel=0)
