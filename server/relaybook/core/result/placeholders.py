"""Text that stands where content was meant to be."""

import re

#: What only unfinished text holds; compared in lower case with spaces collapsed.
PHRASES = (
    "lorem ipsum",
    "<placeholder",
    "[placeholder",
    "<insert ",
    "[insert ",
    "your text here",
    "... rest of the",
)

_WORDS = r"(?:TODO|TBD|FIXME|XXX|(?i:to be (?:done|decided|determined|filled in)))"
#: A word that opens a line (behind bullets and comment signs), that a colon or bracket follows,
#: or that is all there is in a cell or behind a colon: it takes the place of content.
_SURE = re.compile(
    rf"^[ \t#/*;>\[<(|-]{{0,20}}({_WORDS})\b"
    rf"|\b({_WORDS}) ?[:(]"
    rf"|[:|=] {{0,4}}({_WORDS}) {{0,4}}(?:[|,.;)]|$)",
    re.MULTILINE,
)
#: The same words elsewhere, where the text may be about them: "removed 3 TODO comments".
_ANY = re.compile(rf"\b{_WORDS}\b")


def sure_placeholders(text: str) -> tuple[str, ...]:
    """The placeholders that take the place of content, each once; linear in the text."""
    lower = " ".join(text.lower().split())
    phrases = [phrase.strip() for phrase in PHRASES if phrase in lower]
    words = ["".join(groups) for groups in _SURE.findall(text)]
    return tuple(dict.fromkeys(phrases + words))


def likely_placeholders(text: str) -> tuple[str, ...]:
    """The words of placeholders wherever they stand, each once; linear in the text."""
    return tuple(dict.fromkeys(_ANY.findall(text)))
