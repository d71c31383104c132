"""Length-prefixed packets over a socket, for threads that do the reading and writing themselves.

An exception from a signal handler (Ctrl-C, an alarm) may hit the main thread between any two instructions. Two habits
keep the stream whole all the same. What a system call did is on record the moment it returns: `note.extend(map(recv,
...))` is one step of the interpreter, in which no handler runs. And everything known of one direction is one tuple
that is replaced in one assignment: whoever comes next finds either the old state or the new one, and goes on from it.
"""

from __future__ import annotations

import os
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from itertools import repeat, starmap
from typing import Protocol

from ..errors import Malformed

Pieces = Sequence[bytes | memoryview]

_INBOX = 64 * 1024
# A longer packet gets memory of its own, into which it is read, and which whoever wants it keeps.
_LARGE = 16 * 1024
# Packets in one system call; two pieces each stay far below IOV_MAX.
_TRAIN = 64

_LENGTH = struct.Struct(">I")
_NO_SIGPIPE = getattr(socket, "MSG_NOSIGNAL", 0)


class Outgoing(Protocol):
    """Something to be sent."""

    def pieces(self) -> Pieces:
        """The packet; the same each time it is asked for."""


class PacketWriter:
    """The sending half. One thread at a time, but for `put`.

    Args:
        sock: non-blocking.
        leaving: told of each packet before its first byte is sent; may be told twice.
    """

    def __init__(self, sock: socket.socket, leaving: Callable[[Outgoing], None]) -> None:
        self._sock = sock
        self._leaving = leaving
        self._queue: deque[Outgoing] = deque()
        # Taken from the queue; sent by the last call.
        self._train: list[Outgoing] = []
        self._sent: list[int] = []
        # What is left to send, and up to which train and call that is accounted for.
        self._state: tuple[Pieces, list[Outgoing], list[int]] = ((), self._train, self._sent)

    def put(self, packet: Outgoing) -> None:
        """Have it sent after everything else; from any thread."""
        self._queue.append(packet)

    @property
    def waiting(self) -> bool:
        """Whether something has not been sent."""
        return bool(self._queue or self._state[0] or self._train is not self._state[1])

    def flush(self) -> bool:
        """Send what the socket takes; whether that was everything.

        Raises:
            OSError: the other side is gone.
        """
        while True:
            pieces, train, sent = self._state
            if self._sent is not sent and self._sent:
                self._state = _without(pieces, self._sent[0]), train, self._sent
            elif pieces:
                note: list[int] = []
                self._sent = note
                try:
                    note.extend(map(self._sock.sendmsg, (pieces,), ((),), (_NO_SIGPIPE,)))
                except BlockingIOError:
                    return False
            elif self._train is not train and self._train:
                for packet in self._train:
                    self._leaving(packet)
                self._state = tuple(piece for packet in self._train for piece in packet.pieces()), self._train, sent
            elif self._queue:
                next_train: list[Outgoing] = []
                self._train = next_train
                next_train.extend(starmap(self._queue.popleft, repeat((), min(len(self._queue), _TRAIN))))
            else:
                return True


def _without(pieces: Pieces, count: int) -> Pieces:
    """The same without the first `count` bytes."""
    for at, piece in enumerate(pieces):
        if count < len(piece):
            return (memoryview(piece)[count:], *pieces[at + 1 :])
        count -= len(piece)
    return ()


class _Inbox:
    """What has been received and not been taken; never changed, only replaced."""

    __slots__ = ("buffer", "end", "large", "note", "start")

    def __init__(self, buffer: bytearray, start: int, end: int, large: memoryview | None, note: list[int]) -> None:
        self.buffer = buffer
        self.start = start
        self.end = end
        # The packet that is being read into memory of its own: `end` bytes of it are there.
        self.large = large
        self.note = note


class PacketReader:
    """The receiving half. One thread at a time.

    Args:
        sock: non-blocking.
        limit: the longest packet that is believed, in bytes.

    Attributes:
        taken: packets taken so far; the place of the next one in the stream.
    """

    def __init__(self, sock: socket.socket, limit: int) -> None:
        self._sock = sock
        self._limit = limit
        self._note: list[int] = []
        self._state = (0, _Inbox(bytearray(_INBOX), 0, 0, None, self._note))

    @property
    def taken(self) -> int:
        return self._state[0]

    def peek(self) -> bytes | memoryview | None:
        """The next packet without its length, None while it is not whole. It belongs to the caller.

        Raises:
            Malformed: it is longer than any packet can be.
        """
        inbox = self._state[1]
        if inbox.large is not None:
            return inbox.large if inbox.end == len(inbox.large) else None
        have = inbox.end - inbox.start - 4
        if have < 0:
            return None
        length = self._announced(inbox)
        if have >= length:
            return bytes(memoryview(inbox.buffer)[inbox.start + 4 : inbox.start + 4 + length])
        return None

    def advance(self) -> None:
        """The packet that `peek` showed has been dealt with."""
        taken, inbox = self._state
        if inbox.large is not None:
            following = _Inbox(inbox.buffer, 0, 0, None, inbox.note)
        else:
            start = inbox.start + 4 + self._announced(inbox)
            following = _Inbox(inbox.buffer, start, inbox.end, None, inbox.note)
        self._state = taken + 1, following

    def receive(self) -> bool:
        """Take what the socket has; False when it has nothing now. Only when `peek` has shown that nothing is whole.

        Raises:
            EOFError: it never will again.
            OSError: the other side is gone.
            Malformed: as for `peek`.
        """
        taken, inbox = self._state
        if self._note is inbox.note or not self._note:
            inbox = self._with_room(inbox)
            self._state = taken, inbox
            target = memoryview(inbox.buffer) if inbox.large is None else inbox.large
            note: list[int] = []
            self._note = note
            try:
                note.extend(map(self._sock.recv_into, (target[inbox.end :],)))
            except BlockingIOError:
                return False
        count = self._note[0]
        if not count:
            raise EOFError
        self._state = taken, _Inbox(inbox.buffer, inbox.start, inbox.end + count, inbox.large, self._note)
        return True

    def rest(self) -> bytes:
        """What has been received and is no whole packet, its length included."""
        inbox = self._state[1]
        return bytes(inbox.buffer[inbox.start : inbox.end]) if inbox.large is None else bytes(inbox.large[: inbox.end])

    def _announced(self, inbox: _Inbox) -> int:
        length = int(_LENGTH.unpack_from(inbox.buffer, inbox.start)[0])
        if length > self._limit:
            raise Malformed(f"a packet of {length} bytes was announced; at most {self._limit} are possible")
        return length

    def _with_room(self, inbox: _Inbox) -> _Inbox:
        """The same with a place for more; only called when no whole packet is there."""
        if inbox.large is not None:
            return inbox
        have = inbox.end - inbox.start
        if not have:
            return _Inbox(inbox.buffer, 0, 0, None, inbox.note)
        if have >= 4 and (length := self._announced(inbox)) > _LARGE:
            large = memoryview(bytearray(length))
            large[: have - 4] = memoryview(inbox.buffer)[inbox.start + 4 : inbox.end]
            return _Inbox(inbox.buffer, 0, have - 4, large, inbox.note)
        if inbox.start <= _INBOX // 2:
            return inbox
        # Into a new one: a copy within the old one could not be done over after an interrupt.
        fresh = bytearray(_INBOX)
        fresh[:have] = memoryview(inbox.buffer)[inbox.start : inbox.end]
        return _Inbox(fresh, 0, have, None, inbox.note)


class PacketStream:
    """Both halves, and waiting for either. The socket becomes the stream's own."""

    def __init__(self, sock: socket.socket, limit: int, leaving: Callable[[Outgoing], None]) -> None:
        sock.setblocking(False)
        self._sock = sock
        self.writer = PacketWriter(sock, leaving)
        self.reader = PacketReader(sock, limit)

    def wait(self, events: int, seconds: float | None) -> bool:
        """Wait until one of the events (`select.POLLIN`...) is there, or the end; False when none was in time."""
        poll = select.poll()
        poll.register(self._sock, events)
        return bool(poll.poll(None if seconds is None else max(0.0, seconds) * 1000))

    def hang_up(self) -> None:
        """Tell both sides that it is over; who waits here wakes."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        """Nobody may use it any more."""
        self._sock.close()

    # Who drops a client without closing it leaves nothing behind either.
    __del__ = close

    def abandon(self) -> None:
        """In a forked child: drop our copy without a word."""
        fd = self._sock.detach()
        if fd >= 0:
            os.close(fd)
