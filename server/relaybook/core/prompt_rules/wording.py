"""Rules about what a prompt must not say: vague words, other tasks, orchestration, deeds."""

import re
from collections.abc import Iterator

from relaybook.core.prompt_rules.example import one, prompt
from relaybook.core.prompt_rules.instructions import Instructions
from relaybook.core.prompt_rules.part import Part
from relaybook.core.prompt_rules.prompt_text import Kind
from relaybook.core.prompt_rules.reading import Checked, Reading, phrases_of
from relaybook.core.prompt_rules.rule import Hit, Rule, hit_at
from relaybook.core.prompt_rules.sentences import words_of
from relaybook.core.severity import Severity
from relaybook.model import Tier

#: How many siblings are looked for in one prompt.
_SIBLINGS = 100
_SPEAKER = re.compile(r"\W{0,4}(?:user|assistant|human|ai)\W{0,2}:", re.IGNORECASE)
#: One turn of a conversation that was put in as data, where a line may be marked as quoted. It
#: begins with the end of the line before, so that only beginnings of lines are tried.
_TURN = re.compile(r"\n[^\w\n]{0,4}(user|human|assistant)[^\w\n]{0,2}:")
#: From so many turns on, with an assistant among them, data is a conversation.
_TURNS = 3
#: What a verb may have for its whole object without a word of what is meant.
_POINTERS = frozenset((word,) for word in ("it", "this", "that", "them"))
#: Tiers that no worker may act at.
_ABOVE_WORKERS = frozenset({Tier.T3, Tier.T4})


def _sibling_text(reading: Reading) -> Iterator[Hit]:
    if not reading.facts.siblings:
        return
    free = (sentence for part in reading.outside.parts for sentence in part.free)
    words = (word for sentence in free for word in sentence.words)
    text = f" {' '.join(words)} "
    for label in reading.facts.siblings[:_SIBLINGS]:
        parts = words_of(label)
        telling = len(parts) >= 3 or (parts and len(label) >= 12)
        if telling and f" {' '.join(parts)} " in text:
            yield Hit("prompt", label, "The prompt names a sibling task.")


def _transcript(part: Part) -> Iterator[Hit]:
    for line in part.lines:
        written = line.kind is Kind.PROSE and line.text not in part.fixed
        if written and _SPEAKER.match(line.text):
            yield hit_at(line)
    yield from part.phrases.get("P13", ())


def _pasted_conversation(reading: Reading) -> Iterator[Hit]:
    for fence in reading.text.fences:
        body = fence.body.lower()
        if "assistant" in body:
            speakers = _TURN.findall(f"\n{body}")
            if len(speakers) >= _TURNS and 0 < speakers.count("assistant") < len(speakers):
                what = f"Data {fence.source[:60]!r} is a conversation with an assistant."
                yield Hit(fence.section, what=what)


def _nothing_below(reading: Reading) -> Iterator[Hit]:
    if reading.facts.lacks_material:
        yield Hit("Task", what="The task speaks of what stands below, and nothing was given.")


def _no_antecedent(outside: Instructions) -> Iterator[Hit]:
    for sentence in outside.task[:1]:
        if sentence.words[0] == "it" or sentence.words[1:] in _POINTERS:
            yield hit_at(sentence.line, "The task speaks of 'it' and does not say what.")


def _outward_deed(reading: Reading) -> Iterator[Hit]:
    if reading.facts.tier in _ABOVE_WORKERS:
        yield Hit("tier", what=f"The task is of tier {reading.facts.tier}; workers end at T2.")


CHECKED = (
    Checked(
        Rule(
            id="P05",
            severity=Severity.WARN,
            what="The task is worded vaguely.",
            why="Workers with vague tasks repeat each other's searches and stop at random.",
            fix="Say what to find or change, where, and how it is judged.",
            source="Anthropic, How we built our multi-agent research system (2025)",
            passing=one(prompt(task="Review how the login code below can handle lost sessions.")),
            failing=one(prompt(task="Look into the login code below.")),
        ),
        section=phrases_of("P05"),
    ),
    Checked(
        Rule(
            id="P11",
            severity=Severity.WARN,
            what="The prompt names a sibling task.",
            why="A worker that reads of other work does some of it, and it is done twice.",
            fix="Take out what the other workers do.",
            source="the playbook, what to exclude",
            passing=one(siblings=("Review the API", "Login")),
            failing=one(siblings=("Review the login code",)),
        ),
        _sibling_text,
    ),
    Checked(
        Rule(
            id="P12",
            severity=Severity.WARN,
            what="The prompt talks of the orchestration.",
            why="Why and with whom the work is shared does not help to do it, and distracts.",
            fix="Take the sentence out; the task stands alone.",
            source="the playbook, what to exclude",
            passing=one(
                prompt(constraints="- Do not touch files of other workers.\n- Done: 10 minutes.")
            ),
            failing=one(prompt(constraints="- You are one of five workers.\n- Done: 10 minutes.")),
        ),
        section=phrases_of("P12"),
    ),
    Checked(
        Rule(
            id="P13",
            severity=Severity.WARN,
            what="The prompt holds a conversation.",
            why="The worker took no part in it, and picks up wrong details.",
            fix="Write the prompt from scratch: state what was decided, not who said it.",
            source="the playbook, Context Dump",
            passing=one(prompt(task="Review the user: prefix parser below for injection.")),
            failing=one(prompt(data="User: can you check the login?\nAssistant: Sure.")),
        ),
        _pasted_conversation,
        section=_transcript,
    ),
    Checked(
        Rule(
            id="P14",
            severity=Severity.WARN,
            what="The prompt refers to something that is not in it.",
            why="Workers share no memory with you: what is not in the prompt does not exist.",
            fix="Name the thing, or put its content in.",
            source="the playbook, context minimization",
            passing=one(prompt(task="Review the code below, as described in RFC 6265.")),
            failing=one(prompt(task="Review the login of our project as before.")),
        ),
        prompt=_nothing_below,
        outside=_no_antecedent,
        section=phrases_of("P14"),
    ),
    Checked(
        Rule(
            id="P15",
            severity=Severity.ERROR,
            what="The prompt tells the worker to spawn or delegate.",
            why="A worker that starts workers makes a tree that nobody can trace or recover.",
            fix="Split the subtask in your own plan; you are the only orchestrator.",
            source="the playbook, Recursive Dream",
            passing=one(prompt(task="Review the code below and do not spawn sub-agents.")),
            failing=one(prompt(task="Spawn two sub-agents that review the code below.")),
        ),
        section=phrases_of("P15"),
    ),
    Checked(
        Rule(
            id="P16",
            severity=Severity.ERROR,
            what="The prompt orders a deed that reaches beyond the workspace.",
            why="Workers end at tier T2; a deed in the world needs the parent and its guardrails.",
            fix="Ask the worker to prepare the deed and to name it in `proposed_actions`.",
            source="the playbook, integration with agent-guardrails",
            passing=one(prompt(task="Propose how to build and deploy the service below.")),
            failing=one(prompt(task="Build the service below and deploy it to production.")),
        ),
        _outward_deed,
        section=phrases_of("P16"),
    ),
)
