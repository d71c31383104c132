"""Flow control is arithmetic: what may be sent, what is granted back, and how much all of it together can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._protocol.window import MAX_DATA, ReceiveWindow, SendWindow, WindowBudget
from openssh_core._wire.primitives import U32_MAX
from openssh_core.errors import LocalProtocolError, RemoteProtocolError

sizes = st.integers(0, 2**20)


# ---- what the peer lets us send


def test_room_is_what_fits_one_packet() -> None:
    assert SendWindow(100_000, 1000).room == 1000
    assert SendWindow(10, 1000).room == 10


def test_packets_are_never_longer_than_the_master_takes() -> None:
    assert SendWindow(U32_MAX, U32_MAX).max_packet == 32_768
    assert SendWindow(U32_MAX, U32_MAX).room == MAX_DATA


def test_before_the_peer_has_granted_anything_nothing_fits() -> None:
    window = SendWindow()
    window.spend(0)
    with pytest.raises(LocalProtocolError):
        window.spend(1)


def test_what_goes_out_is_spent() -> None:
    window = SendWindow(10, 6)
    window.spend(6)
    assert (window.left, window.room) == (4, 4)
    window.granted(3)
    assert (window.left, window.room) == (7, 6)


@pytest.mark.parametrize(("left", "packet"), [(5, 100), (100, 5)])
def test_spending_more_than_fits_is_our_own_fault_and_changes_nothing(left: int, packet: int) -> None:
    window = SendWindow(left, packet)
    with pytest.raises(LocalProtocolError, match="6 bytes do not fit"):
        window.spend(6)
    assert window.left == left


def test_the_window_may_grow_to_the_last_number_of_a_uint32_and_no_further() -> None:
    window = SendWindow(U32_MAX - 10)
    window.granted(10)
    assert window.left == U32_MAX
    window.granted(0)
    with pytest.raises(RemoteProtocolError, match="past 2"):
        window.granted(1)
    assert window.left == U32_MAX


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 50_000)), max_size=30), st.integers(1, 100_000))
def test_we_never_send_more_than_was_granted(steps: list[tuple[bool, int]], packet: int) -> None:
    window, granted, sent = SendWindow(0, packet), 0, 0
    for grants, count in steps:
        if grants:
            window.granted(count)
            granted += count
        elif count <= window.room:
            window.spend(count)
            sent += count
        else:
            with pytest.raises(LocalProtocolError):
                window.spend(count)
        assert window.left == granted - sent >= 0
        assert window.room <= min(packet, MAX_DATA)


# ---- what we let the peer send


def test_what_arrives_is_taken_off_the_window() -> None:
    window = ReceiveWindow(100)
    window.arrived(60)
    assert window.left == 40


def test_more_than_was_granted_is_the_peers_fault() -> None:
    window = ReceiveWindow(100)
    window.arrived(100)
    with pytest.raises(RemoteProtocolError, match="1 bytes into a window of 0"):
        window.arrived(1)


def test_credit_comes_when_data_is_consumed_and_not_before_half_the_window_is_used() -> None:
    window = ReceiveWindow(100)
    window.arrived(49)
    assert window.consumed(49, 100) == 0
    window.arrived(1)
    assert window.consumed(1, 100) == 50
    assert window.left == 100


def test_what_is_not_read_yet_is_not_granted_again() -> None:
    window = ReceiveWindow(100)
    window.arrived(90)
    assert window.consumed(70, 100) == 70
    assert window.left == 80


def test_a_reader_of_single_bytes_does_not_cost_a_packet_for_each() -> None:
    window = ReceiveWindow(65_536)
    window.arrived(65_536)
    grants = [grant for _ in range(65_536) if (grant := window.consumed(1, 65_536))]
    assert len(grants) <= 2
    assert window.left >= 32_768


def test_a_window_widens_with_the_first_credit() -> None:
    window = ReceiveWindow(100)
    window.arrived(60)
    assert window.consumed(60, 1000) == 960
    assert window.left == 1000


def test_a_window_narrows_by_giving_less_back() -> None:
    window = ReceiveWindow(1000)
    window.arrived(900)
    assert window.consumed(900, 100) == 0
    window.arrived(100)
    assert window.consumed(100, 100) == 100
    assert window.left == 100


def test_a_window_that_is_too_wide_is_not_widened() -> None:
    window = ReceiveWindow(1000)
    window.arrived(500)
    assert window.consumed(500, 100) == 0
    assert window.left == 500


@given(st.integers(2, 5000), st.data())
def test_whoever_reads_everything_can_always_be_sent_more(width: int, data: st.DataObject) -> None:
    """No sequence of widths and readings leaves the peer without credit for good."""
    window = ReceiveWindow(width)
    unread = 0
    for _ in range(data.draw(st.integers(1, 25))):
        came = data.draw(st.integers(0, window.left))
        window.arrived(came)
        unread += came
        taken = data.draw(st.integers(0, unread))
        width = data.draw(st.integers(2, 5000))
        before = window.left
        grant = window.consumed(taken, width)
        unread -= taken
        assert window.left == before + grant
        assert grant == 0 or window.left + unread == width
        assert grant == 0 or grant >= width // 2
    window.consumed(unread, width)
    assert window.left > 0


# ---- all windows of a link together


def test_a_lone_channel_gets_a_wide_window() -> None:
    assert WindowBudget().share(1) == 2 * 2**20


def test_many_channels_share_the_budget() -> None:
    budget = WindowBudget()
    assert budget.share(8) == 2**20
    assert budget.share(128) == 65_536


def test_however_many_there_are_each_gets_a_packet() -> None:
    budget = WindowBudget()
    assert budget.share(256) == budget.share(300) == budget.share(100_000) == MAX_DATA


def test_no_channels_are_no_division_by_zero() -> None:
    assert WindowBudget().share(0) == 2 * 2**20


def test_the_first_window_holds_the_output_of_most_commands() -> None:
    assert WindowBudget().first == 65_536


@given(st.integers(0, 2**24), sizes, sizes, st.integers(1, 5000))
def test_together_they_stay_within_the_budget_or_at_the_least(total: int, most: int, least: int, channels: int) -> None:
    share = WindowBudget(total, most, least).share(channels)
    assert least <= share <= max(least, most)
    assert share == least or share * channels <= total
