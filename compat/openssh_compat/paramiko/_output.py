"""The two streams of output of one channel, and what waiting for one of them means for the other."""

from __future__ import annotations

from ._readable import Readable, Reason
from .buffered_pipe import BufferedPipe

__all__ = ["Output"]


class Output:
    """stdout and stderr, read together or apart.

    Attributes:
        stdout, stderr: what has arrived.
        combined: whether what comes on stderr is put into stdout.
    """

    def __init__(self) -> None:
        self.stdout = BufferedPipe()
        self.stderr = BufferedPipe()
        self.combined = False
        self._readable: Readable | None = None

    def read(self, stream: BufferedPipe, nbytes: int | None, timeout: float | None) -> bytes:
        """Up to `nbytes` of a stream, None: all to its end.

        Raises:
            PipeTimeout: there was nothing for `timeout` seconds.
        """
        if nbytes is None or not stream.read_ready():
            # The command may not go on until somebody takes what it puts out on the other stream.
            other = self.stderr if stream is self.stdout else self.stdout
            other.make_room(unless_read=True)
        return stream.read_all(timeout) if nbytes is None else stream.read(nbytes, timeout)

    def make_room(self, *, unless_read: bool = False) -> None:
        """Let both grow: somebody waits for the end of the command."""
        self.stdout.make_room(unless_read=unless_read)
        self.stderr.make_room(unless_read=unless_read)

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        return self.stdout.ended and self.stderr.ended

    def combine(self, combined: bool) -> bool:
        """Put stderr into stdout from now on, and what of it was not read yet; what it was before."""
        before, self.combined = self.combined, combined
        if combined and not before:
            waiting = self.stderr.read(len(self.stderr)) if self.stderr.read_ready() else b""
            self.stderr.divert(self.stdout)
            if waiting:
                self.stdout.feed(waiting, late=True)
        elif before and not combined:
            self.stderr.divert(None)
        return before

    def close(self) -> None:
        """Nothing more will come."""
        self.stdout.close()
        self.stderr.close()

    def fileno(self) -> int:
        """A descriptor that can be read while there is something to read on either stream, and at their end."""
        if self._readable is None:
            self._readable = Readable()
            self.stdout.set_event(Reason(self._readable))
            self.stderr.set_event(Reason(self._readable))
        return self._readable.fileno()
