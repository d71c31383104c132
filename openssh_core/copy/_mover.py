"""The SFTP session that a connection keeps for moving files: a new one would cost two round trips each time.

It holds one of the server's sessions, of which there may be no other, so it is given up when somebody else needs one.
"""

from __future__ import annotations

import contextlib
import threading
from _thread import start_new_thread
from collections import Counter
from collections.abc import Callable, Iterator

from ..errors import SFTPTimeout
from ..sftp.client import SFTPClient


class Mover:
    """Makes a client when it is needed, and keeps it. Ends with the connection.

    Args:
        make: makes one, given the seconds in which it must begin.
    """

    def __init__(self, make: Callable[[float | None], SFTPClient]) -> None:
        self._make = make
        self._client: SFTPClient | None = None
        self._users: Counter[SFTPClient] = Counter()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def client(self, timeout: float | None = None) -> Iterator[SFTPClient]:
        """One that works, for the time of a `with` block.

        Args:
            timeout: seconds for a new one to begin; None for ever.

        Raises:
            SFTPTimeout: it took longer.
            OpenSSHError: there is none to be had.
        """
        if not self._lock.acquire(timeout=-1 if timeout is None else timeout):
            raise SFTPTimeout(f"no session for files within {timeout:g} s: others wait for one")
        try:
            # After a fork the parent's is closed here.
            if self._client is None or self._client.closed:
                self._client = self._make(timeout)
            client = self._client
            self._users[client] += 1
        finally:
            self._lock.release()
        try:
            yield client
        finally:
            self._leave(client)

    def _leave(self, client: SFTPClient) -> None:
        with self._lock:
            self._users[client] -= 1
            if not self._users[client]:
                del self._users[client]
                if client is self._client and client.closed:
                    self._client = None  # its connection is gone
                if client is not self._client:
                    client.close()

    def forget(self, client: SFTPClient) -> None:
        """It does not answer: nobody gets it any more, and who leaves it last closes it."""
        with self._lock:
            if client is self._client:
                self._client = None

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
