"""When two JSON values say the same: word for word, in the same words, or in nearly the same.

Nesting is bounded by the parser of the values.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from itertools import pairwise
from typing import Any
from zlib import crc32

#: How many words of ten, in the same order, two texts share that are nearly the same: nine.
NEARLY = 0.9
#: The longest text, in words, that is compared with others; a longer one only with its equals.
LONGEST = 1000
#: How many of its pairs of words a text is filed under.
_FILED = 4

_WORD = re.compile(r"\w+")
_FIGURE = re.compile(r"-?\d+")


def same(value: Any) -> str:
    """A text that is equal for values equal but for letter case, spacing and 1 against 1.0."""
    return _canonical(value, lambda text: " ".join(text.casefold().split()))


def sketch(value: Any) -> str:
    """A character for each word: equal for values with the same words, punctuation apart.

    Before them stand 8 characters for the figures, in their order, and for a text of more than
    `LONGEST` words 16 for all of it.
    """
    text = _canonical(value, lambda text: " ".join(_WORD.findall(text.casefold())) or text.strip())
    words = _WORD.findall(text) or [text]
    figures = _digest(" ".join(_FIGURE.findall(text)), 4)
    if len(words) > LONGEST:
        return figures + _digest(text, 8)
    return figures + "".join(map(_character, words))


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode(errors="replace"), digest_size=size).hexdigest()


@lru_cache(maxsize=512)
def _character(word: str) -> str:
    return chr(crc32(word.encode(errors="replace")) & 0xFFFF)


def nearly_the_same(mine: str, theirs: str) -> bool:
    """Whether two sketches have the same figures, and by `NEARLY` the same words in order."""
    from rapidfuzz.distance import Indel  # takes 75 ms

    return mine == theirs or (
        mine[:8] == theirs[:8]
        and Indel.normalized_similarity(mine[8:], theirs[8:], score_cutoff=NEARLY) > 0
    )


def file_names(mine: str) -> set[int]:
    """Under what a sketch is filed: all of it, and the pairs of neighbours with least hash.

    Two texts with nine words of ten in common share about two thirds of their pairs, and so one
    of the least four in 99 cases of 100; other texts hardly ever do.
    """
    salt = crc32(mine[:8].encode())
    pairs = {_hash(*pair) for pair in pairwise(mine[8:])}
    least = {name ^ salt for name in nsmallest(_FILED, pairs)}
    return least | {crc32(mine.encode("utf-16", "surrogatepass"))}


def _hash(one: str, other: str) -> int:
    """32 bits, in which close pairs are far from each other."""
    return (ord(one) * 2654435761 ^ ord(other) * 2246822519) * 3266489917 % 2**32


def _canonical(value: Any, normal: Callable[[str], str]) -> str:
    if isinstance(value, str):
        return f'"{normal(value)}"'
    return json.dumps(_normal(value, normal), sort_keys=True, ensure_ascii=False)


def _normal(value: Any, normal: Callable[[str], str]) -> Any:
    match value:
        case str():
            return normal(value)
        case float() if value.is_integer():
            return int(value)
        case list() | tuple():
            return [_normal(item, normal) for item in value]
        case dict():
            return {str(name): _normal(item, normal) for name, item in value.items()}
        case _:
            return value
