"""Whatever happens in whatever order, the link says nothing that a server would drop the connection for.

A model of the server stands at the other end, written over the codecs alone. It numbers its channels unlike the link,
and what both sides say may be held back for a while, so that each acts on what it knew a moment ago.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from openssh_core._protocol import link as events
from openssh_core._protocol.link import Link
from openssh_core._protocol.window import WindowBudget
from openssh_core._wire import channels as wire
from openssh_core._wire.frames import FrameSplitter, frame
from openssh_core._wire.requests import ExitStatus

LONGEST_PACKET = 32_768
WIDEST_WINDOW = 2 * 2**20
TOTAL = 400_000
LEAST = 100

which = st.integers(0, 2**16)
sizes = st.sampled_from([0, 1, 7, 100, 4096, 32_768, 32_769, 70_000])
packets = st.sampled_from([1, 100, 32_768, 2**32 - 1])


@dataclass
class TheirChannel:
    """A channel as the server sees it."""

    mine: int
    yours: int
    may_send: int  # bytes the link lets us send
    may_get: int = 0  # bytes we let the link send
    longest: int = LONGEST_PACKET
    sent: list[bytes] = field(default_factory=list)
    got: list[bytes] = field(default_factory=list)
    asked: int = 0  # requests of ours that want an answer
    refused: int = 0  # those that were answered
    owed: int = 0  # requests of the link that want an answer
    said_eof: bool = False
    said_close: bool = False
    heard_eof: bool = False
    heard_close: bool = False


class Server:
    """Takes packets, checks each, and says what a server may say."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.opens: list[wire.ChannelOpen] = []
        self.channels: dict[int, TheirChannel] = {}
        self.refused_opens: list[int] = []
        self._splitter = FrameSplitter()
        self._next = 1_000_000

    # ---- what it says

    def say(self, message: wire.Message) -> None:
        assert not isinstance(message, wire.Ignored)
        self.said.append(frame(b"\x00" + message.encode()))

    def confirm(self, opening: wire.ChannelOpen, window: int, longest: int) -> None:
        number = self._next
        self._next -= 13
        channel = TheirChannel(number, opening.sender, opening.window, window, min(longest, LONGEST_PACKET))
        self.channels[number] = channel
        self.say(wire.OpenConfirmation(opening.sender, number, window, longest))

    def talkative(self) -> list[TheirChannel]:
        """Channels on which something may still be said."""
        return [channel for channel in self.channels.values() if not channel.said_close]

    def data(self, channel: TheirChannel, size: int, stderr: bool) -> None:
        piece = bytes([len(channel.sent) % 256]) * min(size, channel.may_send, LONGEST_PACKET)
        channel.may_send -= len(piece)
        channel.sent.append(piece)
        self.say(wire.ExtendedData(channel.yours, 1, piece) if stderr else wire.Data(channel.yours, piece))

    def close(self, channel: TheirChannel) -> None:
        channel.said_close = True
        self.say(wire.Close(channel.yours))

    # ---- what it hears

    def hear(self, stream: bytes) -> None:
        for body in self._splitter.feed(stream):
            assert body[0] == 0, "no padding"
            assert 90 <= body[1] <= 100, "a message of channels, or the connection is gone"
            message = wire.decode(bytes(body[1:]))
            if isinstance(message, wire.ChannelOpen):
                assert message.sender not in {opening.sender for opening in self.opens}
                self.opens.append(message)
            elif isinstance(message, wire.OpenFailure):
                self.refused_opens.append(message.recipient)
            else:
                self._about_a_channel(message)

    def _about_a_channel(self, message: wire.Message) -> None:
        assert not isinstance(message, wire.ChannelOpen | wire.Ignored | wire.OpenConfirmation)
        channel = self.channels.get(message.recipient)
        assert channel is not None, f"{message} is for a channel the server does not have"
        assert not channel.heard_close, f"{message} comes after CLOSE"
        match message:
            case wire.Data():
                assert not channel.heard_eof, "data after EOF"
                assert 0 < len(message.data) <= min(channel.longest, channel.may_get)
                channel.may_get -= len(message.data)
                channel.got.append(bytes(message.data))
            case wire.WindowAdjust():
                channel.may_send += message.count
                assert 0 < message.count <= channel.may_send <= WIDEST_WINDOW
            case wire.Eof():
                assert not channel.heard_eof, "EOF twice"
                channel.heard_eof = True
            case wire.ChannelRequest():
                channel.owed += message.want_reply
            case wire.RequestFailure():
                channel.refused += 1
                assert channel.refused <= channel.asked, "an answer to nothing"
            case wire.Close():
                channel.heard_close = True
            case _:
                raise AssertionError(f"a client does not say {message}")


@dataclass
class OurChannel:
    """A channel as whoever uses the link sees it."""

    opened: bool = False
    over: bool = False
    closed_by_us: bool = False
    given: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    unread: int = 0
    asked: int = 0
    answered: int = 0
    ended: bool = False


class LinkAndServer(RuleBasedStateMachine):
    """The rules: what either side may do at any moment. What is wrong shows in `Server.hear`."""

    @initialize()
    def begin(self) -> None:
        self.link = Link(WindowBudget(TOTAL, WIDEST_WINDOW, LEAST))
        self.server = Server()
        self.ours: dict[int, OurChannel] = {}
        self.to_server = b""
        self.foreign = 0
        self.held = {"to the server": False, "to the link": False}
        for window in (0, 70_000):
            self.we_open()
            self.deliver()
            self.they_confirm(0, window, LONGEST_PACKET)
            self.deliver()

    def pick(self, choice: int) -> int:
        return list(self.ours)[choice % len(self.ours)]

    def server_channel(self, choice: int) -> TheirChannel:
        talkative = self.server.talkative()
        return talkative[choice % len(talkative)]

    # ---- what the user of the link does

    @rule()
    def we_open(self) -> None:
        number = self.link.open("session")
        assert number not in self.ours
        self.ours[number] = OurChannel()

    @precondition(lambda self: self.ours)
    @rule(choice=which, size=sizes)
    def we_send(self, choice: int, size: int) -> None:
        number = self.pick(choice)
        data = bytes([choice % 256]) * min(size, self.link.room(number))
        self.link.data(number, data)
        self.ours[number].given += data

    @precondition(lambda self: self.ours)
    @rule(choice=which, want_reply=st.booleans())
    def we_ask(self, choice: int, want_reply: bool) -> None:
        number = self.pick(choice)
        if self.link.request(number, "exec", want_reply=want_reply):
            self.ours[number].asked += want_reply

    @precondition(lambda self: self.ours)
    @rule(choice=which)
    def we_end_our_data(self, choice: int) -> None:
        self.link.eof(self.pick(choice))

    @precondition(lambda self: self.ours)
    @rule(choice=which, size=sizes)
    def we_consume(self, choice: int, size: int) -> None:
        number = self.pick(choice)
        count = min(size, self.ours[number].unread)
        self.ours[number].unread -= count
        self.link.consumed(number, count)

    @precondition(lambda self: self.ours)
    @rule(choice=which)
    def we_close(self, choice: int) -> None:
        number = self.pick(choice)
        self.link.close(number)
        self.ours[number].closed_by_us = True

    # ---- what the server does

    @precondition(lambda self: self.server.opens)
    @rule(choice=which, window=sizes, longest=packets)
    def they_confirm(self, choice: int, window: int, longest: int) -> None:
        opens = self.server.opens
        self.server.confirm(opens.pop(choice % len(opens)), window, longest)

    @precondition(lambda self: self.server.opens)
    @rule(choice=which)
    def they_refuse(self, choice: int) -> None:
        opening = self.server.opens.pop(choice % len(self.server.opens))
        self.server.say(wire.OpenFailure(opening.sender, 2, "open failed"))

    @precondition(lambda self: self.server.talkative())
    @rule(choice=which, size=sizes, stderr=st.booleans())
    def they_send(self, choice: int, size: int, stderr: bool) -> None:
        channel = self.server_channel(choice)
        if not channel.said_eof:
            self.server.data(channel, size, stderr)

    @precondition(lambda self: self.server.talkative())
    @rule(choice=which, count=sizes)
    def they_widen(self, choice: int, count: int) -> None:
        channel = self.server_channel(choice)
        channel.may_get += count
        self.server.say(wire.WindowAdjust(channel.yours, count))

    @precondition(lambda self: self.server.talkative())
    @rule(choice=which, want_reply=st.booleans())
    def they_ask(self, choice: int, want_reply: bool) -> None:
        channel = self.server_channel(choice)
        channel.asked += want_reply
        self.server.say(wire.ChannelRequest(channel.yours, "keepalive@openssh.com", want_reply))

    @precondition(lambda self: self.server.talkative())
    @rule(choice=which, granted=st.booleans())
    def they_answer(self, choice: int, granted: bool) -> None:
        channel = self.server_channel(choice)
        if channel.owed:
            channel.owed -= 1
            answer = wire.RequestSuccess if granted else wire.RequestFailure
            self.server.say(answer(channel.yours))

    @precondition(lambda self: self.server.talkative())
    @rule(choice=which)
    def they_tell_the_end(self, choice: int) -> None:
        channel = self.server_channel(choice)
        self.server.say(wire.ChannelRequest(channel.yours, "exit-status", False, ExitStatus(1).encode()))

    @precondition(lambda self: self.server.talkative())
    @rule(choice=which)
    def they_end_their_data(self, choice: int) -> None:
        channel = self.server_channel(choice)
        if not channel.said_eof:
            channel.said_eof = True
            self.server.say(wire.Eof(channel.yours))

    @precondition(lambda self: self.server.talkative())
    @rule(choice=which)
    def they_close(self, choice: int) -> None:
        self.server.close(self.server_channel(choice))

    @rule()
    def they_open_a_channel(self) -> None:
        self.foreign += 1
        self.server.say(wire.ChannelOpen("forwarded-tcpip", self.foreign, 100, 100))

    # ---- what is said arrives at once, unless it is held back; then it comes later, and in pieces

    @rule(way=st.sampled_from(["to the server", "to the link"]))
    def hold_back(self, way: str) -> None:
        self.held[way] = True

    @rule(way=st.sampled_from(["to the server", "to the link"]))
    def let_go(self, way: str) -> None:
        self.held[way] = False

    @precondition(lambda self: self.held["to the server"])
    @rule(part=st.floats(0, 1))
    def a_part_reaches_the_server(self, part: float) -> None:
        self._reaches_the_server(part)

    @precondition(lambda self: self.held["to the link"])
    @rule(part=st.floats(0, 1))
    def a_part_reaches_the_link(self, part: float) -> None:
        self._reaches_the_link(part)

    @invariant()
    def deliver(self) -> None:
        if not self.held["to the link"]:
            self._reaches_the_link(1.0)
        if not self.held["to the server"]:
            self._reaches_the_server(1.0)

    def _reaches_the_server(self, part: float) -> None:
        self.to_server += self.link.outgoing()
        size = round(part * len(self.to_server))
        piece, self.to_server = self.to_server[:size], self.to_server[size:]
        self.server.hear(piece)

    def _reaches_the_link(self, part: float) -> None:
        stream = b"".join(self.server.said)
        size = round(part * len(stream))
        self.server.said = [stream[size:]]
        for event in self.link.feed(stream[:size]):
            self._happened(event)

    def _happened(self, event: events.Event) -> None:
        ours = self.ours[event.channel]
        assert not ours.over, f"{event} on a channel that is gone"
        match event:
            case events.Opened():
                assert not ours.opened and not ours.closed_by_us
                ours.opened = True
            case events.Refused():
                assert not ours.opened and not ours.closed_by_us
                ours.over = True
            case events.Closed():
                ours.over = True
            case events.Received():
                assert not ours.closed_by_us
                ours.received += event.data
                ours.unread += len(event.data)
            case events.Answered():
                ours.answered += 1
                assert ours.answered <= ours.asked
            case events.Ended():
                ours.ended = True
            case _:
                pass

    # ---- what holds at every moment

    @invariant()
    def the_link_knows_as_many_channels_as_are_not_over(self) -> None:
        assert len(self.link) == sum(not ours.over for ours in self.ours.values())

    @invariant()
    def what_the_server_may_send_is_bounded(self) -> None:
        granted = sum(channel.may_send for channel in self.server.channels.values() if not channel.said_close)
        granted += sum(opening.window for opening in self.server.opens)
        assert granted <= TOTAL + LEAST * len(self.link)

    def teardown(self) -> None:
        """Everything arrives, everybody closes; then both have what the other gave, and nothing is left."""
        self._reaches_the_server(1.0)
        self._reaches_the_link(1.0)
        while self.server.opens:
            self.they_confirm(0, 0, LONGEST_PACKET)
        for channel in self.server.talkative():
            while channel.owed:
                channel.owed -= 1
                self.server.say(wire.RequestSuccess(channel.yours))
            self.server.close(channel)
        self._reaches_the_link(1.0)
        self._reaches_the_server(1.0)
        assert len(self.link) == 0
        assert len(self.server.refused_opens) == self.foreign
        for channel in self.server.channels.values():
            assert channel.heard_close, "every CLOSE is answered"
            self._compare(channel, self.ours[channel.yours])

    def _compare(self, channel: TheirChannel, ours: OurChannel) -> None:
        assert b"".join(channel.got) == ours.given
        assert ours.over
        if ours.closed_by_us:
            assert b"".join(channel.sent).startswith(bytes(ours.received))
        else:
            assert b"".join(channel.sent) == ours.received
            assert ours.answered + channel.owed == ours.asked
            assert channel.refused == channel.asked, "every request was answered"


LinkAndServer.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
test_the_link_never_breaks_the_protocol = LinkAndServer.TestCase
