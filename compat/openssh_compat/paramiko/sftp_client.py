"""Files on the server."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, NoReturn

from openssh_core import OpenSSHError
from openssh_core.sftp import FileStat
from openssh_core.sftp import SFTPClient as CoreClient

from ._failures import session_error
from ._lent import lend
from ._sftp_channel import SFTPChannel
from ._sftp_failures import in_paramikos_words
from .channel import Channel
from .common import INFO
from .sftp import SFTPError
from .sftp_attr import SFTPAttributes
from .sftp_file import SFTPFile
from .ssh_exception import SSHException
from .util import ClosingContextManager, get_logger

if TYPE_CHECKING:
    from typing_extensions import Self

    from .transport import Transport

__all__ = ["SFTP", "SFTPClient"]

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]
# (bytes so far, bytes in all)
Callback = Callable[[int, int], Any]

_PIECE = 32768


class SFTPClient(ClosingContextManager):
    """Files on the server. A context manager. Any number of threads may share one.

    Args:
        sock: a channel on which an SFTP server speaks, or anything that can `send`, `recv` and `close`.

    Raises:
        SSHException: nobody speaks SFTP there.
    """

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self._cwd: bytes | None = None
        parent = sock.get_transport().get_log_channel() if isinstance(sock, Channel) else "paramiko.transport"
        self._logger = get_logger(f"{parent}.sftp")
        if isinstance(sock, SFTPChannel):
            self._core = sock.core
        else:
            try:
                self._core = CoreClient.over(sock)
            except OpenSSHError as error:
                raise SSHException(f"EOF during negotiation: {error}") from error
        self._log(INFO, "Opened sftp connection (server version 3)")

    @classmethod
    def from_transport(cls, t: Transport, window_size: int | None = None, max_packet_size: int | None = None) -> Self:
        """A client over a session of its own.

        Raises:
            ChannelException, SSHException: the server opens none.
        """
        connection = t.connection
        if connection is None:
            raise SSHException("SSH session not active")
        try:
            core = connection.sftp(timeout=None)
        except OpenSSHError as error:
            raise session_error(error) from error
        return cls(SFTPChannel(t, core))

    def __repr__(self) -> str:
        return f"<openssh_compat.paramiko.SFTPClient over {self._core!r}>"

    def _log(self, level: int, msg: Any, *args: object) -> None:
        self._logger.log(level, str(msg), *args)

    def close(self) -> None:
        """End it. Idempotent."""
        if not self._core.closed:
            self._log(INFO, "sftp session closed.")
        self._core.close()

    def get_channel(self) -> Any:
        """The channel; `get_channel().settimeout(seconds)` limits how long an operation may wait."""
        return self.sock

    # ---- paths

    def chdir(self, path: Path | None = None) -> None:
        """Let relative paths start from a directory, for this client only; None: from the server's own again.

        Raises:
            SFTPError: it is no directory.
            OSError: there is none.
        """
        if path is None:
            self._cwd = None
            return
        if not stat.S_ISDIR(self.stat(path).st_mode or 0):
            raise SFTPError(errno.ENOTDIR, f"{os.strerror(errno.ENOTDIR)}: {_text(path)}")
        self._cwd = _bytes(self.normalize(path))

    def getcwd(self) -> str | None:
        """Where relative paths start from; None unless `chdir` was called."""
        return None if self._cwd is None else _text(self._cwd)

    def normalize(self, path: Path) -> str:
        """The path without links and dots, from the root."""
        with in_paramikos_words():
            return self._core.realpath(self._adjust_cwd(path))

    def _adjust_cwd(self, path: Path) -> bytes:
        data = _bytes(path)
        return data if self._cwd is None else posixpath.join(self._cwd, data)

    # ---- directories

    def listdir(self, path: Path = ".") -> list[str]:
        """The names in a directory, without `.` and `..`, in no order."""
        return [entry.filename for entry in self.listdir_attr(path)]

    def listdir_attr(self, path: Path = ".") -> list[SFTPAttributes]:
        """The same with attributes, each with `filename` and `longname`."""
        return list(self.listdir_iter(path))

    def listdir_iter(self, path: Path = ".", read_aheads: int = 50) -> Iterator[SFTPAttributes]:
        """The same, one by one as they come."""
        with in_paramikos_words():
            for entry in self._core.scandir(self._adjust_cwd(path)):
                one = SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name)
                one.longname = entry.longname
                yield one

    def mkdir(self, path: Path, mode: int = 0o777) -> None:
        with in_paramikos_words():
            self._core.mkdir(self._adjust_cwd(path), mode)

    def rmdir(self, path: Path) -> None:
        with in_paramikos_words():
            self._core.rmdir(self._adjust_cwd(path))

    # ---- names

    def remove(self, path: Path) -> None:
        """Remove a file."""
        with in_paramikos_words():
            self._core.remove(self._adjust_cwd(path))

    unlink = remove

    def rename(self, oldpath: Path, newpath: Path) -> None:
        """Rename; fails where the new name is taken."""
        with in_paramikos_words():
            self._core.rename(self._adjust_cwd(oldpath), self._adjust_cwd(newpath))

    def posix_rename(self, oldpath: Path, newpath: Path) -> None:
        """Rename, and replace what has the new name."""
        with in_paramikos_words():
            self._core.replace(self._adjust_cwd(oldpath), self._adjust_cwd(newpath))

    def symlink(self, source: Path, dest: Path) -> None:
        """Make a link at `dest` that leads to `source`."""
        with in_paramikos_words():
            self._core.symlink(_bytes(source), self._adjust_cwd(dest))

    def readlink(self, path: Path) -> str | None:
        """Where a link leads to."""
        with in_paramikos_words():
            return self._core.readlink(self._adjust_cwd(path))

    # ---- attributes

    def stat(self, path: Path) -> SFTPAttributes:
        with in_paramikos_words():
            return _attributes(self._core.stat(self._adjust_cwd(path)))

    def lstat(self, path: Path) -> SFTPAttributes:
        """The same of a link itself."""
        with in_paramikos_words():
            return _attributes(self._core.lstat(self._adjust_cwd(path)))

    def chmod(self, path: Path, mode: int) -> None:
        with in_paramikos_words():
            self._core.chmod(self._adjust_cwd(path), stat.S_IMODE(mode))

    def chown(self, path: Path, uid: int, gid: int) -> None:
        with in_paramikos_words():
            self._core.chown(self._adjust_cwd(path), uid, gid)

    def utime(self, path: Path, times: tuple[float, float] | None) -> None:
        """The times of the last access and the last change; None: now."""
        with in_paramikos_words():
            self._core.utime(self._adjust_cwd(path), times)

    def truncate(self, path: Path, size: int) -> None:
        with in_paramikos_words():
            self._core.truncate(self._adjust_cwd(path), size)

    # ---- files

    def open(self, filename: Path, mode: str = "r", bufsize: int = -1) -> SFTPFile:
        """Open a file.

        Args:
            mode: r, w, a or x, with + and b. Lines are text without b; `read` always gives bytes.
            bufsize: 1: each line is sent; more: so many bytes are gathered first; else nothing waits.
        """
        path = self._adjust_cwd(filename)
        kind = next((letter for letter in "xaw" if letter in mode), "r")
        with in_paramikos_words():
            handle: IO[bytes] = self._core.open(path, f"{kind}{'+' if '+' in mode else ''}b", 0)
        return SFTPFile(self, handle, mode, bufsize, path)

    def file(self, filename: Path, mode: str = "r", bufsize: int = -1) -> SFTPFile:
        """The same as `open`."""
        return self.open(filename, mode, bufsize)

    def get(
        self,
        remotepath: Path,
        localpath: str | os.PathLike[str],
        callback: Callback | None = None,
        prefetch: bool = True,
        max_concurrent_prefetch_requests: int | None = None,
    ) -> None:
        """Fetch a file.

        Args:
            callback: called with the bytes so far and in all.
            prefetch, max_concurrent_prefetch_requests: change nothing; the core decides.
        """
        with _Later(localpath) as target:
            self._fetch(remotepath, target, callback)
            target.be_there()

    def getfo(
        self,
        remotepath: Path,
        fl: IO[bytes],
        callback: Callback | None = None,
        prefetch: bool = True,
        max_concurrent_prefetch_requests: int | None = None,
    ) -> int:
        """The same to an open file; bytes that came."""
        return self._fetch(remotepath, fl, callback)

    def _fetch(self, path: Path, target: Any, callback: Callback | None) -> int:
        tell = None if callback is None else _Told(callback)
        with in_paramikos_words():
            size = self._core.get(self._adjust_cwd(path), target, atomic=False, progress=tell)
        if tell is not None:
            tell.last()
        return size

    def put(
        self,
        localpath: str | os.PathLike[str],
        remotepath: Path,
        callback: Callback | None = None,
        confirm: bool = True,
    ) -> SFTPAttributes:
        """Send a file; its attributes there.

        Args:
            callback: called with the bytes so far and in all.
            confirm: look whether the size is right; without, the attributes are empty.

        Raises:
            OSError: the size is not right, or anything else.
        """
        # Without a buffer: pieces are as long as a request, and a buffer would break them in two.
        with open(localpath, "rb", buffering=0) as file:
            return self.putfo(file, remotepath, os.fstat(file.fileno()).st_size, callback, confirm)

    def putfo(
        self,
        fl: IO[bytes],
        remotepath: Path,
        file_size: int = 0,
        callback: Callback | None = None,
        confirm: bool = True,
    ) -> SFTPAttributes:
        """The same from an open file.

        Args:
            file_size: bytes in all, for the callback.
        """
        tell = None if callback is None else _Told(callback, file_size)
        source: Any = _AsBytes(fl)
        told: list[FileStat] = []
        look = told.append if confirm else None
        with in_paramikos_words():
            size = self._core.put(source, self._adjust_cwd(remotepath), atomic=False, progress=tell, look=look)
        if tell is not None:
            tell.last()
        if not confirm:
            return SFTPAttributes()
        there = _attributes(told[0])
        if there.st_size != size:
            raise OSError(f"size mismatch in put!  {there.st_size} != {size}")
        return there

    def _transfer_with_callback(self, reader: Any, writer: Any, file_size: int, callback: Callback | None) -> int:
        """Copy from one open file to another; for subclasses of others."""
        size = 0
        while data := reader.read(_PIECE):
            writer.write(data)
            size += len(data)
            if callback is not None:
                callback(size, file_size)
        return size

    def _request(self, *_args: Any) -> NoReturn:
        raise NotImplementedError("SFTPClient._request() is not supported by openssh_compat: use the public methods")


class SFTP(SFTPClient):
    """Another name of it."""


class _Later:
    """A local file that is made when there is something to write: a missing file there leaves none here."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> _Later:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file is not None:
            self._file.close()

    def be_there(self) -> IO[bytes]:
        if self._file is None:
            self._file = open(self._path, "wb", buffering=0)
        return self._file

    def write(self, data: bytes) -> int:
        return self.be_there().write(data)


class _Told:
    """Tells a callback as often as paramiko does, at every 32 KiB and at the end, however long the pieces are.

    Args:
        total: bytes in all; None: as they are known when some have come.
    """

    def __init__(self, callback: Callback, total: int | None = None) -> None:
        self._callback = callback
        self._total = total
        self._done = self._told = 0

    def __call__(self, done: int, total: int | None) -> None:
        self._done = done
        if self._total is None:
            self._total = total
        while done - self._told >= _PIECE:
            self._tell(self._told + _PIECE)

    def last(self) -> None:
        """All have come."""
        if self._told < self._done:
            self._tell(self._done)

    def _tell(self, done: int) -> None:
        self._told = done
        self._callback(done, self._total or 0)


class _AsBytes:
    """A file to read from, which may give text: that goes as UTF-8."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        return data.encode("utf-8") if isinstance(data, str) else data


def _attributes(known: FileStat) -> SFTPAttributes:
    one = SFTPAttributes.from_stat(known)
    one.attr = dict(known.extended)
    return one


def _bytes(path: Path) -> bytes:
    given = os.fspath(path)
    return given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given


def _text(path: Path) -> str:
    return _bytes(path).decode("utf-8", "surrogateescape")


lend(__name__)
