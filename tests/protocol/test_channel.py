"""The life of one channel: every legal move does what the table says, every other is an error or is not sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from openssh_core._protocol.channel import MOVES, Channel, Life
from openssh_core._protocol.window import MAX_DATA, WindowBudget
from openssh_core._wire import channels as wire
from openssh_core._wire.primitives import U32_MAX
from openssh_core.errors import LocalProtocolError, RemoteProtocolError

OURS, THEIRS = 3, 70
WINDOW = 100


def confirmation(window: int = 50, max_packet: int = 10) -> wire.OpenConfirmation:
    return wire.OpenConfirmation(OURS, THEIRS, window, max_packet)


def opening() -> Channel:
    return Channel(OURS, WindowBudget(100 * WINDOW, WINDOW, 1, WINDOW))


def abandoned() -> Channel:
    channel = opening()
    channel.close()
    return channel


def opened(window: int = 50, max_packet: int = 10) -> Channel:
    channel = opening()
    channel.confirmed(confirmation(window, max_packet))
    return channel


def closing() -> Channel:
    channel = opened()
    channel.close()
    return channel


def gone() -> Channel:
    channel = closing()
    channel.closed()
    return channel


MAKERS: dict[Life, Callable[[], Channel]] = {
    Life.OPENING: opening,
    Life.ABANDONED: abandoned,
    Life.OPEN: opened,
    Life.CLOSING: closing,
    Life.GONE: gone,
}
EVENTS: dict[str, Callable[[Channel], wire.Close | None]] = {
    "confirmed": lambda channel: channel.confirmed(confirmation()),
    "refused": lambda channel: channel.refused(),
    "we_close": lambda channel: channel.close(),
    "they_close": lambda channel: channel.closed(),
}
# What has to be said on a move; on the others nothing.
SAID = {
    (Life.ABANDONED, "confirmed"): wire.Close(THEIRS),
    (Life.OPEN, "we_close"): wire.Close(THEIRS),
    (Life.OPEN, "they_close"): wire.Close(THEIRS),
}
LEGAL = [
    (Life.OPENING, "confirmed", Life.OPEN),
    (Life.OPENING, "refused", Life.GONE),
    (Life.OPENING, "we_close", Life.ABANDONED),
    (Life.ABANDONED, "confirmed", Life.CLOSING),
    (Life.ABANDONED, "refused", Life.GONE),
    (Life.OPEN, "we_close", Life.CLOSING),
    (Life.OPEN, "they_close", Life.GONE),
    (Life.CLOSING, "they_close", Life.GONE),
]
MOVES_THAT_ARE = {(life, event) for life, event, _ in LEGAL}
ILLEGAL = [(life, event) for life in Life for event in EVENTS if (life, event) not in MOVES_THAT_ARE]


def test_the_table_is_what_is_tested_here() -> None:
    assert {(life, event): then for life, event, then in LEGAL} == MOVES


@pytest.mark.parametrize("life", Life)
def test_every_stage_of_life_can_be_reached(life: Life) -> None:
    assert MAKERS[life]().life is life


@pytest.mark.parametrize(("life", "event", "then"), LEGAL)
def test_a_legal_move_leads_where_the_table_says(life: Life, event: str, then: Life) -> None:
    channel = MAKERS[life]()
    assert EVENTS[event](channel) == SAID.get((life, event))
    assert channel.life is then


@pytest.mark.parametrize(("life", "event"), [(life, event) for life, event in ILLEGAL if event != "we_close"])
def test_an_illegal_move_of_the_peer_is_an_error_and_moves_nothing(life: Life, event: str) -> None:
    channel = MAKERS[life]()
    with pytest.raises(RemoteProtocolError, match=f"{event} makes no sense for a channel that is {life.value}"):
        EVENTS[event](channel)
    assert channel.life is life


@pytest.mark.parametrize("life", [life for life, event in ILLEGAL if event == "we_close"])
def test_closing_what_is_closed_or_gone_says_nothing(life: Life) -> None:
    channel = MAKERS[life]()
    assert channel.close() is None
    assert channel.life is life


# ---- the answer to our OPEN


def test_an_open_channel_has_the_peers_number_and_window() -> None:
    channel = opened(window=50, max_packet=10)
    assert channel.peer == THEIRS
    assert (channel.send.left, channel.send.max_packet) == (50, 10)


def test_sshd_opens_a_session_with_no_window_at_all() -> None:
    channel = opened(window=0, max_packet=32_768)
    assert channel.send.room == 0
    with pytest.raises(LocalProtocolError):
        channel.data(b"x")
    channel.send.granted(5)
    assert channel.data(b"x") == wire.Data(THEIRS, b"x")


def test_a_peer_that_takes_no_bytes_at_all_is_refused() -> None:
    channel = opening()
    with pytest.raises(RemoteProtocolError, match="packets of 0 bytes"):
        channel.confirmed(confirmation(max_packet=0))
    assert channel.life is Life.OPENING


def test_a_peer_that_takes_everything_gets_packets_the_master_takes() -> None:
    channel = opened(window=U32_MAX, max_packet=U32_MAX)
    assert channel.send.max_packet == MAX_DATA
    with pytest.raises(LocalProtocolError):
        channel.data(bytes(MAX_DATA + 1))


# ---- what we say


@pytest.mark.parametrize("life", [life for life in Life if life is not Life.OPEN])
def test_nothing_is_said_on_a_channel_that_is_not_open(life: Life) -> None:
    channel = MAKERS[life]()
    channel.receive.arrived(channel.receive.left)
    assert channel.request("exec", b"", True) is None
    assert channel.data(b"x") is None
    assert channel.eof() is None
    assert channel.consumed(WINDOW) is None
    assert not channel.asked
    assert not channel.eof_sent


def test_requests_go_to_the_peers_number() -> None:
    assert opened().request("exec", b"payload", True) == wire.ChannelRequest(THEIRS, "exec", True, b"payload")


def test_data_goes_to_the_peers_number_and_is_spent() -> None:
    channel = opened(window=50, max_packet=10)
    assert channel.data(b"0123456789") == wire.Data(THEIRS, b"0123456789")
    assert channel.send.left == 40


def test_data_over_the_peers_longest_packet_is_not_sent() -> None:
    channel = opened(window=50, max_packet=10)
    with pytest.raises(LocalProtocolError):
        channel.data(b"0123456789a")
    assert channel.send.left == 50


def test_data_past_the_window_is_not_sent() -> None:
    channel = opened(window=5, max_packet=10)
    with pytest.raises(LocalProtocolError):
        channel.data(b"012345")


def test_eof_is_said_once() -> None:
    channel = opened()
    assert channel.eof() == wire.Eof(THEIRS)
    assert channel.eof() is None


def test_data_after_our_eof_is_our_own_fault() -> None:
    channel = opened()
    channel.eof()
    with pytest.raises(LocalProtocolError, match="after our EOF"):
        channel.data(b"x")


def test_requests_may_follow_our_eof() -> None:
    channel = opened()
    channel.eof()
    assert channel.request("signal", b"", True) is not None


def test_close_is_said_once() -> None:
    channel = opened()
    assert channel.close() == wire.Close(THEIRS)
    assert channel.close() is None


def test_their_close_is_not_answered_when_ours_is_out() -> None:
    assert closing().closed() is None


# ---- answers carry no number


def test_answers_are_for_the_requests_in_their_order() -> None:
    channel = opened()
    channel.request("env", b"", True)
    channel.request("signal", b"", False)
    channel.request("exec", b"", True)
    assert [channel.answered(), channel.answered()] == ["env", "exec"]


def test_an_answer_nobody_asked_for_is_dropped_and_not_kept_for_the_next() -> None:
    channel = opened()
    assert channel.answered() is None
    channel.request("exec", b"", True)
    assert channel.answered() == "exec"
    assert channel.answered() is None


def test_what_was_asked_before_our_close_is_still_answered() -> None:
    channel = opened()
    channel.request("exec", b"", True)
    channel.close()
    assert channel.answered() == "exec"


# ---- credit


def test_consumed_data_is_credited_to_the_peer() -> None:
    channel = opened()
    channel.receive.arrived(60)
    assert channel.consumed(60) == wire.WindowAdjust(THEIRS, 60)


def test_little_consumed_data_is_not_worth_a_packet() -> None:
    channel = opened()
    channel.receive.arrived(10)
    assert channel.consumed(10) is None


def test_after_the_peers_eof_it_needs_no_credit() -> None:
    channel = opened()
    channel.receive.arrived(60)
    channel.eof_received = True
    assert channel.consumed(60) is None
