"""The phrases that break a rule, as data, and the one pass that finds them all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from relaybook.core.prompt_rules.rule import MOST, Hit, hit_at
from relaybook.core.prompt_rules.sentences import Clauses, Sentence, word_set

#: How far behind a verb the noun may stand that makes it an order to spawn, in words.
_REACH = 8


class Phrase(NamedTuple):
    """Words in a row, '*' for any one word, and where they break the rule."""

    rule: str
    words: tuple[str, ...]
    #: Only in this section; '' is anywhere.
    section: str = ""
    #: Only where an order begins: 'deploy it', not 'the deploy script'.
    ordered: bool = False
    #: Not in a sentence that forbids or describes: 'do not spawn agents'.
    shieldable: bool = False
    #: Only if one of these words follows.
    near: frozenset[str] = frozenset()
    #: Not if one of these words follows.
    unless: frozenset[str] = frozenset()


_SUB_AGENTS = word_set("sub-agent sub-agents subagent subagents sub-worker sub-workers sub-tasks")
#: What stands in a file of the workspace, so that who deletes it stays there.
_CODE = word_set(
    "import imports comment comments line lines function functions method methods class classes "
    "variable variables parameter parameters assertion assertions whitespace code"
)
#: Where a program sends something, so that a sentence about it is about code.
_PROGRAM = word_set("log logs logger stderr stdout handler handlers callback callbacks")
#: What is built of parts that orchestrate, and is a thing to work on.
_SOFTWARE = word_set("class module code service function api file loop tests")
_AGENTS = _SUB_AGENTS | word_set("agent agents worker workers assistants sessions")


def _phrases(
    rule: str,
    text: str,
    *,
    section: str = "",
    ordered: bool = False,
    shieldable: bool = False,
    near: frozenset[str] = frozenset(),
    unless: frozenset[str] = frozenset(),
) -> Iterator[Phrase]:
    for phrase in text.split(";"):
        yield Phrase(rule, tuple(phrase.split()), section, ordered, shieldable, near, unless)


PHRASES: tuple[Phrase, ...] = (
    *_phrases(
        "P05",
        "look into; deal with; as appropriate; as needed; if necessary; etc; and so on; and the like",
        section="Task",
    ),
    *_phrases(
        "P05",
        "improve; handle; enhance; clean up; tidy up; do something",
        section="Task",
        ordered=True,
    ),
    *_phrases("P12", "the orchestrator", shieldable=True, unless=_SOFTWARE),
    *_phrases(
        "P12",
        "one of * workers; one of * agents; one of several workers; another agent; another worker;"
        "other workers; other agents; other subtasks; you are worker; your peers;"
        "in parallel with the; in parallel with other; in parallel with your;"
        "part of a larger workflow; part of a larger project;"
        "you are a sub-agent; you are a subagent; multi-agent workflow; we split this",
        shieldable=True,
    ),
    *_phrases(
        "P13",
        "as we discussed; as discussed; earlier you said; you said earlier; as you said;"
        "you mentioned; our conversation; our chat; in my last message; as i said; as i mentioned;"
        "our previous conversation; our earlier conversation; in this chat; our discussion",
    ),
    *_phrases(
        "P14",
        "the file above; the code above; the document above; as mentioned; mentioned earlier;"
        "our project; our codebase; our repository; our repo; as usual; as before; like last time;"
        "as you know; where you left off; the aforementioned; do the same",
    ),
    *_phrases("P15", "spawn", shieldable=True, near=_AGENTS),
    *_phrases(
        "P15", "spin up; launch; start; create; use; run; hire", shieldable=True, near=_SUB_AGENTS
    ),
    *_phrases("P15", "spin up; launch", ordered=True, shieldable=True, near=word_set("agents")),
    *_phrases("P15", "delegate; orchestrate", ordered=True, shieldable=True),
    *_phrases("P15", "sessions_spawn", shieldable=True),
    *_phrases(
        "P15",
        "ask another agent; let another agent; have another agent;"
        "to a second agent; new agent session",
        shieldable=True,
    ),
    *_phrases("P16", "delete", ordered=True, shieldable=True, unless=_CODE),
    *_phrases("P16", "push", ordered=True, shieldable=True, unless=word_set("down")),
    *_phrases("P16", "send; publish", ordered=True, shieldable=True, unless=_PROGRAM),
    *_phrases(
        "P16",
        "email; deploy; pay; purchase; sudo; git push; merge the pull request",
        ordered=True,
        shieldable=True,
    ),
    *_phrases("P16", "run sudo; use sudo; run git push; git push origin", shieldable=True),
    *_phrases(
        "P16",
        "restart; install; remove; drop; upload; post",
        ordered=True,
        shieldable=True,
        near=word_set("production slack s3"),
    ),
    *_phrases(
        "P18",
        "years of experience; years experience; world-class; world class; renowned;"
        "award-winning; in the world; phd; passionate; passion for; legendary; a famous; brilliant;"
        "talented; exceptional; genius; seasoned; top-tier; highly experienced; highly skilled",
        section="Role",
    ),
    *_phrases(
        "P22",
        "only json; json only; only valid json; only a json; only the json; nothing but json;"
        "no prose; no explanation; just json; just the json; raw json",
    ),
)

#: The rules about orders that block, and of each of their phrases, or of every word that has to
#: follow it, a part: a text without any of these breaks none of them.
ORDERING = frozenset({"P15", "P16"})
ORDER_STEMS = (
    "spawn", "sub", "delegate", "orchestrate", "send", "email", "publish", "push", "delete",
    "deploy", "pay", "purchase", "sudo", "agent", "pull", "production", "slack", "s3",
)  # fmt: skip

#: What looks like an order and is not.
_HARMLESS = frozenset(
    {("send", "back"), ("push", "notification"), ("push", "notifications"), ("email", "addresses")}
)


def _index(phrases: Iterable[Phrase]) -> Mapping[str, list[tuple[int, Phrase]]]:
    """Phrases by their longest word, which is the rarest in a text, with its place in them."""
    found: defaultdict[str, list[tuple[int, Phrase]]] = defaultdict(list)
    for phrase in phrases:
        word = max(phrase.words, key=len)
        found[word].append((phrase.words.index(word), phrase))
    return dict(found)


_BY_WORD = _index(PHRASES)


def find_phrases(sentences: Iterable[Sentence], task: bool) -> Mapping[str, list[Hit]]:
    """The first hits of each rule in a section, in order; `task` is whether it states the task."""
    found: defaultdict[str, list[Hit]] = defaultdict(list)
    for sentence in sentences:
        if sentence.fixed or _BY_WORD.keys().isdisjoint(sentence.words):
            continue
        clauses = Clauses(sentence)
        for at, word in enumerate(sentence.words):
            for offset, phrase in _BY_WORD.get(word, ()):
                hits = found[phrase.rule]
                if len(hits) < MOST and _stands(phrase, clauses, at - offset, task):
                    hits.append(hit_at(sentence.line))
    return dict(found)


def _stands(phrase: Phrase, clauses: Clauses, start: int, task: bool) -> bool:
    words = clauses.sentence.words
    end = start + len(phrase.words)
    section = "Task" if task else clauses.sentence.line.section
    return (
        start >= 0
        and _same(phrase.words, words[start:end])
        and phrase.section in ("", section)
        and (not phrase.near or not phrase.near.isdisjoint(words[end : end + _REACH]))
        and phrase.unless.isdisjoint(words[end : end + _REACH])
        and (not phrase.ordered or clauses.starts(start))
        and not (phrase.shieldable and clauses.shielded(start))
        and words[start : start + 2] not in _HARMLESS
    )


def _same(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return pattern == words or (
        "*" in pattern
        and len(pattern) == len(words)
        and all(wanted in ("*", word) for wanted, word in zip(pattern, words, strict=True))
    )
