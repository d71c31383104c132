"""Many channels over one connection: what is told, what is sent, and what a strange peer gets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._protocol import link as events
from openssh_core._protocol.link import Event, Link
from openssh_core._protocol.window import MAX_DATA, WindowBudget
from openssh_core._wire import channels as wire
from openssh_core._wire.frames import FrameSplitter, frame
from openssh_core._wire.primitives import U32_MAX
from openssh_core._wire.requests import ExitSignal, ExitStatus
from openssh_core.errors import LocalProtocolError, Malformed, RemoteProtocolError

Cut = Callable[[bytes], list[bytes]]

# The peer's number for our channel 0. It is never the same as ours.
THEIRS = 70
FIRST_WINDOW = 65_536


def packet(message: wire.Message) -> bytes:
    """A proxy packet: length, no padding, the message."""
    assert not isinstance(message, wire.Ignored)
    return frame(b"\x00" + message.encode())


def sent(link: Link) -> list[wire.Message]:
    """What the link wants to send now."""
    bodies = FrameSplitter().feed(link.outgoing())
    assert all(body[0] == 0 for body in bodies)
    return [wire.decode(bytes(body[1:])) for body in bodies]


def says(link: Link, *messages: wire.Message) -> list[Event]:
    """The peer says something; what happened."""
    return list(link.feed(b"".join(packet(message) for message in messages)))


def with_open_channel(window: int = 100, max_packet: int = 32_768, *, budget: WindowBudget | None = None) -> Link:
    link = Link(budget)
    assert link.open("session") == 0
    says(link, wire.OpenConfirmation(0, THEIRS, window, max_packet))
    sent(link)
    return link


def closing_link() -> Link:
    link = with_open_channel()
    link.close(0)
    assert sent(link) == [wire.Close(THEIRS)]
    return link


# ---- opening


def test_an_open_goes_out_in_a_proxy_packet() -> None:
    link = Link()
    link.open("session")
    assert link.outgoing() == bytes.fromhex("00000019 00 5a 00000007 73657373696f6e 00000000 00010000 00008000")
    assert link.outgoing() == b""


def test_every_channel_has_a_number_of_its_own_for_ever() -> None:
    link = Link()
    assert [link.open("session"), link.open("session")] == [0, 1]
    says(link, wire.OpenFailure(0, 2, "no"), wire.OpenFailure(1, 2, "no"))
    assert link.open("session") == 2


def test_what_is_opened_may_carry_more_than_its_kind() -> None:
    link = Link()
    link.open("direct-tcpip", b"extra")
    assert sent(link) == [wire.ChannelOpen("direct-tcpip", 0, FIRST_WINDOW, MAX_DATA, b"extra")]


def test_a_confirmation_opens_it_however_it_arrives(cut: Cut) -> None:
    link = Link()
    link.open("session")
    stream = packet(wire.OpenConfirmation(0, THEIRS, 5, 100))
    assert [event for piece in cut(stream) for event in link.feed(piece)] == [events.Opened(0)]
    assert link.room(0) == 5


def test_a_refusal_says_why_and_the_channel_is_gone() -> None:
    link = Link()
    link.open("session")
    assert says(link, wire.OpenFailure(0, 2, "open failed")) == [events.Refused(0, 2, "open failed")]
    assert len(link) == 0


def test_answers_find_their_channels_in_any_order() -> None:
    link = Link()
    for _ in range(3):
        link.open("session")
    answers: list[wire.Message] = [
        wire.OpenConfirmation(2, 70, 0, 9),
        wire.OpenFailure(0, 4, "no"),
        wire.OpenConfirmation(1, 71, 0, 9),
    ]
    assert says(link, *answers) == [events.Opened(2), events.Refused(0, 4, "no"), events.Opened(1)]
    sent(link)
    link.eof(1)
    link.eof(2)
    assert sent(link) == [wire.Eof(71), wire.Eof(70)]


# ---- a channel given up while its OPEN is out


def test_giving_up_an_opening_channel_says_nothing_yet() -> None:
    link = Link()
    link.open("session")
    sent(link)
    link.close(0)
    assert sent(link) == []
    assert len(link) == 1


def test_a_channel_given_up_is_closed_as_soon_as_it_is_open() -> None:
    link = Link()
    link.open("session")
    link.close(0)
    sent(link)
    assert says(link, wire.OpenConfirmation(0, THEIRS, 0, 9)) == []
    assert sent(link) == [wire.Close(THEIRS)]
    assert says(link, wire.Close(0)) == [events.Closed(0)]
    assert len(link) == 0


def test_a_channel_given_up_and_refused_is_gone() -> None:
    link = Link()
    link.open("session")
    link.close(0)
    assert says(link, wire.OpenFailure(0, 2, "no")) == [events.Closed(0)]
    assert len(link) == 0


# ---- requests and their answers


def test_requests_go_to_the_peers_number() -> None:
    link = with_open_channel()
    assert link.request(0, "exec", b"payload")
    assert link.request(0, "signal", want_reply=False)
    assert sent(link) == [
        wire.ChannelRequest(THEIRS, "exec", True, b"payload"),
        wire.ChannelRequest(THEIRS, "signal", False),
    ]


def test_answers_name_the_request_they_are_for() -> None:
    link = with_open_channel()
    link.request(0, "pty-req")
    link.request(0, "exec")
    assert says(link, wire.RequestFailure(0), wire.RequestSuccess(0)) == [
        events.Answered(0, "pty-req", False),
        events.Answered(0, "exec", True),
    ]


@pytest.mark.parametrize("answer", [wire.RequestSuccess(0), wire.RequestFailure(0)])
def test_an_answer_nobody_asked_for_is_dropped(answer: wire.Message) -> None:
    link = with_open_channel()
    assert says(link, answer) == []
    link.request(0, "exec")
    assert says(link, wire.RequestSuccess(0), wire.RequestFailure(0)) == [events.Answered(0, "exec", True)]


@pytest.mark.parametrize("number", [0, 1])
def test_a_request_for_what_is_not_open_is_not_sent(number: int) -> None:
    link = Link()
    link.open("session")
    sent(link)
    assert not link.request(number, "exec")
    assert sent(link) == []


# ---- what the server asks


@pytest.mark.parametrize("name", ["keepalive@openssh.com", "exec", "nobody knows", ""])
def test_a_request_of_the_server_is_refused_at_once(name: str) -> None:
    link = with_open_channel()
    assert says(link, wire.ChannelRequest(0, name, True, b"whatever")) == []
    assert sent(link) == [wire.RequestFailure(THEIRS)]


def test_a_request_that_wants_no_answer_gets_none() -> None:
    link = with_open_channel()
    assert says(link, wire.ChannelRequest(0, "eow@openssh.com", False)) == []
    assert sent(link) == []


def test_after_our_close_not_even_a_keepalive_is_answered() -> None:
    link = closing_link()
    says(link, wire.ChannelRequest(0, "keepalive@openssh.com", True))
    assert sent(link) == []


@pytest.mark.parametrize("kind", ["session", "x11", "forwarded-tcpip", "auth-agent@openssh.com", ""])
def test_a_channel_that_the_server_opens_is_refused(kind: str) -> None:
    link = with_open_channel()
    assert says(link, wire.ChannelOpen(kind, 5, 100, 100, b"extra")) == []
    assert sent(link) == [wire.OpenFailure(5, wire.OPEN_ADMINISTRATIVELY_PROHIBITED, "not requested")]
    assert len(link) == 1


# ---- the end of the program


def test_an_exit_status_is_told() -> None:
    link = with_open_channel()
    assert says(link, wire.ChannelRequest(0, "exit-status", False, ExitStatus(3).encode())) == [
        events.Ended(0, ExitStatus(3))
    ]


def test_a_death_by_signal_is_told() -> None:
    link = with_open_channel()
    how = ExitSignal("SEGV", True, "oops")
    assert says(link, wire.ChannelRequest(0, "exit-signal", False, how.encode())) == [events.Ended(0, how)]


def test_an_exit_signal_of_junk_is_told_as_well_as_can_be() -> None:
    link = with_open_channel()
    payload = bytes.fromhex("00000002 fffe 00 00000001 80 00000000")
    assert says(link, wire.ChannelRequest(0, "exit-signal", False, payload)) == [
        events.Ended(0, ExitSignal(r"\xff\xfe", False, r"\x80"))
    ]


@pytest.mark.parametrize("name", ["exit-status", "exit-signal"])
@pytest.mark.parametrize("size", range(4))
def test_a_short_end_is_malformed(name: str, size: int) -> None:
    with pytest.raises(Malformed):
        says(with_open_channel(), wire.ChannelRequest(0, name, False, bytes(size)))


def test_an_end_that_wants_an_answer_gets_one() -> None:
    link = with_open_channel()
    says(link, wire.ChannelRequest(0, "exit-status", True, ExitStatus(0).encode()))
    assert sent(link) == [wire.RequestFailure(THEIRS)]


def test_data_may_follow_the_end_of_the_program() -> None:
    link = with_open_channel()
    got = says(link, wire.ChannelRequest(0, "exit-status", False, ExitStatus(0).encode()), wire.Data(0, b"late"))
    assert got == [events.Ended(0, ExitStatus(0)), events.Received(0, b"late")]


# ---- data towards the peer


def test_data_is_cut_into_packets_the_master_takes() -> None:
    link = with_open_channel(window=100_000, max_packet=U32_MAX)
    link.data(0, bytes(70_000))
    sizes = [len(message.data) for message in sent(link) if isinstance(message, wire.Data)]
    assert sizes == [32_768, 32_768, 4464]
    assert link.room(0) == 30_000


def test_data_is_cut_into_packets_the_peer_takes() -> None:
    link = with_open_channel(window=10, max_packet=4)
    link.data(0, b"0123456789")
    assert sent(link) == [wire.Data(THEIRS, b"0123"), wire.Data(THEIRS, b"4567"), wire.Data(THEIRS, b"89")]


def test_a_peer_may_take_single_bytes() -> None:
    link = with_open_channel(window=3, max_packet=1)
    link.data(0, b"abc")
    assert sent(link) == [wire.Data(THEIRS, b"a"), wire.Data(THEIRS, b"b"), wire.Data(THEIRS, b"c")]


def test_a_peer_that_takes_no_bytes_ends_the_link() -> None:
    link = Link()
    link.open("session")
    with pytest.raises(RemoteProtocolError, match="0 bytes"):
        says(link, wire.OpenConfirmation(0, THEIRS, 100, 0))


def test_no_data_is_no_packet() -> None:
    link = with_open_channel()
    link.data(0, b"")
    assert sent(link) == []


def test_more_than_the_window_is_our_own_fault_and_nothing_of_it_goes() -> None:
    link = with_open_channel(window=5, max_packet=2)
    with pytest.raises(LocalProtocolError, match="6 bytes do not fit a window of 5"):
        link.data(0, b"012345")
    assert sent(link) == []
    assert link.room(0) == 5


def test_the_window_grows_when_the_peer_says_so() -> None:
    link = with_open_channel(window=0)
    assert link.room(0) == 0
    assert says(link, wire.WindowAdjust(0, 7)) == [events.WindowGrew(0)]
    assert link.room(0) == 7


def test_a_window_past_the_largest_number_is_an_error() -> None:
    link = with_open_channel(window=1)
    with pytest.raises(RemoteProtocolError, match="window past"):
        says(link, wire.WindowAdjust(0, U32_MAX))


def test_after_our_eof_there_is_no_room_and_data_is_our_own_fault() -> None:
    link = with_open_channel()
    link.eof(0)
    link.eof(0)
    assert sent(link) == [wire.Eof(THEIRS)]
    assert link.room(0) == 0
    with pytest.raises(LocalProtocolError, match="after our EOF"):
        link.data(0, b"x")


@pytest.mark.parametrize("make", [closing_link, Link], ids=["closing", "gone"])
def test_nothing_is_sent_after_our_close_nor_to_what_is_gone(make: Callable[[], Link]) -> None:
    link = make()
    link.data(0, b"x")
    link.eof(0)
    link.consumed(0, 1)
    link.close(0)
    assert not link.request(0, "signal")
    assert link.room(0) == 0
    assert sent(link) == []


# ---- data from the peer


def test_data_arrives_however_it_is_cut(cut: Cut) -> None:
    link = with_open_channel()
    stream = packet(wire.Data(0, b"out")) + packet(wire.ExtendedData(0, 1, b"err"))
    got = [event for piece in cut(stream) for event in link.feed(piece)]
    assert got == [events.Received(0, b"out"), events.Received(0, b"err", stderr=True)]


def test_bulk_data_is_not_copied() -> None:
    (event,) = says(with_open_channel(), wire.Data(0, b"bulk"))
    assert isinstance(event, events.Received)
    assert isinstance(event.data, memoryview)


def test_data_past_the_window_is_an_error() -> None:
    link = with_open_channel()
    says(link, wire.Data(0, bytes(FIRST_WINDOW)))
    with pytest.raises(RemoteProtocolError, match="1 bytes into a window of 0"):
        says(link, wire.Data(0, b"x"))


def test_stdout_and_stderr_share_the_window() -> None:
    link = with_open_channel()
    says(link, wire.Data(0, bytes(FIRST_WINDOW - 1)))
    with pytest.raises(RemoteProtocolError):
        says(link, wire.ExtendedData(0, 1, b"xx"))


def test_a_packet_longer_than_we_said_we_take_is_taken() -> None:
    (event,) = says(with_open_channel(), wire.Data(0, bytes(MAX_DATA + 1)))
    assert isinstance(event, events.Received)


def test_credit_is_given_for_what_was_consumed_and_in_batches() -> None:
    link = with_open_channel()
    says(link, wire.Data(0, bytes(40_000)))
    for _ in range(39):
        link.consumed(0, 1000)
    credits_given = [message.count for message in sent(link) if isinstance(message, wire.WindowAdjust)]
    assert len(credits_given) == 1


def test_the_window_of_a_lone_channel_grows_with_its_first_credit() -> None:
    link = with_open_channel()
    says(link, wire.Data(0, bytes(FIRST_WINDOW)))
    link.consumed(0, FIRST_WINDOW)
    assert sent(link) == [wire.WindowAdjust(THEIRS, 2 * 2**20)]


@pytest.mark.parametrize("channels", [1, 4, 16, 128, 300, 1000])
def test_what_may_be_on_its_way_is_bounded_however_many_there_are(channels: int) -> None:
    """Also when they come one after another, and each keeps what it was granted."""
    link = Link()
    granted = dict.fromkeys(range(channels), 0)

    def take_in() -> None:
        for message in sent(link):
            if isinstance(message, wire.ChannelOpen):
                granted[message.sender] += message.window
            elif isinstance(message, wire.WindowAdjust):
                granted[message.recipient - THEIRS] += message.count

    for number in range(channels):
        link.open("session")
        take_in()
        says(link, wire.OpenConfirmation(number, THEIRS + number, 0, 100))
        for _ in range(2):
            count, granted[number] = granted[number], 0
            says(link, *(wire.Data(number, bytes(min(MAX_DATA, count - at))) for at in range(0, count, MAX_DATA)))
            link.consumed(number, count)
            take_in()
    assert all(granted.values()), "everybody can go on"
    assert granted[0] == 2 * 2**20
    assert sum(granted.values()) <= 7 * 2**20 + 4096 * channels
    for number in range(channels):
        says(link, wire.Close(number))
    assert link.open("session") == channels
    (again,) = (message for message in sent(link) if isinstance(message, wire.ChannelOpen))
    assert again.window == FIRST_WINDOW, "what is gone holds nothing"


def test_the_budget_is_the_callers() -> None:
    link = with_open_channel(budget=WindowBudget(total=1800, most=500, least=10, first=20))
    says(link, wire.Data(0, bytes(20)))
    link.consumed(0, 20)
    assert sent(link) == [wire.WindowAdjust(THEIRS, 500)]


def test_extended_data_of_an_unknown_kind_is_dropped_and_credited() -> None:
    link = with_open_channel()
    assert says(link, wire.ExtendedData(0, 2, bytes(FIRST_WINDOW))) == []
    assert sent(link) == [wire.WindowAdjust(THEIRS, 2 * 2**20)]


def test_data_after_the_peers_eof_is_dropped() -> None:
    link = with_open_channel()
    assert says(link, wire.Eof(0), wire.Data(0, b"late")) == [events.EndOfData(0)]


def test_data_after_our_close_is_dropped_without_a_word() -> None:
    link = closing_link()
    assert says(link, wire.Data(0, bytes(FIRST_WINDOW)), wire.ExtendedData(0, 1, b"")) == []
    assert sent(link) == []


def test_data_past_the_window_is_an_error_after_our_close_too() -> None:
    with pytest.raises(RemoteProtocolError, match="into a window of 65536"):
        says(closing_link(), wire.Data(0, bytes(FIRST_WINDOW + 1)))


# ---- the end of a channel


def test_eof_is_told_once() -> None:
    link = with_open_channel()
    assert says(link, wire.Eof(0), wire.Eof(0)) == [events.EndOfData(0)]


def test_their_close_is_answered_and_the_channel_is_gone() -> None:
    link = with_open_channel()
    assert says(link, wire.Eof(0), wire.Close(0)) == [events.EndOfData(0), events.Closed(0)]
    assert sent(link) == [wire.Close(THEIRS)]
    assert len(link) == 0


def test_our_close_waits_for_theirs() -> None:
    link = closing_link()
    assert len(link) == 1
    assert says(link, wire.Close(0)) == [events.Closed(0)]
    assert sent(link) == []
    assert len(link) == 0


def test_a_close_may_come_without_eof_or_status() -> None:
    assert says(with_open_channel(), wire.Close(0)) == [events.Closed(0)]


def test_what_was_said_before_our_close_is_still_told_after_it() -> None:
    link = with_open_channel()
    link.request(0, "exec")
    link.close(0)
    status = wire.ChannelRequest(0, "exit-status", False, ExitStatus(1).encode())
    assert says(link, wire.RequestSuccess(0), status, wire.Eof(0), wire.WindowAdjust(0, 5), wire.Close(0)) == [
        events.Answered(0, "exec", True),
        events.Ended(0, ExitStatus(1)),
        events.EndOfData(0),
        events.WindowGrew(0),
        events.Closed(0),
    ]


# ---- what nobody may say

STATUS = wire.ChannelRequest(0, "exit-status", False, ExitStatus(0).encode())
TO_A_CHANNEL: list[wire.Message] = [
    wire.WindowAdjust(0, 1),
    wire.Data(0, b"x"),
    wire.ExtendedData(0, 1, b"x"),
    wire.Eof(0),
    wire.Close(0),
    STATUS,
    wire.ChannelRequest(0, "keepalive@openssh.com", True),
    wire.RequestSuccess(0),
    wire.RequestFailure(0),
]
ANSWERS: list[wire.Message] = [wire.OpenConfirmation(0, 71, 0, 9), wire.OpenFailure(0, 1, "no")]


def name(message: wire.Message) -> str:
    return type(message).__name__


def to_the_peers_own_number(message: wire.Message) -> bytes:
    """The message with the peer's number where ours should be: the mix-up of the two is the classic mistake."""
    body = packet(message)
    return body[:6] + THEIRS.to_bytes(4, "big") + body[10:]


@pytest.mark.parametrize("message", [*TO_A_CHANNEL, *ANSWERS], ids=name)
def test_nothing_may_be_said_to_a_channel_that_is_not_there(message: wire.Message) -> None:
    with pytest.raises(RemoteProtocolError, match=f"channel {THEIRS}, which does not exist"):
        list(with_open_channel().feed(to_the_peers_own_number(message)))


@pytest.mark.parametrize("message", [*TO_A_CHANNEL, *ANSWERS], ids=name)
def test_nothing_may_be_said_after_close(message: wire.Message) -> None:
    link = with_open_channel()
    says(link, wire.Close(0))
    with pytest.raises(RemoteProtocolError, match="does not exist"):
        says(link, message)


@pytest.mark.parametrize("message", TO_A_CHANNEL, ids=name)
@pytest.mark.parametrize("given_up", [False, True], ids=["opening", "given up"])
def test_nothing_may_be_said_to_a_channel_before_it_is_open(message: wire.Message, given_up: bool) -> None:
    link = Link()
    link.open("session")
    if given_up:
        link.close(0)
    sent(link)
    with pytest.raises(RemoteProtocolError):
        says(link, message)
    assert sent(link) == []


@pytest.mark.parametrize("message", ANSWERS, ids=name)
@pytest.mark.parametrize("make", [with_open_channel, closing_link], ids=["open", "closing"])
def test_an_open_is_answered_only_once(message: wire.Message, make: Callable[[], Link]) -> None:
    with pytest.raises(RemoteProtocolError, match="makes no sense"):
        says(make(), message)


@pytest.mark.parametrize("stream", ["00000000", "00000001 00", "00000001 60"], ids=["empty", "no number", "one byte"])
def test_a_packet_without_a_message_is_malformed(stream: str) -> None:
    with pytest.raises(Malformed, match="a proxy packet of"):
        list(with_open_channel().feed(bytes.fromhex(stream)))


def test_a_packet_with_padding_is_malformed() -> None:
    with pytest.raises(Malformed, match="4 bytes of padding"):
        list(with_open_channel().feed(bytes.fromhex("00000006 04 60 00000000")))


@pytest.mark.parametrize(
    "stream",
    [
        "00000002 00 14",
        "00000002 00 01",
        "00000006 00 5d 00000000",
        "00040001",
        "ffffffff",
        "00000007 00 60 00000000 00",
    ],
    ids=["KEXINIT", "DISCONNECT", "short adjust", "too long", "4 GiB", "bytes too many"],
)
def test_rubbish_is_malformed(stream: str) -> None:
    with pytest.raises(Malformed):
        list(with_open_channel().feed(bytes.fromhex(stream)))


@pytest.mark.parametrize(
    "rubbish",
    ["ffffffff", "00000001 00", "00000002 00 14", "00000007 00 60 00000000 00", "00000006 00 61 00000009"],
    ids=["4 GiB", "no number", "KEXINIT", "bytes too many", "no such channel"],
)
def test_what_came_before_the_rubbish_is_told(rubbish: str) -> None:
    """In one read, as the last output of a command may be."""
    link = with_open_channel()
    told: list[Event] = []
    with pytest.raises(RemoteProtocolError):
        for event in link.feed(packet(wire.Data(0, b"last")) + packet(STATUS) + bytes.fromhex(rubbish)):
            told.append(event)
    assert told == [events.Received(0, b"last"), events.Ended(0, ExitStatus(0))]


@pytest.mark.parametrize("number", [2, 3, 4, 80, 81, 82])
def test_what_the_master_deals_with_itself_is_dropped(number: int) -> None:
    link = with_open_channel()
    assert list(link.feed(frame(bytes([0, number]) + b"anything"))) == []
    assert sent(link) == []


# ---- in general

numbers = st.integers(0, 3) | st.integers(0, U32_MAX)
small = st.binary(max_size=20)
messages: st.SearchStrategy[wire.Message] = st.one_of(
    st.builds(wire.ChannelOpen, st.text(max_size=8), numbers, numbers, numbers, small),
    st.builds(wire.OpenConfirmation, numbers, numbers, numbers, numbers),
    st.builds(wire.OpenFailure, numbers, numbers, st.text(max_size=8)),
    st.builds(wire.WindowAdjust, numbers, numbers),
    st.builds(wire.Data, numbers, small),
    st.builds(wire.ExtendedData, numbers, st.integers(0, 2), small),
    st.builds(wire.Eof, numbers),
    st.builds(wire.Close, numbers),
    st.builds(wire.ChannelRequest, numbers, st.sampled_from(["exit-status", "exit-signal", "x"]), st.booleans(), small),
    st.builds(wire.RequestSuccess, numbers),
    st.builds(wire.RequestFailure, numbers),
)


@given(st.lists(messages.map(packet) | small.map(frame) | small, max_size=12))
def test_any_bytes_give_events_or_a_remote_protocol_error(pieces: list[bytes]) -> None:
    link = Link()
    for _ in range(4):
        link.open("session")
    try:
        for piece in pieces:
            for event in link.feed(piece):
                assert 0 <= event.channel < 4
    except RemoteProtocolError:
        pass
    assert {type(message) for message in sent(link)} <= {
        wire.ChannelOpen,
        wire.OpenFailure,
        wire.RequestFailure,
        wire.WindowAdjust,
        wire.Close,
    }


@given(st.data())
def test_however_the_stream_is_cut_the_same_things_happen(data: st.DataObject) -> None:
    said: list[wire.Message] = [
        wire.OpenConfirmation(1, 71, 10, 10),
        wire.OpenConfirmation(0, 70, 10, 10),
        wire.Data(0, b"data"),
        wire.ChannelRequest(1, "keepalive@openssh.com", True),
        wire.ExtendedData(1, 1, b"errors"),
        STATUS,
        wire.Eof(0),
        wire.Close(0),
        wire.Close(1),
    ]
    stream = b"".join(packet(message) for message in said)

    def happens(pieces: list[bytes]) -> tuple[list[Event], list[wire.Message]]:
        link = Link()
        link.open("session")
        link.open("session")
        return [event for piece in pieces for event in link.feed(piece)], sent(link)

    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10).map(sorted))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert happens(pieces) == happens([stream])
