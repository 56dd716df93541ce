"""The caller's own part of a plan, by the words that name it: to supervise, and to reduce."""

import re

from relaybook.core.prompt_rules.sentences import word_set

_WORD = re.compile(r"[^\W_]+")
_SUPERVISING = word_set("supervisor orchestrator")
_REDUCING = word_set("reduce reducer reduction aggregate aggregator aggregation")
_MERGING = _REDUCING | word_set("merge combine consolidate synthesise synthesize synthesis")
#: Words that may stand beside those, with which a label still names the part and no other work.
_BESIDE_SUPERVISING = word_set("the a an act as be you are lead chief head main agent worker role")
_BESIDE_REDUCING = word_set(
    "the a an all of from into and final last step task phase map worker workers partial "
    "partition partitions part parts output outputs result results one report summary"
)


def role_supervises(role: str) -> bool:
    """Whether `role` is that of the supervisor; an expert for container orchestrators is none."""
    return _names_only(role, _SUPERVISING, _BESIDE_SUPERVISING)


def label_supervises(label: str) -> bool:
    """Whether what stands before the first colon or comma is the role of a supervisor."""
    return role_supervises(re.split("[:,;]", label, maxsplit=1)[0])


def reduces(task_id: str, label: str) -> bool:
    """Whether an id or a label names the reduce step; a label may say it in more words."""
    return _names_only(task_id, _REDUCING, _BESIDE_REDUCING) or _names_only(
        label, _MERGING, _BESIDE_REDUCING
    )


def _names_only(text: str, part: frozenset[str], beside: frozenset[str]) -> bool:
    words = _words(text)
    return not part.isdisjoint(words) and words <= part | beside


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
