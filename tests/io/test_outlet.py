"""Output for descriptors of the caller: in order, with nothing lost, and without a thread where there is none."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from openssh_core._io.outlet import Outlet
from openssh_core.testing import assert_nothing_left, snapshot

MUCH = bytes(range(256)) * 4000


@pytest.fixture
def clean() -> Iterator[None]:
    before = snapshot()
    yield
    assert_nothing_left(before)


class Taken:
    """What an outlet tells of."""

    def __init__(self, outlet: Outlet) -> None:
        self.credited = 0
        self.broken = threading.Event()
        outlet.attach(self._credit, self.broken.set)

    def _credit(self, count: int) -> None:
        self.credited += count


def read_all(fd: int) -> bytes:
    pieces = []
    while piece := os.read(fd, 65_536):
        pieces.append(piece)
    return b"".join(pieces)


def test_no_output_costs_no_thread(clean: None) -> None:
    read, write = os.pipe()
    before = set(threading.enumerate())
    outlet = Outlet(write)
    outlet.finish()
    outlet.finish()
    outlet.join(0)
    assert not set(threading.enumerate()) - before
    assert read_all(read) == b""
    os.close(read)


def test_everything_arrives_in_order_where_the_writer_has_to_wait(clean: None) -> None:
    read, write = os.pipe()
    outlet = Outlet(write)
    taken = Taken(outlet)
    for at in range(0, len(MUCH), 10_000):
        assert outlet.write(memoryview(MUCH)[at : at + 10_000]) == 0
    outlet.finish()
    assert read_all(read) == MUCH
    outlet.join(60)
    assert (taken.credited, taken.broken.is_set()) == (len(MUCH), False)
    os.close(read)


def test_a_descriptor_that_does_not_block_is_waited_for(clean: None) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    outlet = Outlet(write)
    outlet.write(MUCH)
    outlet.finish()
    assert read_all(read) == MUCH
    outlet.join(60)
    os.close(read)


def test_what_is_merged_goes_the_same_way(clean: None) -> None:
    read, write = os.pipe()
    outlet = Outlet(write)
    beside = outlet.beside()
    outlet.write(b"one ")
    beside.write(b"two ")
    beside.finish()
    outlet.write(b"three")
    outlet.finish()
    assert read_all(read) == b"one two three"
    outlet.join(60)
    os.close(read)


def test_nobody_takes_it(clean: None) -> None:
    read, write = os.pipe()
    outlet = Outlet(write)
    taken = Taken(outlet)
    outlet.write(MUCH)
    os.read(read, 1000)
    os.close(read)
    assert taken.broken.wait(60)
    outlet.join(60)
    # What nobody takes must not hold the server back.
    assert taken.credited == len(MUCH)
    assert outlet.write(b"more") == 4
    outlet.finish()


def test_the_parents_outlet_is_let_go_of(clean: None) -> None:
    read, write = os.pipe()
    outlet = Outlet(write)
    outlet.abandon()
    outlet.abandon()
    assert read_all(read) == b""
    os.close(read)
