"""What a forked child must let go of: its copies of descriptors that belong to something of the parent's."""

from __future__ import annotations

import os
from typing import Protocol


class Inheritable(Protocol):
    """Something with descriptors that a child gets copies of."""

    def abandon(self) -> None:
        """In a forked child: close our copies of descriptors, and nothing else."""


# Not a WeakSet: the callback by which that forgets an object is Python, and an interrupt that hits it is lost.
_live: set[Inheritable] = set()


def track(thing: Inheritable) -> None:
    """From now on a forked child abandons it. Not in the main thread, where interrupts are."""
    _live.add(thing)


def forget(thing: Inheritable) -> None:
    """It has nothing any more. Idempotent."""
    _live.discard(thing)


def _in_forked_child() -> None:
    things = list(_live)
    _live.clear()
    for thing in things:
        thing.abandon()


os.register_at_fork(after_in_child=_in_forked_child)
