"""One socket that feeds a channel and is fed by it, one descriptor for both directions. In the reactor's thread.

It is a `Source` (`sources`) and a `Sink` (`sinks`) in one: what is read goes to the server, what comes from there is
written. Each direction ends by itself, as on any TCP connection.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable

from .reactor import READ, WRITE, Reactor
from .sinks import Chunk

_PIECE = 65_536

# With SIGPIPE at its default (some programs set it so) a plain send to a dead peer would end the process.
_FLAGS = getattr(socket, "MSG_NOSIGNAL", 0)


# What becomes of the socket when everything has been written to it.
_GOES_ON, _FINISHES, _CLOSES = range(3)


class SocketEnd:
    """The end of a socket that we hold; somebody else has the other.

    Args:
        sock: becomes this end's own, and non-blocking.
        ready: called when `pull` has something after it had nothing.
        credit: told how many bytes the socket has taken after `write` returned.
        broken: called once when nobody reads at the other end any more.
    """

    __slots__ = (
        "_backlog",
        "_broken",
        "_credit",
        "_fate",
        "_hung_up",
        "_interest",
        "_pulled",
        "_reactor",
        "_ready",
        "_sock",
        "at_end",
        "is_broken",
    )

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        *,
        ready: Callable[[], None],
        credit: Callable[[int], None],
        broken: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._reactor = reactor
        self._sock: socket.socket | None = sock
        self._ready = ready
        self._credit = credit
        self._broken = broken
        self._backlog: deque[memoryview] = deque()
        self._interest: int | None = None  # None: not watched
        self._pulled = False
        self._hung_up = False
        self._fate = _GOES_ON
        self.at_end = False
        self.is_broken = False

    # ---- what is watched for

    def _want(self, events: int) -> None:
        """Watch for these events; with none, for a hang-up."""
        if self._sock is not None and not self._hung_up and events != self._interest:
            self._interest = events
            self._reactor.watch(self._sock.fileno(), events, self._on_ready)

    def _on_ready(self, mask: int) -> None:
        asked = self._interest or 0
        if mask & ~asked:
            # Not asked for, so it is a hang-up or an error. What is left to be read is there already; the system would
            # tell us again and again.
            self._hang_up()
        if mask & WRITE and self._backlog:
            self._flush()
        if mask & READ and not self.at_end:
            self._pulled = False
            self._ready()
            if not self._pulled:
                # Nobody may send now (the window is closed); whoever may again will pull.
                self._want((self._interest or 0) & ~READ)

    def _hang_up(self) -> None:
        self._hung_up = True
        self._unwatch()
        self._break()

    def _unwatch(self) -> None:
        if self._sock is not None and self._interest is not None:
            self._interest = None
            self._reactor.unwatch(self._sock.fileno())

    # ---- what is read

    def pull(self, most: int) -> bytes | None:
        """Up to `most` bytes; empty at the end; None when there is nothing now (`ready` will be called)."""
        self._pulled = True
        if self._sock is None or self.at_end:
            return b""
        try:
            data = self._sock.recv(min(most, _PIECE))
        except BlockingIOError:
            if not self._hung_up:
                self._want((self._interest or 0) | READ)
                return None
            data = b""
        except OSError:
            data = b""
        if not data:
            self.at_end = True
            self._want((self._interest or 0) & ~READ)
        return data

    def look_for_end(self) -> None:
        """Find out whether nothing more will come, without taking anything that has."""
        if self._sock is None or self.at_end:
            return
        try:
            data = self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return self._want((self._interest or 0) | READ)
        except OSError:
            data = b""
        if not data:
            self.at_end = True
            self._want((self._interest or 0) & ~READ)

    # ---- what is written

    def write(self, data: Chunk) -> int:
        """Take data; bytes taken for good already."""
        if self._sock is None or self.is_broken:
            return len(data)
        if self._backlog:
            self._backlog.append(memoryview(data))
            return 0
        taken = self._push(data)
        if taken is None:
            self._break()
            return len(data)
        if taken < len(data):
            self._backlog.append(memoryview(data)[taken:])
            self._want((self._interest or 0) | WRITE)
        return taken

    def _push(self, data: Chunk) -> int | None:
        """Bytes the socket took; None when nobody reads any more."""
        assert self._sock is not None
        try:
            return self._sock.send(data, _FLAGS)
        except BlockingIOError:
            return 0
        except OSError:
            return None

    def _flush(self) -> None:
        taken = 0
        while self._backlog:
            chunk = self._backlog[0]
            count = self._push(chunk)
            if count is None:
                self._break()
                break
            taken += count
            if count < len(chunk):
                self._backlog[0] = chunk[count:]
                break
            self._backlog.popleft()
        if not self._backlog:
            self._want((self._interest or 0) & ~WRITE)
            self._settle()
        if taken:
            self._credit(taken)

    def _break(self) -> None:
        """Nobody reads any more: what waits to be written is as good as taken."""
        if self.is_broken:
            return
        self.is_broken = True
        lost = sum(len(chunk) for chunk in self._backlog)
        self._backlog.clear()
        if lost:
            self._credit(lost)
        self._want((self._interest or 0) & ~WRITE)
        self._broken()
        self._settle()

    # ---- the end

    def finish(self) -> None:
        """Nothing more will be written: the other end reads what there is, and then the end. Idempotent."""
        self._fate = max(self._fate, _FINISHES)
        self._settle()

    def close(self) -> None:
        """Close it once everything written has been taken, or nobody is there to take it. Idempotent."""
        self._fate = _CLOSES
        self._settle()

    def _settle(self) -> None:
        if self._backlog or self._sock is None:
            return
        if self._fate == _CLOSES:
            self._unwatch()
            sock, self._sock = self._sock, None
            sock.close()
        elif self._fate == _FINISHES and not self.is_broken:
            try:
                self._sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it is gone already; reading finds that out

    def abandon(self) -> None:
        """In a forked child: close our copy of the descriptor, and nothing else."""
        sock, self._sock = self._sock, None
        if sock is not None:
            os.close(sock.detach())
