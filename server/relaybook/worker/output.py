"""What is kept of a command's output: its end, and always its last `<result>` block."""

import codecs

from relaybook.core.result.block import CLOSE, MAX_OUTPUT, OPEN


class Tail:
    """Takes UTF-8 bytes in pieces of any size; keeps the last `limit` characters of them.

    Bytes that are no UTF-8 become replacement characters. Memory stays under twice `limit`
    and one piece.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._text = ""

    def feed(self, piece: bytes) -> None:
        self._text += self._decode(piece)
        if len(self._text) > 2 * self._limit:
            self._text = self._kept(self._text, self._limit)

    @property
    def text(self) -> str:
        """What is kept so far."""
        return self._kept(self._text, self._limit)

    def _kept(self, text: str, limit: int) -> str:
        return text[-limit:]


class ResultTail(Tail):
    """A tail in which the last result block stays, however much is written after it."""

    def __init__(self, limit: int = MAX_OUTPUT) -> None:
        super().__init__(limit)

    def _kept(self, text: str, limit: int) -> str:
        start = text.rfind(OPEN)
        if start < 0 or start >= len(text) - limit:
            return text[-limit:]
        close = text.find(CLOSE, start)
        end = close + len(CLOSE)
        if close < 0 or end - start >= limit:
            # The block is longer than a result may be. Its opening stays, so that the
            # message is refused and no earlier block is taken for the answer.
            return f"{OPEN}\n{text[len(OPEN) + 1 - limit :]}"
        block = f"{text[start:end]}\n"
        return block + text[end:][len(block) - limit :] if len(block) < limit else block
