"""Many channels over one proxy connection: bytes in, events out, and the bytes to send in order.

What a strange peer gets (everything else raises RemoteProtocolError, which ends the link):

    message                                   answer
    a channel request                         FAILURE if it wants an answer; servers send keepalives this way
    SUCCESS or FAILURE without a request      dropped
    data after EOF, or after our CLOSE        dropped, credited
    extended data of another kind than 1      dropped, credited
    a packet longer than we said we take      taken: the window is what protects us
    a channel opened by the server            OPEN_FAILURE
    global requests, IGNORE, DEBUG            dropped: the master deals with them
"""

from __future__ import annotations

from collections.abc import Iterator

from .._value import Value
from .._wire import channels as wire
from .._wire.channels import EXTENDED_DATA_STDERR
from .._wire.frames import FrameSplitter
from .._wire.requests import ExitSignal, ExitStatus
from ..errors import LocalProtocolError, Malformed, RemoteProtocolError
from .channel import Channel, Life
from .window import MAX_DATA, WindowBudget


class Opened(Value):
    """The channel is open: requests and data may go."""

    channel: int


class Refused(Value):
    """The channel was not opened."""

    channel: int
    code: int
    reason: str


class Answered(Value):
    """A request was granted or refused."""

    channel: int
    request: str
    granted: bool


class Received(Value):
    """Data came; `stderr` for extended data. To be credited by `consumed` once somebody has it."""

    channel: int
    data: bytes | memoryview
    stderr: bool = False


class WindowGrew(Value):
    """More data may be sent."""

    channel: int


class Ended(Value):
    """The remote program ended; data may still follow."""

    channel: int
    how: ExitStatus | ExitSignal


class EndOfData(Value):
    """No more data will come."""

    channel: int


class Closed(Value):
    """The channel is gone; its number means nothing any more."""

    channel: int


Event = Opened | Refused | Answered | Received | WindowGrew | Ended | EndOfData | Closed


class Link:
    """The channel layer of one proxy connection.

    Not thread-safe: whoever drives it serialises the calls and sends what `outgoing` returns, in order.
    """

    def __init__(self, budget: WindowBudget | None = None) -> None:
        self._splitter = FrameSplitter()
        self._channels: dict[int, Channel] = {}
        self._next = 0
        self._out: list[bytes | memoryview] = []
        self._budget = budget or WindowBudget()

    def __len__(self) -> int:
        """Channels that are not gone."""
        return len(self._channels)

    def outgoing(self) -> bytes:
        """Everything to send now, in order; the caller owns it from here on."""
        return b"".join(self.outgoing_pieces())

    def outgoing_pieces(self) -> list[bytes | memoryview]:
        """The same without copying: data is a piece of its own, as it was given to `data`."""
        out, self._out = self._out, []
        return out

    # ---- what we want

    def open(self, kind: str, extra: bytes = b"") -> int:
        """Ask for a channel; returns its number. `Opened` or `Refused` will follow."""
        number = self._next
        self._next += 1
        channel = Channel(number, self._budget)
        self._channels[number] = channel
        self._send(wire.ChannelOpen(kind, number, channel.receive.left, MAX_DATA, extra))
        return number

    def request(self, number: int, name: str, payload: bytes = b"", *, want_reply: bool = True) -> bool:
        """Send a channel request; False when the channel is past taking one."""
        channel = self._channels.get(number)
        return channel is not None and self._send(channel.request(name, payload, want_reply))

    def room(self, number: int) -> int:
        """Bytes that `data` would take now."""
        channel = self._channels.get(number)
        if channel is None or channel.life is not Life.OPEN or channel.eof_sent:
            return 0
        return channel.send.left

    def data(self, number: int, data: bytes | memoryview) -> None:
        """Send data, at most `room` bytes of it, cut into packets.

        Raises:
            LocalProtocolError: more than that, or after our EOF; nothing of it was sent.
        """
        channel = self._channels.get(number)
        if channel is None:
            return
        if channel.life is Life.OPEN and len(data) > channel.send.left:
            raise LocalProtocolError(f"{len(data)} bytes do not fit a window of {channel.send.left}")
        step = channel.send.max_packet
        for at in range(0, len(data), step):
            self._send(channel.data(data[at : at + step]))

    def eof(self, number: int) -> None:
        """Say that no more data will come from us."""
        if channel := self._channels.get(number):
            self._send(channel.eof())

    def consumed(self, number: int, count: int) -> None:
        """`count` received bytes have been taken by whoever wanted them."""
        if channel := self._channels.get(number):
            self._send(channel.consumed(count))

    def close(self, number: int) -> None:
        """Close a channel; `Closed` follows when the peer has closed it too. Idempotent."""
        if channel := self._channels.get(number):
            self._send(channel.close())

    def _send(self, message: wire.Message | None) -> bool:
        if message is None or isinstance(message, wire.Ignored):
            return False
        # A packet of the proxy protocol: length, padding length 0, then the message (PROTOCOL.mux section 9).
        if isinstance(message, wire.Data):
            head = message.head()
            self._out.append((len(head) + len(message.data) + 1).to_bytes(4, "big") + b"\x00" + head)
            self._out.append(message.data)
        else:
            body = message.encode()
            self._out.append((len(body) + 1).to_bytes(4, "big") + b"\x00" + body)
        return True

    # ---- what the peer says

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take what the socket gave; what happens, one by one. To be gone through to the end.

        Raises:
            RemoteProtocolError: the peer broke the protocol; the link is of no more use. What happened before that
                has been told.
        """
        for packet in self._splitter.split(data):
            if len(packet) < 2:
                raise Malformed(f"a proxy packet of {len(packet)} bytes")
            if packet[0] != 0:
                raise Malformed(f"a proxy packet with {packet[0]} bytes of padding")
            event = self._take(wire.decode(packet[1:]))
            if event is not None:
                yield event

    def _take(self, message: wire.Message) -> Event | None:
        match message:
            case wire.Data():
                return self._received(message.recipient, message.data, EXTENDED_DATA_STDERR, False)
            case wire.ExtendedData():
                return self._received(message.recipient, message.data, message.code, True)
            case wire.ChannelRequest():
                return self._asked(message)
            case wire.RequestSuccess() | wire.RequestFailure():
                name = self._confirmed(message.recipient).answered()
                if name is not None:
                    return Answered(message.recipient, name, isinstance(message, wire.RequestSuccess))
            case wire.ChannelOpen():
                self._send(wire.OpenFailure(message.sender, wire.OPEN_ADMINISTRATIVELY_PROHIBITED, "not requested"))
            case wire.Ignored():
                pass
            case _:
                return self._life(message)
        return None

    def _life(
        self, message: wire.OpenConfirmation | wire.OpenFailure | wire.WindowAdjust | wire.Eof | wire.Close
    ) -> Event | None:
        """Messages that open, widen, half-close and close."""
        number = message.recipient
        match message:
            case wire.OpenConfirmation():
                channel = self._channel(number)
                self._send(channel.confirmed(message))
                return Opened(number) if channel.life is Life.OPEN else None
            case wire.OpenFailure():
                channel = self._channel(number)
                wanted = channel.life is Life.OPENING
                channel.refused()
                del self._channels[number]
                return Refused(number, message.code, message.reason) if wanted else Closed(number)
            case wire.WindowAdjust():
                self._confirmed(number).send.granted(message.count)
                return WindowGrew(number)
            case wire.Eof():
                channel = self._confirmed(number)
                if channel.eof_received:
                    return None
                channel.eof_received = True
                return EndOfData(number)
            case _:
                self._send(self._channel(number).closed())
                del self._channels[number]
                return Closed(number)

    def _channel(self, number: int) -> Channel:
        try:
            return self._channels[number]
        except KeyError:
            raise RemoteProtocolError(f"a message for channel {number}, which does not exist") from None

    def _confirmed(self, number: int) -> Channel:
        """The channel a message is for that can only come after the answer to our OPEN."""
        channel = self._channel(number)
        if channel.life in (Life.OPENING, Life.ABANDONED):
            raise RemoteProtocolError(f"a message for channel {number}, which is not open yet")
        return channel

    def _received(self, number: int, data: bytes | memoryview, code: int, stderr: bool) -> Event | None:
        channel = self._confirmed(number)
        channel.receive.arrived(len(data))
        if code != EXTENDED_DATA_STDERR or channel.eof_received or channel.life is not Life.OPEN:
            # Nobody can read it, so it counts as consumed, or the window would leak away.
            self.consumed(number, len(data))
            return None
        return Received(number, data, stderr)

    def _asked(self, message: wire.ChannelRequest) -> Event | None:
        channel = self._confirmed(message.recipient)
        if message.want_reply and channel.life is Life.OPEN:
            # keepalive@openssh.com comes this way. Unanswered it costs the whole connection; FAILURE is an answer.
            self._send(wire.RequestFailure(channel.peer))
        if message.name == "exit-status":
            return Ended(message.recipient, ExitStatus.decode(message.payload))
        if message.name == "exit-signal":
            return Ended(message.recipient, ExitSignal.decode(message.payload))
        return None
