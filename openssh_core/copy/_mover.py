"""The SFTP session that a connection keeps for moving files: a new one would cost two round trips each time.

It holds one of the server's sessions, of which there may be no other, so it is only kept for a moment.
"""

from __future__ import annotations

import contextlib
import os
import threading
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from time import monotonic

from .._io.reactor import get_reactor
from ..sftp.client import SFTPClient

# Seconds it is kept unused. Who needs the last session of a server waits longer than that for it.
IDLE = 2.0


class Mover:
    """Makes a client when it is needed, and keeps it for a moment. Ends with the connection.

    Args:
        make: makes one.
    """

    def __init__(self, make: Callable[[], SFTPClient]) -> None:
        self._make = make
        self._client: SFTPClient | None = None
        self._users = 0
        self._idle_since = 0.0
        self._watched_by = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def client(self) -> Iterator[SFTPClient]:
        """One that works, for the time of a `with` block.

        Raises:
            OpenSSHError: there is none to be had.
        """
        with self._lock:
            # After a fork the parent's is closed here.
            if self._client is None or self._client.closed:
                self._client = self._make()
                self._users = 0
            client = self._client
            self._users += 1
        try:
            yield client
        finally:
            with self._lock:
                if client is self._client:
                    self._users -= 1
                self._idle_since = monotonic()
            if self._watched_by != os.getpid():
                self._watched_by = os.getpid()
                get_reactor().submit(self._watch)

    def _watch(self) -> None:
        """In the reactor's thread, where nothing may wait."""
        if self._client is None:
            self._watched_by = 0
        elif not self._users and monotonic() >= self._idle_since + IDLE:
            self._watched_by = 0
            start_new_thread(self._end_idle, ())
        else:
            get_reactor().call_at(max(self._idle_since, monotonic() - IDLE / 2) + IDLE, self._watch)

    def _end_idle(self) -> None:
        with self._lock:
            if not self._users:
                self._close()

    def end(self) -> None:
        """Close it. Idempotent."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
