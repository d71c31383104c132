"""An SFTP server that says what a test wants it to say (draft-ietf-secsh-filexfer-02), in a thread of its own."""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator

INIT, VERSION = 1, 2
OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT, OPENDIR, READDIR = 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK = 13, 14, 15, 16, 17, 18, 19, 20
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
OK, EOF, NO_SUCH_FILE, FAILURE = 0, 1, 2, 4
DIRECTORY, FILE, LINK = 0o040755, 0o100644, 0o120777


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def attrs(mode: int, size: int = 0) -> bytes:
    """Size and permissions."""
    return struct.pack(">IQI", 0x5, size, mode)


class Hostile:
    """Serves one client.

    Args:
        directories: what READDIR tells of each path: names, modes and sizes. A function makes them up for ever.
        content: what is read from any file; `size` of it may be a lie.
        links: what is in links, by path.
        refuse: kinds of requests that fail.
        hang_up: kinds of requests after which the connection ends.
    """

    Entries = list[tuple[bytes, int, int]]

    def __init__(
        self,
        directories: dict[bytes, Entries | Callable[[], Iterator[tuple[bytes, int, int]]]],
        *,
        content: bytes = b"content",
        links: dict[bytes, bytes] | None = None,
        refuse: frozenset[int] = frozenset(),
        hang_up: frozenset[int] = frozenset(),
    ) -> None:
        self.directories = directories
        self.content = content
        self.links = links or {}
        self.refuse = refuse
        self.hang_up = hang_up
        self.asked: list[tuple[int, bytes]] = []
        self.counts = Counter[int]()
        self.ours, self.theirs = socket.socketpair()
        self._handles: dict[bytes, Iterator[tuple[bytes, int, int]] | None] = {}
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        with self.theirs, self.theirs.makefile("rb") as stream:
            try:
                while header := stream.read(4):
                    packet = stream.read(struct.unpack(">I", header)[0])
                    if packet[0] in self.hang_up:
                        return
                    self.theirs.sendall(string(self._answer(packet)))
            except OSError:
                pass

    def _answer(self, packet: bytes) -> bytes:
        kind = packet[0]
        if kind == INIT:
            return struct.pack(">BI", VERSION, 3)
        number, rest = packet[1:5], packet[9:]
        length = struct.unpack(">I", packet[5:9])[0]
        subject, rest = rest[:length], rest[length:]
        self.asked.append((kind, subject))
        self.counts[kind] += 1
        return self._reply(kind, subject, rest).replace(b"NUMB", number, 1)

    def _reply(self, kind: int, subject: bytes, rest: bytes) -> bytes:
        if kind in self.refuse:
            return self._status(FAILURE)
        if kind == OPENDIR:
            entries = self.directories.get(subject)
            if entries is None:
                return self._status(NO_SUCH_FILE)
            return self._handle(iter(entries() if callable(entries) else entries))
        if kind == OPEN:
            return self._handle(None)
        if kind == READDIR:
            return self._names(subject)
        if kind == READ:
            offset, size = struct.unpack(">QI", rest)
            data = self.content[offset : offset + size]
            return b"%cNUMB" % DATA + string(data) if data else self._status(EOF)
        if kind in (STAT, LSTAT):
            mode = DIRECTORY if subject in self.directories else FILE
            return b"%cNUMB" % ATTRS + attrs(mode, len(self.content))
        if kind == READLINK:
            return b"%cNUMB" % NAME + struct.pack(">I", 1) + string(self.links[subject]) * 2 + struct.pack(">I", 0)
        return self._status(OK)

    def _handle(self, entries: Iterator[tuple[bytes, int, int]] | None) -> bytes:
        handle = b"h%d" % len(self._handles)
        self._handles[handle] = entries
        return b"%cNUMB" % HANDLE + string(handle)

    def _names(self, handle: bytes) -> bytes:
        entries = self._handles[handle]
        assert entries is not None
        found = [entry for _, entry in zip(range(100), entries, strict=False)]
        if not found:
            return self._status(EOF)
        body = b"".join(string(name) + string(b"") + attrs(mode, size) for name, mode, size in found)
        return b"%cNUMB" % NAME + struct.pack(">I", len(found)) + body

    def _status(self, code: int) -> bytes:
        return b"%cNUMB" % STATUS + struct.pack(">I", code) + string(b"so it is") + string(b"")
