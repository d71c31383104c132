"""What is no regular file: its content cannot be transferred, and to open it may take for ever, or do something."""

from __future__ import annotations

import stat

from ..errors import SpecialFile

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}
_ORDINARY = (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)


def special_kind(mode: int | None) -> str:
    """What it is, in words; empty for files, directories, links and what is not known."""
    kind = 0 if mode is None else stat.S_IFMT(mode)
    return "" if kind in _ORDINARY else _KINDS.get(kind, "no regular file")


def is_device(mode: int) -> bool:
    """Whether it can be written to without anybody at its other end."""
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def special_here(path: str, mode: int) -> SpecialFile:
    """The error for something on this machine."""
    return _error(path, mode, None, "Open it yourself, and give the file object")


def special_there(path: str, mode: int, host: str) -> SpecialFile:
    """The error for something on the server."""
    return _error(path, mode, host, "Let a command read or write it there (cat)")


def _error(path: str, mode: int, host: str | None, advice: str) -> SpecialFile:
    kind = special_kind(mode)
    return SpecialFile(f"{path!r} is {kind}, not a regular file", host=host, advice=advice, filename=path, kind=kind)
