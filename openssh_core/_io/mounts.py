"""What is mounted, as the system tells it: without a look into the file system in question, which may be hanging."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Callable
from time import sleep

from .deadline import Deadline

_TABLE = "/proc/self/mountinfo"
_STEP = 0.02
# Seconds until somebody else is looked at: the table wakes us, a process that ends does not.
_TURN = 0.1


def is_mounted(path: str) -> bool:
    """Whether something is mounted there.

    Args:
        path: absolute, without symbolic links.
    """
    try:
        with open(_TABLE, "rb") as table:
            lines = table.read().split(b"\n")
    except OSError:
        return os.path.ismount(path)
    wanted = os.fsencode(path)
    return any(len(words) > 4 and _unescaped(words[4]) == wanted for words in map(bytes.split, lines))


def _unescaped(word: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), word)


def wait_mounted(path: str, given_up: Callable[[], bool], deadline: Deadline) -> bool:
    """Wait until something is mounted there.

    Args:
        given_up: whether it will not come about; asked ten times a second.
    """
    return _wait(lambda: is_mounted(path), given_up, deadline)


def _wait(condition: Callable[[], bool], given_up: Callable[[], bool], deadline: Deadline) -> bool:
    try:
        table = os.open(_TABLE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        while not condition():
            if given_up() or deadline.passed:
                return condition()
            sleep(_STEP)
        return True
    try:
        changes = select.poll()
        # The kernel tells of each change of the table as an exceptional condition (proc(5)).
        changes.register(table, select.POLLPRI | select.POLLERR)
        while not condition():
            if given_up() or deadline.passed:
                return condition()
            left = deadline.left()
            changes.poll(1000 * (_TURN if left is None else min(_TURN, left)))
        return True
    finally:
        os.close(table)
