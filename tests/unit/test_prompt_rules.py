"""Each rule finds what it names and leaves alone what only looks like it."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.prompt_rules import (
    RULES,
    Finding,
    Fingerprint,
    PromptFacts,
    Rule,
    check,
    check_across,
    check_against,
    fingerprint,
    may_block,
    work_of,
)
from relaybook.core.prompt_rules.example import FENCE, FIXED, one, prompt
from relaybook.core.prompt_rules.phrases import ORDER_STEMS, ORDERING, PHRASES
from relaybook.core.severity import Severity
from relaybook.model import Tier


def found(rule: str, text: str = "", **facts: Any) -> list[str]:
    """What `rule` finds in a prompt; the good prompt unless a text is given."""
    return [each.what for each in check(one(text, **facts)[0]) if each.rule == rule]


def found_by(prompts: tuple[PromptFacts, ...]) -> set[str]:
    """The rules that one prompt, or several prompts of one workflow, break."""
    prints = {
        str(number): fingerprint(each.text, each.fixed, each.shared, each.expert_role)
        for number, each in enumerate(prompts)
    }
    findings = [*check_across(prints).values(), *map(check, prompts)]
    return {each.rule for several in findings for each in several}


def severities(rule: str, text: str) -> list[Severity]:
    return [each.severity for each in check(one(text)[0]) if each.rule == rule]


by_id = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@by_id
def test_a_rule_passes_its_passing_example(rule: Rule) -> None:
    assert rule.id not in found_by(rule.passing)


@by_id
def test_a_rule_finds_its_failing_example(rule: Rule) -> None:
    assert rule.id in found_by(rule.failing)


def test_the_rules_are_numbered_without_a_gap() -> None:
    assert [rule.id for rule in RULES] == [f"P{number:02}" for number in range(1, 27)]


@pytest.mark.requirement("S83")
@by_id
def test_a_rule_says_the_pattern_why_it_hurts_and_the_fix(rule: Rule) -> None:
    parts = (rule.what, rule.why, rule.fix)

    assert [part[-1:] for part in parts] == [".", ".", "."]
    assert max(map(len, parts)) <= 240


def test_errors_block_and_the_rest_advises() -> None:
    by_severity = {
        severity: {rule.id for rule in RULES if rule.severity is severity} for severity in Severity
    }

    errors = {"P01", "P02", "P06", "P09", "P10", "P15", "P16"}
    remarks = {"P19", "P22", "P24"}
    assert by_severity[Severity.ERROR] == errors
    assert by_severity[Severity.INFO] == remarks
    assert by_severity[Severity.WARN] == {rule.id for rule in RULES} - errors - remarks


def test_a_good_prompt_has_no_finding() -> None:
    assert check(one()[0]) == ()


def test_a_finding_carries_the_place_the_parts_of_its_rule_and_an_excerpt() -> None:
    (finding,) = check(one(prompt(task="Look into the login code below " + "again " * 30))[0])

    assert finding == Finding(
        rule="P05",
        severity=Severity.WARN,
        where="Task, line 1",
        what="The task is worded vaguely.",
        why="Workers with vague tasks repeat each other's searches and stop at random.",
        fix="Say what to find or change, where, and how it is judged.",
        excerpt=("Look into the login code below " + "again " * 30)[:79] + "…",
    )


def test_a_raw_text_without_sections_is_checked_too() -> None:
    text = "Look into it. Then deploy the service."

    assert {"P01", "P02", "P04", "P05", "P07", "P08", "P16"} <= found_by((PromptFacts(text=text),))


# Shape


@pytest.mark.requirement("A33", "S53", "S58")
@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Review it.", "missing: Role, Task, Constraints, Output Format, Output Interface."),
        (prompt().replace("## Role", "## Persona"), "missing: Role."),
        (prompt().replace("## Role", "## Persona"), "unknown: Persona."),
        (prompt() + "## Task\nMore.\n", "repeated: Task."),
        (prompt(role=" "), "empty: Role."),
    ],
)
def test_a_prompt_has_exactly_the_five_sections(text: str, what: str) -> None:
    assert f"Sections {what}" in found("P01", text)


@pytest.mark.requirement("A33")
def test_the_sections_stand_in_their_order() -> None:
    text = prompt().replace("## Role", "## X").replace("## Task", "## Role").replace("X", "Task")

    assert found("P01", text) == [
        "The sections stand in the order Task, Role, Constraints, Output Format, Output Interface."
    ]


def test_a_heading_in_data_or_in_code_is_no_section() -> None:
    data = FENCE.replace("def", "## Role\ndef") + "\n```\n## Task\n```"

    assert found("P01", prompt(data=data)) == []


@pytest.mark.requirement("S57")
def test_result_tags_are_asked_for_in_output_interface() -> None:
    assert found("P02", prompt(interface="Give JSON.")) == [
        "Output Interface does not ask for <result> tags."
    ]


def test_result_tags_elsewhere_are_found_unless_the_server_wrote_them() -> None:
    assert found("P02", prompt(output="Use <result>.")) == [
        "<result> is named outside Output Interface."
    ]
    assert found("P02", prompt(output=FIXED[2])) == []


@pytest.mark.requirement("A24", "S79")
def test_more_than_500_words_of_instructions_warn_to_decompose_further() -> None:
    text = prompt(constraints="- Stop when done; never edit 9 minutes.\n" * 80)
    finding = next(each for each in check(one(text)[0]) if each.rule == "P03")

    assert finding.severity is Severity.WARN
    assert finding.what.endswith("words of instructions; the limit is 500.")
    assert finding.fix.startswith("Decompose further")


@pytest.mark.requirement("A24", "S79")
@pytest.mark.parametrize(("words", "severity"), [(500, []), (501, [Severity.WARN])])
def test_500_words_of_instructions_are_not_too_many(words: int, severity: list[Severity]) -> None:
    assert severities("P03", "word " * words) == severity


@pytest.mark.requirement("A24", "S81")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (500, []),
        (501, [Severity.WARN]),
        (1_999, [Severity.WARN]),
        (2_000, [Severity.ERROR]),
    ],
)
def test_over_500_words_of_instructions_are_a_warning_and_2000_an_error(
    words: int, found: list[Severity]
) -> None:
    assert severities("P03", "word " * words) == found


@pytest.mark.requirement("A24")
def test_data_is_counted_apart_from_instructions() -> None:
    def warned(words: int) -> list[tuple[Severity, str]]:
        text = prompt(data=FENCE.replace("login", "word " * words))
        return [(each.severity, each.what) for each in check(one(text)[0]) if each.rule == "P03"]

    beside = 7  # words of the fence and its tags
    assert warned(4_000 - beside) == []
    assert warned(4_001 - beside) == [(Severity.WARN, "4001 words of data; the limit is 4000.")]


@pytest.mark.requirement("A24", "S66", "S70")
def test_more_than_500_words_of_context_are_not_decomposed_enough() -> None:
    assert check(one(context=("word " * 300, "word " * 200))[0]) == ()

    (finding,) = check(one(context=("word " * 300, "word " * 201))[0])

    assert finding.severity is Severity.WARN
    assert (finding.rule, finding.what) == ("P03", "501 words of context; the limit is 500.")
    assert "not decomposed enough" in finding.fix


@pytest.mark.requirement("S67")
def test_context_is_ranked_the_first_cause_of_failure() -> None:
    (rule,) = (rule for rule in RULES if rule.id == "P03")

    assert "the first cause of failed orchestration, before the choice of pattern" in rule.why


@pytest.mark.requirement("S53", "S82")
@pytest.mark.parametrize(
    ("task", "what"),
    [
        ("Review src/auth.py. It is old.", ["The task is 2 sentences."]),
        ("Extract and classify the records below.", ["The task orders 2 deliverables."]),
        ("Review the code, then write a report.", ["The task orders 2 deliverables."]),
        ("Review the code.\n\nWrite the tests.", ["The task orders 2 deliverables."]),
        ("Rewrite the parser and add a test.", ["The task orders 2 deliverables."]),
        ("Review the design and test coverage below.", []),
        ("Write docs, e.g. docstrings, for version 2.1 of src/auth.py.", []),
        ("Review the code\nbelow for\nerrors and leaks.", []),
        ("Answer each question:\n- Is it fast?\n- Is it safe?", []),
    ],
)
def test_a_task_is_one_sentence_with_one_deliverable(task: str, what: list[str]) -> None:
    assert found("P04", prompt(task=task)) == what


def test_a_task_inside_a_fence_orders_nothing() -> None:
    assert found("P04", prompt(task=FENCE)) == ["No sentence outside the fences says what to do."]


@pytest.mark.requirement("S58")
@pytest.mark.parametrize(
    ("role", "times"),
    [
        ("You are a reviewer.", 0),
        ("You are a reviewer. You know Python.", 1),
        ("You are a reviewer with 20 years of experience.", 1),
        ("You are the best reviewer in the world.", 1),
        ("You are a brilliant reviewer.", 1),
        ("You judge famous paintings by their provenance.", 0),
    ],
)
def test_a_role_is_one_sentence_without_biography(role: str, times: int) -> None:
    assert len(found("P18", prompt(role=role))) == times


@pytest.mark.parametrize(
    "data",
    [
        FENCE.replace("def", "<result>"),
        FENCE.replace("def", "</data-0>"),
        FENCE.replace("</data-5e1f>", ""),
        "```\n" + "text\n" * 10 + "```",
        "The login was slow on Monday. " * 8,
    ],
)
def test_data_that_is_not_held_by_its_fence_is_found(data: str) -> None:
    assert len(found("P20", prompt(data=data))) == 1


def test_a_long_schema_in_output_format_is_no_unfenced_data() -> None:
    assert found("P20", prompt(output="```json\n" + "{}\n" * 40 + "```")) == []


@pytest.mark.parametrize(
    "mark",
    [
        "{{ topic }}",
        "{% if x %}",
        "{# note #}",
        "TODO",
        "XXX",
        "Lorem ipsum",
        "[insert x]",
        "[your code]",
    ],
)
def test_left_over_marks_are_found_outside_data(mark: str) -> None:
    assert len(found("P24", prompt(task=f"Review {mark} below."))) == 1
    assert found("P24", prompt(data=FENCE.replace("def", mark))) == []


@pytest.mark.parametrize("thing", ["the TODO list widget", "the FIXME comments"])
def test_work_on_marks_is_no_mark(thing: str) -> None:
    assert found("P24", prompt(task=f"Review {thing} below.")) == []


# Content


@pytest.mark.requirement("A6", "S54")
def test_a_path_without_content_blocks_unless_the_worker_can_read() -> None:
    assert found("P06", path_only=("a.py", "b.py")) == [
        "A path is given without its content.",
        "A path is given without its content.",
    ]
    assert found("P06", path_only=("a.py", "b.py"), worker_can_read=True) == []


@pytest.mark.requirement("S54")
@pytest.mark.parametrize(
    ("task", "times"),
    [
        ("Review src/auth.py.", 0),
        ("Review ./src/other.py.", 1),
        ("Review https://example.org/docs/auth.html.", 0),
        ("Review input and/or output.", 0),
    ],
)
def test_a_task_that_names_a_path_without_content_is_warned(task: str, times: int) -> None:
    assert severities("P06", prompt(task=task)) == [Severity.WARN] * times


@pytest.mark.requirement("S55")
@pytest.mark.parametrize(
    ("constraints", "missing"),
    [
        ("- 10 minutes.\n- Only src/.\n- Never edit tests.", []),
        ("- Only src/.\n- Leave tests unchanged.", ["time limit"]),
        ("- Only src/.\n- Leave the tests as they are.", ["time limit"]),
        ("- Only src/.\n- The interface must stay the same.", ["time limit"]),
        ("- 10 minutes.\n- Never edit tests.", ["scope boundary"]),
        ("- 10 minutes.\n- Only src/.", ["don't-touch rule"]),
        ("- Be good.", ["time limit", "scope boundary", "don't-touch rule"]),
    ],
)
def test_constraints_are_of_three_kinds(constraints: str, missing: list[str]) -> None:
    assert found("P07", prompt(constraints=constraints)) == [
        f"There is no {kind}." for kind in missing
    ]


def test_a_time_limit_outside_the_prompt_counts() -> None:
    text = prompt(constraints="- Only src/.\n- Never edit tests.\n- Done when read.")

    assert found("P07", text, time_limit=True) == []
    assert found("P08", text, time_limit=True) == []


def test_a_task_needs_a_done_criterion_and_a_stop_condition() -> None:
    text = prompt(constraints="- Be quick.")

    assert found("P08", text) == ["There is no done criterion.", "There is no stop condition."]
    assert found("P08", text, done=("All read.",)) == ["There is no stop condition."]


@pytest.mark.requirement("S56")
@pytest.mark.parametrize(
    "output",
    ["A list.", '```json\n{"findings": []}\n```', "```json\n{\n```", "```json\n" + "[" * 9_999],
)
def test_an_output_format_without_a_schema_blocks_only_where_fields_are_needed(
    output: str,
) -> None:
    assert len(found("P09", prompt(output=output), needs_schema=True)) == 1
    assert found("P09", prompt(output=output)) == []


@pytest.mark.parametrize(
    ("schema", "example", "wrong"),
    [
        (
            {"properties": {"score": {"maximum": 5}}},
            {"score": 6},
            "at '/score' it is 6, not maximum 5",
        ),
        ({"type": "thing"}, 1, "at '/type', it is \"thing\""),
        ({"$ref": "https://a.example/b"}, 1, "$ref 'https://a.example/b' lies outside it"),
        (
            {"pattern": "^(a+)+$"},
            "a" * 40 + "!",
            "at '/' it is \"aaaa",
        ),
    ],
)
def test_an_example_has_to_fit_its_schema(
    schema: dict[str, Any], example: object, wrong: str
) -> None:
    (finding,) = found("P10", schema=schema, example_result=example)

    assert finding.startswith("The example does not fit the schema: ")
    assert wrong in finding


def test_a_needed_tool_has_to_be_named() -> None:
    assert found("P19", worker_needs=("read", "run")) == [
        "The worker needs 'run'; nothing says where or with what."
    ]


@pytest.mark.requirement("S65", "S61")
def test_an_input_that_is_not_used_is_reported_as_removable() -> None:
    assert found("P21", unused=("readme",), undeclared=("topic",)) == [
        "Input 'readme' is removable: the template never uses it.",
        "Variable 'topic' is used and not declared.",
    ]


@pytest.mark.requirement("S156", "S157")
@pytest.mark.parametrize(
    ("work", "hint", "severity"),
    [
        ("mechanical", "cheap", []),
        ("mechanical", "standard", []),
        ("mechanical", "expert", [Severity.WARN]),
        ("judgement", "expert", []),
        ("judgement", "cheap", [Severity.WARN]),
        ("judgement", None, [Severity.INFO]),
        (None, "expert", []),
    ],
)
def test_the_model_has_to_fit_the_work(work: Any, hint: Any, severity: list[Severity]) -> None:
    findings = check(one(work=work, model_hint=hint)[0])

    assert [(each.rule, each.severity) for each in findings] == [("P25", each) for each in severity]


# Wording


@pytest.mark.requirement("S53")
@pytest.mark.parametrize(
    ("task", "times"),
    [
        ("Improve the login code.", 1),
        ("Look into errors, timeouts etc. below.", 2),
        ("Review how errors improve.", 0),
        ("Clean up the parser below.", 1),
        ("Enhance the sign-in page.", 1),
        ("Compare three ways to improve the query below.", 0),
        ("Review the file handle below.", 0),
    ],
)
def test_a_vague_task_is_found(task: str, times: int) -> None:
    assert len(found("P05", prompt(task=task))) == times


@pytest.mark.requirement("S60")
@pytest.mark.parametrize(
    ("label", "times"),
    [
        ("Review the API", 1),
        ("review  THE\tapi", 1),
        ("authorization", 1),
        ("API", 0),
        ("Review the AP", 0),
    ],
)
def test_a_siblings_label_is_found_if_it_is_long_enough_to_mean_it(label: str, times: int) -> None:
    text = prompt(constraints="- Another will review the API\n  and authorization.")

    assert len(found("P11", text, siblings=(label,))) == times


def test_a_siblings_label_without_words_is_in_no_prompt() -> None:
    assert found("P11", "## Task\n", siblings=("-" * 12,)) == []


def test_a_siblings_label_inside_data_is_not_found() -> None:
    text = prompt(data=FENCE.replace("def", "Review the API"))

    assert found("P11", text, siblings=("Review the API",)) == []


@pytest.mark.requirement("S62")
@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("You are one of 5 workers.", 1),
        ("The orchestrator merges the results.", 1),
        ("You work in parallel with the API review.", 1),
        ("Do not wait for other workers.", 0),
        ("Another agent checks the tests.", 1),
        ("You are worker 3 of 5.", 1),
        ("Other subtasks cover the API.", 1),
        ("Cover the orchestrator class by tests.", 0),
        ("Run the tests in parallel with pytest-xdist.", 0),
        ("One of the worst leaks is known.", 0),
        ("Others work in parallel with others.", 1),
    ],
)
def test_talk_of_orchestration_is_found(line: str, times: int) -> None:
    assert len(found("P12", prompt(constraints=line))) == times


@pytest.mark.requirement("S59")
@pytest.mark.parametrize(
    "line",
    [
        "User: please check.",
        "**Assistant**: yes",
        "As we discussed, be brief.",
        "As I said before, be brief.",
        "In our previous conversation you chose tabs.",
    ],
)
def test_a_conversation_is_found_outside_data_only(line: str) -> None:
    assert len(found("P13", prompt(constraints=line))) == 1
    assert found("P13", prompt(data=FENCE.replace("def", f"\n{line}\n"))) == []


TURNS = ("User: is the login safe?", "Assistant: It is.", "User: then look at the API.")


@pytest.mark.requirement("S59")
@pytest.mark.parametrize(
    ("lines", "found_in_data"),
    [
        (TURNS, True),
        ([f"> **{line.replace(':', '**:')}" for line in TURNS], True),
        (TURNS[:2], False),
        (["Customer: it stops.", "Agent: since when?", "Customer: May."], False),
        (["user: User", "assistant: Assistant"], False),
        (["The user: prefix", "an assistant: word", "a human: being"], False),
    ],
)
def test_a_conversation_with_an_assistant_that_was_put_in_as_data_is_found(
    lines: Sequence[str], found_in_data: bool
) -> None:
    text = prompt(data=FENCE.replace("def login(): ...", "\n".join(lines)))

    what = "Data 'src/auth.py' is a conversation with an assistant."
    assert found("P13", text) == [what] * found_in_data


@pytest.mark.parametrize(
    ("task", "times"),
    [
        ("Fix it.", 1),
        ("It is broken.", 1),
        ("Review the file above.", 1),
        ("Fix its test.", 0),
        ("Fix this.", 1),
        ("Continue where you left off.", 1),
        ("Fix this test.", 0),
    ],
)
def test_a_reference_without_antecedent_is_found(task: str, times: int) -> None:
    assert len(found("P14", prompt(task=task))) == times


@pytest.mark.requirement("S72", "S73")
@pytest.mark.parametrize(
    "order",
    [
        "Spawn three agents for the files.",
        "You may spawn as many sub-agents as you need.",
        "Create a sub-agent for each file.",
        "Launch three agents for the files.",
        "Spin up a sub-agent for each file.",
        "Read the code and delegate the tests.",
        "Call sessions_spawn for each file.",
        "Never guess. Delegate each hard part.",
        "Ask another agent to review the code.",
        "Hand the tests to a second agent.",
        "Split the files among sub-agents.",
    ],
)
def test_an_order_to_spawn_blocks_and_the_fix_is_to_split_the_plan(order: str) -> None:
    (finding,) = (each for each in check(one(prompt(task=order))[0]) if each.rule == "P15")

    assert finding.severity is Severity.ERROR
    assert finding.fix == "Split the subtask in your own plan; you are the only orchestrator."


@pytest.mark.parametrize(
    "line",
    [
        "Do not spawn agents.",
        "Don\u2019t spawn or delegate\nto agents.",
        "You cannot spawn sub-agents.",
        "Review how we spawn worker agents.",
        "Review the code that spawns a thread for each worker.",
        "Create a worker thread for each file.",
        "Review the page that launches agents.",
        "Spin up a test database for the agent.",
        "Review how agent sessions expire.",
        "Compare handing work to another agent with doing it here.",
        "Spawn no sub-agent.",
        "Replace each delegate by a function.",
        "You must not:\n- spawn agents\n- delegate the work",
    ],
)
def test_talk_of_spawning_that_orders_none_passes(line: str) -> None:
    assert found("P15", prompt(task=line)) == []


@pytest.mark.parametrize(
    "order",
    [
        "Deploy the service.",
        "Build the image and push it.",
        "Please delete the records.",
        "If the tests pass, publish the package.",
        "Your task is to send the offer.",
        "Run sudo systemctl restart on the host.",
        "- Email the customer.",
        "- Run `git push` at the end.",
        "Merge the pull request.",
        "Push the code.",
        "Restart the production server.",
        "Post the summary to Slack.",
        "Delete the unused accounts.",
        "Make sure to deploy the app.",
        "Do not forget to push the branch.",
        "You need to build and deploy the service.",
        "Finally, deploy.",
        "Run the tests, then publish.",
        "- git push to main.\n- send the report",
    ],
)
def test_an_order_for_a_deed_in_the_world_blocks(order: str) -> None:
    assert set(severities("P16", prompt(task=order))) == {Severity.ERROR}


@pytest.mark.parametrize(
    "line",
    [
        "Do not deploy the service.",
        "Do not build, test\ndeploy or publish the package.",
        "Propose how to build and deploy the service.",
        "Explain how to roll back and delete the data.",
        "Review the deploy script.",
        "Review the create, update and delete endpoints.",
        "Review the scripts that build and deploy the app.",
        "Push notifications arrive late: find the cause.",
        "Out of scope: deploy the service, send the mail.",
        "Never do these:\n- delete the data\n- push to main\n\nBe brief.",
        "Cover these verbs:\n- create\n- delete",
        "Cover create, read, update and delete.",
        "Document what users need to build and deploy the app.",
        "Send back the list.",
        "Delete nothing.",
        "Delete unused imports in the file below.",
        "Send errors to the log of the service.",
        "Publish the event in the handler of the form.",
        "Push validation down to the parser below.",
        "Restart the timer in the class below.",
    ],
)
def test_a_deed_that_is_forbidden_proposed_or_described_passes(line: str) -> None:
    assert found("P16", prompt(task=line)) == []


def test_a_list_is_shielded_only_under_the_sentence_that_forbids() -> None:
    text = prompt(task="Never:\n- delete the data\n\nNow act.\n\n- push the branch")

    assert len(found("P16", text)) == 1


def test_a_sentence_that_forbids_shields_no_list_of_the_next_section() -> None:
    text = prompt(role="You are a builder who never does:", task="- push the branch")

    assert len(found("P16", text)) == 1


def test_a_task_of_a_tier_above_workers_blocks() -> None:
    assert found("P16", tier=Tier.T3) == ["The task is of tier T3; workers end at T2."]
    assert found("P16", tier=Tier.T2) == []


def test_lines_of_the_server_break_no_pattern_rule() -> None:
    line = "Spawn agents and deploy the code, look into the orchestrator {{ x }} as discussed."
    text = prompt(task=line)

    assert {"P05", "P12", "P13", "P15", "P16", "P24"} <= found_by((PromptFacts(text=text),))
    assert {"P05", "P12", "P13", "P15", "P16", "P24"}.isdisjoint(
        found_by((PromptFacts(text=text, fixed=frozenset({line})),))
    )


# Across prompts

README = "".join(f"Line {number} of the readme tells how it is built.\n" for number in range(9))


def workflow(*texts: str) -> dict[str, Fingerprint]:
    return {f"t{number}": fingerprint(text) for number, text in enumerate(texts)}


def broken(prints: dict[str, Fingerprint]) -> dict[str, list[str]]:
    return {
        task: [each.rule for each in findings] for task, findings in check_across(prints).items()
    }


@pytest.mark.requirement("S68")
def test_a_block_in_most_prompts_of_a_workflow_is_a_context_dump() -> None:
    with_readme = [prompt(task=f"Check part {n}.", data=f"Part {n}\n{README}") for n in range(3)]
    without = [prompt(task=f"Check part {n}.") for n in range(3, 5)]

    assert broken(workflow(*with_readme, *without)) == {
        task: ["P17"] for task in ("t0", "t1", "t2")
    }


@pytest.mark.requirement("S68")
@pytest.mark.parametrize(("words", "found_in"), [(39, []), (40, ["t0", "t1"])])
def test_a_dump_has_forty_words_at_least(words: int, found_in: list[str]) -> None:
    same = " ".join(f"word{number}" for number in range(words))
    prompts = [prompt(task=f"Check part {n}.", data=same) for n in range(2)]

    assert list(broken(workflow(*prompts))) == found_in


def test_a_block_in_half_of_the_prompts_is_none() -> None:
    with_readme = [prompt(task=f"Check part {n}.", data=README) for n in range(2)]
    without = [prompt(task=f"Check part {n}.") for n in range(3, 5)]

    assert broken(workflow(*with_readme, *without)) == {}


@pytest.mark.requirement("S68")
def test_a_block_is_found_inside_fences_with_other_nonces() -> None:
    fence = FENCE.replace("def login(): ...", README)
    texts = [prompt(task="Check leaks.", data=fence)]
    texts += [prompt(task="Check names.", data=fence.replace("5e1f", "9abc"))]

    findings = check_across(workflow(*texts))["t0"]

    assert [each.what for each in findings] == ["40 words from line 9 on stand in 2 of 2 prompts."]


@pytest.mark.requirement("S68")
def test_a_source_in_most_prompts_is_a_dump_however_small_it_is_beside_the_others() -> None:
    def own(number: int) -> str:
        lines = "".join(f"Part {number} has a rule {line} of its own.\n" for line in range(600))
        return FENCE.replace("def login(): ...", lines)

    texts = [
        prompt(data=f"{own(number)}\n{FENCE.replace('def login(): ...', README)}\n{own(-number)}")
        for number in range(1, 4)
    ]

    assert broken(workflow(*texts)) == {task: ["P17"] for task in ("t0", "t1", "t2")}


def test_a_template_body_given_as_shared_may_repeat_around_equal_arguments() -> None:
    body = f"{README}Look for {{{{ focus }}}}.\n{README.replace('readme', 'guide')}"
    rendered = prompt(data=body.replace("{{ focus }}", "leaks"))
    texts = [f"{rendered}\n{number}" for number in range(3)]

    assert broken({text: fingerprint(text, shared=[body]) for text in texts}) == {}
    assert set(broken({text: fingerprint(text) for text in texts})) == set(texts)


def test_shared_texts_and_the_output_sections_may_repeat() -> None:
    prints = {
        str(number): fingerprint(
            prompt(task=f"Check part {number}.", data=README, output=README, constraints=README),
            shared=[README],
        )
        for number in range(3)
    }

    assert broken(prints) == {}


@pytest.mark.requirement("S69")
def test_identical_prompts_are_found_though_their_nonces_differ() -> None:
    prints = workflow(prompt(), prompt().replace("5e1f", "77aa"), prompt(task="Check names."))

    assert broken(prints) == {"t0": ["P26"], "t1": ["P26"]}


@pytest.mark.requirement("S69")
def test_partitions_with_the_same_instructions_are_not_identical() -> None:
    assert broken(workflow(prompt(), prompt(data=FENCE.replace("login", "logout")))) == {}


def test_panel_prompts_that_differ_only_in_the_role_are_found() -> None:
    prints = {
        role: fingerprint(prompt(role=f"You are {article} {role}."), role=role)
        for article, role in (("a", "security expert"), ("an", "architect"))
    }
    prints["cost"] = fingerprint(
        prompt(role="You are a cost expert.", constraints="- Judge cost."), role="cost expert"
    )

    assert broken(prints) == {"security expert": ["P23"], "architect": ["P23"]}


def test_one_prompt_is_judged_from_counts_as_it_is_among_all() -> None:
    prints = workflow(*[prompt(task=f"Check part {n % 4}.", data=README) for n in range(6)])
    counts: Counter[int] = Counter()
    for each in prints.values():
        counts.update(each.keys)

    one_by_one = {task: check_against(each, counts, 6) for task, each in prints.items()}

    assert one_by_one == check_across(prints)
    assert {len(findings) for findings in one_by_one.values()} == {1, 2}


def test_a_thousand_prompts_are_judged_together() -> None:
    prints = workflow(*[prompt(task=f"Check part {n}.", data=README) for n in range(1_000)])

    assert len(check_across(prints)) == 1_000


def test_a_fingerprint_is_the_same_in_every_process_and_survives_json() -> None:
    mine = fingerprint("word " * 41 + "\nend", role="word")

    whole, masked, blocks = json.loads(json.dumps(mine))

    assert mine == Fingerprint(266202826314366, 151861677404008, ((65466148478386, 1),))
    assert Fingerprint(whole, masked, tuple(map(tuple, blocks))) == mine


def test_a_fingerprint_is_bounded() -> None:
    mine = fingerprint("".join(f"line {number} of many\n" for number in range(5_000)))

    assert len(mine.blocks) == 33
    assert max(mine.keys) < 2**48


def test_every_phrase_that_blocks_has_a_stem_that_is_looked_for_first() -> None:
    def has_stem(words: Iterable[str]) -> bool:
        return any(stem in word for word in words for stem in ORDER_STEMS)

    missed = [
        phrase
        for phrase in PHRASES
        if phrase.rule in ORDERING
        and not has_stem(phrase.words)
        and not (phrase.near and all(has_stem([word]) for word in phrase.near))
    ]

    assert missed == []


def sections_of(text: str) -> list[tuple[str, str]]:
    pieces = re.split("^## (.+)\n", text, flags=re.MULTILINE)
    return list(zip(pieces[1::2], pieces[2::2], strict=True))


@pytest.mark.parametrize(
    "text",
    [
        prompt(task="Deploy the code below."),
        prompt(constraints="- Spawn two sub-agents."),
        prompt(role=" "),
        prompt(output="Use <result> tags."),
        prompt(constraints="- Keep the word order.\n" * 520),
    ],
)
def test_a_section_that_may_block_is_told_from_one_that_does_not(text: str) -> None:
    assert not may_block(sections_of(prompt()), frozenset(FIXED))
    assert may_block(sections_of(text), frozenset(FIXED))


@pytest.mark.requirement("S157")
@pytest.mark.parametrize(
    ("label", "work"),
    [
        ("Extract the dates of all invoices", "mechanical"),
        ("Review the login code", "judgement"),
        ("Write the release notes", None),
        ("The review of the login code", None),
        ("", None),
    ],
)
def test_the_first_verb_of_a_label_tells_the_sort_of_work(label: str, work: str | None) -> None:
    assert work_of(label) == work


# Hostile input

SIZE = 200_000
HOSTILE = {
    "one word": "a" * SIZE,
    "one sentence": "and deploy the " * (SIZE // 15),
    "late shield": "filler " * (SIZE // 14) + "never " + "and send the " * (SIZE // 26),
    "orders": "Deploy it. Spawn agents. Fix it. " * (SIZE // 33),
    "dots": "a." * (SIZE // 2),
    "marks": "- " * (SIZE // 2),
    "lines": "a\n" * (SIZE // 2),
    "headings": "## Task\n" * (SIZE // 8),
    "open fences": '<data-1 source="" trust="untrusted">\n' * (SIZE // 37),
    "half fences": "<data-" * (SIZE // 6),
    "closed fences": '<data-1 source="" trust="untrusted">\n</data-1>\n' * (SIZE // 47),
    "code": "```\n" * (SIZE // 4),
    "json": "## Output Format\n```json\n" + "[" * SIZE,
    "paths": "## Task\n" + "Read a/b.py, " * (SIZE // 13),
    "speakers": "User: hi\n" * (SIZE // 9),
    "braces": "{{" * (SIZE // 2),
    "spaces": " " * SIZE,
    "quotes": "'" * SIZE,
    "unicode": "\u2019\u0130\u00df\ud800" * (SIZE // 4),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_findings_stay_few_and_short_on_hostile_text(text: str) -> None:
    facts = PromptFacts(text=text, needs_schema=True, siblings=(text,) * 3, path_only=(text,))
    mine = fingerprint(text, shared=[text], role="a")
    findings = check(facts) + check_against(mine, Counter(mine.keys), 1)

    assert max(Counter(each.rule for each in findings).values()) <= 5
    assert max(len(each.what + each.where + each.excerpt) for each in findings) <= 400


@given(st.text(), st.frozensets(st.text(max_size=5)))
def test_any_text_is_checked(text: str, fixed: frozenset[str]) -> None:
    findings = check(PromptFacts(text=text, fixed=fixed))

    assert "P01" in {each.rule for each in findings}
