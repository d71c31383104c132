"""The queue before a server's session slots, for threads that wait themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from .._protocol.slots import Slots


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
