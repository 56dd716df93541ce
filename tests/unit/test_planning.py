"""The advice: the decision tree in both orders, and what comes with its answer."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.plan.planning import Match, Mode, Multiple, advise
from relaybook.core.plan.questions import INLINE, ORDERS, QUESTIONS, Choice, Facts, OrderName, asked
from relaybook.engine.readables.guide import QUICK_REFERENCE
from relaybook.errors import InvalidArguments
from relaybook.model import Pattern

PANEL, MAP_REDUCE = Pattern.EXPERT_PANEL, Pattern.MAP_REDUCE
FAN_OUT, PIPELINE, SUPERVISOR = Pattern.FAN_OUT, Pattern.PIPELINE, Pattern.SUPERVISOR


def job(minutes: float = 60, **facts: Any) -> Facts:
    return Facts(minutes=minutes, **facts)


def warned(facts: Facts, order: OrderName = "specific") -> list[str]:
    return [finding.rule for finding in advise(facts, order).warnings]


maybe = st.sampled_from([None, False, True])
jobs = st.builds(
    Facts,
    minutes=st.floats(0.1, 600),
    subtasks=st.none() | st.integers(1, 500),
    independent=maybe,
    sequential=maybe,
    opinions=maybe,
    dataset=maybe,
    adaptive=maybe,
    exploration=st.booleans(),
    questions=st.integers(1, 5),
    stages=st.booleans(),
    recurring=st.booleans(),
    homogeneous=st.booleans(),
    writes_same_artefact=st.booleans(),
)


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize(
    ("facts", "choice"),
    [
        pytest.param(job(4), INLINE, marks=pytest.mark.requirement("S43")),
        pytest.param(job(independent=True), FAN_OUT, marks=pytest.mark.requirement("S44")),
        pytest.param(job(sequential=True), PIPELINE, marks=pytest.mark.requirement("S45")),
        pytest.param(job(opinions=True), PANEL, marks=pytest.mark.requirement("S35", "S46")),
        pytest.param(job(dataset=True), MAP_REDUCE, marks=pytest.mark.requirement("S47")),
        pytest.param(job(adaptive=True), SUPERVISOR, marks=pytest.mark.requirement("S48")),
        pytest.param(job(16), SUPERVISOR, marks=pytest.mark.requirement("S49", "A3")),
        pytest.param(job(15), INLINE, marks=pytest.mark.requirement("S49", "A3")),
    ],
)
def test_one_fact_leads_to_its_pattern_in_either_order(
    facts: Facts, choice: Choice, order: OrderName
):
    assert advise(facts, order).choice == choice


@pytest.mark.requirement("S50", "A4")
@pytest.mark.parametrize(
    ("minutes", "subtasks", "independent", "choice"),
    [
        (4.9, 4, True, INLINE),
        (5.0, 4, True, FAN_OUT),
        (5.0, 2, True, FAN_OUT),
        (5.0, 1, True, INLINE),
        (5.0, 4, False, INLINE),
        (15.0, 4, True, FAN_OUT),
        (15.0, 4, None, INLINE),
        (15.1, 4, True, FAN_OUT),
        (15.1, 4, None, SUPERVISOR),
    ],
)
def test_from_5_to_15_minutes_only_two_independent_subtasks_are_orchestrated(
    minutes: float, subtasks: int, independent: bool | None, choice: Choice
):
    facts = job(minutes, subtasks=subtasks, independent=independent)

    assert advise(facts).choice == choice


@pytest.mark.requirement("A4")
def test_a_short_chain_of_steps_is_done_inline():
    advice = advise(job(10, subtasks=3, sequential=True))

    assert (advice.choice, advice.question, advice.runner_up) == (INLINE, "maybe", PIPELINE)
    assert advice.also == (Match(PIPELINE, "sequential", "the job is too small to repay workers"),)


@pytest.mark.requirement("S51", "A5")
def test_the_two_orders_ask_the_patterns_as_written():
    def patterns(order: OrderName) -> list[Choice]:
        return list(dict.fromkeys(question.choice for question in asked(order)))

    assert patterns("playbook") == [INLINE, FAN_OUT, PIPELINE, PANEL, MAP_REDUCE, SUPERVISOR]
    assert patterns("specific") == [INLINE, PANEL, MAP_REDUCE, SUPERVISOR, PIPELINE, FAN_OUT]


@pytest.mark.requirement("S51")
def test_the_quick_card_names_the_patterns_in_the_order_of_the_playbook():
    card = QUICK_REFERENCE.partition("## DECIDE")[2].partition("## ")[0]

    named = sorted(Pattern, key=card.index)

    assert card.index("do it yourself") < card.index(named[0])
    assert [INLINE, *named] == list(dict.fromkeys(each.choice for each in asked("playbook")))


@pytest.mark.requirement("S35")
def test_a_panel_is_advised_because_quality_matters_more_than_speed():
    advice = advise(job(opinions=True, sequential=True, adaptive=True))

    assert (advice.choice, advice.asked) == (PANEL, "Are several expert opinions needed?")
    assert advice.why.startswith("Quality matters more than speed")


def test_both_orders_ask_every_question_once():
    for order in ORDERS.values():
        assert sorted(order) == sorted(question.id for question in QUESTIONS)


@pytest.mark.requirement("A5", "S51")
@pytest.mark.parametrize(
    ("facts", "specific", "playbook"),
    [
        (job(independent=True, opinions=True), PANEL, FAN_OUT),
        (job(independent=True, dataset=True), MAP_REDUCE, FAN_OUT),
        (job(sequential=True, adaptive=True), SUPERVISOR, PIPELINE),
        (job(independent=True, sequential=True), PIPELINE, FAN_OUT),
    ],
)
def test_the_specific_order_reaches_what_the_literal_tree_does_not(
    facts: Facts, specific: Choice, playbook: Choice
):
    assert (advise(facts).choice, advise(facts, "playbook").choice) == (specific, playbook)


@pytest.mark.requirement("S52", "A5")
def test_the_answer_names_its_question_and_why_the_others_lost():
    advice = advise(job(opinions=True, independent=True, sequential=True))

    assert (advice.question, advice.asked) == ("opinions", "Are several expert opinions needed?")
    assert advice.also == (
        Match(PIPELINE, "sequential", "its question comes later in this order"),
        Match(
            FAN_OUT,
            "independent",
            "the experts of a panel are independent tasks already, and it merges their opinions",
        ),
    )
    assert advice.runner_up == PIPELINE


@pytest.mark.requirement("A5")
@given(jobs, st.sampled_from(list(ORDERS)))
def test_every_job_gets_an_answer_with_a_different_runner_up(facts: Facts, order: OrderName):
    advice = advise(facts, order)

    assert advice.why
    assert advice.runner_up != advice.choice
    assert 1 <= advice.at_once <= min(advice.tasks, 6)


def test_facts_that_nobody_stated_are_named_if_they_could_change_the_answer():
    assert advise(job(sequential=True, dataset=False)).unanswered == ("opinions", "adaptive")
    assert advise(job(3)).unanswered == ()


@pytest.mark.parametrize(
    ("facts", "mode", "row"),
    [
        pytest.param(
            job(stages=True),
            "engine",
            "multi-stage software task",
            marks=pytest.mark.requirement("S247", "S252", "A28"),
        ),
        pytest.param(
            job(subtasks=30, independent=True, homogeneous=True),
            "manual",
            "one-off parallel batch",
            marks=pytest.mark.requirement("S248", "S252", "A28"),
        ),
        pytest.param(
            job(opinions=True),
            "manual",
            "expert panel",
            marks=pytest.mark.requirement("S249", "S252", "A28"),
        ),
        pytest.param(
            job(sequential=True, recurring=True),
            "engine",
            "recurring known pipeline",
            marks=pytest.mark.requirement("S250", "S252"),
        ),
        pytest.param(
            job(14, exploration=True),
            "inline",
            "ad-hoc exploration or research",
            marks=pytest.mark.requirement("S251", "S252", "A35"),
        ),
        (job(4), "inline", "small job"),
        (job(adaptive=True), "manual", "no stages with capabilities"),
    ],
)
def test_the_row_for_engine_or_manual_is_returned_with_its_reason(
    facts: Facts, mode: str, row: str
):
    found = advise(facts).mode

    assert (found.mode, found.row) == (mode, row)
    assert found.why


def test_a_software_task_of_stages_is_a_pipeline_on_the_engine():
    advice = advise(job(stages=True, subtasks=4))

    assert (advice.choice, advice.tasks, advice.at_once) == (PIPELINE, 4, 1)
    assert advice.mode == Mode(
        "engine",
        "multi-stage software task",
        "Each stage gets a work item, its dependency on the stage before, and its hooks.",
    )


@pytest.mark.requirement("A35")
@pytest.mark.parametrize(
    ("questions", "minutes", "choice"),
    [(1, 14, INLINE), (3, 14, FAN_OUT), (3, 60, FAN_OUT), (1, 60, SUPERVISOR)],
)
def test_one_open_question_is_inline_and_three_are_a_fan_out(
    questions: int, minutes: float, choice: Choice
):
    assert advise(job(minutes, exploration=True, questions=questions)).choice == choice


@pytest.mark.parametrize(
    ("facts", "tasks", "at_once"),
    [
        (job(4), 1, 1),
        (job(60, subtasks=30, independent=True, homogeneous=True), 6, 6),
        (job(80, subtasks=8, independent=True), 8, 6),
        (job(300, subtasks=100, dataset=True), 20, 6),
        (job(60, independent=True), 6, 6),
        (job(30, exploration=True, questions=3), 3, 3),
        (job(30, opinions=True), 3, 3),
        (job(60, sequential=True), 4, 1),
    ],
)
def test_the_number_of_tasks_keeps_each_within_its_minutes(facts: Facts, tasks: int, at_once: int):
    advice = advise(facts)

    assert (advice.tasks, advice.at_once) == (tasks, at_once)


def test_workers_cost_about_four_sessions_and_the_source_is_named():
    advice = advise(job(independent=True))

    assert advice.tool_calls == (10, 15)
    assert advice.cost == Multiple(
        3.75,
        "Anthropic, multi-agent research system, 2025",
        "Is the result worth about 3.75 times the tokens of one session?",
    )


def test_inline_costs_one_session_and_warns_of_nothing():
    advice = advise(job(4, writes_same_artefact=True, sequential=True))

    assert (advice.cost.times, advice.cost.ask) == (1.0, "")
    assert advice.tool_calls == (3, 10)
    assert advice.warnings == ()


@pytest.mark.requirement("S14", "S15", "S16", "A2")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (job(60, subtasks=6, independent=True), []),
        (job(20, subtasks=2, independent=True), ["below_sweet_spot"]),
        (job(80, subtasks=8, independent=True), ["waves"]),
        (job(16, subtasks=4, independent=True), ["too_short"]),
        (job(80, subtasks=4, independent=True), ["too_long"]),
        (job(40, subtasks=1, sequential=True), ["monolith", "too_long"]),
    ],
)
def test_advice_warns_of_width_and_minutes_per_worker(facts: Facts, expected: list[str]):
    assert warned(facts) == expected


def test_steps_forced_side_by_side_are_steered_to_inline_or_a_pipeline():
    facts = job(60, subtasks=6, independent=True, sequential=True)

    assert warned(facts, "playbook") == ["sequential_in_parallel"]
    assert warned(facts) == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (job(60, subtasks=6, independent=True, writes_same_artefact=True), ["shared_writes"]),
        (job(60, subtasks=6, sequential=True, writes_same_artefact=True), []),
    ],
)
def test_only_parallel_writers_of_one_artefact_are_flagged(facts: Facts, expected: list[str]):
    assert warned(facts) == expected


def test_a_supervisor_is_offered_the_evaluator_optimiser():
    assert "revised at most twice" in (advise(job(adaptive=True)).recipe or "")
    assert advise(job(independent=True)).recipe is None


@pytest.mark.parametrize(
    "facts", [job(0), job(-1), job(math.nan), job(math.inf), job(subtasks=0), job(questions=0)]
)
def test_impossible_numbers_are_refused(facts: Facts):
    with pytest.raises(InvalidArguments, match="cannot be planned"):
        advise(facts)


def test_an_unknown_order_is_refused_with_the_known_ones():
    with pytest.raises(InvalidArguments, match="Allowed: specific, playbook"):
        # A caller over the wire can send any word.
        advise(job(), "literal")  # pyright: ignore[reportArgumentType]
