"""The local terminal: raw while a remote program has it, and as it was before, whatever happens."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import termios
import threading
import tty
from collections.abc import Iterator
from types import FrameType
from typing import Any

# What ends a process that has not said otherwise, and would leave the terminal raw.
_DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def size(fd: int) -> tuple[int, int, int, int]:
    """Columns, rows, and the same in pixels; zeros where they are not known."""
    try:
        packed = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return 0, 0, 0, 0
    rows, columns, width, height = struct.unpack("HHHH", packed)
    return columns, rows, width, height


@contextlib.contextmanager
def raw(fd: int) -> Iterator[None]:
    """Every key goes through as it is, until the block is left, or a signal ends this process."""
    before = termios.tcgetattr(fd)

    def restore() -> None:
        # TCSADRAIN: what was typed ahead is for whoever reads next. A terminal that is gone needs nothing.
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)

    def die(number: int, _frame: FrameType | None) -> None:
        restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    with _handlers({number: die for number in _DEADLY if _is_default(number)}):
        try:
            tty.setraw(fd, termios.TCSADRAIN)
            yield
        finally:
            restore()


@contextlib.contextmanager
def size_changes() -> Iterator[int]:
    """A descriptor that becomes readable when the window's size changes. In other threads than the main one it never
    does: signals are not theirs.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)

    def changed(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            os.write(write_end, b"w")

    try:
        with _handlers({signal.SIGWINCH: changed}):
            yield read_end
    finally:
        os.close(read_end)
        os.close(write_end)


def drain(fd: int) -> None:
    """Take what stands in it."""
    with contextlib.suppress(BlockingIOError):
        while os.read(fd, 512):
            pass


@contextlib.contextmanager
def _handlers(wanted: dict[signal.Signals, Any]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in wanted}
    try:
        for number, handler in wanted.items():
            signal.signal(number, handler)
        yield
    finally:
        for number, handler in before.items():
            # None: it was not set by Python, and cannot be set again by it.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _is_default(number: signal.Signals) -> bool:
    return signal.getsignal(number) is signal.SIG_DFL
