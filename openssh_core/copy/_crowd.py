"""How many files are under way together: more while they are small, for then the way is what costs, not the data.

A small file holds no descriptor here while it waits for the server, so that their number is bound only by what the
server can have open, and by the memory that their data takes.
"""

from __future__ import annotations

# Files, of any size.
USUAL = 128
# Files while they are small.
_MOST = 512
# Bytes that may be under way altogether for more than the usual number.
_TOGETHER = 8 << 20
# Bytes; a larger one is read piece by piece.
SMALL = 64 << 10


class Crowd:
    """What is under way.

    Args:
        wanted: by the caller; None: as it fits.
        handles: what the server can have open; None where it does not say.

    Attributes:
        most: how many there may ever be.
    """

    def __init__(self, wanted: int | None, handles: int | None) -> None:
        self.most = wanted or (USUAL if handles is None else _MOST)
        if handles is not None:
            self.most = max(1, min(self.most, handles - 10))
        self._usual = wanted or USUAL
        self._count = 0
        self._bytes = 0

    @property
    def has_room(self) -> bool:
        """Whether one more may begin."""
        return self._count < self._usual or self._bytes < _TOGETHER

    def enter(self, size: int | None) -> int:
        """One more has begun; its weight, for `leave`.

        Args:
            size: of the file; None: it is not known, or it is none.
        """
        weight = SMALL if size is None else size
        self._count += 1
        self._bytes += weight
        return weight

    def leave(self, weight: int) -> None:
        """It has ended."""
        self._count -= 1
        self._bytes -= weight
