"""What is known of a file on the server."""

from __future__ import annotations

import stat
import time
from typing import TYPE_CHECKING, Any

from ._lent import lend

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["SFTPAttributes"]

# ls(1) shows the time of day of what is not older, in seconds.
_HALF_A_YEAR = 180 * 24 * 60 * 60
_NO_TIME = 0xFFFFFFFF


class SFTPAttributes:
    """Attributes of a file, in the words of `os.stat`; None where the server does not tell.

    Attributes:
        st_size, st_uid, st_gid, st_mode, st_atime, st_mtime: as in `os.stat`.
        attr: what else the server told.
        filename, longname: of an entry of a directory: its name, and a line like that of `ls -l`.
    """

    FLAG_SIZE, FLAG_UIDGID, FLAG_PERMISSIONS, FLAG_AMTIME, FLAG_EXTENDED = 1, 2, 4, 8, 0x80000000

    filename: str
    longname: str

    def __init__(self) -> None:
        self._flags = 0
        self.st_size: int | None = None
        self.st_uid: int | None = None
        self.st_gid: int | None = None
        self.st_mode: int | None = None
        self.st_atime: float | None = None
        self.st_mtime: float | None = None
        self.attr: dict[Any, Any] = {}

    @classmethod
    def from_stat(cls, obj: Any, filename: str | None = None) -> Self:
        """From what `os.stat` gives, or anything with the same attributes."""
        attributes = cls()
        for name in ("st_size", "st_uid", "st_gid", "st_mode", "st_atime", "st_mtime"):
            setattr(attributes, name, getattr(obj, name))
        if filename is not None:
            attributes.filename = filename
        return attributes

    def __repr__(self) -> str:
        shown = []
        if self.st_size is not None:
            shown.append(f"size={self.st_size}")
        if self.st_uid is not None and self.st_gid is not None:
            shown.append(f"uid={self.st_uid} gid={self.st_gid}")
        if self.st_mode is not None:
            shown.append(f"mode={oct(self.st_mode)}")
        if self.st_atime is not None and self.st_mtime is not None:
            shown.append(f"atime={self.st_atime} mtime={self.st_mtime}")
        shown += [f'"{name}"={value!r}' for name, value in self.attr.items()]
        return f"<SFTPAttributes: [ {' '.join([*shown, ']'])}>"

    def __str__(self) -> str:
        mode = "?---------" if self.st_mode is None else self._mode(self.st_mode)
        name = getattr(self, "filename", "?")
        uid, gid, size = self.st_uid or 0, self.st_gid or 0, self.st_size or 0
        return f"{mode}   1 {uid:<8d} {gid:<8d} {size:8d} {self._date():<12s} {name}"

    @staticmethod
    def _mode(mode: int) -> str:
        shown = stat.filemode(mode)
        return shown if stat.S_IFMT(mode) else f"?{shown[1:]}"

    def _date(self) -> str:
        if self.st_mtime is None or self.st_mtime == _NO_TIME:
            return "(unknown date)"
        when = time.localtime(self.st_mtime)
        recent = abs(time.time() - self.st_mtime) <= _HALF_A_YEAR
        return time.strftime("%d %b %H:%M" if recent else "%d %b %Y", when)

    def asbytes(self) -> bytes:
        """The same as `str`, in UTF-8."""
        return str(self).encode("utf-8", "surrogateescape")


lend(__name__)
