"""A remote program gets the terminal that this program has: keys there, output here, and the window's size.

One loop in the thread that hands it over. The remote end is a socket of ours, so nothing here changes the flags of a
descriptor that others use, too.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable

from ._io import terminal
from .options import Pty

_PIECE = 16_384
# Typed ahead, or pasted: more than this waits in the terminal.
_MOST_WAITING = 65_536

Filter = Callable[[bytes], bytes]


def local_pty(fd: int, term: str | None = None) -> Pty:
    """A terminal like the local one: its type and its size."""
    columns, rows, width, height = terminal.size(fd)
    return Pty(term or os.environ.get("TERM") or "vt100", columns or 80, rows or 24, width, height)


def hand_over(
    sock: socket.socket,
    *,
    stdin: int,
    stdout: int,
    keys: Filter,
    output: Filter = bytes,
    resized: Callable[[Pty], None],
) -> None:
    """Connect a terminal with a remote program until that ends, or the keys say so.

    Args:
        sock: its input and output.
        stdin, stdout: the terminal's descriptors.
        keys: given what was typed, returns what is sent. Raises `Left` to end this.
        output: given what came, returns what is shown.
        resized: told of a new size.
    """
    with terminal.size_changes() as changes, terminal.raw(stdin):
        _Loop(sock, stdin, stdout, keys, output, lambda: resized(local_pty(stdin)), changes).run()


class Left(Exception):
    """Somebody left the remote program by the escape character. It was not ended by that."""


class _Loop:
    def __init__(
        self,
        sock: socket.socket,
        stdin: int,
        stdout: int,
        keys: Filter,
        output: Filter,
        resized: Callable[[], None],
        changes: int,
    ) -> None:
        self._sock = sock
        self._stdin = stdin
        self._stdout = stdout
        self._keys = keys
        self._output = output
        self._resized = resized
        self._changes = changes
        self._waiting = b""
        self._typing = True

    def run(self) -> None:
        """Until no more output will come."""
        timeout = self._sock.gettimeout()
        self._sock.setblocking(False)
        try:
            while self._turn():
                pass
        finally:
            self._sock.settimeout(timeout)

    def _turn(self) -> bool:
        poll = select.poll()
        poll.register(self._sock, select.POLLIN | (select.POLLOUT if self._waiting else 0))
        poll.register(self._changes, select.POLLIN)
        if self._typing and len(self._waiting) < _MOST_WAITING:
            poll.register(self._stdin, select.POLLIN)
        ready = dict(poll.poll())
        if self._changes in ready:
            terminal.drain(self._changes)
            self._resized()
        if self._stdin in ready:
            self._type()
        if self._waiting:
            self._send()
        return self._show() if ready.get(self._sock.fileno(), 0) & ~select.POLLOUT else True

    def _type(self) -> None:
        try:
            typed = os.read(self._stdin, _PIECE)
        except OSError:
            typed = b""  # the terminal hung up
        if typed:
            self._waiting += self._keys(typed)
        else:
            self._typing = False
            self._sock.shutdown(socket.SHUT_WR)

    def _send(self) -> None:
        try:
            self._waiting = self._waiting[self._sock.send(self._waiting) :]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting = b""  # it has ended: nobody takes it any more

    def _show(self) -> bool:
        try:
            data = self._sock.recv(_PIECE)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        left = memoryview(self._output(data)) if data else memoryview(b"")
        while left:
            left = left[os.write(self._stdout, left) :]
        return bool(data)


class Escape:
    """Keys with a way out: the escape character and a dot, at the beginning of a line, as ssh(1) has it.

    Args:
        character: one byte; None for no way out.
    """

    def __init__(self, character: bytes | None) -> None:
        self._character = character
        self._at_start = True
        self._escaped = False

    def __call__(self, typed: bytes) -> bytes:
        if self._character is None:
            return typed
        passed = bytearray()
        for number in typed:
            key = bytes([number])
            if self._escaped:
                self._escaped = False
                if key == b".":
                    raise Left
                # Twice is once; before anything else it meant nothing.
                passed += key if key == self._character else self._character + key
                self._at_start = key in b"\r\n"
            elif self._at_start and key == self._character:
                self._escaped = True
            else:
                passed += key
                self._at_start = key in b"\r\n"
        return bytes(passed)
