"""Work that an exception from a signal handler must not interrupt.

Ctrl-C and alarms raise in the main thread only, between any two instructions. So what would leave a descriptor, a slot
or half a message behind is done in another thread while the main thread waits; interrupted, it goes its way, and what
came of the work is undone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from .latch import Latch

T = TypeVar("T")


def shielded(work: Callable[[], T], undo: Callable[[T], None]) -> T:
    """Do `work`, and return or raise what it does.

    Args:
        undo: called with the result when nobody waits for it any more; twice does no harm.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    done = Latch()
    results: list[T] = []
    errors: list[BaseException] = []
    given_up: list[bool] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised where the caller is
            errors.append(error)
        done.open()
        if given_up and results:
            undo(results[0])

    threading.Thread(target=run, name="openssh-core-start", daemon=True).start()
    try:
        done.wait()
    except BaseException:
        # One of the two threads sees what the other has done; perhaps both.
        given_up.append(True)
        if results:
            undo(results[0])
        raise
    if errors:
        raise errors[0]
    return results[0]
