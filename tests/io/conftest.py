"""A fake master to talk to, a reactor of the test's own, and the promise that nothing is left of either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openssh_core._io.reactor import Reactor, get_reactor
from openssh_core.testing import FakeMaster, assert_nothing_left, snapshot


@pytest.fixture
def clean() -> Iterator[None]:
    """Fail the test if it leaves a descriptor, a thread or a process behind."""
    get_reactor()  # is there for good once it is there
    before = snapshot()
    yield
    assert_nothing_left(before)


@pytest.fixture
def make_master(clean: None) -> Iterator[Callable[..., FakeMaster]]:
    """Make fake masters; they end with the test."""
    made: list[FakeMaster] = []

    def make(**named: Any) -> FakeMaster:
        made.append(FakeMaster(**named))
        return made[-1]

    yield make
    for master in made:
        master.close()


@pytest.fixture
def reactor(clean: None) -> Iterator[Reactor]:
    """A reactor of the test's own; its thread has ended when the test is over."""
    reactor = Reactor()
    yield reactor
    while (thread := reactor._thread) is not None:
        thread.join(30)
        assert not thread.is_alive(), "something is still watched, or a timer still set"
    reactor.forget()
