"""An open file on the other machine, as `io.RawIOBase`: reading ahead and writing behind, so that a loop over it runs
at the speed of the link and not at one round trip a piece.
"""

from __future__ import annotations

import errno
import io
import os
import threading
import warnings
from collections import deque
from typing import TYPE_CHECKING

from .._io.sftp_session import Mailbox
from .._protocol.sftp import Asked
from .._protocol.transfer import IN_FLIGHT, TOGETHER, WritePlan
from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_extensions import FSync
from .._wire.sftp_replies import EOF, OK, Attrs, Data, Reply, Status
from ..errors import InvalidInput
from .attributes import FileStat, of_wire
from .base import ClientBase
from .failures import known_failure
from .paths import to_text

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Pieces asked for in advance by a reader that reads on and on.
_MOST_AHEAD = IN_FLIGHT // (256 * 1024)


class ReadAhead:
    """Pieces of a file, asked for one after the other from where a reader stands: the more, the longer it reads on.

    Args:
        size: of the file as far as it was told: a piece ends there, and the next one meets the end.
    """

    def __init__(self, client: ClientBase, path: bytes, handle: bytes, size: int | None) -> None:
        self._client = client
        self._session = client._session
        self._path = path
        self._handle = handle
        self._size = size
        self._at = self._next = 0
        self._depth = 1
        self._box = Mailbox()
        self._pieces: deque[Asked] = deque()
        self._rest = memoryview(b"")

    def read(self, at: int, size: int) -> memoryview:
        """What is at an offset, at most `size` bytes; empty at the end of the file."""
        if at != self._at:
            self.forget()
            self._at = self._next = at
        if not self._rest:
            self._rest = self._piece(size)
        data = self._rest[:size]
        self._rest = self._rest[size:]
        self._at += len(data)
        return data

    def forget(self) -> None:
        """The reader goes elsewhere, or the file changes."""
        if self._at < 0:
            return  # already
        self._session.give_up(self._box)
        self._box = Mailbox()
        self._pieces.clear()
        self._rest = memoryview(b"")
        self._at = self._next = -1
        self._depth = 1

    def _piece(self, wanted: int) -> memoryview:
        self._ask(wanted)
        first = self._pieces.popleft()
        while first.answer is None or first.id in self._box.pending:
            self._session.answer(self._box)
        message, reply = first.message, first.answer
        assert isinstance(message, wire.Read)
        if isinstance(reply, Data):
            if len(reply.data) < message.length:
                # Short: what was asked for behind it does not follow.
                at, depth = self._at, self._depth
                self.forget()
                self._at, self._next, self._depth = at, at + len(reply.data), depth
            return memoryview(reply.data)
        self.forget()
        assert isinstance(reply, Status)
        if reply.code == EOF:
            return memoryview(b"")
        raise self._client._failure(reply, message, self._path)

    def _ask(self, wanted: int) -> None:
        if len(self._pieces) > _MOST_AHEAD - TOGETHER:
            return
        limit = self._session.limits.read
        if self._size is not None and 0 == self._next < self._size <= wanted:
            # All of a small file is wanted: its end is asked for on the same way.
            self._depth = 2
        elif not self._pieces and self._depth == 1:
            # Whoever reads here and there gets what it asks for, whoever goes on whole pieces.
            limit = min(limit, max(wanted, 1))
        while len(self._pieces) < self._depth:
            length = limit
            if self._size is not None and self._next < self._size:
                length = min(length, self._size - self._next)
            self._pieces.append(self._session.ask(wire.Read(self._handle, self._next, length), self._box))
            self._next += length
            limit = self._session.limits.read
        self._session.flush()
        self._depth = min(2 * self._depth, _MOST_AHEAD)


class WriteBehind:
    """Writes that are on their way; what went wrong is told once, to whoever comes next."""

    def __init__(self, client: ClientBase, path: bytes, handle: bytes) -> None:
        self._client = client
        self._session = client._session
        self._path = path
        self._handle = handle
        self._box = Mailbox()
        self._plan = WritePlan()
        self._failed: OSError | None = None

    def write(self, at: int, piece: bytes) -> None:
        """Have it written at an offset; waits while too much is on the way.

        Raises:
            OSError: an earlier write failed; this one was not sent.
        """
        while (asked := self._box.take()) is not None:
            assert asked.answer is not None
            self._landed(asked, asked.answer)
        self._tell()
        while not self._plan.may_send(len(piece)):
            self._landed(*self._session.answer(self._box))
            self._tell()
        self._session.ask(wire.Write(self._handle, at, piece), self._box)
        self._session.flush()

    def settle(self) -> None:
        """Wait until everything is written.

        Raises:
            OSError: something was not.
        """
        while self._box.pending:
            self._landed(*self._session.answer(self._box))
        self._tell()

    def _landed(self, asked: Asked, reply: Reply) -> None:
        assert isinstance(asked.message, wire.Write)
        self._plan.landed(len(asked.message.data))
        if isinstance(reply, Status) and reply.code != OK and self._failed is None:
            self._failed = self._client._failure(reply, asked.message, self._path)

    def _tell(self) -> None:
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed


class RemoteRaw(io.RawIOBase):
    """An open file. One thread at a time is let in; the client is for all.

    Args:
        size: of the file, as far as it is known.

    Attributes:
        name: its path.
        mode: how it was opened, in the words of `open`.
        forgotten: whether dropping it without closing it is nothing to warn of.
    """

    forgotten = False

    def __init__(self, client: ClientBase, path: bytes, handle: bytes, flags: int, mode: str, size: int | None) -> None:
        super().__init__()
        self._client = client
        self._path = path
        self._handle = handle
        self._flags = flags
        self._lock = threading.RLock()
        self._ahead = ReadAhead(client, path, handle, size)
        self._behind = WriteBehind(client, path, handle)
        # The server appends by itself (SSH_FXF_APPEND); this is where it does so, as far as is known.
        self._end = size or 0
        self._at = self._end if flags & wire.APPEND else 0
        self.name = to_text(path)
        self.mode = mode

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} on {self._client.host}, mode {self.mode!r}>"

    def _dealloc_warn(self, source: object) -> None:
        # Called by the buffer around this one when that is dropped without having been closed.
        if not self.forgotten:
            warnings.warn(f"{self!r} was never closed", ResourceWarning, stacklevel=2, source=source)

    def __del__(self) -> None:
        # A finaliser may run in the midst of anything: it sends no more than a word, and waits for nothing.
        if getattr(self, "mode", None) is not None and not self.closed:
            self._dealloc_warn(self)
            self._client._session.tell(wire.Close(self._handle))

    # ---- what it can do

    def readable(self) -> bool:
        self._check_open()
        return bool(self._flags & wire.READ)

    def writable(self) -> bool:
        self._check_open()
        return bool(self._flags & wire.WRITE)

    def seekable(self) -> bool:
        self._check_open()
        return True

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def _check_can(self, flag: int, what: str) -> None:
        self._check_open()
        if not self._flags & flag:
            raise io.UnsupportedOperation(f"not {what}")

    # ---- reading and writing

    def readinto(self, buffer: Buffer, /) -> int:
        """Read into a buffer; bytes read, 0 at the end."""
        with self._lock:
            self._check_can(wire.READ, "readable")
            self._behind.settle()
            target = memoryview(buffer).cast("B")
            if not target:
                return 0
            data = self._ahead.read(self._at, len(target))
            target[: len(data)] = data
            self._at += len(data)
            return len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes, none at the end; everything up to the end without a size."""
        if size is None or size < 0:
            return self.readall()
        with self._lock:
            self._check_can(wire.READ, "readable")
            self._behind.settle()
            # From where they have arrived, and not by way of a buffer.
            data = bytes(self._ahead.read(self._at, size)) if size else b""
            self._at += len(data)
            return data

    def readall(self) -> bytes:
        """Everything up to the end."""
        pieces = []
        while piece := self.read(self._client._session.limits.read):
            pieces.append(piece)
        return b"".join(pieces)

    def write(self, data: Buffer, /) -> int:
        """Have it written; it is on its way when this returns.

        Raises:
            OSError: an earlier write failed. That is told once: here, by `flush` or by `close`.
        """
        with self._lock:
            self._check_can(wire.WRITE, "writable")
            self._ahead.forget()
            view = memoryview(data).cast("B")
            limit = self._client._session.limits.write
            if self._flags & wire.APPEND:
                self._at = self._end
            for start in range(0, len(view), limit):
                # A copy, unless it cannot change: the caller may use its buffer for something else at once.
                piece = data if isinstance(data, bytes) and len(data) <= limit else bytes(view[start : start + limit])
                self._behind.write(self._at, piece)
                self._at += len(piece)
            self._end = max(self._end, self._at)
            return len(view)

    # ---- where it stands

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        with self._lock:
            self._check_open()
            if whence == os.SEEK_SET:
                base = 0
            elif whence == os.SEEK_CUR:
                base = self._at
            elif whence == os.SEEK_END:
                base = self.stat().st_size or 0
            else:
                raise InvalidInput(f"whence={whence!r} is none of SEEK_SET, SEEK_CUR and SEEK_END")
            if base + offset < 0:
                raise known_failure(errno.EINVAL, self.name, self._client.host)
            self._at = base + offset
            return self._at

    def tell(self) -> int:
        with self._lock:
            self._check_open()
            return self._at

    def truncate(self, size: int | None = None, /) -> int:
        """Cut it off, or lengthen it with zeros, where it stands or at a size; the place stays."""
        with self._lock:
            self._check_can(wire.WRITE, "writable")
            size = self._at if size is None else size
            if size < 0:
                raise InvalidInput(f"size={size} is negative")
            self.set_attributes(Attributes(size=size))
            self._end = size
            return size

    # ---- the rest

    def stat(self) -> FileStat:
        """Its attributes."""
        with self._lock:
            self._check_open()
            self._behind.settle()
            reply = self._client._call(wire.FStat(self._handle), self._path)
            assert isinstance(reply, Attrs), "the request table lets nothing else through"
            return of_wire(reply.attributes)

    def set_attributes(self, attributes: Attributes) -> None:
        """Change them, after everything that was written before."""
        with self._lock:
            self._check_open()
            self._behind.settle()
            self._ahead.forget()
            self._client._call(wire.FSetStat(self._handle, attributes), self._path)

    def flush(self) -> None:
        """Wait until everything is written.

        Raises:
            OSError: something was not.
        """
        with self._lock:
            self._check_open()
            self._behind.settle()

    def fsync(self) -> None:
        """Have everything on the server's disk (`fsync@openssh.com`).

        Raises:
            SFTPUnsupported: the server has no such thing.
        """
        with self._lock:
            self.flush()
            self._client._call_extension(FSync(self._handle), self._path)

    def close(self) -> None:
        """Wait until everything is written, and close it. Idempotent.

        Raises:
            OSError: something was not written, or the server did not close it well. It is closed all the same.
        """
        with self._lock:
            if self.closed:
                return
            session, closing = self._client._session, Mailbox()
            try:
                self._ahead.forget()
                if not self._flags & wire.WRITE:
                    # How the closing of what was only read goes matters to nobody.
                    session.tell(wire.Close(self._handle))
                    session.flush()
                    return
                # It travels with the last writes: the server takes them in turn.
                session.ask(wire.Close(self._handle), closing)
                session.flush()
                self._behind.settle()
                asked, reply = session.answer(closing)
                if isinstance(reply, Status) and reply.code != OK:
                    raise self._client._failure(reply, asked.message, self._path)
            finally:
                super().close()
