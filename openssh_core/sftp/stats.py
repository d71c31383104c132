"""Attributes of files: looking at them, and changing them."""

from __future__ import annotations

import stat as modes
import time
from collections.abc import Callable
from typing import TypeVar

from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_extensions import (
    LSetStat,
    StatVfs,
    UsersGroups,
    UsersGroupsById,
    VfsStatistics,
    check_counts,
)
from .._wire.sftp_replies import Attrs, ExtendedReply
from ..errors import InvalidInput, Malformed
from .attributes import FileStat, of_wire
from .base import ClientBase
from .paths import RemotePathLike

T = TypeVar("T")

_U32 = 0xFFFFFFFF


class Stats(ClientBase):
    """The part of a client that looks at attributes and changes them."""

    def stat(self, path: RemotePathLike, *, follow_symlinks: bool = True) -> FileStat:
        """The attributes of a file, as `os.stat`.

        Raises:
            FileNotFoundError, PermissionError...: the server told none.
        """
        where = self._path(path)
        message = wire.Stat(where) if follow_symlinks else wire.LStat(where)
        return of_wire(self._expect(Attrs, message, where).attributes)

    def lstat(self, path: RemotePathLike) -> FileStat:
        """The same, of a symbolic link itself."""
        return self.stat(path, follow_symlinks=False)

    def exists(self, path: RemotePathLike, *, follow_symlinks: bool = True) -> bool:
        """Whether there is something. A symbolic link that leads nowhere does not count unless it is not followed."""
        return self._mode(path, follow_symlinks) is not None

    def isfile(self, path: RemotePathLike) -> bool:
        """Whether it is a regular file, or a symbolic link to one."""
        return modes.S_ISREG(self._mode(path, True) or 0)

    def isdir(self, path: RemotePathLike) -> bool:
        """Whether it is a directory, or a symbolic link to one."""
        return modes.S_ISDIR(self._mode(path, True) or 0)

    def islink(self, path: RemotePathLike) -> bool:
        """Whether it is a symbolic link."""
        return modes.S_ISLNK(self._mode(path, False) or 0)

    def _mode(self, path: RemotePathLike, follow: bool) -> int | None:
        """The mode, None when there is nothing; as `os.path.exists`, an error of another kind means that, too."""
        where = self._path(path)
        reply = self._session.call(wire.Stat(where) if follow else wire.LStat(where))
        return (reply.attributes.permissions or 0) if isinstance(reply, Attrs) else None

    def chmod(self, path: RemotePathLike, mode: int, *, follow_symlinks: bool = True) -> None:
        """Change the permissions.

        Args:
            mode: without the type of the file.
            follow_symlinks: False changes a link itself, where the server can (`lsetstat@openssh.com`).
        """
        self._set(path, Attributes(permissions=modes.S_IMODE(_u32(mode, "mode"))), follow_symlinks)

    def chown(self, path: RemotePathLike, uid: int = -1, gid: int = -1, *, follow_symlinks: bool = True) -> None:
        """Change the owner and the group; -1 leaves one as it is (SFTP sets both: the other is read first)."""
        if uid == -1 or gid == -1:
            now = self.stat(path, follow_symlinks=follow_symlinks)
            uid = (now.st_uid or 0) if uid == -1 else uid
            gid = (now.st_gid or 0) if gid == -1 else gid
        self._set(path, Attributes(uid=_u32(uid, "uid"), gid=_u32(gid, "gid")), follow_symlinks)

    def utime(
        self, path: RemotePathLike, times: tuple[float, float] | None = None, *, follow_symlinks: bool = True
    ) -> None:
        """Change the times.

        Args:
            times: of the last access and the last change, seconds since 1970 (whole ones are sent); None: now, by the
                clock here.
        """
        atime, mtime = (time.time(),) * 2 if times is None else times
        attributes = Attributes(atime=_u32(int(atime), "atime"), mtime=_u32(int(mtime), "mtime"))
        self._set(path, attributes, follow_symlinks)

    def truncate(self, path: RemotePathLike, size: int) -> None:
        """Cut a file off, or lengthen it with zeros, to a size in bytes."""
        if size < 0:
            raise InvalidInput(f"size={size} is negative")
        self._set(path, Attributes(size=size), True)

    def _set(self, path: RemotePathLike, attributes: Attributes, follow: bool) -> None:
        where = self._path(path)
        if follow:
            self._call(wire.SetStat(where, attributes), where)
        else:
            self._call_extension(LSetStat(where, attributes), where)

    def statvfs(self, path: RemotePathLike) -> VfsStatistics:
        """The file system a file is on, as `os.statvfs` without the `f_` (`statvfs@openssh.com`).

        Raises:
            SFTPUnsupported: the server has no such thing.
        """
        where = self._path(path)
        reply = self._call_extension(StatVfs(where), where)
        return self._decoded(VfsStatistics.decode, reply)

    def names_of(self, uids: list[int] | None = None, gids: list[int] | None = None) -> tuple[list[str], list[str]]:
        """The names of users and groups by their numbers (`users-groups-by-id@openssh.com`).

        Returns:
            two lists as long as the ones given; an empty name where the server knows none.

        Raises:
            SFTPUnsupported: the server has no such thing.
        """
        asked = UsersGroupsById(
            tuple(_u32(uid, "uid") for uid in uids or ()), tuple(_u32(gid, "gid") for gid in gids or ())
        )
        names = self._decoded(UsersGroups.decode, self._call_extension(asked))
        try:
            check_counts(names, asked)
        except Malformed as error:
            raise self._broken(error) from error
        return list(names.users), list(names.groups)

    def _decoded(self, decode: Callable[[bytes], T], reply: object) -> T:
        assert isinstance(reply, ExtendedReply), "the request table lets nothing else through"
        try:
            return decode(reply.payload)
        except Malformed as error:
            raise self._broken(error) from error


def _u32(value: int, what: str) -> int:
    if not 0 <= value <= _U32:
        raise InvalidInput(f"{what}={value} does not fit SFTP version 3 (0 to {_U32})")
    return value
