"""Rules about what a prompt must hold: inputs, limits, done criteria, schema, model."""

import json
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from relaybook.core.prompt_rules.example import one, prompt
from relaybook.core.prompt_rules.instructions import Instructions
from relaybook.core.prompt_rules.part import Part, remembered
from relaybook.core.prompt_rules.prompt_text import Kind, Line
from relaybook.core.prompt_rules.reading import Checked, Reading
from relaybook.core.prompt_rules.rule import Hit, Rule, hit_at
from relaybook.core.prompt_rules.sentences import word_set
from relaybook.core.schema.check import find_problems
from relaybook.core.severity import Severity
from relaybook.errors import InvalidPlan

#: Words that name a time limit, a scope boundary, a done criterion, a stop condition.
_TIME = word_set("minutes minute min seconds hour hours time-limit deadline")
_SCOPE = word_set("only scope limit limited within except outside most")
_DONE = word_set("done finished complete success acceptance criterion criteria until")
_STOP = word_set("stop stops end budget most minutes attempts")
#: A don't-touch rule forbids one of these deeds, or protects a thing with one of these words.
_DEEDS = word_set("touch change modify edit write alter delete remove rename overwrite")
_FORBIDS = word_set("not never no nothing don't without cannot")
_PROTECTED = word_set("read-only unchanged untouched intact")
_KEPT = (word_set("leave as"), word_set("stay as"), word_set("stay same"))
#: Words that name a tool or a source, by what the worker needs.
_NEEDS: Mapping[str, frozenset[str]] = {
    "read": word_set("file files read repository folder path paths"),
    "web": word_set("web search searches url urls site sites internet pages source sources"),
    "run": word_set("run runs command commands execute tests script"),
}
_ANY_NEED = frozenset().union(*_NEEDS.values(), ("tool", "tools"))
#: Words that leave room for free text before the result.
_ROOM = word_set("reason reasoning think thinking notes free")
#: Keywords that tell a JSON Schema from an example.
_SCHEMA_KEYWORDS = word_set("type properties $ref $schema anyOf oneOf allOf enum items")


def _path_without_content(reading: Reading) -> Iterator[Hit]:
    facts = reading.facts
    if facts.worker_can_read:
        return
    for path in facts.path_only:
        yield Hit("inputs", path, "A path is given without its content.")
    known = "\n".join([*facts.path_only, *(f.source for f in reading.text.fences)]).lower()
    for line, word in _paths(reading.outside):
        if word not in known:
            what = f"The task names {word[:60]!r}; its content is not in the prompt."
            yield hit_at(line, what)._replace(severity=Severity.WARN)


@remembered
def _paths(outside: Instructions) -> list[tuple[Line, str]]:
    """The words of the task that look like a path, each with its line."""
    return [
        (sentence.line, word)
        for sentence in outside.task
        for word in sentence.words
        if "/" in word and _is_path(word)
    ]


def _is_path(word: str) -> bool:
    """Whether the word looks like 'src/auth.py'."""
    folder, _, name = word.rpartition("/")
    stem, _, extension = name.rpartition(".")
    # A host before the path, as in example.org/a.html, makes it an address.
    return bool(folder and stem) and extension.isalpha() and "." not in folder.partition("/")[0]


def _three_limits(reading: Reading) -> Iterator[Hit]:
    there = _limits(reading.outside)
    for name in ("time limit", "scope boundary", "don't-touch rule"):
        if name not in there and not (name == "time limit" and reading.facts.time_limit):
            yield Hit("Constraints", what=f"There is no {name}.")


@remembered
def _limits(outside: Instructions) -> frozenset[str]:
    """The limits that the constraints set."""
    parts = [part for part in outside.parts if part.title in ("Constraints", "")]
    found = [set(sentence.words) for part in parts for sentence in part.sentences]
    present = {
        "time limit": _names(found, _TIME),
        "scope boundary": _names(found, _SCOPE),
        "don't-touch rule": _names(found, _PROTECTED)
        or any(words & _DEEDS and words & _FORBIDS for words in found)
        or any(kept <= words for words in found for kept in _KEPT),
    }
    return frozenset(name for name, there in present.items() if there)


def _names(sentences: list[set[str]], words: Collection[str]) -> bool:
    return any(not found.isdisjoint(words) for found in sentences)


def _done_and_stop(reading: Reading) -> Iterator[Hit]:
    if not reading.facts.done and not reading.outside.names(_DONE):
        yield Hit("Constraints", what="There is no done criterion.")
    if not reading.facts.time_limit and not reading.outside.names(_STOP):
        yield Hit("Constraints", what="There is no stop condition.")


def _machine_schema(reading: Reading) -> Iterator[Hit]:
    if reading.facts.needs_schema and not any(map(_shows_schema, reading.outside.parts)):
        yield Hit("Output Format")


@remembered
def _shows_schema(part: Part) -> bool:
    return part.title == "Output Format" and any(map(_is_schema, _json_blocks(part)))


def _json_blocks(part: Part) -> Iterator[str]:
    """The ```json blocks of a section."""
    block: list[str] | None = None
    for line in part.lines:
        if line.kind is not Kind.CODE:
            continue
        if line.text.strip() == "```json":
            block = []
        elif block is not None and line.text.lstrip().startswith("```"):
            yield "\n".join(block)
            block = None
        elif block is not None:
            block.append(line.text)


def _is_schema(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and not _SCHEMA_KEYWORDS.isdisjoint(value)


def _example_fits(reading: Reading) -> Iterator[Hit]:
    schema, example = reading.facts.schema, reading.facts.example_result
    if schema is None or example is None:
        return
    texts = [json.dumps(value, default=str) for value in (schema, example)]
    if wrong := _disagreement(*texts):
        yield Hit("Output Format", what=f"The example does not fit the schema: {wrong}")


@lru_cache(maxsize=64)
def _disagreement(schema_text: str, example_text: str) -> str:
    """The first error of the example, or of the schema itself, or ''.

    Cached because a template keeps both, however many prompts it makes.
    """
    schema, example = json.loads(schema_text), json.loads(example_text)
    try:
        found = find_problems(example, schema)
    except InvalidPlan as refusal:
        return refusal.message
    if not found:
        return ""
    return "at {path!r} it {message}, not {expected}".format(**found[0])


def _tools_named(reading: Reading) -> Iterator[Hit]:
    needs = reading.facts.worker_needs
    for need in needs:
        if need in _NEEDS and not reading.outside.names(_NEEDS[need]):
            yield Hit("prompt", what=f"The worker needs {need!r}; nothing says where or with what.")
    if not (needs or reading.text.fences or reading.outside.names(_ANY_NEED)):
        yield Hit("prompt")


def _inputs_fit(reading: Reading) -> Iterator[Hit]:
    for name in reading.facts.unused:
        yield Hit("inputs", name, f"Input {name[:60]!r} is removable: the template never uses it.")
    for name in reading.facts.undeclared:
        yield Hit("inputs", name, f"Variable {name[:60]!r} is used and not declared.")


def _room_to_reason(outside: Instructions) -> Iterator[Hit]:
    if not outside.names(_ROOM):
        for part in outside.parts:
            yield from part.phrases.get("P22", ())


def _fitting_model(reading: Reading) -> Iterator[Hit]:
    match reading.facts.work, reading.facts.model_hint:
        case "mechanical", "expert":
            yield Hit("model hint", what="Mechanical work is sent to an expert model.")
        case "judgement", "cheap":
            yield Hit("model hint", what="Work of judgement is sent to a cheap model.")
        case ("mechanical" | "judgement") as work, None:
            what = f"The work is {work} and no model hint says so."
            yield Hit("model hint", what=what, severity=Severity.INFO)
        case _:
            pass


CHECKED = (
    Checked(
        Rule(
            id="P06",
            severity=Severity.ERROR,
            what="A path stands for content that the worker cannot open.",
            why="The worker shares no file with you: it will fail, or invent the content.",
            fix="Pass the content as a source input, or set worker_can_read where the worker can.",
            source="the playbook, what to include",
            passing=one(path_only=("src/auth.py",), worker_can_read=True),
            failing=one(path_only=("src/auth.py",)),
        ),
        _path_without_content,
    ),
    Checked(
        Rule(
            id="P07",
            severity=Severity.WARN,
            what="Constraints lack a time limit, a scope boundary or a don't-touch rule.",
            why="A worker without bounds widens its task, runs out of time, or breaks other work.",
            fix="Say until when, how far, and what must stay as it is.",
            source="the playbook, what to include",
            passing=one(prompt(constraints="- Only src/.\n- 10 minutes.\n- Never edit tests.")),
            failing=one(
                prompt(constraints="- Only src/.\n- Stop after 10 minutes.\n- Done is done.")
            ),
        ),
        _three_limits,
    ),
    Checked(
        Rule(
            id="P08",
            severity=Severity.WARN,
            what="There is no done criterion, or no stop condition.",
            why="A worker that does not know when it is done stops too early or never: 12.4 % of "
            "the failures in MAST are unawareness of the end.",
            fix="Say what done looks like, and when to stop though it is not reached.",
            source="MAST modes 1.5 and 3.1 (arXiv 2503.13657)",
            passing=one(done=("Each finding names a line.",)),
            failing=one(prompt(constraints="- Change only this file.\n- It is small.")),
        ),
        _done_and_stop,
    ),
    Checked(
        Rule(
            id="P09",
            severity=Severity.ERROR,
            what="Output Format has no JSON Schema, and the aggregation needs fields.",
            why="Outputs that each worker shapes as it likes cannot be merged.",
            fix="Put the JSON Schema of the result into Output Format as a ```json block.",
            source="the playbook, what to include",
            passing=one(needs_schema=True),
            failing=one(prompt(output="A list of findings."), needs_schema=True),
        ),
        _machine_schema,
    ),
    Checked(
        Rule(
            id="P10",
            severity=Severity.ERROR,
            what="The example does not fit the schema.",
            why="The worker follows the example, and its result is refused.",
            fix="Correct the example or the schema, so that the example validates.",
            source="the five-point scale whose example had three points",
            passing=one(schema={"enum": [1, 2, 3]}, example_result=3),
            failing=one(schema={"enum": [1, 2, 3]}, example_result=5),
        ),
        _example_fits,
    ),
    Checked(
        Rule(
            id="P19",
            severity=Severity.INFO,
            what="No tool and no source is named.",
            why="Workers without named sources search the same places and repeat each other.",
            fix="Name the files, sites or commands to work with.",
            source="Anthropic, How we built our multi-agent research system (2025)",
            passing=one(worker_needs=("read",)),
            failing=one(worker_needs=("web",)),
        ),
        _tools_named,
    ),
    Checked(
        Rule(
            id="P21",
            severity=Severity.WARN,
            what="An input is not used, or a variable is not declared.",
            why="An unused input costs words for nothing; an undeclared one is missing when needed.",
            fix="Drop the input, or declare the variable in the template.",
            source="the playbook, the context budget",
            passing=one(),
            failing=one(unused=("history",)),
        ),
        _inputs_fit,
    ),
    Checked(
        Rule(
            id="P22",
            severity=Severity.INFO,
            what="JSON only is asked for, with no room to reason.",
            why="Writing in a strict format from the first word lowers the quality of reasoning.",
            fix="Allow free text before the result block.",
            source="Tam et al. 2024, Let Me Speak Freely (arXiv 2408.02442)",
            passing=one(prompt(output="Return only JSON.")),
            failing=one(prompt(output="Return only JSON.", interface="Use <result> tags.")),
        ),
        outside=_room_to_reason,
    ),
    Checked(
        Rule(
            id="P25",
            severity=Severity.WARN,
            what="The model does not fit the work.",
            why="An expert model wastes money on mechanical work; a cheap one fails at judgement.",
            fix="Hint 'cheap' for mechanical work and 'expert' for work of judgement.",
            source="the playbook, cost awareness",
            passing=one(work="mechanical", model_hint="cheap"),
            failing=one(work="mechanical", model_hint="expert"),
        ),
        _fitting_model,
    ),
)
