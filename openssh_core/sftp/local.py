"""Local files at the end of a transfer: whole or untouched."""

from __future__ import annotations

import contextlib
import errno
import os
import stat as modes
from collections import deque
from collections.abc import Callable, Iterator
from itertools import repeat, starmap
from typing import IO, Any

from .._protocol.transfer import InOrder
from .attributes import FileStat
from .moving import Chunk
from .special import is_device, special_here, special_kind

Progress = Callable[[int, int | None], None]


def partial_name(name: str) -> str:
    """A name beside a file for what is not yet the whole of it; nobody can have made a link of that name."""
    # Cut, so that a name as long as a name may be has room for ours.
    return f".{name[:200]}.{os.urandom(6).hex()}.part"


class LocalFile:
    """The local end of a download: a new file beside the target takes its place when it is complete.

    A target that is a device is written to as it is; a FIFO or a socket is refused.

    Args:
        path: the target; a symbolic link is followed.
        atomic: False writes into the target itself.
        preserve: give it the permissions and times of the original.
    """

    def __init__(self, path: str, *, atomic: bool, preserve: bool) -> None:
        self._path = os.path.realpath(path)
        self._preserve = preserve
        self._status: FileStat | None = None
        self._opened: list[int] = []
        self._partial: str | None = None
        self._old_mode: int | None = None
        with contextlib.suppress(FileNotFoundError):
            self._old_mode = os.stat(self._path).st_mode
        if self._old_mode is not None and modes.S_ISDIR(self._old_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if special_kind(self._old_mode) and not is_device(self._old_mode or 0):
            raise special_here(path, self._old_mode or 0)
        self._seekable = self._old_mode is None or modes.S_ISREG(self._old_mode)
        self._atomic = atomic and self._seekable
        self._in_order = None if self._seekable else InOrder(0)

    def begin(self, status: FileStat) -> None:
        self._status = status
        self._open()

    def write_at(self, offset: int, data: memoryview) -> None:
        self._open()
        if self._in_order is not None:
            for piece in self._in_order.put(offset, data):
                _write_all(lambda left: os.write(self._fd, left), piece)
            return
        done = 0
        while done < len(data):
            done += os.pwrite(self._fd, data[done:], offset + done)

    def _open(self) -> None:
        if self._opened:
            return
        told = self._status.permissions if self._status else None
        # As cp(1): what the original has and our umask leaves of it; never a special bit.
        mode = 0o666 if told is None else told & 0o777
        path, flags = self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        if self._atomic:
            directory, name = os.path.split(self._path)
            path, mode, flags = os.path.join(directory, partial_name(name)), mode | 0o200, flags | os.O_EXCL
            self._partial = path
        # In one step of the interpreter, so that no interrupt falls between the file and our knowledge of it.
        self._opened.extend(map(os.open, (path,), (flags,), (mode,)))

    @property
    def _fd(self) -> int:
        return self._opened[0]

    def finish(self, size: int) -> None:
        """Everything is there: let it take its place."""
        self._open()
        if self._seekable:
            os.ftruncate(self._fd, size)
            self._set_mode()
        self._close()
        if self._partial is not None:
            os.replace(self._partial, self._path)
            self._partial = None

    def _set_mode(self) -> None:
        told = self._status.permissions if self._status else None
        if self._preserve and self._status is not None:
            if told is not None:
                os.fchmod(self._fd, told & 0o777)
            if self._status.st_atime is not None and self._status.st_mtime is not None:
                os.utime(self._fd, (self._status.st_atime, self._status.st_mtime))
        elif self._partial is not None and self._old_mode is not None:
            os.fchmod(self._fd, modes.S_IMODE(self._old_mode))
        elif self._partial is not None and told is not None and not told & 0o200:
            os.fchmod(self._fd, modes.S_IMODE(os.fstat(self._fd).st_mode) & ~0o200)

    def drop(self) -> None:
        """It will not be completed: nothing of it stays. Idempotent."""
        self._close()
        partial, self._partial = self._partial, None
        if partial is not None:
            with contextlib.suppress(OSError):
                os.unlink(partial)

    def _close(self) -> None:
        _close_all(self._opened)


def _close_all(opened: list[int]) -> None:
    while opened:
        # Taken and closed in one step, or it might be closed twice, and be somebody else's by then.
        deque(map(os.close, starmap(opened.pop, repeat((), 1))), maxlen=0)


class Stream:
    """A file object at the end of a download; written in order."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._in_order = InOrder(0)

    def begin(self, status: FileStat) -> None:
        pass

    def write_at(self, offset: int, data: memoryview) -> None:
        for piece in self._in_order.put(offset, data):
            _write_all(self._file.write, piece)

    def finish(self, size: int) -> None:
        pass

    def drop(self) -> None:
        pass


def _write_all(write: Callable[[Any], int | None], data: memoryview) -> None:
    left = data
    while left:
        # What is no raw file takes everything, and some of these return nothing.
        count = write(left)
        if count is None:
            return
        left = left[count:]


@contextlib.contextmanager
def open_source(path: str) -> Iterator[IO[bytes]]:
    """Open a regular file for reading. Never waits for what else it may be.

    Raises:
        OSError: it is none, or cannot be opened.
    """
    # Opening a device may do something, so it is looked at before, and once more when it cannot change any more.
    _only_regular(path, os.stat(path).st_mode)
    opened: list[int] = []
    try:
        # In one step of the interpreter, so that no interrupt falls between the file and our knowledge of it.
        opened.extend(map(os.open, (path,), (os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK,)))
        _only_regular(path, os.fstat(opened[0]).st_mode)
        yield open(opened[0], "rb", buffering=0, closefd=False)
    finally:
        _close_all(opened)


def _only_regular(path: str, mode: int) -> None:
    if modes.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if special_kind(mode):
        raise special_here(path, mode)


class FromLocal:
    """The local end of an upload: a file that is open for reading, from where it stands."""

    def __init__(self, file: IO[bytes]) -> None:
        self._read = file.read

    def read(self, size: int) -> Chunk:
        return self._read(size) or b""


class Watched:
    """Tells how far a transfer is.

    Args:
        inner: a target, or a source.
        progress: called with the bytes done and the total, None where that is not known.
        total: for a source.
    """

    def __init__(self, inner: Any, progress: Progress, total: int | None = None) -> None:
        self._inner = inner
        self._progress = progress
        self._total = total
        self._done = 0

    def begin(self, status: FileStat) -> None:
        self._inner.begin(status)
        self._total, self._done = status.st_size, 0

    def write_at(self, offset: int, data: memoryview) -> None:
        self._inner.write_at(offset, data)
        self._told(len(data))

    def read(self, size: int) -> Chunk:
        data: Chunk = self._inner.read(size)
        if data:
            self._told(len(data))
        return data

    def _told(self, count: int) -> None:
        self._done += count
        self._progress(self._done, self._total)
