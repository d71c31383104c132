"""Flow control arithmetic of RFC 4254 section 5.2: two counters, one for each direction."""

from __future__ import annotations

from .._wire.primitives import U32_MAX
from ..errors import LocalProtocolError, RemoteProtocolError

# The master drops a longer DATA without a word, even inside the window.
MAX_DATA = 32_768


class SendWindow:
    """What the peer lets us send."""

    __slots__ = ("left", "max_packet")

    def __init__(self, left: int = 0, max_packet: int = MAX_DATA) -> None:
        self.left = left
        self.max_packet = min(max_packet, MAX_DATA)

    @property
    def room(self) -> int:
        """Bytes that may go in the next packet."""
        return min(self.left, self.max_packet)

    def granted(self, count: int) -> None:
        """The peer allows `count` bytes more."""
        if self.left + count > U32_MAX:
            raise RemoteProtocolError(f"the server opened a window past 2^32: {self.left} + {count}")
        self.left += count

    def spend(self, count: int) -> None:
        """`count` bytes go out in one packet."""
        if count > self.room:
            raise LocalProtocolError(f"{count} bytes do not fit a window of {self.left} (packets of {self.max_packet})")
        self.left -= count


class WindowBudget:
    """How much all windows of a link together may have granted that has not arrived yet.

    All of it piles up in the master when this process is stopped. Its buffer there grows in quadratic time and
    loses data past 128 MiB, so the sum is counted, and kept below `total` and `least` more for each channel: 8 MiB for
    256 channels, 11 MiB for 1,000.

    A channel may have a third of what nobody has: the first ones get much, and whoever comes late still gets
    something, even when the others hold on to what they never use. New channels leave the half of it alone, so that
    hundreds of quiet ones cannot slow a busy one down.

    Args:
        total: bytes for all channels together.
        most: bytes for one channel.
        least: bytes that each channel gets even when the rest is spent, so that everybody gets on.
        first: bytes a channel is opened with when there is plenty: enough for the output of most commands.

    Attributes:
        granted: bytes that may still arrive, over all channels.
    """

    __slots__ = ("_first", "_least", "_most", "_total", "granted")

    def __init__(
        self, total: int = 7 * 2**20, most: int = 2 * 2**20, least: int = 4096, first: int = 2 * MAX_DATA
    ) -> None:
        self._total = total
        self._most = most
        self._least = least
        self._first = first
        self.granted = 0

    def first(self) -> int:
        """The width of a new window."""
        spare = (self._total // 2 - self.granted) // 32
        return max(self._least, min(self._first, spare))

    def width(self, held: int) -> int:
        """The width for a window that has `held` bytes of what is granted."""
        spare = (self._total - self.granted + held) // 3
        return max(self._least, min(self._most, spare))


class ReceiveWindow:
    """What we let the peer send.

    Credit is given when data is consumed, not when it arrives, and in batches: a packet for each small
    read would double the traffic.

    Args:
        budget: shared by all windows of a link.

    Attributes:
        left: bytes granted that have not arrived.
    """

    __slots__ = ("_budget", "_unread", "_width", "left")

    def __init__(self, budget: WindowBudget) -> None:
        self.left = self._width = budget.first()
        self._budget = budget
        self._unread = 0
        budget.granted += self.left

    def arrived(self, count: int) -> None:
        """`count` bytes came in."""
        if count > self.left:
            raise RemoteProtocolError(f"the server sent {count} bytes into a window of {self.left}")
        self.left -= count
        self._budget.granted -= count
        self._unread += count

    def consumed(self, count: int) -> int:
        """`count` bytes were taken by whoever wanted them.

        Returns:
            bytes to grant now; 0 when it is not worth a packet yet.
        """
        self._unread -= count
        if self.left > self._width // 2:
            return 0
        width = self._budget.width(self.left)
        grant = width - self.left - self._unread
        if grant < width // 2:
            return 0
        self._width = width
        self.left += grant
        self._budget.granted += grant
        return grant

    def forget(self) -> None:
        """The channel is gone, and nothing more can arrive."""
        self._budget.granted -= self.left
        self.left = 0
