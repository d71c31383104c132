"""A fresh directory that nobody else can look into or put anything in, one per master.

Where it lies: the caller's control_dir, else $XDG_RUNTIME_DIR if that is ours alone, else the sticky temporary
directory of the system. Its owner holds a lock on it, so that what a killed program left behind can be told from
what a running one uses, in other containers too, and is swept up by the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterable

from .._cli.argv import check_control_path
from ..errors import InsecureControlDirectory, InvalidControlPath
from .watcher import watcher

_PREFIX = "osc-"
_SOCKET = "c"

# Seconds a new directory is left alone by sweepers: its owner may be about to lock it.
YOUNG = 10


class Directory:
    """The directory of one master, and the files in it.

    Args:
        path: absolute; where it is, or will be.

    Attributes:
        control_path: where the master's socket will be.
        log_path: where ssh writes its words.
        stderr_path: what ssh shows to its user besides: the server's banner.

    Raises:
        InvalidControlPath: ssh cannot use a socket there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.control_path = os.path.join(path, _SOCKET)
        self.log_path = os.path.join(path, "log")
        self.stderr_path = os.path.join(path, "err")
        check_control_path(self.control_path)
        self._names: list[str] = []

    def read_log(self) -> str:
        """What ssh has said so far; what the server said through it comes last."""
        return _text(self.log_path) + _text(self.stderr_path)

    def read_words(self) -> str:
        """The same without what came on stderr: only what ssh itself has written."""
        return _text(self.log_path)

    def read_banner(self) -> str:
        """What the server said before the login."""
        return _text(self.stderr_path)

    def clear_log(self) -> None:
        """Forget what was said. Only while nothing writes there."""
        for path in (self.log_path, self.stderr_path):
            with contextlib.suppress(FileNotFoundError):
                os.truncate(path, 0)

    def file(self, name: str, text: str | bytes | None = None) -> str:
        """The path of a further file, or socket, that goes with the directory; written now if there is a text.

        Raises:
            FileExistsError: there is one of that name.
        """
        path = os.path.join(self.path, name)
        self._names.append(name)
        if text is not None:
            data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(fd, "wb") as file:
                file.write(data)
        return path


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


class PrivateDirectory(Directory):
    """A fresh one, locked while it exists.

    Args:
        parent: where to make it; None for the usual place.
        ssh: the program that can end the master, should this program be killed.
    """

    def __init__(self, parent: str | None, ssh: str) -> None:
        base = choose_parent(parent)
        _sweep(base)
        super().__init__(os.path.join(base, _PREFIX + os.urandom(6).hex()))
        os.mkdir(self.path, 0o700)
        self._removing = threading.Lock()
        self._lock = -1
        try:
            self._lock = open_directory(self.path)
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            watcher.guard(self.path, ssh)
        except BaseException:
            _remove(self.path, [])
            self.remove()
            raise

    def give_away(self) -> None:
        """It stays, and somebody else removes it."""
        with self._removing:
            lock, self._lock = self._lock, -1
            if lock >= 0:
                # Without this file the watcher leaves it in peace.
                os.unlink(os.path.join(self.path, "ssh"))
                os.close(lock)
                watcher.release(self.path)

    def remove(self) -> None:
        """Everything in it, and itself. Idempotent; when it returns they are gone, whoever did it."""
        with self._removing:
            lock, self._lock = self._lock, -1
            if lock >= 0:
                _remove(self.path, self._names)
                os.close(lock)
                watcher.release(self.path)


def open_directory(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def choose_parent(parent: str | None) -> str:
    """Where directories of masters are made.

    Raises:
        InsecureControlDirectory, InvalidControlPath: there it cannot be.
    """
    if parent is not None:
        path = os.path.realpath(parent)
        _check_parents(path)
        return path
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and _is_ours_alone(runtime):
        return os.path.realpath(runtime)
    # TMPDIR is often long (macOS); a control socket has about 90 bytes.
    _check_parents("/tmp")
    return os.path.realpath("/tmp")


def _is_ours_alone(path: str) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _check_parents(path: str) -> None:
    """No directory on the way may belong to, or be writable by, anybody else; a sticky one may (like /tmp).

    Raises:
        InsecureControlDirectory: one is.
        InvalidControlPath: one is missing.
    """
    current = path
    while True:
        try:
            status = os.lstat(current)
        except OSError as error:
            raise InvalidControlPath(
                f"the control directory {path} cannot be used ({error.strerror})", advice="Create it with mode 0700"
            ) from error
        if not stat.S_ISDIR(status.st_mode):
            raise InvalidControlPath(f"{current} is not a directory", advice="Give a directory as control_dir=")
        if status.st_uid not in (0, os.geteuid()):
            raise InsecureControlDirectory(f"{current} belongs to user {status.st_uid}")
        if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
            raise InsecureControlDirectory(
                f"{current} can be written to by others (mode {status.st_mode & 0o7777:04o})"
            )
        if current == os.path.dirname(current):
            return
        current = os.path.dirname(current)


def _sweep(base: str) -> None:
    """Remove what killed programs left behind."""
    with contextlib.suppress(OSError), os.scandir(base) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.name.startswith(_PREFIX) and _is_rubbish(entry):
                    _remove(entry.path, os.listdir(entry.path))


def _is_rubbish(entry: os.DirEntry[str]) -> bool:
    """Whether it is ours, has no socket, and nobody holds it."""
    status = entry.stat(follow_symlinks=False)
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode) or time.time() - status.st_mtime < YOUNG:
        return False
    if os.path.lexists(os.path.join(entry.path, _SOCKET)):
        return False
    lock = open_directory(entry.path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def _remove(path: str, names: Iterable[str]) -> None:
    # By name: looking into it would take a descriptor, and there may be none left.
    for name in ("a", "askpass", _SOCKET, "err", "log", "ssh", *names):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(path, name))
    with contextlib.suppress(OSError):
        os.rmdir(path)
