"""The SFTP session that a connection keeps for moving files: a new one would cost two round trips each time.

It holds one of the server's sessions, of which there may be no other, so it is given up when somebody else needs one.
"""

from __future__ import annotations

import contextlib
import threading
from _thread import start_new_thread
from collections.abc import Callable, Iterator

from ..sftp.client import SFTPClient


class Mover:
    """Makes a client when it is needed, and keeps it. Ends with the connection.

    Args:
        make: makes one.
    """

    def __init__(self, make: Callable[[], SFTPClient]) -> None:
        self._make = make
        self._client: SFTPClient | None = None
        self._users = 0
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

    def give_way(self) -> None:
        """The server has refused somebody a session. Never waits."""
        if self._client is not None and not self._users:
            start_new_thread(self._end_unused, ())

    def _end_unused(self) -> None:
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
