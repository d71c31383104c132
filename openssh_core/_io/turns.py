"""One after the other, for requests that a master must not be asked while it is busy with another of the kind."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator

from ..errors import MasterUnresponsive
from .deadline import Deadline


class _Turn:
    def __init__(self) -> None:
        self.lock = threading.Lock()


_turns: weakref.WeakValueDictionary[str, _Turn] = weakref.WeakValueDictionary()
_naming = threading.Lock()


@contextlib.contextmanager
def turn(path: str, deadline: Deadline) -> Iterator[None]:
    """Until the end of the block nobody else in this process has a turn with the master at `path`.

    Raises:
        MasterUnresponsive: somebody else had it until the deadline.
    """
    with _naming:
        mine = _turns.setdefault(path, _Turn())
    left = deadline.left()
    if not mine.lock.acquire(timeout=-1 if left is None else left):
        raise MasterUnresponsive(f"the master at {path} is busy with another forward")
    try:
        yield
    finally:
        mine.lock.release()


def _in_forked_child() -> None:
    global _naming
    # Whoever had a turn does not exist here.
    _naming = threading.Lock()
    _turns.clear()


os.register_at_fork(after_in_child=_in_forked_child)
