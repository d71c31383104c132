"""A file that has no name until it is whole (open(2), O_TMPFILE): a program that is killed meanwhile leaves nothing."""

from __future__ import annotations

import os

# Bytes. A smaller file is complete a moment after it was begun, and with a name from the beginning it costs less.
LARGE = 1 << 20

_FLAG = getattr(os, "O_TMPFILE", 0)


def open_nameless(folder: int, mode: int) -> int:
    """A new file in a directory; -1 where the file system has no such thing.

    Args:
        folder: the directory's descriptor.
        mode: as for open(2).
    """
    if not _FLAG:
        return -1
    try:
        fd = os.open(".", _FLAG | os.O_RDWR | os.O_CLOEXEC, mode, dir_fd=folder)
    except OSError:
        return -1  # whatever it is that the directory does not allow, a name will show it
    if not os.path.exists(_path(fd)):
        os.close(fd)
        return -1
    return fd


def give_name(fd: int, name: bytes, folder: int, shown: str) -> None:
    """Let it be found by a name that nothing has.

    Raises:
        OSError: about `shown`.
    """
    try:
        os.link(_path(fd), name, dst_dir_fd=folder, follow_symlinks=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, shown) from None


def _path(fd: int) -> str:
    return f"/proc/self/fd/{fd}"
