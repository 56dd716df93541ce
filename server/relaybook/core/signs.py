"""Signs that a text from elsewhere tries something; they are flags, no verdict."""

import re

from relaybook.core.fence import MARK, TAG, TURN
from relaybook.core.visible import INVISIBLE, LINE_BREAK, PLAIN, SELECTORS, without

_OVERRIDDEN = (
    r"\s{1,5}(?:\w{1,12}\s{1,5}){0,3}(?:previous|prior|above|earlier|system|your)"
    r"\s{1,5}(?:\w{1,12}\s{1,5}){0,2}(?:instructions?|prompts?|rules|constraints)"
)
#: What to look for in text from elsewhere: how it begins, and how it goes on. The first are
#: looked for in lower case.
_LOWER_SIGNS = (
    ("override", "ignore", _OVERRIDDEN),
    ("override", "disregard", _OVERRIDDEN),
    ("override", "forget", _OVERRIDDEN),
    ("override", "override", _OVERRIDDEN),
    ("override", "you are now", r"\b"),
    ("override", "new instruction", r"s?\s{0,3}:"),
    ("override", "reveal your", r" (?:system )?prompt"),
    ("tool_call", "<", r"/?(?:tool_call|function_calls?|tool_use|invoke|parameter)\b"),
    ("tool_call", '"tool_calls"', r"\s{0,3}:"),
    ("tool_call", '"function_call"', r"\s{0,3}:"),
    ("tool_call", '"tool_use"', r"\s{0,3}:"),
    ("tool_call", "<|python_tag|>", ""),
    ("tool_call", "[tool_calls]", ""),
)
_SIGNS = (
    ("secret", "AKIA", r"[0-9A-Z]{16}\b"),
    ("secret", "gh", r"[pousr]_[0-9A-Za-z]{36}"),
    ("secret", "github_pat_", "[0-9A-Za-z_]{22}"),
    ("secret", "sk-", "[0-9A-Za-z_-]{20}"),
    ("secret", "xox", "[abprs]-[0-9A-Za-z-]{10}"),
    ("secret", "AIza", "[0-9A-Za-z_-]{35}"),
    ("secret", "-----BEGIN ", "[A-Z ]{0,20}PRIVATE KEY-----"),
    ("template_mark", "{", "[{%]"),
    ("template_mark", "${", ""),
)


def _pattern(word: str, rest: str) -> re.Pattern[str]:
    """An expression that begins with a literal text, which is found many times as fast as any
    other; so whether a word begins there is asked behind it.
    """
    start = re.escape(word)
    apart = rf"(?<!\w{start})" if word[0].isalnum() else ""
    return re.compile(start + apart + rest)


_LOWER_PATTERNS = [(name, _pattern(word, rest)) for name, word, rest in _LOWER_SIGNS]
_EXACT_PATTERNS = [(name, _pattern(word, rest)) for name, word, rest in _SIGNS]


def scan(text: str) -> tuple[str, ...]:
    """The names of the suspicious patterns that `text` holds; flags, no verdict."""
    plain = LINE_BREAK.sub("\n", text) if without(PLAIN, text) else text
    # Only ASCII letters are made lower, which costs a tenth where others are in the text.
    lower = plain.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
    found = [name for name, pattern in _LOWER_PATTERNS if pattern.search(lower)]
    found += [name for name, pattern in _EXACT_PATTERNS if pattern.search(plain)]
    if TAG.search(plain) or ("INST" in plain and MARK.search(plain)):
        found.append("fence_or_tag")
    if TURN.search(f"\n{plain}"):
        found.append("chat_turn")
    odd = without(PLAIN, plain)
    if INVISIBLE.search(odd) or (SELECTORS.search(odd) and SELECTORS.search(plain)):
        found.append("hidden_characters")
    return tuple(dict.fromkeys(found))
