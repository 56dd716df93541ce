"""Rules about the shape of a prompt: sections, size, one task, one sentence of role, fences."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from relaybook.core.prompt_rules.example import FENCE, one, prompt
from relaybook.core.prompt_rules.instructions import Instructions
from relaybook.core.prompt_rules.part import Part
from relaybook.core.prompt_rules.prompt_text import SECTIONS, Kind
from relaybook.core.prompt_rules.reading import Checked, Reading
from relaybook.core.prompt_rules.rule import Hit, Rule, hit_at, place
from relaybook.core.prompt_rules.sentences import Sentence, orders, word_set
from relaybook.core.severity import Severity

#: Words outside the fences, of context, of data: above these a prompt is too long.
INSTRUCTION_WORDS, CONTEXT_WORDS, DATA_WORDS = 500, 500, 4_000
#: From here the instructions are an error.
MONOLITH_WORDS = 2_000
#: A ``` block of so many lines outside the output sections is data, and so is a paragraph of so
#: many words among the input.
_DATA_LINES, _PASTED_WORDS = 10, 40
_OUTPUT = frozenset({"Output Format", "Output Interface"})
#: Verbs that name a deliverable when they give an order.
DELIVERS = word_set(
    "write review build create draft implement fix design document translate refactor test analyse "
    "analyze summarise summarize research compare audit migrate extract classify generate prepare "
    "investigate deploy rewrite add update produce convert port rename optimise optimize"
)
_TAG = re.compile("</?(?:result|data-)")
_MARK = re.compile(
    r"\{[{%#]|orem ipsum|[\[<](?:insert|your)\b|\b(?:TODO|FIXME|XXX|TBD)\b"
    r"(?! (?:lists?|comments?|items?|notes?|app)\b)"
)


def _five_sections(reading: Reading) -> Iterator[Hit]:
    titles = reading.outside.titles
    empty = _empty_sections(reading)
    if titles == SECTIONS and not empty:
        return
    times = Counter(titles)
    wrong = {
        "missing": [title for title in SECTIONS if not times[title]],
        "unknown": [title for title in times if title not in SECTIONS],
        "repeated": [title for title in SECTIONS if times[title] > 1],
        "empty": empty,
    }
    for word, found in wrong.items():
        if found:
            yield Hit("prompt", what=f"Sections {word}: {', '.join(found[:5])}.")
    if sorted(titles) == sorted(SECTIONS) and titles != SECTIONS:
        yield Hit("prompt", what=f"The sections stand in the order {', '.join(titles)}.")


def _empty_sections(reading: Reading) -> list[str]:
    bare = [p.title for p in reading.outside.parts if p.title in SECTIONS and not p.text.strip()]
    if not bare:
        return []
    filled = {fence.section for fence in reading.text.fences}
    filled.update(part.title for part in reading.outside.parts if part.text.strip())
    return [title for title in bare if title not in filled]


def _result_instruction(outside: Instructions) -> Iterator[Hit]:
    interfaces = (part for part in outside.parts if part.title == "Output Interface")
    if not any("<result>" in part.text for part in interfaces):
        yield Hit("Output Interface", what="Output Interface does not ask for <result> tags.")


def _tags_named(part: Part) -> Iterator[Hit]:
    if part.title == "Output Interface":
        return
    for line in part.lines:
        if "<result>" in line.text and line.text not in part.fixed:
            yield hit_at(line, "<result> is named outside Output Interface.")


def _too_long(reading: Reading) -> Iterator[Hit]:
    words = reading.words
    for name, size, limit in (
        ("instructions", words.instruction, INSTRUCTION_WORDS),
        ("context", words.context, CONTEXT_WORDS),
        ("data", words.data, DATA_WORDS),
    ):
        if size > limit:
            monolith = name == "instructions" and size >= MONOLITH_WORDS
            severity = Severity.ERROR if monolith else Severity.WARN
            yield Hit("prompt", "", f"{size} words of {name}; the limit is {limit}.", severity)


def _worded_task(reading: Reading) -> Iterator[Hit]:
    in_task = any(fence.section == "Task" for fence in reading.text.fences)
    if in_task and not any(map(_states_task, reading.outside.task)):
        yield Hit("Task", what="No sentence outside the fences says what to do.")


def _states_task(sentence: Sentence) -> bool:
    return not sentence.line.part and not sentence.item


def _one_deliverable(outside: Instructions) -> Iterator[Hit]:
    task = list(filter(_states_task, outside.task))
    first = [sentence for sentence in task if sentence.paragraph == task[0].paragraph]
    if len(first) > 1:
        yield hit_at(first[1].line, f"The task is {len(first)} sentences.")
    found = ordering(task)
    if len(found) > 1:
        yield hit_at(found[1].line, f"The task orders {len(found)} deliverables.")


def ordering(sentences: Iterable[Sentence]) -> list[Sentence]:
    """A sentence for each deliverable that one orders."""
    return [sentence for sentence in sentences for _ in range(orders(sentence, DELIVERS))]


def _role_of_one_sentence(part: Part) -> Iterator[Hit]:
    if part.title == "Role" and len(part.free) > 1:
        yield hit_at(part.free[1].line, f"The role is {len(part.free)} sentences.")
    yield from part.phrases.get("P18", ())


def _fenced_data(reading: Reading) -> Iterator[Hit]:
    for fence in reading.text.fences:
        if "<" in fence.body and _TAG.search(fence.body):
            what = f"The data of {fence.source[:60]!r} holds a tag that ends a fence or a result."
            yield Hit(place(fence.section, fence.line), what=what)


def _unfenced(part: Part) -> Iterator[Hit]:
    for is_code, block in groupby(part.lines, lambda line: line.kind is Kind.CODE):
        lines = list(block)
        if is_code and len(lines) > _DATA_LINES and lines[0].section not in _OUTPUT:
            yield hit_at(lines[0], f"A block of {len(lines)} lines stands outside the fences.")
        elif not is_code and (opened := [line for line in lines if line.text.startswith("<data-")]):
            yield hit_at(opened[0], "A fence is opened and not closed.")
    yield from _pasted(part)


def _pasted(part: Part) -> Iterator[Hit]:
    prose = (each for each in part.free if each.line.part == "Input Data" and not each.item)
    for _, paragraph in groupby(prose, lambda sentence: sentence.paragraph):
        found = list(paragraph)
        if sum(len(sentence.words) for sentence in found) > _PASTED_WORDS:
            yield hit_at(found[0].line, "A paragraph of data stands outside the fences.")


def _left_over_marks(part: Part) -> Iterator[Hit]:
    for line in part.lines:
        readable = line.kind is not Kind.CODE and line.text not in part.fixed
        if readable and _MARK.search(line.text):
            yield hit_at(line)


CHECKED = (
    Checked(
        Rule(
            id="P01",
            severity=Severity.ERROR,
            what="The prompt is not the five sections, in order, each filled.",
            why="A worker remembers nothing: what a missing section would say, it will guess.",
            fix=f"Write the H2 sections {', '.join(SECTIONS)}, in this order, and fill each.",
            source="the playbook, step 3: generate task prompts",
            passing=one(),
            failing=one(prompt().replace("## Role", "Role:")),
        ),
        _five_sections,
    ),
    Checked(
        Rule(
            id="P02",
            severity=Severity.ERROR,
            what="The <result> tags are not asked for in Output Interface, and only there.",
            why="Without tags the result cannot be found; named elsewhere, they are copied early.",
            fix="Ask for <result> and </result> in Output Interface and nowhere else.",
            source="the playbook, what to include",
            passing=one(),
            failing=one(prompt(interface="Give the result as JSON.")),
        ),
        outside=_result_instruction,
        section=_tags_named,
    ),
    Checked(
        Rule(
            id="P03",
            severity=Severity.WARN,
            what=f"More than {INSTRUCTION_WORDS} words of instructions or of context, or more than "
            f"{DATA_WORDS} of data.",
            why="Context is the first cause of failed orchestration, before the choice of pattern and "
            "monitoring: a worker drowns in text, and each word is paid once for each worker.",
            fix="Decompose further, into subtasks of your own plan. Context that does not fit "
            "500 words is not decomposed enough; of data pass only the part that is needed.",
            source="the playbook, Context Dump and Monolith Spawn",
            passing=one(context=("word " * CONTEXT_WORDS,)),
            failing=one(prompt(constraints="- Keep the word order.\n" * 120)),
        ),
        _too_long,
    ),
    Checked(
        Rule(
            id="P04",
            severity=Severity.WARN,
            what="The task is not one sentence with one deliverable.",
            why="Of two deliverables one is done worse or forgotten, and neither can be retried alone.",
            fix="State one deliverable in one sentence; make the other one a subtask.",
            source="the playbook, Monolith Spawn; MAST mode 1.1 (arXiv 2503.13657)",
            passing=one(prompt(task="Review the design and test coverage of src/auth.py below.")),
            failing=one(prompt(task="Review the login code below and write the missing tests.")),
        ),
        _worded_task,
        _one_deliverable,
    ),
    Checked(
        Rule(
            id="P18",
            severity=Severity.WARN,
            what="The role is longer than one sentence, or praises the worker.",
            why="Praise does not make an answer more accurate, and it costs words.",
            fix="Name the expertise in one sentence, and put criteria into Constraints.",
            source="Zheng et al. 2024, personas in system prompts (arXiv 2311.10054)",
            passing=one(prompt(role="You are a reviewer of Python services.")),
            failing=one(prompt(role="You are a world-class reviewer of Python services.")),
        ),
        section=_role_of_one_sentence,
    ),
    Checked(
        Rule(
            id="P20",
            severity=Severity.WARN,
            what="Data is not fenced, or can end its fence.",
            why="Text from outside that stands among instructions is obeyed like them.",
            fix="Pass the text as an input, so that it is fenced and its tags are neutralised.",
            source="Hines et al. 2024, spotlighting (arXiv 2403.14720)",
            passing=one(),
            failing=one(prompt(data=FENCE.replace("def", "</data-0000>\ndef"))),
        ),
        _fenced_data,
        section=_unfenced,
    ),
    Checked(
        Rule(
            id="P24",
            severity=Severity.INFO,
            what="A template mark or a placeholder is left over.",
            why="The worker reads the mark as text and fills it with a guess.",
            fix="Give the value, or take the line out.",
            source="hygiene",
            passing=one(prompt(task="Build the form that adds an entry to the todo list.")),
            failing=one(prompt(task="Review the {{ language }} code below.")),
        ),
        section=_left_over_marks,
    ),
)
