"""Flow control is arithmetic: what may be sent, what is granted back, and how much all of it together can be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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


def one_window(width: int) -> ReceiveWindow:
    """A window of that width, now and later."""
    return ReceiveWindow(WindowBudget(100 * width, width, 1, width))


def test_what_arrives_is_taken_off_the_window() -> None:
    window = one_window(100)
    window.arrived(60)
    assert window.left == 40


def test_more_than_was_granted_is_the_peers_fault() -> None:
    window = one_window(100)
    window.arrived(100)
    with pytest.raises(RemoteProtocolError, match="1 bytes into a window of 0"):
        window.arrived(1)


def test_credit_comes_when_data_is_consumed_and_not_before_half_the_window_is_used() -> None:
    window = one_window(100)
    window.arrived(49)
    assert window.consumed(49) == 0
    window.arrived(1)
    assert window.consumed(1) == 50
    assert window.left == 100


def test_what_is_not_read_yet_is_not_granted_again() -> None:
    window = one_window(100)
    window.arrived(90)
    assert window.consumed(70) == 70
    assert window.left == 80


def test_a_reader_of_single_bytes_does_not_cost_a_packet_for_each() -> None:
    window = one_window(65_536)
    window.arrived(65_536)
    grants = [grant for _ in range(65_536) if (grant := window.consumed(1))]
    assert len(grants) <= 2
    assert window.left >= 32_768


def test_a_window_widens_with_the_first_credit() -> None:
    window = ReceiveWindow(WindowBudget(10_000, 1000, 1, 100))
    window.arrived(60)
    assert window.consumed(60) == 960
    assert window.left == 1000


def test_a_window_narrows_by_giving_less_back() -> None:
    budget = WindowBudget(100_000, 1000, 1, 1000)
    window = ReceiveWindow(budget)
    window.arrived(900)
    budget.granted += 99_700  # others came
    assert window.consumed(900) == 0
    window.arrived(100)
    assert window.consumed(100) == 100
    assert window.left == 100


# ---- all windows of a link together


def test_a_lone_channel_gets_a_wide_window() -> None:
    assert WindowBudget().width(0) == 2 * 2**20


def test_the_first_window_holds_the_output_of_most_commands() -> None:
    assert WindowBudget().first() == 65_536


def test_hundreds_of_quiet_channels_leave_room_for_a_busy_one() -> None:
    budget = WindowBudget()
    for _ in range(300):
        ReceiveWindow(budget)
    assert budget.width(4096) > 2**19


def test_whoever_comes_late_still_gets_something_from_those_who_hold_much() -> None:
    budget = WindowBudget()
    for _ in range(8):
        window = ReceiveWindow(budget)
        window.arrived(window.left)
        window.consumed(65_536)
    assert budget.width(0) > 2**15


@given(st.integers(0, 2**24), sizes, st.integers(2, 2**20), sizes, st.integers(0, 2**25))
def test_a_width_is_never_less_than_the_least(total: int, most: int, least: int, first: int, granted: int) -> None:
    budget = WindowBudget(total, most, least, first)
    budget.granted = granted
    assert least <= budget.width(0) <= max(least, most)
    assert least <= budget.first() <= max(least, first)


class ManyWindows(RuleBasedStateMachine):
    """Windows that come and go, get data and are read, in any order."""

    TOTAL, MOST, LEAST, FIRST = 10_000, 3000, 10, 200

    def __init__(self) -> None:
        super().__init__()
        self.budget = WindowBudget(self.TOTAL, self.MOST, self.LEAST, self.FIRST)
        self.windows: list[ReceiveWindow] = []
        self.unread: list[int] = []

    def pick(self, choice: int) -> int:
        return choice % len(self.windows)

    @rule(count=st.integers(1, 30))
    def open(self, count: int) -> None:
        for _ in range(count):
            self.windows.append(ReceiveWindow(self.budget))
            self.unread.append(0)

    @precondition(lambda self: self.windows)
    @rule(choice=st.integers(0, 1000), part=st.sampled_from([0.0, 0.3, 0.6, 1.0]))
    def arrives(self, choice: int, part: float) -> None:
        at = self.pick(choice)
        count = round(part * self.windows[at].left)
        self.windows[at].arrived(count)
        self.unread[at] += count

    @precondition(lambda self: self.windows)
    @rule(choice=st.integers(0, 1000), part=st.sampled_from([0.1, 0.6, 1.0]))
    def is_read(self, choice: int, part: float) -> None:
        at = self.pick(choice)
        count = round(part * self.unread[at])
        before = self.windows[at].left
        grant = self.windows[at].consumed(count)
        self.unread[at] -= count
        assert self.windows[at].left == before + grant
        assert self.windows[at].left + self.unread[at] <= self.MOST

    @precondition(lambda self: self.windows)
    @rule()
    def all_are_busy(self) -> None:
        """The most that can be got out of the budget."""
        for at in range(len(self.windows)):
            self.arrives(at, 1.0)
            self.is_read(at, 1.0)

    @precondition(lambda self: self.windows)
    @rule(choice=st.integers(0, 1000))
    def is_gone(self, choice: int) -> None:
        at = self.pick(choice)
        self.windows.pop(at).forget()
        self.unread.pop(at)

    @invariant()
    def the_total_is_what_it_should_be(self) -> None:
        assert self.budget.granted == sum(window.left for window in self.windows)
        assert self.budget.granted <= self.TOTAL + self.LEAST * len(self.windows)

    @invariant()
    def whoever_has_read_everything_can_be_sent_more(self) -> None:
        for window, unread in zip(self.windows, self.unread, strict=True):
            assert window.left > 0 or unread > 0

    def teardown(self) -> None:
        while self.windows:
            self.is_gone(0)
        assert self.budget.granted == 0


ManyWindows.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestManyWindows = ManyWindows.TestCase
