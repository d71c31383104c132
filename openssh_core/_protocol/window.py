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


class ReceiveWindow:
    """What we let the peer send.

    Credit is given when data is consumed, not when it arrives, and in batches: a packet for each small
    read would double the traffic.

    Args:
        left: granted with the open of the channel, in bytes.
    """

    __slots__ = ("_unread", "_width", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self._width = left
        self._unread = 0

    def arrived(self, count: int) -> None:
        """`count` bytes came in."""
        if count > self.left:
            raise RemoteProtocolError(f"the server sent {count} bytes into a window of {self.left}")
        self.left -= count
        self._unread += count

    def consumed(self, count: int, width: int) -> int:
        """`count` bytes were taken by whoever wanted them; the window should be `width` bytes wide from now on.

        Returns:
            bytes to grant now; 0 when it is not worth a packet yet.
        """
        self._unread -= count
        if self.left > self._width // 2:
            return 0
        grant = width - self.left - self._unread
        if grant < width // 2:
            return 0
        self._width = width
        self.left += grant
        return grant


class WindowBudget:
    """How wide each window of a link may be, so that all of them together stay bounded.

    What is granted and not read yet can pile up in the master when this process is stopped. Its buffer there
    grows in quadratic time and loses data past 128 MiB, so the sum is kept far below.

    Args:
        total: bytes for all channels of a link together.
        most: bytes for one channel.
        least: bytes each channel gets even when the budget is spent.
    """

    __slots__ = ("_least", "_most", "_total")

    def __init__(self, total: int = 8 * 2**20, most: int = 2 * 2**20, least: int = MAX_DATA) -> None:
        self._total = total
        self._most = most
        self._least = least

    @property
    def first(self) -> int:
        """The window a channel is opened with: enough for the output of most commands."""
        return 2 * self._least

    def share(self, channels: int) -> int:
        """The window for one of `channels` open ones."""
        return max(self._least, min(self._most, self._total // max(1, channels)))
