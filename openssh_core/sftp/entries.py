"""Entries of directories, as `os.scandir` gives them."""

from __future__ import annotations

import os
import stat as modes
from typing import Protocol

from .attributes import FileStat
from .paths import RemotePathLike


class _Client(Protocol):
    def stat(self, path: RemotePathLike, *, follow_symlinks: bool = True) -> FileStat: ...


class RemoteEntry:
    """One entry of a directory; what the listing told about it is known without asking.

    Attributes:
        name: in its directory.
        path: with the directory in front, as that was given.
        longname: the server's line about it, as of `ls -l`; for people, and not to be trusted on a terminal.
    """

    __slots__ = ("_client", "_told", "longname", "name", "path")

    def __init__(self, client: _Client, path: str, name: str, longname: str, told: FileStat) -> None:
        self._client = client
        self._told = told
        self.path = path
        self.name = name
        self.longname = longname

    def __repr__(self) -> str:
        return f"<RemoteEntry {self.name!r}>"

    def __fspath__(self) -> str:
        return self.path

    def stat(self, *, follow_symlinks: bool = True) -> FileStat:
        """Its attributes. Asks the server only for where a link leads, or where the listing told nothing.

        Raises:
            OSError: there is nothing (any more).
        """
        if not self._told.type_known:
            self._told = self._client.stat(self.path, follow_symlinks=False)
        if follow_symlinks and self._told.is_symlink():
            return self._client.stat(self.path)
        return self._told

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return modes.S_ISDIR(self._mode(follow_symlinks))

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return modes.S_ISREG(self._mode(follow_symlinks))

    def is_symlink(self) -> bool:
        return modes.S_ISLNK(self._mode(False))

    def _mode(self, follow: bool) -> int:
        try:
            return self.stat(follow_symlinks=follow).st_mode or 0
        except FileNotFoundError:
            return 0  # as os.DirEntry: gone, or a link that leads nowhere


os.PathLike.register(RemoteEntry)
