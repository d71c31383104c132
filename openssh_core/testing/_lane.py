"""One direction of a relayed connection is a queue with times in it: arithmetic, without sockets and without a clock.

Delay is not slowness: every piece is due `delay` after it came, however much is under way. Slowness is a rate: pieces
enter one after the other, each for as long as its bytes take.
"""

from __future__ import annotations

from collections import deque

_PIECE = 256 * 1024
# What a fast sender has under way within the delay must fit, or the delay would limit the rate.
_ROOM = 64 * 1024 * 1024


class Lane:
    """What is under way in one direction.

    Args:
        delay: seconds from one end to the other.
        rate: bytes a second; None for as fast as can be.
    """

    def __init__(self, delay: float = 0.0, rate: float | None = None) -> None:
        self._delay = delay
        self._rate = rate
        self._limit = _ROOM if rate is None else int(rate * (delay + 0.25)) + 1
        self._queue: deque[tuple[float, memoryview]] = deque()
        self._under_way = 0
        self._free_at = 0.0
        self._flip_after: int | None = None
        self.ended = False

    @property
    def appetite(self) -> int:
        """How many bytes to read now, at most; 0 when the lane is full or has ended."""
        if self.ended:
            return 0
        # With a rate, pieces are those of a hundredth of a second: they arrive evenly, not in bursts.
        piece = _PIECE if self._rate is None else max(1, min(_PIECE, int(self._rate / 100)))
        return max(0, min(piece, self._limit - self._under_way))

    @property
    def empty(self) -> bool:
        """Whether nothing is under way, the end of the stream included."""
        return not self._queue

    def put(self, data: bytes, now: float) -> None:
        """Let bytes in. No bytes are the end of the stream, and arrive like everything else."""
        self.ended = not data
        if self._flip_after is not None:
            data = self._flipped(data)
        self._free_at = max(now, self._free_at) + (len(data) / self._rate if self._rate else 0.0)
        self._queue.append((self._free_at + self._delay, memoryview(data)))
        self._under_way += len(data)

    def due_at(self) -> float | None:
        """When the next piece arrives; None when nothing is under way."""
        return self._queue[0][0] if self._queue else None

    def arrived(self, now: float) -> memoryview | None:
        """The piece at the far end; None when there is none yet. An empty one is the end of the stream."""
        return self._queue[0][1] if self._queue and self._queue[0][0] <= now else None

    def delivered(self, size: int) -> None:
        """So many bytes of the piece that arrived were taken."""
        due, piece = self._queue.popleft()
        if size < len(piece):
            self._queue.appendleft((due, piece[size:]))
        self._under_way -= size

    def drop(self) -> None:
        """Forget what is under way, and let nothing more in."""
        self._queue.clear()
        self._under_way = 0
        self.ended = True

    def flip(self, after: int) -> None:
        """Change one bit of the byte that comes in after the next `after` bytes."""
        self._flip_after = after

    def _flipped(self, data: bytes) -> bytes:
        after = self._flip_after or 0
        if after >= len(data):
            self._flip_after = after - len(data)
            return data
        self._flip_after = None
        changed = bytearray(data)
        changed[after] ^= 1
        return bytes(changed)
