"""Access for one browser on this machine: a key for one use, exchanged for the token it keeps."""

import hmac

from relaybook.surface.caller import Caller, Kind


class OneBrowser:
    """Knows nobody but the browser that came first with the key."""

    challenge = "Bearer"
    advice = "start relaybook board again, and open the address that it shows"

    def __init__(self, key: str, token: str) -> None:
        self._key = key
        self._token = token
        self._caller = Caller("board", Kind("orchestrator"))

    async def caller(self, token: str | None) -> Caller | None:
        return self._caller if token and _same(token, self._token) else None

    def exchange(self, given: str) -> str:
        """The token, for the key the first time that it is given; else what was given."""
        if not self._key or not _same(given, self._key):
            return given
        self._key = ""
        return self._token


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
