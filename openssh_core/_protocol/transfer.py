"""The plan of a pipelined read or write of one file: what to ask for next, and what came.

Decides only. Offsets and lengths in, offsets and lengths out: no data, no descriptor, no clock.
"""

from __future__ import annotations

from collections import deque

# Bytes asked for and not there yet. More than OpenSSH's channel window (2 MiB) on the way, and as much again at both
# ends, keeps every link full; it is also what a transfer may take of memory.
IN_FLIGHT = 8 * 1024 * 1024
# Bytes asked for where the end is said to be. Nothing is expected there, so little counts as being on the way: with
# whole pieces a few dozen small files would be all that may be.
_LOOK = 1024


# Pieces that must have come before more are asked for, once all there may be are on the way: questions that travel
# together cost everybody on their way less than one after the other.
TOGETHER = 8


class Pressure:
    """What several transfers of one session may have on the way together.

    Args:
        limit: bytes.
    """

    __slots__ = ("_used", "limit")

    def __init__(self, limit: int = IN_FLIGHT) -> None:
        self.limit = limit
        self._used = 0

    def take(self, size: int, *, first: bool) -> bool:
        """Whether so much more may go; a transfer's first piece always may, or it could never go on."""
        if not first and self._used + size > self.limit:
            return False
        self._used += size
        return True

    def give_back(self, size: int) -> None:
        self._used -= size


class Span:
    """A piece of a file that was asked for."""

    __slots__ = ("length", "offset")

    def __init__(self, offset: int, length: int) -> None:
        self.offset = offset
        self.length = length

    def __repr__(self) -> str:
        return f"Span({self.offset}, {self.length})"


class ReadPlan:
    """Reads a file from an offset to an end, which the server finds out: its word on the size is only a hint.

    Args:
        start: offset of the first byte.
        stop: offset after the last byte that is wanted; None for all there is.
        size: the file's size as far as is known: one request looks for the end there, while the rest is on its way.
        piece: bytes of one request.
        pressure: shared with other transfers.

    Attributes:
        end: offset of the file's end, once it has been met.
    """

    def __init__(
        self, start: int, stop: int | None, *, size: int | None, piece: int, pressure: Pressure | None = None
    ) -> None:
        self.end: int | None = None
        self._piece = piece
        self._next = start
        self._stop = stop
        self._size = size
        self._again: deque[Span] = deque()
        self._flying = 0
        self._flying_bytes = 0
        self._most = 1
        # So few must be on the way before more are asked for; None: there may be room.
        self._resume_at: int | None = None
        self._pressure = pressure or Pressure()

    @property
    def done(self) -> bool:
        """Whether everything has come."""
        return not self._flying and not self._again and self._limit() is not None and self._next >= (self._limit() or 0)

    def _limit(self) -> int | None:
        """Where asking ends, as far as is known."""
        if self.end is None:
            return self._stop
        return self.end if self._stop is None else min(self.end, self._stop)

    def next(self) -> Span | None:
        """What to ask for now; None: wait for something to come, or everything has been asked for."""
        if self._resume_at is not None and self._flying > self._resume_at:
            return None
        if self._again:
            return self._launched(self._again.popleft()) if self._may_go(self._again[0].length) else None
        length = self._length()
        if length <= 0 or self._must_wait() or not self._may_go(length):
            return None
        span = Span(self._next, length)
        self._next += length
        return self._launched(span)

    def _may_go(self, length: int) -> bool:
        if self._pressure.take(length, first=not self._flying):
            self._resume_at = None
            return True
        self._resume_at = max(self._flying - TOGETHER, self._flying // 2)
        return False

    def _length(self) -> int:
        """How much the next request asks for. One that begins at the size that was told looks for the end."""
        limit = self._limit()
        length = self._piece if limit is None else min(self._piece, limit - self._next)
        if self._size is not None:
            length = min(length, self._size - self._next if self._next < self._size else _LOOK)
        return length

    def _must_wait(self) -> bool:
        if self._size is None:
            # Slow start: a small file costs few requests in vain, a large one soon has all there may be.
            return self._flying >= self._most
        return self._next > self._size and self._flying > 0

    def came(self, span: Span, length: int) -> None:
        """So many bytes of it have come; what is missing is asked for again."""
        self._landed(span)
        self._most += 1
        if length < span.length:
            self._again.append(Span(span.offset + length, span.length - length))
        if self._size is not None and span.offset + length > self._size:
            self._size = None  # it is larger than was told

    def met_end(self, span: Span) -> None:
        """The file has nothing at its offset."""
        self._landed(span)
        self.end = span.offset if self.end is None else min(self.end, span.offset)
        self._again = deque(again for again in self._again if again.offset < self.end)

    def abandon(self) -> None:
        """Nothing more of it is wanted: others may have its share."""
        self._pressure.give_back(self._flying_bytes)
        self._flying = self._flying_bytes = 0

    def _launched(self, span: Span) -> Span:
        self._flying += 1
        self._flying_bytes += span.length
        return span

    def _landed(self, span: Span) -> None:
        self._flying -= 1
        self._flying_bytes -= span.length
        self._pressure.give_back(span.length)


class WritePlan:
    """How many writes may be on the way.

    Args:
        pressure: shared with other transfers.

    Attributes:
        flying: how many are.
    """

    def __init__(self, pressure: Pressure | None = None) -> None:
        self.flying = 0
        self._bytes = 0
        self._pressure = pressure or Pressure()

    def may_send(self, length: int) -> bool:
        """Whether a piece of this length may go now; if so, it counts as sent."""
        if not self._pressure.take(length, first=not self.flying):
            return False
        self.flying += 1
        self._bytes += length
        return True

    def landed(self, length: int) -> None:
        """It was answered, one way or the other."""
        self.flying -= 1
        self._bytes -= length
        self._pressure.give_back(length)

    def abandon(self) -> None:
        """Nobody waits for the answers any more: others may have its share."""
        self._pressure.give_back(self._bytes)
        self.flying = self._bytes = 0


class InOrder:
    """Puts pieces that come in any order back into the file's order. Holds at most what is on the way.

    Args:
        start: offset of the first byte.
    """

    def __init__(self, start: int) -> None:
        self.at = start
        self._early: dict[int, memoryview] = {}

    def put(self, offset: int, data: memoryview) -> list[memoryview]:
        """Take a piece; the pieces that are next now. What came before, and comes again, is dropped."""
        if offset < self.at:
            data, offset = data[self.at - offset :], self.at
        if data:
            self._early[offset] = data
        ready = []
        while (piece := self._early.pop(self.at, None)) is not None:
            ready.append(piece)
            self.at += len(piece)
        return ready
