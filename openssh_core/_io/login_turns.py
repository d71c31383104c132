"""How many logins to one host are under way at the same time.

A server with the usual MaxStartups (10:30:100, sshd_config(5)) throws away a part of the connections when more than ten
are not logged in yet, so some are kept back here. They are counted by the name that was asked for, in this process.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from .deadline import Deadline

# Two less than the server allows: others log in, too.
AT_ONCE = 8


class Turns:
    """Counts for each key; at most `limit` at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._condition = threading.Condition()
        self._counts: dict[object, int] = {}
        self._mine = threading.local()

    @contextlib.contextmanager
    def turn(self, key: object, deadline: Deadline) -> Iterator[bool]:
        """Wait for a turn, and have it; False when the deadline passed first.

        Who has one already, and logs in to a host on the way meanwhile, does not wait for another: all could.
        """
        if getattr(self._mine, "depth", 0):
            yield True
            return
        with self._condition:
            got = self._condition.wait_for(lambda: self._counts.get(key, 0) < self._limit, deadline.left())
            if got:
                self._counts[key] = self._counts.get(key, 0) + 1
        condition = self._condition
        self._mine.depth = 1
        try:
            yield got
        finally:
            self._mine.depth = 0
            # A child that was forked meanwhile counts anew.
            if got and condition is self._condition:
                with condition:
                    self._counts[key] -= 1
                    if not self._counts[key]:
                        del self._counts[key]
                    condition.notify_all()

    def forget(self) -> None:
        """In a forked child: nobody of them is here."""
        self._condition = threading.Condition()
        self._counts = {}


login_turns = Turns(AT_ONCE)

os.register_at_fork(after_in_child=login_turns.forget)
