"""An open file on the server."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, NoReturn

from ._lent import lend
from ._sftp_failures import in_paramikos_words
from .file import BufferedFile
from .sftp_attr import SFTPAttributes

if TYPE_CHECKING:
    from .sftp_client import SFTPClient

__all__ = ["SFTPFile"]


class SFTPFile(BufferedFile):
    """An open file. Made by `SFTPClient.open`.

    Reading goes ahead and writing goes on behind the caller, so both run at the speed of the link: `prefetch` and
    `set_pipelined` are not needed. A write that fails is told by the next write, by `flush`, or by `close`.

    Args:
        sftp: the client.
        handle: the core's file, open and without a buffer.
        path: its path, as it was sent.
    """

    MAX_REQUEST_SIZE = 32768

    def __init__(
        self, sftp: SFTPClient, handle: IO[bytes], mode: str = "r", bufsize: int = -1, path: bytes = b""
    ) -> None:
        super().__init__()
        self.sftp = sftp
        self.handle = handle
        self.pipelined = False
        self._path = path
        # In paramiko nobody is told that a file was not closed.
        handle.forgotten = True  # type: ignore[attr-defined]  # the core's file has it
        self._set_mode(mode, bufsize)

    def __del__(self) -> None:
        # As in paramiko: what is in the buffer of a file that is let go of is written. A finaliser must not wait.
        if getattr(self, "_unsent", None) and not self._closed:
            threading.Thread(target=_finish, args=(self.handle, bytes(self._unsent)), daemon=True).start()

    # ---- as a file

    def _read(self, size: int) -> bytes:
        with in_paramikos_words():
            return self.handle.read(size)

    def _read_all(self) -> bytes:
        pieces = []
        while piece := self._read(1 << 20):
            pieces.append(piece)
        return b"".join(pieces)

    def read(self, size: int | None = None) -> bytes:
        self._settle_writes()
        return super().read(size)

    def readline(self, size: int | None = None) -> str | bytes:
        self._settle_writes()
        return super().readline(size)

    def _settle_writes(self) -> None:
        if self._unsent:
            self.flush()

    def write(self, data: str | bytes | bytearray | memoryview) -> None:
        if self._at < len(self._ahead):
            # What was read ahead is not where the caller stands.
            self._forget_ahead()
        super().write(data)

    def _write(self, data: bytes) -> int:
        with in_paramikos_words():
            return self.handle.write(data)

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        super()._send(data)
        if data and self._flags & self.FLAG_APPEND:
            self._pos = self.handle.tell()

    def flush(self) -> None:
        """Send what is in the buffer, and wait until it is written.

        Raises:
            OSError: something was not written.
        """
        super().flush()
        if self._flags & self.FLAG_WRITE and not self._closed:
            with in_paramikos_words():
                self.handle.flush()

    def close(self) -> None:
        """Wait until everything is written, and close it. Idempotent.

        Raises:
            OSError: something was not written. It is closed all the same.
        """
        if self._closed:
            return
        try:
            if self._unsent:
                super().flush()
        finally:
            self._closed = True
            with in_paramikos_words():
                self.handle.close()

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> None:
        """Go to a place: from the start (0), from here (1), from the end (2)."""
        self.flush()
        base = 0 if whence == self.SEEK_SET else self._pos if whence == self.SEEK_CUR else self._get_size()
        with in_paramikos_words():
            self.handle.seek(base + offset)
        self._ahead, self._at = b"", 0
        self._carriage_last = False
        self._pos = base + offset

    def _forget_ahead(self) -> None:
        self._ahead, self._at = b"", 0
        with in_paramikos_words():
            self.handle.seek(self._pos)

    def _get_size(self) -> int:
        try:
            return self.stat().st_size or 0
        except OSError:
            return 0

    # ---- its attributes

    def stat(self) -> SFTPAttributes:
        """Its attributes."""
        with in_paramikos_words():
            return SFTPAttributes.from_stat(self.handle.stat())  # type: ignore[attr-defined]  # the core's file has it

    def chmod(self, mode: int) -> None:
        self.sftp.chmod(self._path, mode)

    def chown(self, uid: int, gid: int) -> None:
        self.sftp.chown(self._path, uid, gid)

    def utime(self, times: tuple[float, float] | None) -> None:
        self.flush()
        self.sftp.utime(self._path, times)

    def truncate(self, size: int) -> None:
        """Cut it off, or lengthen it with zeros, to a size in bytes."""
        self.flush()
        with in_paramikos_words():
            self.handle.truncate(size)

    def check(self, hash_algorithm: str, offset: int = 0, length: int = 0, block_size: int = 0) -> NoReturn:
        """Not to be had: OpenSSH's server has no such extension. Raises OSError."""
        raise OSError("Operation unsupported: run sha256sum on the server")

    # ---- speed

    def set_pipelined(self, pipelined: bool = True) -> None:
        """Nothing to do: it is."""
        self.pipelined = pipelined

    def prefetch(self, file_size: int | None = None, max_concurrent_requests: int | None = None) -> None:
        """Nothing to do: whoever reads on and on is read ahead for."""

    def readv(
        self, chunks: Iterable[tuple[int, int]], max_concurrent_prefetch_requests: int | None = None
    ) -> Iterator[bytes]:
        """Pieces of the file: for each (offset, size) what is there."""
        for offset, size in list(chunks):
            self.seek(offset)
            yield self.read(size)

    # ---- waiting

    def settimeout(self, timeout: float | None) -> None:
        """Seconds without any progress after which an operation of this client gives up."""
        self.sftp.get_channel().settimeout(timeout)

    def gettimeout(self) -> float | None:
        return self.sftp.get_channel().gettimeout()  # type: ignore[no-any-return]

    def setblocking(self, blocking: bool) -> None:
        self.sftp.get_channel().setblocking(blocking)


def _finish(handle: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        handle.write(data)
        handle.close()


lend(__name__)
