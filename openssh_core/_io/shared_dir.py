"""Directories of masters that outlive their program: one for each destination and set of options, found by its name.

They lie together in one directory of this user, in the place where private ones lie. Its owner and mode are checked
each time, for its name can be guessed. Whoever starts a master holds a lock on its directory meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator

from ..errors import ConnectTimeout, InsecureControlDirectory, OpenSSHError
from . import sockets
from .deadline import Deadline
from .private_dir import YOUNG, Directory, choose_parent, open_directory

# Seconds between two looks at a lock that somebody else holds; the kernel's own waiting has no deadline.
_STEP = 0.01


class SharedDirectory(Directory):
    """The directory of the master with this digest. Made when it is locked for the first time.

    Args:
        parent: where they lie; None for the usual place.
        digest: of everything the master was asked for; a short word.

    Raises:
        InsecureControlDirectory, InvalidControlPath: there it cannot be.
    """

    def __init__(self, parent: str | None, digest: str) -> None:
        self._home = os.path.join(choose_parent(parent), f"osp-{os.geteuid()}")
        _make_ours(self._home)
        super().__init__(os.path.join(self._home, digest))

    @contextlib.contextmanager
    def locked(self, deadline: Deadline) -> Iterator[None]:
        """Alone with it: nobody else starts a master there, or removes it.

        Raises:
            ConnectTimeout: somebody else had it until the deadline.
        """
        fd = self._lock(deadline)
        try:
            yield
        finally:
            os.close(fd)

    def _lock(self, deadline: Deadline) -> int:
        while True:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.path, 0o700)
            with contextlib.suppress(FileNotFoundError):
                fd = open_directory(self.path)
                if _try_lock(fd, self.path):
                    return fd
                os.close(fd)
            if deadline.passed:
                raise ConnectTimeout("another program was still logging in there")
            sockets.wait(None, 0, Deadline(sockets.min_moment(deadline, _STEP)))

    def clear(self) -> None:
        """Remove what a master left behind. Only while it is locked."""
        with os.scandir(self.path) as entries:
            for entry in entries:
                os.unlink(entry.path)

    def discard(self) -> None:
        """Remove it. Only while it is locked."""
        self.clear()
        os.rmdir(self.path)

    def sweep(self) -> None:
        """Remove the directories of other masters that have ended."""
        with contextlib.suppress(OSError), os.scandir(self._home) as entries:
            for entry in entries:
                if entry.path != self.path and time.time() - entry.stat(follow_symlinks=False).st_mtime > YOUNG:
                    _remove_if_dead(entry.path)

    def remove(self) -> None:
        """Remove it, unless a new master has been started there meanwhile."""
        _remove_if_dead(self.path)


def _try_lock(fd: int, path: str) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # Whoever had it before may have removed it, and another may have made it again.
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _remove_if_dead(path: str) -> None:
    with contextlib.suppress(OSError):
        fd = open_directory(path)
        try:
            if _try_lock(fd, path) and not _listens(os.path.join(path, "c")):
                for name in os.listdir(path):
                    os.unlink(os.path.join(path, name))
                os.rmdir(path)
        finally:
            os.close(fd)


def _listens(path: str) -> bool:
    try:
        sockets.connect(path, Deadline.after(0)).close()
    except OpenSSHError as error:
        # A full queue is a sign of life.
        return isinstance(error, TimeoutError)
    return True


def _make_ours(path: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise InsecureControlDirectory(f"{path} is not a directory that is yours alone (mode 0700)")
