"""Directories of ours that something arrives in, held by descriptor: whoever swaps one for a link meanwhile changes
nothing, and a link that is there already is not followed.

A name is one part of a path, as bytes; what the server calls its files has been checked before it comes here.
"""

from __future__ import annotations

import errno
import os

from ..errors import UnsafeName

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Folder:
    """One directory. It is closed, and gets its final attributes, when the last user lets go of it.

    Args:
        fd: becomes its own.
        shown: its path, for people and reports.
        fresh: whether it was made just now, so that nothing is in it.
        parent: the one it lies in; it stays open as long.

    Attributes:
        depth: how many lie between it and the top.
    """

    def __init__(self, fd: int, shown: str, *, fresh: bool, parent: Folder | None = None) -> None:
        self.fd = fd
        self.shown = shown
        self.fresh = fresh
        self.depth: int = 0 if parent is None else parent.depth + 1
        self._parent = parent.held() if parent is not None else None
        self._users = 1
        self._mode: int | None = None
        self._times: tuple[int, int] | None = None

    @classmethod
    def top(cls, path: str) -> Folder:
        """The directory everything goes to; it is made if it is not there. A link to one is followed.

        Raises:
            OSError: it cannot be.
        """
        fresh = False
        try:
            os.mkdir(path)
            fresh = True
        except FileExistsError:
            pass
        return cls(os.open(path, _OPEN), path, fresh=fresh)

    def child(self, name: bytes, mode: int) -> Folder:
        """A directory in it, which is made if it is not there.

        Args:
            mode: of a new one; the umask takes from it, and its owner may do everything until it is complete.

        Raises:
            UnsafeName: there is a link of that name.
            OSError: it cannot be made or opened.
        """
        shown = os.path.join(self.shown, os.fsdecode(name))
        fresh = False
        try:
            os.mkdir(name, mode | 0o700, dir_fd=self.fd)
            fresh = True
        except FileExistsError:
            pass
        try:
            fd = os.open(name, _OPEN | os.O_NOFOLLOW, dir_fd=self.fd)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR) and self.is_link(name):
                raise UnsafeName(f"{shown!r} is a symbolic link here, which is not followed") from None
            error.filename = shown
            raise
        return Folder(fd, shown, fresh=fresh, parent=self)

    def is_link(self, name: bytes) -> bool:
        """Whether a symbolic link has that name."""
        try:
            os.readlink(name, dir_fd=self.fd)
        except OSError:
            return False
        return True

    def status(self, name: bytes) -> os.stat_result | None:
        """What is known of something in it, a link itself; None when there is nothing."""
        if self.fresh:
            return None
        try:
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def finally_set(self, mode: int | None, times: tuple[int, int] | None) -> None:
        """What it gets when everything is in it.

        Args:
            times: of the last access and the last change, seconds since 1970.
        """
        self._mode, self._times = mode, times

    def held(self) -> Folder:
        """Itself, with one more user."""
        self._users += 1
        return self

    def release(self) -> None:
        """One user less.

        Raises:
            OSError: its attributes could not be set.
        """
        self._users -= 1
        if self._users:
            return
        fd, self.fd = self.fd, -1
        parent, self._parent = self._parent, None
        try:
            if self._mode is not None:
                os.fchmod(fd, self._mode)
            if self._times is not None:
                os.utime(fd, self._times)
        finally:
            os.close(fd)
            if parent is not None:
                parent.release()
