"""The life of one channel, as a table: what is not in it cannot happen (RFC 4254 sections 5.1 to 5.4).

One wrong packet on a link makes the server drop the whole connection with every session on it. So each method
here returns the message to send, or None where sending it would be wrong, and raises before it would be fatal.
"""

from __future__ import annotations

import enum
from collections import deque

from .._wire import channels as wire
from ..errors import LocalProtocolError, RemoteProtocolError
from .window import ReceiveWindow, SendWindow, WindowBudget


class Life(enum.Enum):
    """Where a channel is between its OPEN and the last CLOSE."""

    OPENING = "opening"
    ABANDONED = "abandoned"  # nobody wants it any more, but the answer to its OPEN is still out
    OPEN = "open"
    CLOSING = "closing"  # our CLOSE is out, theirs is not in
    GONE = "gone"


MOVES: dict[tuple[Life, str], Life] = {
    (Life.OPENING, "confirmed"): Life.OPEN,
    (Life.OPENING, "refused"): Life.GONE,
    (Life.OPENING, "we_close"): Life.ABANDONED,
    (Life.ABANDONED, "confirmed"): Life.CLOSING,
    (Life.ABANDONED, "refused"): Life.GONE,
    (Life.OPEN, "we_close"): Life.CLOSING,
    (Life.OPEN, "they_close"): Life.GONE,  # we answer in kind, at once
    (Life.CLOSING, "they_close"): Life.GONE,
}


class Channel:
    """One channel, seen from our side.

    Attributes:
        number: ours; the peer puts it in the messages it sends.
        peer: theirs; known once the channel is open.
        life: see `Life`.
        send, receive: the two windows.
        eof_sent: our data is over.
        eof_received: theirs is.
        asked: names of the requests that wait for an answer, oldest first. Answers carry no number.
    """

    __slots__ = ("asked", "eof_received", "eof_sent", "life", "number", "peer", "receive", "send")

    def __init__(self, number: int, budget: WindowBudget) -> None:
        self.number = number
        self.peer = 0
        self.life = Life.OPENING
        self.send = SendWindow()
        self.receive = ReceiveWindow(budget)
        self.eof_sent = False
        self.eof_received = False
        self.asked: deque[str] = deque()

    def _move(self, event: str) -> None:
        try:
            self.life = MOVES[self.life, event]
        except KeyError:
            raise RemoteProtocolError(f"{event} makes no sense for a channel that is {self.life.value}") from None

    # ---- what the peer says

    def confirmed(self, message: wire.OpenConfirmation) -> wire.Close | None:
        """The peer opened it. Returns the CLOSE of a channel that was abandoned meanwhile."""
        if message.max_packet == 0:
            raise RemoteProtocolError("the server takes packets of 0 bytes only, so nothing could ever be sent")
        self._move("confirmed")
        self.peer = message.sender
        self.send = SendWindow(message.window, message.max_packet)
        return wire.Close(self.peer) if self.life is Life.CLOSING else None

    def refused(self) -> None:
        """The peer did not open it."""
        self._move("refused")
        self.receive.forget()

    def answered(self) -> str | None:
        """A SUCCESS or FAILURE came; the name of the request it is for.

        An answer nobody asked for is dropped: stored, it would be taken for the answer to a later request.
        """
        return self.asked.popleft() if self.asked else None

    def closed(self) -> wire.Close | None:
        """The peer's CLOSE came; ours is due in answer unless it is out already."""
        answer = wire.Close(self.peer) if self.life is Life.OPEN else None
        self._move("they_close")
        self.receive.forget()
        return answer

    # ---- what we say

    def request(self, name: str, payload: bytes, want_reply: bool) -> wire.ChannelRequest | None:
        """A request, or None when the channel is past taking one."""
        if self.life is not Life.OPEN:
            return None
        if want_reply:
            self.asked.append(name)
        return wire.ChannelRequest(self.peer, name, want_reply, payload)

    def data(self, data: bytes | memoryview) -> wire.Data | None:
        """One packet of data that fits `send.room`, or None when the channel is past taking any."""
        if self.life is not Life.OPEN:
            return None
        if self.eof_sent:
            raise LocalProtocolError("data after our EOF")
        self.send.spend(len(data))
        return wire.Data(self.peer, data)

    def eof(self) -> wire.Eof | None:
        """The end of our data, once."""
        if self.life is not Life.OPEN or self.eof_sent:
            return None
        self.eof_sent = True
        return wire.Eof(self.peer)

    def consumed(self, count: int) -> wire.WindowAdjust | None:
        """`count` bytes were taken; the credit that is due, if any."""
        # After EOF nothing more will come, and after our CLOSE nothing more may go.
        if self.life is not Life.OPEN or self.eof_received:
            return None
        grant = self.receive.consumed(count)
        return wire.WindowAdjust(self.peer, grant) if grant else None

    def close(self) -> wire.Close | None:
        """Our CLOSE, once; a channel still opening is closed as soon as it is open."""
        if self.life is Life.OPENING:
            self._move("we_close")
            return None
        if self.life is not Life.OPEN:
            return None
        self._move("we_close")
        return wire.Close(self.peer)
