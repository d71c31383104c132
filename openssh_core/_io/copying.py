"""Moving bytes between our end of a pipe and a sink or a source, in the reactor's thread.

For masters that get descriptors handed over: the other end of these pipes is in the master.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from .reactor import READ, WRITE, Reactor
from .sinks import Sink
from .sources import Source

# Twice what a pipe holds unless told otherwise.
_PIECE = 131_072


class PipeReader:
    """Copies a pipe into a sink, no faster than the sink takes it.

    Args:
        fd: our non-blocking read end; becomes the reader's own.
        heard: called for each piece.
        ended: called once, at the end of the pipe.
    """

    __slots__ = ("_ended", "_fd", "_heard", "_owed", "_reactor", "_sink")

    def __init__(
        self, reactor: Reactor, fd: int, sink: Sink, *, heard: Callable[[], None], ended: Callable[[], None]
    ) -> None:
        self._reactor = reactor
        self._fd = fd
        self._sink = sink
        self._heard = heard
        self._ended = ended
        self._owed = 0

    def start(self) -> None:
        if self._fd >= 0:
            self._reactor.watch(self._fd, READ, self._readable)

    def _readable(self, _mask: int) -> None:
        try:
            data = os.read(self._fd, _PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self.close()
        self._heard()
        self._owed += len(data) - self._sink.write(data)
        if self._owed > _PIECE:
            self._reactor.unwatch(self._fd)

    def credit(self, count: int) -> None:
        """The sink has taken more of what it was given."""
        was_paused = self._owed > _PIECE
        self._owed -= count
        if was_paused and self._owed <= _PIECE:
            self.start()

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._reactor.unwatch(fd)
            os.close(fd)
            self._sink.finish()
            ended = self._ended
            # What has ended holds on to nobody.
            self._heard = self._ended = _nothing
            ended()

    def abandon(self) -> None:
        """In a forked child: close our copies of descriptors, and nothing else."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        self._sink.abandon()


class PipeWriter:
    """Copies a source into a pipe.

    Args:
        fd: our non-blocking write end; becomes the writer's own.
    """

    __slots__ = ("_fd", "_left", "_reactor", "_source")

    def __init__(self, reactor: Reactor, fd: int) -> None:
        self._reactor = reactor
        self._fd = fd
        self._left: bytes | memoryview = b""
        self._source: Source | None = None

    def start(self, source: Source) -> None:
        self._source = source
        self.push()

    def push(self) -> None:
        """Write what there is; also what the source calls when it is ready."""
        while self._fd >= 0 and self._source is not None:
            if not self._left:
                piece = self._source.pull(_PIECE)
                if piece is None:
                    return self._reactor.unwatch(self._fd)
                if not piece:
                    return self.close()
                self._left = piece
            try:
                self._left = self._left[os.write(self._fd, self._left) :]
            except BlockingIOError:
                return self._reactor.watch(self._fd, WRITE, lambda _mask: self.push())
            except OSError:
                return self.close()  # nobody reads it any more

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._reactor.unwatch(fd)
            os.close(fd)
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def abandon(self) -> None:
        """In a forked child: close our copies of descriptors, and nothing else."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        if self._source is not None:
            self._source.abandon()


def _nothing() -> None:
    pass
