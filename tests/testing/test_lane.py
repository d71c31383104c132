"""What a relay does to bytes in one direction is arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core.testing._lane import Lane


def everything(lane: Lane, at: float, bite: int = 1 << 30) -> bytes:
    """All that has arrived at a time, taken in bites."""
    out = b""
    while piece := lane.arrived(at):
        taken = bytes(piece[:bite])
        lane.delivered(len(taken))
        out += taken
    return out


@given(st.lists(st.binary(min_size=1)), st.floats(0, 10), st.integers(1, 7))
def test_bytes_come_whole_and_in_order(pieces: list[bytes], delay: float, bite: int) -> None:
    lane = Lane(delay)
    for number, piece in enumerate(pieces):
        lane.put(piece, float(number))
    assert everything(lane, len(pieces) + delay, bite) == b"".join(pieces)
    assert lane.empty


def test_each_piece_is_late_by_the_delay_however_many_there_are() -> None:
    lane = Lane(delay=2.0)
    lane.put(b"a", 10.0)
    lane.put(b"b", 10.5)
    assert lane.due_at() == 12.0
    assert everything(lane, 11.99) == b""
    assert everything(lane, 12.0) == b"a"
    assert lane.due_at() == 12.5
    assert everything(lane, 12.5) == b"b"
    assert lane.due_at() is None


def test_a_delay_takes_nothing_from_the_rate() -> None:
    lane = Lane(delay=1.0)
    assert lane.appetite >= 1 << 16
    for _ in range(100):
        lane.put(bytes(1 << 16), 0.0)
    assert lane.appetite > 0
    assert len(everything(lane, 1.0)) == 100 << 16


def test_bytes_enter_no_faster_than_the_rate() -> None:
    lane = Lane(delay=1.0, rate=100.0)
    lane.put(bytes(50), 0.0)
    lane.put(bytes(50), 0.0)
    assert everything(lane, 1.49) == b""
    assert len(everything(lane, 1.5)) == 50
    assert len(everything(lane, 2.0)) == 50
    lane.put(bytes(100), 10.0)
    assert lane.due_at() == 12.0


@given(st.floats(1, 1e6), st.floats(0, 2))
def test_what_is_under_way_is_bounded(rate: float, delay: float) -> None:
    lane = Lane(delay, rate)
    size = 0
    while appetite := lane.appetite:
        lane.put(bytes(appetite), 0.0)
        size += appetite
    assert size <= rate * (delay + 0.25) + 1


def test_the_end_of_the_stream_comes_last_and_late() -> None:
    lane = Lane(delay=1.0)
    lane.put(b"a", 0.0)
    lane.put(b"", 0.5)
    assert lane.ended
    assert lane.appetite == 0
    assert everything(lane, 1.2) == b"a"
    assert lane.arrived(1.2) is None
    assert lane.arrived(1.5) == b""
    lane.delivered(0)
    assert lane.empty


@given(st.binary(min_size=1), st.integers(0, 300), st.integers(1, 9))
def test_one_bit_of_one_byte_changes(data: bytes, after: int, size: int) -> None:
    lane = Lane()
    lane.flip(after)
    for start in range(0, len(data), size):
        lane.put(data[start : start + size], 0.0)
    got = everything(lane, 0.0)
    wrong = [place for place, (one, other) in enumerate(zip(data, got, strict=True)) if one != other]
    assert wrong == ([after] if after < len(data) else [])
    assert all((data[place] ^ got[place]).bit_count() == 1 for place in wrong)


def test_what_is_dropped_never_arrives() -> None:
    lane = Lane(delay=1.0)
    lane.put(b"a", 0.0)
    lane.drop()
    assert lane.empty
    assert lane.ended
    assert lane.arrived(9.0) is None


@pytest.mark.parametrize("rate", [0.5, 1.0, 10.0])
def test_the_slowest_lane_still_moves(rate: float) -> None:
    assert Lane(0.0, rate).appetite == 1
