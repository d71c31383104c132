"""An SFTP server made from the specification (draft-ietf-secsh-filexfer-02), for what no real one does.

It knows the layout of packets and nothing of `openssh_core._wire`, so that a mistake there does not meet itself here.
What it answers is up to the test: a function for each type of request, and a small file system for the rest.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

INIT, VERSION = 1, 2
OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT = range(3, 11)
OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK = range(11, 21)
STATUS, HANDLE, DATA, NAME, ATTRS = range(101, 106)
EXTENDED, EXTENDED_REPLY = 200, 201

OK, END, NO_SUCH_FILE, DENIED, FAILURE, BAD_MESSAGE, _, _, UNSUPPORTED = range(9)

REGULAR, DIRECTORY, SYMBOLIC_LINK = 0o100644, 0o040755, 0o120777


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def u64(value: int) -> bytes:
    return struct.pack(">Q", value)


def string(value: bytes) -> bytes:
    return u32(len(value)) + value


def attributes(mode: int = REGULAR, size: int = 0) -> bytes:
    """Size and permissions (section 5)."""
    return u32(0x1 | 0x4) + u64(size) + u32(mode)


def packet(kind: int, body: bytes) -> bytes:
    return u32(len(body) + 1) + bytes([kind]) + body


def status(number: int, code: int, words: bytes = b"") -> bytes:
    """A status for the request of that number (section 7)."""
    return packet(STATUS, u32(number) + u32(code) + string(words) + string(b""))


def name(number: int, *entries: tuple[bytes, int]) -> bytes:
    """Names with their modes, for the request of that number (section 7)."""
    body = b"".join(string(entry) + string(entry) + attributes(mode) for entry, mode in entries)
    return packet(NAME, u32(number) + u32(len(entries)) + body)


class Question:
    """One request.

    Attributes:
        kind: the packet's type.
        number: the request's number.
        body: what follows it.
    """

    def __init__(self, kind: int, number: int, body: bytes) -> None:
        self.kind = kind
        self.number = number
        self.body = body
        self._at = 0

    def u32(self) -> int:
        self._at += 4
        return int(struct.unpack_from(">I", self.body, self._at - 4)[0])

    def u64(self) -> int:
        self._at += 8
        return int(struct.unpack_from(">Q", self.body, self._at - 8)[0])

    def string(self) -> bytes:
        size = self.u32()
        self._at += size
        return self.body[self._at - size : self._at]


Answer = Callable[["FakeSftp", Question], "bytes | None"]


class FakeSftp:
    """Serves one end of a socket pair in a thread until that is closed.

    Args:
        files: contents by path.
        extensions: what it offers, with their versions.
        answers: instead of its own answers: a function for each type, given this server and the question, that returns
            what to send (any bytes at all) or None to let the server answer as it would.
        version: the one it says it speaks.

    Attributes:
        client: the socket for the client.
        asked: every request so far.
        files: contents by path, as they are now.
    """

    def __init__(
        self,
        files: dict[bytes, bytes] | None = None,
        *,
        extensions: dict[bytes, bytes] | None = None,
        answers: dict[int, Answer] | None = None,
        version: int = 3,
    ) -> None:
        self.files: dict[bytes, bytearray] = {path: bytearray(data) for path, data in (files or {}).items()}
        self.asked: list[Question] = []
        self.handles: dict[bytes, bytes] = {}
        self._extensions = extensions or {}
        self._answers = answers or {}
        self._version = version
        self._made = 0
        self.client, self._sock = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="fake sftp", daemon=True)
        self._thread.start()

    def __enter__(self) -> FakeSftp:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        for sock in (self.client, self._sock):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join()
        self.client.close()

    def die(self) -> None:
        """Go away in the middle of whatever is going on; for an answer to call."""
        self._sock.shutdown(socket.SHUT_RDWR)

    def count(self, kind: int) -> int:
        """How many requests of that type came."""
        return sum(question.kind == kind for question in list(self.asked))

    def _serve(self) -> None:
        with self._sock:
            try:
                while (question := self._question()) is not None:
                    self._sock.sendall(self._answer(question))
            except OSError:
                pass  # the other side has gone

    def _question(self) -> Question | None:
        head = self._exactly(5)
        if head is None:
            return None
        size, kind = struct.unpack(">IB", head)
        body = self._exactly(size - 1) or b""
        if kind == INIT:
            return Question(INIT, 0, body)
        return Question(kind, struct.unpack_from(">I", body)[0], body[4:])

    def _exactly(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            more = self._sock.recv(size - len(data))
            if not more:
                return None
            data += more
        return data

    def _answer(self, question: Question) -> bytes:
        self.asked.append(question)
        if question.kind in self._answers:
            answer = self._answers[question.kind](self, question)
            if answer is not None:
                return answer
            question._at = 0
        if question.kind == INIT:
            offered = b"".join(string(key) + string(value) for key, value in self._extensions.items())
            return packet(VERSION, u32(self._version) + offered)
        try:
            return _ORDINARY[question.kind](self, question)
        except KeyError:
            return status(question.number, UNSUPPORTED)

    # ---- what it answers by itself

    def _open(self, question: Question) -> bytes:
        path, flags = question.string(), question.u32()
        if path not in self.files and not flags & 0x08:
            return status(question.number, NO_SUCH_FILE)
        if path in self.files and flags & 0x20:
            return status(question.number, FAILURE)
        if path not in self.files or flags & 0x10:
            self.files[path] = bytearray()
        return self._new_handle(question, path)

    def _new_handle(self, question: Question, path: bytes) -> bytes:
        self._made += 1
        handle = b"h%d" % self._made
        self.handles[handle] = path
        return packet(HANDLE, u32(question.number) + string(handle))

    def _close(self, question: Question) -> bytes:
        gone = self.handles.pop(question.string(), None)
        return status(question.number, FAILURE if gone is None else OK)

    def _read(self, question: Question) -> bytes:
        content = self.files[self.handles[question.string()]]
        offset, size = question.u64(), question.u32()
        data = bytes(content[offset : offset + size])
        return packet(DATA, u32(question.number) + string(data)) if data else status(question.number, END)

    def _write(self, question: Question) -> bytes:
        content = self.files[self.handles[question.string()]]
        offset, data = question.u64(), question.string()
        content.extend(bytes(max(0, offset - len(content))))
        content[offset : offset + len(data)] = data
        return status(question.number, OK)

    def _stat(self, question: Question) -> bytes:
        path = question.string()
        if path not in self.files:
            return status(question.number, NO_SUCH_FILE)
        return packet(ATTRS, u32(question.number) + attributes(REGULAR, len(self.files[path])))

    def _fstat(self, question: Question) -> bytes:
        content = self.files[self.handles[question.string()]]
        return packet(ATTRS, u32(question.number) + attributes(REGULAR, len(content)))

    def _well(self, question: Question) -> bytes:
        return status(question.number, OK)

    def _opendir(self, question: Question) -> bytes:
        return self._new_handle(question, question.string())

    def _readdir(self, question: Question) -> bytes:
        return status(question.number, END)

    def _remove(self, question: Question) -> bytes:
        return status(question.number, NO_SUCH_FILE if self.files.pop(question.string(), None) is None else OK)

    def _rename(self, question: Question) -> bytes:
        old, new = question.string(), question.string()
        if new in self.files or old not in self.files:
            return status(question.number, FAILURE)
        self.files[new] = self.files.pop(old)
        return status(question.number, OK)

    def _realpath(self, question: Question) -> bytes:
        return name(question.number, (question.string(), DIRECTORY))


_ORDINARY: dict[int, Callable[[Any, Question], bytes]] = {
    OPEN: FakeSftp._open,
    CLOSE: FakeSftp._close,
    READ: FakeSftp._read,
    WRITE: FakeSftp._write,
    STAT: FakeSftp._stat,
    LSTAT: FakeSftp._stat,
    FSTAT: FakeSftp._fstat,
    SETSTAT: FakeSftp._well,
    FSETSTAT: FakeSftp._well,
    OPENDIR: FakeSftp._opendir,
    READDIR: FakeSftp._readdir,
    REMOVE: FakeSftp._remove,
    RENAME: FakeSftp._rename,
    REALPATH: FakeSftp._realpath,
}
