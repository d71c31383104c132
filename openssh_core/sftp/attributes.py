"""What is known of a file on the other machine, in the words of `os.stat`."""

from __future__ import annotations

import stat

from .._value import Value
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_extensions import VfsStatistics

__all__ = ["FileStat", "VfsStatistics"]


class FileStat(Value):
    """The attributes of a file, as far as the server tells them: a field that it does not tell is None.

    Attributes:
        st_mode: type and permissions (stat(2)).
        st_size: bytes.
        st_uid, st_gid: numbers of the owner and the group.
        st_atime, st_mtime: seconds since 1970, whole ones: SFTP version 3 has no others.
        extended: what the server told beside that, (name, value) pairs of bytes.
    """

    st_mode: int | None = None
    st_size: int | None = None
    st_uid: int | None = None
    st_gid: int | None = None
    st_atime: int | None = None
    st_mtime: int | None = None
    extended: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def type_known(self) -> bool:
        """Whether the server told what kind of file it is."""
        return self.st_mode is not None and stat.S_IFMT(self.st_mode) != 0

    def is_dir(self) -> bool:
        return self.st_mode is not None and stat.S_ISDIR(self.st_mode)

    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.st_mode is not None and stat.S_ISREG(self.st_mode)

    def is_symlink(self) -> bool:
        return self.st_mode is not None and stat.S_ISLNK(self.st_mode)

    @property
    def permissions(self) -> int | None:
        """The mode without the type."""
        return None if self.st_mode is None else stat.S_IMODE(self.st_mode)


def of_wire(attributes: Attributes) -> FileStat:
    """From what the server sent."""
    return FileStat(
        attributes.permissions,
        attributes.size,
        attributes.uid,
        attributes.gid,
        attributes.atime,
        attributes.mtime,
        attributes.extended,
    )
