"""Opening files, reading and writing them whole, and copying them on the server."""

from __future__ import annotations

import errno
import io
from typing import IO, Any, cast

from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_extensions import CopyData
from .._wire.sftp_replies import EOF, OK, Attrs, Handle, Status
from ..errors import InvalidInput
from .attributes import FileStat, of_wire
from .base import ClientBase
from .courses import Course, run
from .failures import known_failure
from .local import FromLocal, Stream
from .moving import Asking, fetch
from .paths import RemotePathLike, to_text
from .raw import RemoteRaw
from .transfers import Placing

# Bytes copied on the server by one request: no answer comes before they are.
_COPY_STEP = 64 * 1024 * 1024
_READ_BUFFER = 32 * 1024

_FLAGS = {
    "r": wire.READ,
    "w": wire.WRITE | wire.CREATE | wire.TRUNCATE,
    "a": wire.WRITE | wire.CREATE | wire.APPEND,
    "x": wire.WRITE | wire.CREATE | wire.EXCLUSIVE,
}


class Files(ClientBase):
    """The part of a client that opens files."""

    def open(
        self,
        path: RemotePathLike,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        *,
        permissions: int = 0o666,
    ) -> IO[Any]:
        """Open a file, as the built-in `open`.

        Reading goes ahead and writing goes on behind the caller, so that both run at the speed of the link. A write
        that fails is told by the next write, by `flush` or by `close`.

        Args:
            mode: `r`, `w`, `a` or `x`, with `+`, `b` and `t`.
            buffering: 0 for none (binary only), 1 for lines (text only), the size of the buffer in bytes, -1 for a
                good one.
            encoding, errors, newline: for text; UTF-8 where nothing is said.
            permissions: of a file that is made; the server's umask takes from them.

        Raises:
            FileNotFoundError, FileExistsError, IsADirectoryError, PermissionError...: the server did not open it.
            ValueError: the mode makes no sense.
        """
        kind, flags, text = _parsed(mode, buffering, (encoding, errors, newline))
        raw = self._open_raw(path, kind, flags, permissions)
        try:
            if buffering == 0:
                return raw  # type: ignore[return-value]  # as the built-in: IO in all but its name
            binary = _buffered(raw, -1 if text and buffering == 1 else buffering, self._session.limits.write)
            if not text:
                return binary
            return io.TextIOWrapper(binary, encoding or "utf-8", errors, newline, line_buffering=buffering == 1)
        except BaseException:
            raw.close()
            raise

    def _open_raw(self, path: RemotePathLike, mode: str, flags: int, permissions: int) -> RemoteRaw:
        where = self._path(path)
        opening = wire.Open(
            where, flags, Attributes(permissions=permissions) if flags & wire.CREATE else wire.NO_ATTRIBUTES
        )
        messages: list[wire.Request] = [opening]
        if not flags & (wire.TRUNCATE | wire.EXCLUSIVE):
            # On the same way: a server opens directories for reading, and who appends wants to know where.
            messages.append(wire.Stat(where))
        reply, *more = self._ask_all(messages)
        if isinstance(reply, Status):
            raise self._failure(reply, opening, where)
        assert isinstance(reply, Handle), "the request table lets nothing else through"
        status = of_wire(more[0].attributes) if more and isinstance(more[0], Attrs) else FileStat()
        if status.is_dir():
            self._close_handle(reply.handle)
            raise known_failure(errno.EISDIR, to_text(where), self.host)
        return RemoteRaw(self, where, reply.handle, flags, mode, status.st_size)

    # ---- whole files

    def read_bytes(self, path: RemotePathLike) -> bytes:
        """What is in a file."""
        out = io.BytesIO()
        run(self._session, fetch(self, self._path(path), Stream(out)))
        return out.getvalue()

    def read_text(self, path: RemotePathLike, encoding: str = "utf-8", errors: str = "strict") -> str:
        """What is in a file, as text, with line ends as they are read by `open`."""
        return io.TextIOWrapper(io.BytesIO(self.read_bytes(path)), encoding, errors).read()

    def write_bytes(self, path: RemotePathLike, data: bytes | bytearray | memoryview, *, atomic: bool = False) -> int:
        """Make it what is in a file, from its beginning to its end; bytes written.

        Args:
            atomic: as for `put`.
        """
        placing = Placing(self, self._path(path), FromLocal(io.BytesIO(data)), None, preserve=False, fsync=False)
        return run(self._session, placing.beside() if atomic else placing.into())

    def write_text(
        self,
        path: RemotePathLike,
        data: str,
        encoding: str = "utf-8",
        errors: str = "strict",
        newline: str | None = None,
        *,
        atomic: bool = False,
    ) -> int:
        """The same with text; characters written."""
        binary = io.BytesIO()
        with io.TextIOWrapper(binary, encoding, errors, newline or "\n") as text:
            count = text.write(data)
            text.flush()
            self.write_bytes(path, binary.getvalue(), atomic=atomic)
        return count

    # ---- on the server

    def copy(self, source: RemotePathLike, target: RemotePathLike, *, preserve: bool = False) -> int:
        """Copy a file on the server (`copy-data`); without that extension its data comes here and goes back.

        What is at the target is replaced when the copy is complete, as for `put`.

        Args:
            preserve: give the copy the permissions (without set-id bits) and times of the original.

        Returns:
            the size in bytes.
        """
        with self._open_raw(source, "rb", wire.READ, 0) as original:
            status = original.stat()
            placing = Placing(
                self, self._path(target), FromLocal(cast(IO[bytes], original)), status, preserve=preserve, fsync=False
            )
            if self._session.offers(CopyData):
                placing.fill = _CopyOnServer(original._handle, self._path(source), status.st_size or 0).course
            return run(self._session, placing.beside())


class _CopyOnServer:
    """The data of one file into another, without a look at it."""

    def __init__(self, handle: bytes, path: bytes, size: int) -> None:
        self._handle = handle
        self._path = path
        self._size = size

    def course(self, client: ClientBase, path: bytes, handle: bytes) -> Course[int]:
        for offset in range(0, self._size, _COPY_STEP):
            length = min(_COPY_STEP, self._size - offset)
            yield from self._step(client, path, CopyData(self._handle, offset, length, handle, offset))
        # To the end, wherever that is by now.
        yield from self._step(client, path, CopyData(self._handle, self._size, 0, handle, self._size))
        _, reply = yield [wire.FStat(handle)]
        return reply.attributes.size or 0 if isinstance(reply, Attrs) else self._size

    def _step(self, client: ClientBase, path: bytes, message: CopyData) -> Asking:
        _, reply = yield [message]
        if isinstance(reply, Status) and reply.code not in (OK, EOF):
            raise client._failure(reply, message, self._path, path)


def _parsed(mode: str, buffering: int, text_words: tuple[str | None, ...]) -> tuple[str, int, bool]:
    """The mode in order, the flags for the server, and whether it is text."""
    letters = set(mode)
    kinds = letters & set(_FLAGS)
    if len(letters) != len(mode) or len(kinds) != 1 or letters - set("rwax+bt") or {"b", "t"} <= letters:
        raise InvalidInput(f"invalid mode: {mode!r}")
    kind = kinds.pop()
    text = "b" not in letters
    if not text and any(word is not None for word in text_words):
        raise InvalidInput("encoding, errors and newline are for text")
    if text and buffering == 0:
        raise InvalidInput("text cannot be without a buffer")
    flags = _FLAGS[kind] | (wire.READ | wire.WRITE if "+" in letters else 0)
    return kind + ("+" if "+" in letters else "") + "b", flags, text


def _buffered(raw: RemoteRaw, size: int, piece: int) -> io.BufferedReader | io.BufferedWriter | io.BufferedRandom:
    """The buffer around it; one for writing holds what the server takes at once."""
    if raw.readable() and raw.writable():
        return io.BufferedRandom(raw, piece if size < 2 else size)
    if raw.writable():
        return io.BufferedWriter(raw, piece if size < 2 else size)
    return io.BufferedReader(raw, _READ_BUFFER if size < 2 else size)
