"""One file that arrives: whole in its place, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat as modes
from collections.abc import Callable, Iterator
from typing import IO, Any

from .._protocol.transfer import InOrder
from ..sftp.attributes import FileStat
from ..sftp.special import is_device, special_here, special_kind
from ._folders import Folder
from ._gauge import Gauge
from ._nameless import LARGE, give_name, open_nameless
from .conversion import converter
from .options import TransferOptions

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_PERMISSIONS = 0o777
_EVERYTHING = 0o7777


def partial_name(name: bytes) -> bytes:
    """A name beside a file for what is not yet the whole of it; nobody can have made a link of that name."""
    return b".%b.%b.part" % (name[:200], os.urandom(6).hex().encode())


def resumable_name(name: bytes, size: int, mtime: int) -> bytes:
    """The same for one that is left for another attempt: a source that has changed meanwhile has another."""
    return b".%b.%x-%x.part" % (name[:180], mtime, size)


class Landing:
    """A file that comes to a directory of ours.

    Args:
        folder: becomes this one's to release.
        name: in that directory.
    """

    def __init__(self, folder: Folder, name: bytes, options: TransferOptions, gauge: Gauge) -> None:
        self.shown = os.path.join(folder.shown, os.fsdecode(name))
        self._folder = folder
        self._name = name
        self._options = options
        self._gauge = gauge
        self._fd = -1
        self._status: FileStat | None = None
        self._old: os.stat_result | None = folder.status(name)
        self._temporary: bytes | None = None
        self._keep = False
        self._base = 0
        # Put into order, and changed.
        self._stream: _Stream | None = None
        if self._old is not None and modes.S_ISDIR(self._old.st_mode):
            self.drop()
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self.shown)
        # In a tree nobody has meant the device.
        may = not options.recursive and self._old is not None and is_device(self._old.st_mode)
        if self._old is not None and special_kind(self._old.st_mode) and not may:
            self.drop()
            raise special_here(self.shown, self._old.st_mode)

    @property
    def _regular(self) -> bool:
        """A device is written to as it is, and in order."""
        return self._old is None or not special_kind(self._old.st_mode)

    @property
    def old(self) -> os.stat_result | None:
        """What has the name already."""
        return self._old

    # ---- before anything has come

    def start(self, status: FileStat | None) -> int:
        """Open what it is written to; where to begin in the source."""
        options = self._options
        self._status = status
        if options.convert is not None or not self._regular:
            self._stream = _Stream(None if options.convert is None else converter(options.convert))
        if options.append:
            self._fd = self._open(self._name, 0)
            self._base = os.fstat(self._fd).st_size
            return 0
        if not self._regular:
            self._fd = os.open(self._name, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._folder.fd)
            return 0
        if options.resume and status is not None and status.st_size is not None and status.st_mtime is not None:
            return self._take_up(status.st_size, status.st_mtime)
        if options.atomic:
            self._temporary = partial_name(self._name)
            if status is not None and (status.st_size or 0) >= LARGE:
                self._fd = open_nameless(self._folder.fd, self._first_mode() | 0o600)
            if self._fd < 0:
                self._fd = self._open(self._temporary, os.O_EXCL)
        else:
            self._fd = self._open(self._name, 0)
        return 0

    def _take_up(self, size: int, mtime: int) -> int:
        """What an earlier attempt has left, if it is of the same source as far as its size and time tell."""
        name = resumable_name(self._name, size, mtime)
        # With EXCL or without: a link in its place is not followed.
        self._fd = self._open(name, 0)
        self._temporary, self._keep = name, True
        there = os.fstat(self._fd)
        if not modes.S_ISREG(there.st_mode) or there.st_size > size:
            os.ftruncate(self._fd, 0)
            return 0
        return there.st_size

    def _open(self, name: bytes, flags: int) -> int:
        # Reading is for digests.
        flags = (_CREATE & ~os.O_WRONLY) | os.O_RDWR | flags
        try:
            fd = os.open(name, flags, self._first_mode() | 0o600, dir_fd=self._folder.fd)
        except OSError as error:
            error.filename = os.path.join(self._folder.shown, os.fsdecode(name))
            raise
        if not modes.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file", self.shown)
        return fd

    def _first_mode(self) -> int:
        """As cp(1): what the original has and our umask leaves of it; never a special bit."""
        told = self._status.permissions if self._status else None
        return 0o666 if told is None else told & _PERMISSIONS

    def start_over(self) -> None:
        """What was there does not fit after all."""
        os.ftruncate(self._fd, 0)

    @property
    def fd(self) -> int:
        """What has come so far."""
        return self._fd

    # ---- what the courses want (sftp.moving.Target)

    def begin(self, status: FileStat) -> None:
        # It is opened when there is something to write: many may wait for the server.
        self._status = status

    def write_at(self, offset: int, data: memoryview) -> None:
        if self._fd < 0:
            self.start(self._status)
        if self._stream is not None:
            for piece in self._stream.put(offset, data):
                self._write(piece)
        elif not (self._options.sparse and _is_zero(data)):
            done, at = 0, self._base + offset
            while done < len(data):
                done += os.pwrite(self._fd, data[done:], at + done)
        self._gauge.moved(len(data), self.shown)

    def _write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            count = os.write(self._fd, left) if not self._regular else os.pwrite(self._fd, left, self._base)
            self._base += count
            left = left[count:]

    # ---- its end

    def finish(self, size: int) -> None:
        """Everything is there: let it take its place."""
        if self._fd < 0:
            self.start(self._status)
        if self._stream is not None:
            self._write(self._stream.last())
        if self._regular:
            end = self._base if self._stream is not None else self._base + size
            if self._options.sparse or not self._temporary or self._keep:
                os.ftruncate(self._fd, end)
            self._set_attributes()
            if self._options.fsync:
                os.fsync(self._fd)
        if self._temporary is not None and not os.fstat(self._fd).st_nlink:
            give_name(self._fd, self._temporary, self._folder.fd, self.shown)
        fd, self._fd = self._fd, -1
        os.close(fd)
        if self._temporary is not None:
            os.rename(self._temporary, self._name, src_dir_fd=self._folder.fd, dst_dir_fd=self._folder.fd)
            self._temporary = None

    def _set_attributes(self) -> None:
        told = self._status.permissions if self._status else None
        status, options = self._status, self._options
        if options.preserve and status is not None:
            if told is not None:
                os.fchmod(self._fd, told & _EVERYTHING)
            if status.st_atime is not None and status.st_mtime is not None:
                os.utime(self._fd, (status.st_atime, status.st_mtime))
        elif options.umask is not None:
            os.fchmod(self._fd, self._first_mode() & ~options.umask)
        elif self._temporary is not None and self._old is not None and modes.S_ISREG(self._old.st_mode):
            os.fchmod(self._fd, modes.S_IMODE(self._old.st_mode))
        elif self._first_mode() & 0o600 != 0o600 and (self._temporary is not None or self._old is None):
            os.fchmod(self._fd, modes.S_IMODE(os.fstat(self._fd).st_mode) & ~(0o600 & ~self._first_mode()))

    def drop(self) -> None:
        """It will not be completed: nothing of it stays, unless it shall be taken up again. Idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        temporary, self._temporary = self._temporary, None
        if temporary is not None and not self._keep:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._folder.fd)
        folder, self._folder = self._folder, _NOWHERE
        folder.release()


class _Nowhere(Folder):
    def __init__(self) -> None:
        self.fd = -1

    def release(self) -> None:
        pass


_NOWHERE = _Nowhere()


class _Stream:
    """Puts pieces into the file's order, and makes of them what is written.

    Args:
        change: None leaves them as they are.
    """

    def __init__(self, change: Callable[[bytes], bytes] | None) -> None:
        self._in_order = InOrder(0)
        self._change = change

    def put(self, offset: int, data: memoryview) -> Iterator[bytes | memoryview]:
        """Take a piece; what is to be written now."""
        for piece in self._in_order.put(offset, data):
            yield piece if self._change is None else self._change(bytes(piece))

    def last(self) -> bytes:
        """What is to be written at the end."""
        return b"" if self._change is None else self._change(b"")


class IntoFile:
    """A file object at the end of a download; written in order, and not closed."""

    def __init__(self, file: IO[Any], shown: str, options: TransferOptions, gauge: Gauge) -> None:
        self._file = file
        self.shown = shown
        self._gauge = gauge
        self._stream = _Stream(None if options.convert is None else converter(options.convert))

    def begin(self, status: FileStat) -> None:
        pass

    def write_at(self, offset: int, data: memoryview) -> None:
        for piece in self._stream.put(offset, data):
            self._write(piece)
        self._gauge.moved(len(data), self.shown)

    def _write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            # What is no raw file takes everything, and some of these return nothing.
            count = self._file.write(left)
            left = left[len(left) if count is None else count :]

    def finish(self, size: int) -> None:
        """Everything has come."""
        self._write(self._stream.last())


def _is_zero(data: memoryview) -> bool:
    return not bytes(data).strip(b"\0")
