"""A descriptor that is readable while a channel has something to read, for `select` and its like."""

from __future__ import annotations

import os
import threading

__all__ = ["Readable", "Reason"]


class Readable:
    """A pipe with a byte in it while there is a reason, without when there is none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_end, self._write_end = os.pipe()
        self._reasons: set[object] = set()

    def fileno(self) -> int:
        return self._read_end

    def change(self, reason: object, holds: bool) -> None:
        with self._lock:
            before = bool(self._reasons)
            if holds:
                self._reasons.add(reason)
            else:
                self._reasons.discard(reason)
            if bool(self._reasons) != before:
                if holds:
                    os.write(self._write_end, b"\x00")
                else:
                    os.read(self._read_end, 1)

    def __del__(self) -> None:
        # Not at the channel's close: the program may still be selecting on it, and numbers are used again.
        for fd in (self._read_end, self._write_end):
            os.close(fd)


class Reason:
    """One of several reasons to be readable, with the face of a threading.Event."""

    def __init__(self, readable: Readable) -> None:
        self._readable = readable
        # Not itself: that would be a cycle, and the descriptors would stay open until the garbage collector runs.
        self._name = object()

    def set(self) -> None:
        self._readable.change(self._name, True)

    def clear(self) -> None:
        self._readable.change(self._name, False)
