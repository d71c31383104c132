"""How long a thread waits for what it asked, where that is not said by whom it asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

from .deadline import sooner


class Watch(Protocol):
    """Says how long to wait.

    Attributes:
        idle: seconds without any progress after which to give up; None for ever.
    """

    idle: float | None

    def look(self) -> float | None:
        """Whether to wait on: in how many seconds to ask again, None for never.

        Raises:
            OpenSSHError: no; it comes out of whatever was asked.
        """


class Watched(threading.local):
    """Who watches over the waiting of this thread, if anybody does."""

    _watch: Watch | None = None

    @contextmanager
    def by(self, watch: Watch) -> Iterator[None]:
        """Whatever this thread waits for in a `with` block is watched over."""
        before, self._watch = self._watch, watch
        try:
            yield
        finally:
            self._watch = before

    def idle(self, otherwise: float | None) -> float | None:
        """Seconds without progress that are waited, None for ever.

        Args:
            otherwise: where nobody says.
        """
        return otherwise if self._watch is None else self._watch.idle

    def left(self, otherwise: float | None, progress: Callable[[], float]) -> float | None:
        """Seconds until that is enough, or the watch is to be asked again; None: neither.

        Args:
            progress: when there last was any.
        """
        again = None if self._watch is None else self._watch.look()
        idle = self.idle(otherwise)
        return sooner(again, None if idle is None else progress() + idle - monotonic())
