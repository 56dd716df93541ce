"""What is wrong with a prompt is told before a start, and what is an error stands in its way."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from relaybook.core.prompt_rules.across import BLOCKS_KEPT
from relaybook.engine import Engine
from relaybook.errors import InvalidArguments, PromptBlocked
from relaybook.store.base import Store
from relaybook.store.prints import LOOKED_THROUGH
from tests.helpers import PROMPTS, complete, dump, start, task, update, workflow

SPAWNS = "Spawn two sub-agents that build the service"
CODE = {"path": "a.py", "content": "def login(): ..."}


def rendered(engine: Engine, workflow_id: str, task_id: str = "a") -> dict[str, Any]:
    return engine.render_prompt(workflow_id=workflow_id, task_id=task_id)


def rules(answer: Mapping[str, Any]) -> set[str]:
    return {finding["rule"] for finding in answer["findings"]}


def review(name: str, **args: Any) -> dict[str, Any]:
    return task(name, template="code_review", args={"sources": [CODE], **args})


def starts(engine: Engine, workflow_id: str) -> list[dict[str, Any]]:
    shown = engine.show_workflow(workflow_id, since=0)
    return [event for event in shown["events"] if event["type"] == "task_started"]


@pytest.mark.requirement("S115", "S155", "S156", "S178")
def test_a_task_renders_to_prompt_findings_budget_and_spawn_arguments(engine: Engine) -> None:
    name = workflow(engine, review("a"), review("b"))

    answer = rendered(engine, name)

    assert answer["prompt"].startswith("## Role\n")
    assert answer["spawn"] == {
        "label": "wf_00000001_a_do-a",
        "timeout_seconds": 960,
        "model_hint": "expert",
    }
    budget = answer["budget"]
    assert budget["words"] == len(answer["prompt"].split()) == sum(budget["sections"].values())
    assert (budget["workers"], budget["total"]) == (2, 2 * budget["words"])


@pytest.mark.requirement("S64")
def test_a_raw_text_is_checked_without_a_template(engine: Engine) -> None:
    answer = engine.render_prompt(text="## Task\nDeploy the service.")

    assert {"P01", "P02", "P16"} <= rules(answer)
    assert {finding["severity"] for finding in answer["findings"][:3]} == {"error"}
    assert set(answer["findings"][0]) >= {"rule", "where", "what", "why", "fix"}
    assert answer["budget"]["sections"] == {"Task": 5}
    assert answer["budget"]["heaviest"] == "Task"
    assert "prompt" not in answer


def test_a_template_with_arguments_is_checked_too(engine: Engine) -> None:
    clean = engine.render_prompt(template="code_review", args={"sources": [CODE]})
    blocked = engine.render_prompt(template="code_review", args={"sources": [{"path": "a.py"}]})

    assert clean["findings"] == []
    assert rules(blocked) == {"P06"}
    assert blocked["next"] == "mend the arguments first"


@pytest.mark.requirement("S65")
def test_an_input_that_the_template_never_uses_is_removable(ledger: Store, tmp_path: Path) -> None:
    piece = (PROMPTS / "piece.prompty").read_text(encoding="utf-8")
    spare = piece.replace("inputs:\n", "inputs:\n  - {name: history, kind: text}\n")
    (tmp_path / "spare.prompty").write_text(spare.replace("name: piece", "name: spare"), "utf-8")
    engine = Engine(ledger, (tmp_path,))

    answer = engine.render_prompt(
        template="spare", args={"goal": "Count the words.", "history": "Hello."}
    )

    assert answer["budget"]["removable"] == ["history"]
    assert rules(answer) == {"P21"}


@pytest.mark.parametrize(
    "said", [{}, {"text": "x", "template": "piece"}, {"text": "x", "task_id": "a"}]
)
def test_render_prompt_takes_one_form_at_a_time(engine: Engine, said: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments, match="a task, a template or a text"):
        engine.render_prompt(**said)


def test_a_text_too_long_for_a_prompt_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidArguments, match="200001 bytes"):
        engine.render_prompt(text="x" * 200_001)


def test_rendering_writes_nothing(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a", "b")
    before = dump(ledger)

    rendered(engine, name)

    assert dump(ledger) == before


@pytest.mark.requirement("A6")
def test_a_path_without_content_blocks_the_start_unless_the_worker_can_read(
    engine: Engine,
) -> None:
    path_only = review("a", sources=[{"path": "a.py"}])
    name = workflow(engine, path_only, {**path_only, "id": "b", "worker_can_read": True})

    with pytest.raises(PromptBlocked, match="P06"):
        start(engine, name, "a")

    assert start(engine, name, "b")


def test_a_blocked_start_says_why_how_to_mend_it_and_leaves_no_trace(
    engine: Engine, ledger: Store
) -> None:
    name = workflow(engine, task("a", label=SPAWNS))
    before = dump(ledger)

    with pytest.raises(PromptBlocked) as refusal:
        start(engine, name, "a")

    said = refusal.value.as_dict()
    assert "breaks rule P15: The prompt tells the worker to spawn" in said["message"]
    assert "Split the subtask" in said["next"]
    assert "override='<why>'" in said["next"]
    assert said["rules"] == ["P15"]
    assert dump(ledger) == before


def test_an_override_starts_the_task_and_is_on_record_with_its_reason(engine: Engine) -> None:
    name = workflow(engine, task("a", label=SPAWNS))

    start(engine, name, "a", override="it is a practice cluster")

    (event,) = starts(engine, name)
    assert event["override"] == "it is a practice cluster"


def test_an_override_that_was_not_needed_is_not_recorded(engine: Engine) -> None:
    name = workflow(engine, "a")

    start(engine, name, "a", override="in any case")

    assert "override" not in starts(engine, name)[0]


def test_an_override_holds_for_later_attempts_at_its_task(engine: Engine) -> None:
    name = workflow(engine, task("a", label=SPAWNS))
    start(engine, name, "a", override="it is a practice cluster")
    update(engine, name, "a", "pending")

    assert engine.claim_task(name)["claimed"]


def test_a_worker_is_given_the_next_task_in_place_of_a_blocked_one(engine: Engine) -> None:
    name = workflow(engine, task("a", label=SPAWNS), "b")

    first = engine.claim_task(name)
    second = engine.claim_task(name)

    assert first["task_id"] == "b"
    assert not second["claimed"]
    assert "a: The prompt of task 'a' breaks rule P15" in second["reason"]


@pytest.mark.requirement("S60")
def test_a_prompt_that_names_a_sibling_is_warned(engine: Engine) -> None:
    name = workflow(
        engine,
        task("a", label="Check the payment code, not the login code of the shop"),
        task("b", label="The login code of the shop"),
    )

    assert "P11" in rules(rendered(engine, name))


@pytest.mark.requirement("S157")
def test_a_model_that_does_not_fit_the_work_is_warned(engine: Engine) -> None:
    name = workflow(engine, {**review("a"), "label": "Extract all function names"}, review("b"))

    assert "P25" in rules(rendered(engine, name, "a"))
    assert rules(rendered(engine, name, "b")) == set()


@pytest.mark.requirement("S59", "S62")
def test_talk_of_the_conversation_and_of_the_orchestration_is_warned(engine: Engine) -> None:
    label = "Check the login as we discussed; you are one of five workers"
    name = workflow(engine, task("a", label=label))

    assert {"P12", "P13"} <= rules(rendered(engine, name))


@pytest.mark.requirement("S59")
def test_a_conversation_among_the_arguments_of_a_task_is_warned(engine: Engine) -> None:
    talk = "User: is the login safe?\nAssistant: It is.\nUser: then look at the API."
    name = workflow(engine, review("a", sources=[{"path": "notes.md", "content": talk}]))

    assert rules(rendered(engine, name)) == {"P13"}


@pytest.mark.requirement("S66")
def test_more_than_500_words_of_instructions_are_not_decomposed_enough(engine: Engine) -> None:
    rule = "holds in each and every file of the part, without any exception."
    done = [f"Rule {number} {rule}" for number in range(45)]
    name = workflow(engine, task("a", done=done))

    found = [each for each in rendered(engine, name)["findings"] if each["rule"] == "P03"]

    assert [each["severity"] for each in found] == ["warn"]
    assert "not decomposed enough" in found[0]["fix"]


@pytest.mark.requirement("S66", "S70")
@pytest.mark.parametrize(("words", "flagged"), [(500, set[str]()), (501, {"P03"})])
@pytest.mark.parametrize("pattern", ["expert_panel", "fan_out"])
def test_a_task_is_given_up_to_500_words_of_context(
    engine: Engine, pattern: str, words: int, flagged: set[str]
) -> None:
    text = "word " * words
    criteria = [{"name": "risk", "question": "What can go wrong?", "weight": 1}]
    judged = {"proposal": "Keep it.", "criteria": criteria, "context": text}
    said = {
        "expert_panel": {"expert_role": "security", "args": judged},
        "fan_out": {"args": {"facts": [text]}},
    }[pattern]
    made = engine.create_workflow(pattern, tasks=[{"id": "a", "label": "Judge it", **said}])

    answer = rendered(engine, made["workflow_id"])

    assert answer["budget"]["context_words"] == words
    assert rules(answer) & {"P03"} == flagged


def with_data(name: str, data: str) -> dict[str, Any]:
    return {
        **review(name, sources=[{"path": f"{name}.py", "content": data}]),
        "label": f"Do {name}",
    }


DUMP = "\n".join(f"The part {number} of the service was begun in spring." for number in range(40))


@pytest.mark.requirement("S61")
def test_a_block_in_most_prompts_of_a_workflow_is_found_once_they_start(engine: Engine) -> None:
    name = workflow(engine, *(with_data(each, f"{each}\n{DUMP}") for each in "abc"))
    start(engine, name, "a")
    start(engine, name, "b")

    assert "P17" in rules(rendered(engine, name, "c"))


def test_other_data_for_each_task_is_no_dump(engine: Engine) -> None:
    plans = [with_data(each, DUMP.replace("spring", f"{each} {each}")) for each in "abc"]
    name = workflow(engine, *plans)
    start(engine, name, "a")
    start(engine, name, "b")

    assert rules(rendered(engine, name, "c")) == set()


def test_two_tasks_with_the_same_prompt_are_found(engine: Engine) -> None:
    name = workflow(engine, review("a"), review("b"))
    start(engine, name, "a")

    assert rules(rendered(engine, name, "b")) == {"P26"}


def counted(ledger: Store) -> list[int]:
    """How many tasks hold each key of the prompts that were judged."""
    with ledger.read() as tx:
        rows = tx.rows("SELECT tasks FROM prints WHERE key <> :key", {"key": LOOKED_THROUGH})
    return [row[0] for row in rows]


def test_a_prompt_is_counted_once_however_often_it_starts_or_others_are_judged(
    engine: Engine, ledger: Store
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    update(engine, name, "a", "pending")
    rendered(engine, name, "b")
    start(engine, name, "a")
    rendered(engine, name, "b")

    assert set(counted(ledger)) == {1}


def test_what_judging_keeps_is_those_counts_alone(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    before = dump(ledger)

    rendered(engine, name, "b")

    after = dump(ledger)
    assert {table for table in after if after[table] != before[table]} == {"prints"}


def test_a_start_counts_nothing_and_judging_counts_what_was_started_since(
    engine: Engine, ledger: Store
) -> None:
    name = workflow(engine, *(with_data(each, f"{each}\n{DUMP}") for each in "abcd"))
    start(engine, name, "a")
    assert counted(ledger) == []

    rendered(engine, name, "c")
    start(engine, name, "b")
    [dump_found] = [
        each for each in rendered(engine, name, "c")["findings"] if each["rule"] == "P17"
    ]

    assert "stand in 3 of 3 prompts" in dump_found["what"]
    assert max(counted(ledger)) == 2


def test_a_prompt_whose_template_is_gone_is_compared_all_the_same(
    ledger: Store, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.prompty"
    piece = (PROMPTS / "piece.prompty").read_text(encoding="utf-8")
    gone.write_text(piece.replace("name: piece", "name: gone"), "utf-8")
    engine = Engine(ledger, (PROMPTS, tmp_path))
    name = workflow(engine, task("a", template="gone"), "b")
    start(engine, name, "a")
    gone.unlink()

    rendered(engine, name, "b")

    assert set(counted(ledger)) == {1}


def test_the_rows_that_judging_reads_do_not_grow_with_the_tasks(
    engine: Engine, ledger: Store
) -> None:
    plans = [with_data(f"t{number}", f"{number}\n{DUMP}") for number in range(30)]
    name = workflow(engine, *plans)
    for plan in plans[:20]:
        start(engine, name, plan["id"])
        complete(engine, name, plan["id"], {"findings": [], "files_read": []})
    rendered(engine, name, "t20")

    tasks = counted(ledger)

    assert 1 < tasks.count(20) <= BLOCKS_KEPT + 1
    assert tasks.count(1) <= 20 * 3


def test_criteria_of_several_lines_bind_and_are_no_data(engine: Engine) -> None:
    piece = task("a", template="supervised_piece", args={"piece": "Write it."})
    name = workflow(
        engine, piece | {"done": ["It runs\nand ends."]}, shared_decisions=["Use UTC,\neverywhere."]
    )

    prompt = rendered(engine, name)["prompt"]

    assert "It runs and ends." in prompt
    assert "- Decided, keep to it: Use UTC, everywhere." in prompt
    assert "<data-" not in prompt


def test_what_done_says_beside_done_criteria_stands_in_the_prompt_too(engine: Engine) -> None:
    said = {"goal": "Prepare it", "done_criteria": ["The image builds."]}
    asked = task("a", template="pipeline_stage", args=said)
    name = workflow(engine, asked | {"done": ["The image  builds.", "It is dated."]})

    prompt = rendered(engine, name)["prompt"]

    assert "### Done When\n- It is dated.\nProve each in `evidence`" in prompt
    assert prompt.count("The image builds.") == 1
