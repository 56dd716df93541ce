"""What PostgreSQL tells of changes: one connection of a process listens, many may read.

A thread waits on the connection and writes each hint into a pipe of every reader, so that a
reader on an event loop waits for its pipe and blocks nobody. A hint may be lost: with the
connection, until it is there again, and for a reader whose pipe is full.
"""

import contextlib
import os
import select
import threading
from collections.abc import Mapping
from typing import Any

import psycopg

CHANNEL = "relaybook"
#: Between two tries to get a lost connection back, in seconds.
RECONNECT_SECONDS = 1.0
#: How much is read from a pipe at once, in bytes.
CHUNK = 65_536


class Reader:
    """The end of a pipe that hints come out of."""

    def __init__(self, owner: "PostgresHints") -> None:
        self._owner = owner
        self._source, self._sink = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        return self._source

    def take(self) -> set[str]:
        """The workflows changed since the last call, by id; "" stands for any."""
        try:
            return set(os.read(self._source, CHUNK).decode().split("\n")[:-1])
        except BlockingIOError:
            return set()

    def write(self, workflow_id: str) -> None:
        with contextlib.suppress(BlockingIOError):  # full: its reader has much to wake for
            os.write(self._sink, f"{workflow_id}\n".encode())

    def close(self) -> None:
        self._owner.forget(self)
        os.close(self._source)
        os.close(self._sink)


class PostgresHints:
    """Listens from the first reader on, until it is closed."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        """`params` are what psycopg connects with."""
        self._params = params
        self._readers: set[Reader] = set()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped, self._stop = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def reader(self) -> Reader:
        """One more reader; the caller closes it."""
        made = Reader(self)
        with self._guard:
            self._readers.add(made)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
                self._thread.start()
        return made

    def forget(self, reader: Reader) -> None:
        with self._guard:
            self._readers.discard(reader)

    def close(self) -> None:
        if self._stop < 0:
            return
        os.write(self._stop, b"x")
        if self._thread is not None:
            self._thread.join()
        os.close(self._stop)
        os.close(self._stopped)
        self._stop = -1

    def _run(self) -> None:
        while not self._stopped_within(0):
            with contextlib.suppress(psycopg.Error), self._connect() as connection:
                connection.execute(f"LISTEN {CHANNEL}".encode())
                self._tell("")  # whatever changed while nobody listened
                self._listen(connection)
            if self._stopped_within(RECONNECT_SECONDS):
                return

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(**self._params, autocommit=True)

    def _listen(self, connection: psycopg.Connection) -> None:
        while not self._stopped_within(None, connection.fileno()):
            for hint in connection.notifies(timeout=0):
                self._tell(hint.payload.partition(" ")[0])

    def _stopped_within(self, seconds: float | None, *others: int) -> bool:
        """Wait for the stop, or for one of the `others` to become readable."""
        ready = select.poll()  # knows descriptors above 1023 too
        for each in (self._stopped, *others):
            ready.register(each, select.POLLIN)
        found = ready.poll(None if seconds is None else seconds * 1000)
        return self._stopped in (each for each, _ in found)

    def _tell(self, workflow_id: str) -> None:
        with self._guard:
            for reader in self._readers:
                reader.write(workflow_id)
