"""A server's log is a named pipe that is always being read: who waits for a line is woken by it, and sshd never blocks.

A named pipe, because it has a path: `sshd -i` is told it with -E, and a process that holds it open is found by it.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import threading
import time
from pathlib import Path


class Log:
    """What a server said until now.

    Args:
        path: where the named pipe is made.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path, 0o600)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # Held by us, the pipe has no end while nobody else has it open.
        self.writer = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        self._wake, self._woken = os.pipe()
        self._said = bytearray()
        self._ended = False
        self._news = threading.Condition()
        self._thread = threading.Thread(
            target=self._read_on, args=(self._reader, self._wake), name=f"log of {path.parent.name}", daemon=True
        )
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nobody can write to it any more."""
        return self._ended

    def text(self) -> str:
        """Everything written before this call, with plain line ends."""
        with self._news:
            self._drain()
            return self._said.decode(errors="replace").replace("\r\n", "\n")

    def wait_for(self, pattern: str, seconds: float) -> re.Match[str] | None:
        """Wait until the log matches (re.search, multi-line). None: it ended, or that took longer than `seconds`."""
        deadline = time.monotonic() + seconds
        wanted = re.compile(pattern, re.MULTILINE)
        with self._news:
            while not (match := wanted.search(self.text())):
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    return None
                self._news.wait(left)
            return match

    def release(self) -> None:
        """Close our writing end: from now on the log ends when the last process that has it open does."""
        writer, self.writer = self.writer, -1
        if writer != -1:
            os.close(writer)

    def close(self) -> None:
        """Stop reading. The text stays; may be called again."""
        wake, self._wake = self._wake, -1
        if wake == -1:
            return
        os.close(self._woken)
        self._thread.join()
        self.text()
        with self._news:
            self._ended = True
            self._news.notify_all()
        for descriptor in (wake, self._reader):
            os.close(descriptor)
        self.release()

    def _drain(self) -> None:
        if self._ended:
            return
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._reader, 65536):
                self._said += chunk
                self._news.notify_all()
            self._ended = True
            self._news.notify_all()

    def _read_on(self, reader: int, wake: int) -> None:
        poller = select.poll()
        poller.register(reader, select.POLLIN)
        poller.register(wake, select.POLLIN)
        while not self._ended:
            ready = [descriptor for descriptor, _ in poller.poll()]
            if wake in ready:
                return
            with self._news:
                self._drain()
