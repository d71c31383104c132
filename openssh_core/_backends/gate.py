"""The queues before a server's session slots, for threads that wait themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from .._protocol.slots import FIRST_BACK_OFF, LONGEST_BACK_OFF, Slots


class Gate(Protocol):
    """What sessions pass one by one."""

    def enter(self, given_up: Callable[[], bool], *, urgent: bool = False) -> bool:
        """Wait for room, and take it; False when it is not wanted any more."""

    def look_again(self) -> None:
        """Somebody in the queue has given up."""

    def confirmed(self) -> None:
        """The server opened it."""

    def refused(self) -> bool:
        """The server said no; whether waiting can help."""

    def given_up(self) -> None:
        """Something else went wrong before there was an answer."""

    def released(self) -> None:
        """The session is over."""


class SlotGate:
    """Lets only as many through as the server has shown to have room for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._slots = Slots()

    def enter(self, given_up: Callable[[], bool], *, urgent: bool = False) -> bool:
        """Wait for room, and take it; False when it is not wanted any more."""
        with self._changed:
            while self._slots.room(monotonic(), urgent=urgent) <= 0:
                if given_up():
                    return False
                now = monotonic()
                chance = self._slots.next_chance(now)
                self._changed.wait(None if chance is None else chance - now)
            if given_up():
                return False
            self._slots.asked()
            return True

    def look_again(self) -> None:
        """Somebody in the queue has given up."""
        with self._changed:
            self._changed.notify_all()

    def confirmed(self) -> None:
        with self._changed:
            self._slots.confirmed()
            self._changed.notify_all()

    def refused(self) -> bool:
        """The server said no; whether waiting can help."""
        with self._changed:
            busy = self._slots.refused(monotonic())
            self._changed.notify_all()
            return busy

    def given_up(self) -> None:
        """Something else went wrong before there was an answer."""
        with self._changed:
            self._slots.given_up()
            self._changed.notify_all()

    def released(self) -> None:
        with self._changed:
            self._slots.released(monotonic())
            self._changed.notify_all()


class GuestGate:
    """For sessions beside a link that has most of the slots: nothing is learned here, but room is asked for.

    Args:
        make_room: asks the link for a slot; whether it has sessions that will end.
        gone: told that a session of ours is over.
    """

    def __init__(self, make_room: Callable[[], bool], gone: Callable[[], None]) -> None:
        self._changed = threading.Condition()
        self._make_room = make_room
        self._gone = gone
        self._open = 0
        self._refusals_in_a_row = 0
        self._not_before = 0.0

    def enter(self, given_up: Callable[[], bool], *, urgent: bool = False) -> bool:
        with self._changed:
            while not given_up():
                left = self._not_before - monotonic()
                if left <= 0:
                    return True
                self._changed.wait(left)
            return False

    def look_again(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def confirmed(self) -> None:
        with self._changed:
            self._open += 1
            self._refusals_in_a_row = 0
            self._not_before = 0.0
            self._changed.notify_all()

    def refused(self) -> bool:
        with self._changed:
            delay = min(FIRST_BACK_OFF * 2 ** min(self._refusals_in_a_row, 10), LONGEST_BACK_OFF)
            self._not_before = monotonic() + delay
            self._refusals_in_a_row += 1
            busy = self._open > 0
        return self._make_room() or busy

    def given_up(self) -> None:
        self.look_again()

    def released(self) -> None:
        with self._changed:
            self._open -= 1
            # A slot is free: whoever waits may try at once.
            self._not_before = 0.0
            self._changed.notify_all()
        self._gone()
