"""Where a session's output goes. All of it happens in the reactor's thread.

`write` says how many bytes are taken for good at once; what is taken later is reported to `credit`. That is the
flow control: the server may send again what has been taken.
"""

from __future__ import annotations

import io
import os
import socket
import stat
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .reactor import WRITE, Reactor

Chunk = bytes | memoryview


class Sink(Protocol):
    """One direction of output."""

    def write(self, data: Chunk) -> int:
        """Take data; bytes taken for good already."""

    def finish(self) -> None:
        """No more will come. Idempotent."""

    def abandon(self) -> None:
        """In a forked child: close our copies of descriptors, and nothing else."""


class Collect:
    """Keeps everything in memory."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        # Gives its contents away without copying them: half the memory, and time, of a list to be joined.
        self._buffer = io.BytesIO()

    def write(self, data: Chunk) -> int:
        return self._buffer.write(data)

    def finish(self) -> None:
        pass

    abandon = finish

    def value(self) -> bytes:
        """All of it so far."""
        return self._buffer.getvalue()


class LastWords:
    """Keeps the end of what it is given, for a message to people."""

    __slots__ = ("_tail",)
    _MOST = 2000

    def __init__(self) -> None:
        self._tail = b""

    def write(self, data: Chunk) -> int:
        self._tail = (self._tail + bytes(data[-self._MOST :]))[-self._MOST :]
        return len(data)

    def finish(self) -> None:
        pass

    abandon = finish

    def text(self) -> str:
        """It, as text without blanks around it."""
        return self._tail.decode("utf-8", "backslashreplace").strip()


class Discard:
    """Takes everything and keeps nothing."""

    __slots__ = ()

    def write(self, data: Chunk) -> int:
        return len(data)

    def finish(self) -> None:
        pass

    abandon = finish


class ToFile:
    """Writes to a regular file, which never makes anybody wait for a reader.

    Args:
        fd: a descriptor that becomes this sink's own.
        failed: called with the error when the disk does not take it (full, over quota).
    """

    __slots__ = ("_failed", "_fd")

    def __init__(self, fd: int, failed: Callable[[OSError], None]) -> None:
        self._fd = fd
        self._failed = failed

    def write(self, data: Chunk) -> int:
        left = memoryview(data)
        try:
            while left and self._fd >= 0:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            self.finish()
            self._failed(error)
        return len(data)

    def finish(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    abandon = finish


class ToPipe:
    """Feeds the write end of a pipe that somebody reads at leisure.

    Args:
        fd: the non-blocking write end; becomes this sink's own.
        credit: told how many bytes the pipe has taken after `write` returned.
        broken: called once when nobody reads any more.
    """

    __slots__ = ("_backlog", "_broken", "_credit", "_fd", "_finished", "_reactor")

    def __init__(self, reactor: Reactor, fd: int, *, credit: Callable[[int], None], broken: Callable[[], None]) -> None:
        self._reactor = reactor
        self._fd = fd
        self._credit = credit
        self._broken = broken
        self._backlog: deque[memoryview] = deque()
        self._finished = False

    def write(self, data: Chunk) -> int:
        if self._fd < 0:
            return len(data)
        if self._backlog:
            self._backlog.append(memoryview(data))
            return 0
        taken = self._push(data)
        if taken < len(data):
            self._backlog.append(memoryview(data)[taken:])
            self._reactor.watch(self._fd, WRITE, self._writable)
        return taken

    def finish(self) -> None:
        self._finished = True
        if not self._backlog:
            self._close()

    def abandon(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _push(self, data: Chunk) -> int:
        """Bytes the pipe took; all of them when there is no reader left to miss them."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError:
            broken = self._broken
            self._close()
            broken()
            return len(data)

    def _writable(self, _mask: int) -> None:
        taken, credit = 0, self._credit
        while self._backlog:
            chunk = self._backlog[0]
            count = self._push(chunk)
            taken += count
            if self._fd < 0:
                taken += sum(len(rest) for rest in list(self._backlog)[1:])
                self._backlog.clear()
            elif count < len(chunk):
                self._backlog[0] = chunk[count:]
                break
            else:
                self._backlog.popleft()
        if not self._backlog and self._fd >= 0:
            self._reactor.unwatch(self._fd)
            if self._finished:
                self._close()
        if taken:
            credit(taken)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        # What has ended holds on to nobody: the session has us, so no circle is left for the collector.
        self._credit, self._broken = _to_nobody, _nothing
        if fd >= 0:
            self._reactor.unwatch(fd)
            _end_socket(fd)
            os.close(fd)


def _end_socket(fd: int) -> None:
    """Where it is a socket, the input may hold it, too; its reader has to see this end all the same."""
    if stat.S_ISSOCK(os.fstat(fd).st_mode):
        with socket.socket(fileno=os.dup(fd)) as sock:
            try:
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # nobody is left to see it


class PidFilter:
    """Takes the line out of the output in which the remote shell told its process id, and maybe more.

    What comes before it (a talkative start-up file) and after it passes untouched.

    Args:
        token: the unguessable word the line begins with.
        sink: where everything else goes.
        found: called with what stands behind the word; with nothing when the line is looked for no longer.

    Attributes:
        nothing_came: whether there has been no output at all, this line included.
    """

    __slots__ = ("_found", "_held", "_passed", "_sink", "_token", "nothing_came")

    # A shell that says this much before the first command is not going to say our line.
    GIVE_UP = 65_536
    # More than the token can be followed by: a number, two short words, and the line's end.
    _LONGEST_REST = 64

    def __init__(self, token: bytes, sink: Sink, found: Callable[[bytes], None]) -> None:
        self._token: bytes | None = token
        self._sink = sink
        self._found = found
        self._held = b""
        self._passed = 0
        self.nothing_came = True

    def write(self, data: Chunk) -> int:
        self.nothing_came = False
        if self._token is None:
            return self._sink.write(data)
        # Only what may be the line is held back: a forced command never says it, and may be waited for.
        held = self._held + bytes(data)
        start = held.find(self._token)
        if start < 0:
            return self._pass(held, len(held) - _overlap(held, self._token))
        begin = start + len(self._token)
        end = held.find(b"\n", begin, begin + self._LONGEST_REST)
        if end < 0:
            return self._pass(held, start if len(held) < begin + self._LONGEST_REST else len(held))
        self._token = None
        self._tell(held[begin:end].strip())
        rest = held[:start] + held[end + 1 :]
        return len(held) - len(rest) + self._pass(rest, len(rest))

    @property
    def searches(self) -> bool:
        """Whether the line may still come."""
        return self._token is not None

    def divert(self) -> Sink:
        """From now on the rest of the output is for nobody, and so is the process id; where it went until now."""
        sink, self._sink = self._sink, Discard()
        self._found = _to_nobody
        return sink

    def finish(self) -> None:
        self._token = None
        self._found = _to_nobody
        self._pass(self._held, len(self._held))
        self._sink.finish()

    def abandon(self) -> None:
        self._sink.abandon()

    def _tell(self, what: bytes) -> None:
        """Once: then nobody is held on to."""
        found, self._found = self._found, _to_nobody
        found(what)

    def _pass(self, held: bytes, count: int) -> int:
        """Pass `count` bytes on and hold the rest."""
        self._held = held[count:]
        self._passed += count
        if self._passed > self.GIVE_UP:
            self._token = None
            self._tell(b"")
            count, self._held = len(held), b""
        return self._sink.write(held[:count]) if count else 0


def _overlap(text: bytes, word: bytes) -> int:
    """How many bytes at the end of `text` may be the beginning of `word`."""
    return next(size for size in range(min(len(text), len(word) - 1), -1, -1) if text.endswith(word[:size]))


def _to_nobody(_what: object) -> None:
    pass


def _nothing() -> None:
    pass
