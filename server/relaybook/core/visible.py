"""What of a text is seen: the characters that show nothing are found and taken out."""

import re

# Controls, zero-width and bidirectional marks, fillers, tag characters, the variation
# selectors that can carry bytes, and lone surrogates. Tab and newline stay.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: The bytes of plain text: of any other character every byte is above them or a control.
PLAIN = bytes([*range(0x20, 0x7F), *b"\t\n"])
#: Of variation selectors in a row only the first can mean something; the others carry bytes.
SELECTORS = re.compile("(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]+")
LINE_BREAK = re.compile("\r\n?|\u2028|\u2029")


def visible(text: str) -> tuple[str, int]:
    """`text` without what shows nothing or steers a terminal; characters removed."""
    if text.isascii() and text.isprintable():
        return text, 0
    return seen_of(text, without(PLAIN, text))


def seen_of(text: str, odd: str) -> tuple[str, int]:
    """As `visible`; `odd` is the characters of `text` that are not plain ASCII text."""
    if not (odd and (INVISIBLE.search(odd) or LINE_BREAK.search(odd) or SELECTORS.search(odd))):
        return text, 0
    seen, removed = INVISIBLE.subn("", LINE_BREAK.sub("\n", text))
    if not SELECTORS.search(odd):
        return seen, removed
    left = SELECTORS.sub("", seen)
    return left, removed + len(seen) - len(left)


def without(ascii: bytes, text: str) -> str:
    """The characters of `text` but these: few or none in most."""
    encoded = text.encode("utf-8", "surrogatepass").translate(None, ascii)
    return encoded.decode("utf-8", "surrogatepass")
