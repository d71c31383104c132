"""Sending on a socket that must never make anybody wait: what does not go now, goes when the reactor says so."""

from __future__ import annotations

import socket
from collections.abc import Callable

from .reactor import WRITE, Reactor

# With SIGPIPE at its default (some programs set it so) a plain send to a dead peer would end the process.
_FLAGS = getattr(socket, "MSG_NOSIGNAL", 0)

# Sources are not asked for more while this many bytes wait to go.
CONGESTED = 1024 * 1024


class Outbox:
    """The one writer of a socket. Its owner serialises the calls.

    Args:
        drained: called in the reactor's thread when everything that waited has gone.
    """

    __slots__ = ("_backlog", "_drained", "_reactor", "_sock", "_watching")

    def __init__(self, sock: socket.socket, reactor: Reactor, drained: Callable[[], None]) -> None:
        self._sock = sock
        self._reactor = reactor
        self._drained = drained
        self._backlog = bytearray()
        self._watching = False

    @property
    def congested(self) -> bool:
        """Whether more should wait."""
        return len(self._backlog) > CONGESTED

    def send(self, data: bytes) -> bool:
        """Send, or keep for later; False when the peer is gone."""
        if self._backlog:
            self._backlog += data
            return True
        sent = self._try(data)
        if sent is None:
            return False
        if sent < len(data):
            self._backlog += memoryview(data)[sent:]
        return True

    @property
    def wants_watch(self) -> bool:
        """Whether the reactor has to be told to look for room; true once for each time it is needed."""
        if not self._backlog or self._watching:
            return False
        self._watching = True
        return True

    def flush(self) -> bool:
        """The socket has room again; False when the peer is gone. In the reactor's thread."""
        sent = self._try(self._backlog)
        if sent is None:
            return False
        del self._backlog[:sent]
        if not self._backlog:
            self._watching = False
            self._drained()
        return True

    @property
    def events(self) -> int:
        """What the reactor should watch the socket for, besides reading."""
        return WRITE if self._watching else 0

    def _try(self, data: bytes | bytearray) -> int | None:
        try:
            return self._sock.send(data, _FLAGS)
        except BlockingIOError:
            return 0
        except OSError:
            return None
