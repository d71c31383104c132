"""Names in directories: removing and renaming files, links, and where a path leads."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from .._wire import sftp as wire
from .._wire.sftp_extensions import ExpandPath, HardLink, HomeDirectory, PosixRename
from ..errors import SFTPUnsupported
from .base import ClientBase
from .paths import RemotePathLike, to_text, to_wire

if TYPE_CHECKING:
    from .remote_path import RemotePath


class NamesAndLinks(ClientBase):
    """The part of a client that deals with names."""

    def path(self, *parts: RemotePathLike) -> RemotePath:
        """A path to work with as with a `pathlib.Path`."""
        from .remote_path import RemotePath

        return RemotePath(self, *parts)  # type: ignore[arg-type]  # every part is one of the whole

    def remove(self, path: RemotePathLike) -> None:
        """Remove a file or a symbolic link.

        Raises:
            IsADirectoryError, FileNotFoundError, PermissionError...: the server did not.
        """
        where = self._path(path)
        self._call(wire.Remove(where), where)

    unlink = remove

    def rename(self, old: RemotePathLike, new: RemotePathLike) -> None:
        """Rename a file or directory; nothing is replaced.

        Raises:
            FileExistsError: the new name is taken.
        """
        source, target = self._path(old), self._path(new)
        self._call(wire.Rename(source, target), source, target)

    def replace(self, old: RemotePathLike, new: RemotePathLike) -> None:
        """Rename a file or directory, and replace what has the new name, in one step (`posix-rename@openssh.com`).

        Where the server has no such thing it is a `rename`, as long as the new name is free.

        Raises:
            SFTPUnsupported: it is not, and the server cannot replace in one step.
        """
        source, target = self._path(old), self._path(new)
        if self._session.offers(PosixRename):
            self._call(PosixRename(source, target), source, target)
            return
        try:
            self._call(wire.Rename(source, target), source, target)
        except FileExistsError as error:
            name = PosixRename.name.decode()
            raise SFTPUnsupported(
                f"{to_text(target)!r} exists, and the server cannot replace it in one step",
                host=self.host,
                advice="Remove it first, if it may be gone for a moment",
                extension=name,
            ) from error

    def symlink(self, target: RemotePathLike, link: RemotePathLike) -> None:
        """Make a symbolic link, as `os.symlink`; the target is written into it as it is."""
        where, text = self._path(link), to_wire(target)
        self._call(wire.Symlink(text, where), text, where)

    def link(self, existing: RemotePathLike, new: RemotePathLike) -> None:
        """Give a file a second name, as `os.link` (`hardlink@openssh.com`).

        Raises:
            SFTPUnsupported: the server has no such thing.
        """
        source, target = self._path(existing), self._path(new)
        self._call_extension(HardLink(source, target), source, target)

    def readlink(self, path: RemotePathLike) -> str:
        """What is written in a symbolic link."""
        where = self._path(path)
        return to_text(self._one_name(wire.ReadLink(where), where))

    def realpath(self, path: RemotePathLike = ".") -> str:
        """The path without symbolic links and dots, from the root."""
        return self._real(path)

    def samefile(self, one: RemotePathLike, other: RemotePathLike) -> bool:
        """Whether two paths lead to the same file. Hard links cannot be told apart from copies: they count as two.

        Raises:
            FileNotFoundError...: one of them leads nowhere.
        """
        for path in (one, other):
            self._call(wire.Stat(self._path(path)), self._path(path))
        return self.realpath(one) == self.realpath(other)

    def expand(self, path: RemotePathLike) -> str:
        """The same as `realpath`, with `~` and `~user` in front (`expand-path@openssh.com`).

        Without that extension `~` is the directory the server starts in, and `~user` is not known.

        Raises:
            SFTPUnsupported: the server would have to know of another user.
        """
        given = to_wire(path)
        if not given.startswith(b"~"):
            return self.realpath(path)
        if self._session.offers(ExpandPath):
            return to_text(self._one_name(ExpandPath(given), given))
        user, _, rest = given.partition(b"/")
        if user != b"~":
            self._need(ExpandPath)
        home = self._one_name(wire.RealPath(b"."), b".")
        return to_text(posixpath.join(home, rest) if rest else home)

    def home(self, user: str = "") -> str:
        """The home directory of the account, or of another user (`home-directory`, `expand-path@openssh.com`).

        Without these extensions the account's is taken to be the directory the server starts in.

        Raises:
            SFTPUnsupported: the server would have to know of another user, and does not.
            OSError: there is no such user.
        """
        if not user:
            return self.expand("~")
        name = to_wire(user)
        self._need(HomeDirectory)
        return to_text(self._one_name(HomeDirectory(name), name))
