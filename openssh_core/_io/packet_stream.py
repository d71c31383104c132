"""Length-prefixed packets over a socket, for threads that do the reading and writing themselves.

An exception from a signal handler (Ctrl-C, an alarm) may hit the main thread between any two instructions. Two habits
keep the stream whole all the same. What a system call did is on record the moment it returns: `note.extend(map(recv,
...))` is one step of the interpreter, in which no handler runs. And everything known of one direction is one tuple
that is replaced in one assignment: whoever comes next finds either the old state or the new one, and goes on from it.
"""

from __future__ import annotations

import _socket
import os
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, repeat, starmap
from typing import Protocol

from ..errors import Malformed

Pieces = Sequence[bytes | memoryview]

_INBOX = 64 * 1024
# A longer packet gets memory of its own, into which it is read, and which whoever wants it keeps.
_LARGE = 16 * 1024
# Bytes that are taken of a packet that may be a long one: what its length says, and little that is copied again.
_BEGINNING = 128
# Packets in one system call; two pieces each stay far below IOV_MAX.
_TRAIN = 64

_LENGTH = struct.Struct(">I")
_SENDING = getattr(socket, "MSG_NOSIGNAL", 0) | socket.MSG_DONTWAIT

# Seconds that a reader may be asleep in the kernel without looking at anything else.
NAP = 1.0


class Outgoing(Protocol):
    """Something to be sent."""

    def pieces(self) -> Pieces:
        """The packet; the same each time it is asked for."""


class PacketWriter:
    """The sending half. One thread at a time, but for `put`.

    Args:
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
                    note.extend(map(self._sock.sendmsg, (pieces,), ((),), (_SENDING,)))
                except BlockingIOError:
                    return False
            elif self._train is not train and self._train:
                for packet in self._train:
                    self._leaving(packet)
                self._state = tuple(chain.from_iterable(_pieces_of(self._train))), self._train, sent
            elif self._queue:
                next_train: list[Outgoing] = []
                self._train = next_train
                next_train.extend(starmap(self._queue.popleft, repeat((), min(len(self._queue), _TRAIN))))
            else:
                return True


def _pieces_of(train: list[Outgoing]) -> list[Pieces]:
    return [packet.pieces() for packet in train]


def _without(pieces: Pieces, count: int) -> Pieces:
    """The same without the first `count` bytes."""
    if count == sum(map(len, pieces)):
        return ()
    for at, piece in enumerate(pieces):
        if count < len(piece):
            return (memoryview(piece)[count:], *pieces[at + 1 :])
        count -= len(piece)
    return ()


# What has been received and not been taken: packets taken so far; the buffer, and where in it that begins and ends; the
# long packet that is being read into memory of its own ("ends" is how much of it is there); the call accounted for.
_Inbox = tuple[int, bytearray, int, int, "memoryview | None", list[int]]


class PacketReader:
    """The receiving half. One thread at a time.

    Args:
        limit: the longest packet that is believed, in bytes.

    Attributes:
        drained: whether the socket had nothing more when it was last asked. A hint: who waits for it first, instead
            of asking in vain, saves a call.
    """

    def __init__(self, sock: socket.socket, limit: int) -> None:
        self.drained = False
        self._sock = sock
        self._limit = limit
        # After a long packet there is often another one.
        self._after_long = False
        self._note: list[int] = []
        self._state: _Inbox = (0, bytearray(_INBOX), 0, 0, None, self._note)

    @property
    def taken(self) -> int:
        """Packets taken so far; the place of the next one in the stream."""
        return self._state[0]

    def peek(self) -> bytes | memoryview | None:
        """The next packet without its length, None while it is not whole. It belongs to the caller.

        Raises:
            Malformed: it is longer than any packet can be.
        """
        _, buffer, start, end, large, _ = self._state
        if large is not None:
            return large if end == len(large) else None
        start += 4
        if end < start or end < (stop := start + self._announced(buffer, start - 4)):
            return None
        return bytes(memoryview(buffer)[start:stop])

    def advance(self) -> None:
        """The packet that `peek` showed has been dealt with."""
        taken, buffer, start, end, large, note = self._state
        self._after_long = large is not None
        if large is not None:
            self._state = taken + 1, buffer, 0, 0, None, note
        else:
            self._state = taken + 1, buffer, start + 4 + self._announced(buffer, start), end, None, note

    def receive(self, *, wait: bool = False) -> bool:
        """Take what the socket has; False when it has nothing now. Only when `peek` has shown that nothing is whole.

        Args:
            wait: until there is something, and of a long packet all of it, but no longer than `NAP`. It costs one call
                where waiting first and asking then would cost two for each part that the sender makes of the packet.

        Raises:
            EOFError: it never will again.
            OSError: the other side is gone.
            Malformed: as for `peek`.
        """
        if not self._receive(0 if wait else socket.MSG_DONTWAIT):
            return False
        if wait and self._in_long():
            self._receive(socket.MSG_WAITALL)
        return True

    def _receive(self, flags: int) -> bool:
        asked = 0
        if self._note is self._state[5] or not self._note:
            self._make_room()
            room = self._room()
            asked = len(room)
            note: list[int] = []
            self._note = note
            try:
                note.extend(map(self._sock.recv_into, (room,), (0,), (flags,)))
            except BlockingIOError:
                self.drained = True
                return False
        taken, buffer, start, end, large, _ = self._state
        count = self._note[0]
        if not count:
            raise EOFError
        self._state = taken, buffer, start, end + count, large, self._note
        # Last: what an interrupt kept from being accounted for is not waited for.
        self.drained = count < asked
        return True

    def rest(self) -> bytes:
        """What has been received and is no whole packet, its length included."""
        _, buffer, start, end, large, _ = self._state
        return bytes(buffer[start:end]) if large is None else bytes(large[:end])

    def _announced(self, buffer: bytearray, at: int) -> int:
        (length,) = _LENGTH.unpack_from(buffer, at)
        if length > self._limit:
            raise Malformed(f"a packet of {length} bytes was announced; at most {self._limit} are possible")
        return int(length)

    def _in_long(self) -> bool:
        """Whether a part of a long packet is there, and not the whole."""
        _, buffer, start, end, large, _ = self._state
        if large is not None:
            return end < len(large)
        have = end - start - 4
        return have >= 0 and max(_LARGE, have) < self._announced(buffer, start)

    def _make_room(self) -> None:
        """Have a place for more; only called when no whole packet is there."""
        taken, buffer, start, end, large, note = self._state
        have = end - start
        if large is not None:
            return
        if not have:
            self._state = taken, buffer, 0, 0, None, note
        elif self._in_long():
            large = memoryview(bytearray(self._announced(buffer, start)))
            large[: have - 4] = memoryview(buffer)[start + 4 : end]
            self._state = taken, buffer, 0, have - 4, large, note
        elif start > _INBOX // 2:
            # Into a new one: a copy within the old one could not be done over after an interrupt.
            fresh = bytearray(_INBOX)
            fresh[:have] = memoryview(buffer)[start:end]
            self._state = taken, fresh, 0, have, None, note

    def _room(self) -> memoryview:
        _, buffer, _, end, large, _ = self._state
        if large is not None:
            return large[end:]
        return memoryview(buffer)[end : _BEGINNING if self._after_long and not end else None]


class PacketStream:
    """Both halves, and waiting for either. The socket becomes the stream's own.

    Attributes:
        can_wait: whether `reader.receive(wait=True)` ends in time.
    """

    def __init__(self, sock: socket.socket, limit: int, leaving: Callable[[Outgoing], None]) -> None:
        # Each call says whether it waits, where it is the kernel that listens: the sockets of green threads do not. And
        # what the kernel does not take as a limit would wait for ever.
        self.can_wait = isinstance(sock, _socket.socket) and _limit_waiting(sock)
        sock.setblocking(self.can_wait)
        self._sock = sock
        self.writer = PacketWriter(sock, leaving)
        self.reader = PacketReader(sock, limit)

    def wait(self, events: int, seconds: float | None) -> int:
        """Wait until one of the events (`select.POLLIN`...) is there, or the end; those that are, 0: none in time."""
        poll = select.poll()
        poll.register(self._sock, events)
        for _, happened in poll.poll(None if seconds is None else max(0.0, seconds) * 1000):
            return happened
        return 0

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


def _limit_waiting(sock: socket.socket) -> bool:
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", int(NAP), int(NAP % 1 * 1e6)))
    except OSError:
        return False
    return True
