"""A path on the other machine that knows its client: `pathlib.Path` for files over SFTP."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from .attributes import FileStat
from .paths import RemotePathLike, to_text, to_wire

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import SFTPClient


class PureRemotePath:
    """What can be said of a path without looking: as `pathlib.PurePosixPath`."""

    __slots__ = ("_client", "_pure")

    def __init__(self, client: SFTPClient, *parts: RemotePathLike) -> None:
        self._client = client
        self._pure = PurePosixPath(*(to_text(to_wire(part)) for part in parts))

    def _with(self, pure: PurePosixPath) -> Self:
        path = object.__new__(type(self))
        path._client = self._client
        path._pure = pure
        return path

    def __str__(self) -> str:
        return str(self._pure)

    __fspath__ = __str__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r} on {self._client.host}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PureRemotePath):
            return NotImplemented
        return self._client is other._client and self._pure == other._pure

    def __hash__(self) -> int:
        return hash((id(self._client), self._pure))

    def __lt__(self, other: Self) -> bool:
        return self._pure < other._pure

    def __truediv__(self, part: RemotePathLike) -> Self:
        return self.joinpath(part)

    def joinpath(self, *parts: RemotePathLike) -> Self:
        return self._with(self._pure.joinpath(*(to_text(to_wire(part)) for part in parts)))

    @property
    def client(self) -> SFTPClient:
        """Through which it is looked at."""
        return self._client

    @property
    def parts(self) -> tuple[str, ...]:
        return self._pure.parts

    @property
    def name(self) -> str:
        return self._pure.name

    @property
    def stem(self) -> str:
        return self._pure.stem

    @property
    def suffix(self) -> str:
        return self._pure.suffix

    @property
    def suffixes(self) -> list[str]:
        return self._pure.suffixes

    @property
    def parent(self) -> Self:
        return self._with(self._pure.parent)

    @property
    def parents(self) -> Sequence[Self]:
        return tuple(map(self._with, self._pure.parents))

    def is_absolute(self) -> bool:
        return self._pure.is_absolute()

    def relative_to(self, other: RemotePathLike) -> PurePosixPath:
        """The way from there to here; a pure path, for it may be gone on this machine, too."""
        return self._pure.relative_to(to_text(to_wire(other)))

    def match(self, pattern: str) -> bool:
        return self._pure.match(pattern)

    def with_name(self, name: str) -> Self:
        return self._with(self._pure.with_name(name))

    def with_suffix(self, suffix: str) -> Self:
        return self._with(self._pure.with_suffix(suffix))


class _Names(PureRemotePath):
    """What it is, and what it is called."""

    __slots__ = ()

    def stat(self, *, follow_symlinks: bool = True) -> FileStat:
        return self._client.stat(self, follow_symlinks=follow_symlinks)

    def lstat(self) -> FileStat:
        return self._client.lstat(self)

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        return self._client.exists(self, follow_symlinks=follow_symlinks)

    def is_file(self) -> bool:
        return self._client.isfile(self)

    def is_dir(self) -> bool:
        return self._client.isdir(self)

    def is_symlink(self) -> bool:
        return self._client.islink(self)

    def samefile(self, other: RemotePathLike) -> bool:
        return self._client.samefile(self, other)

    def chmod(self, mode: int, *, follow_symlinks: bool = True) -> None:
        self._client.chmod(self, mode, follow_symlinks=follow_symlinks)

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove a file or a link."""
        try:
            self._client.remove(self)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def rename(self, target: RemotePathLike) -> Self:
        """Rename it; nothing is replaced. The new path."""
        self._client.rename(self, target)
        return self._with(PurePosixPath(to_text(to_wire(target))))

    def replace(self, target: RemotePathLike) -> Self:
        """Rename it, and replace what has the new name. The new path."""
        self._client.replace(self, target)
        return self._with(PurePosixPath(to_text(to_wire(target))))

    def symlink_to(self, target: RemotePathLike) -> None:
        """Make it a link to the target."""
        self._client.symlink(target, self)

    def hardlink_to(self, target: RemotePathLike) -> None:
        """Make it a second name of the target."""
        self._client.link(target, self)

    def readlink(self) -> Self:
        return self._with(PurePosixPath(self._client.readlink(self)))

    def resolve(self) -> Self:
        """The path without links and dots, from the root."""
        return self._with(PurePosixPath(self._client.realpath(self)))

    def expanduser(self) -> Self:
        """With a home directory in place of `~` or `~user`."""
        return self._with(PurePosixPath(self._client.expand(self)))


class RemotePath(_Names):
    """A path on the other machine, to work with as with a `pathlib.Path`. Made by `SFTPClient.path`.

    Its methods raise what the client's raise. It can be given wherever the client takes a path.
    """

    __slots__ = ()

    def open(
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """See `SFTPClient.open`."""
        return self._client.open(self, mode, buffering, encoding, errors, newline)

    def read_bytes(self) -> bytes:
        return self._client.read_bytes(self)

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._client.read_text(self, encoding, errors)

    def write_bytes(self, data: bytes | bytearray | memoryview) -> int:
        return self._client.write_bytes(self, data)

    def write_text(self, data: str, encoding: str = "utf-8", errors: str = "strict", newline: str | None = None) -> int:
        return self._client.write_text(self, data, encoding, errors, newline)

    def touch(self, mode: int = 0o666, exist_ok: bool = True) -> None:
        """Make it, empty, or give it the time of now.

        Raises:
            FileExistsError: it is there, and exist_ok is not set.
        """
        try:
            self._client.open(self, "xb", buffering=0, permissions=mode).close()
        except FileExistsError:
            if not exist_ok:
                raise
            self._client.utime(self)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Make it a directory.

        Raises:
            FileExistsError: there is something, and exist_ok is not set or it is no directory.
        """
        if parents:
            self._client.makedirs(self, mode, exist_ok)
            return
        try:
            self._client.mkdir(self, mode)
        except FileExistsError:
            if not exist_ok or not self.is_dir():
                raise

    def rmdir(self) -> None:
        self._client.rmdir(self)

    def iterdir(self) -> Iterator[Self]:
        """What is in the directory."""
        for entry in self._client.scandir(self):
            yield self._with(self._pure / entry.name)

    def glob(self, pattern: str) -> Iterator[Self]:
        """What is below and matches the pattern (see `SFTPClient.iglob`; a dot at the beginning matches, too)."""
        # Our own name is no pattern.
        own = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(self))
        for path in self._client.iglob(os.path.join(own, pattern), hidden=True):
            yield self._with(PurePosixPath(path))

    def rglob(self, pattern: str) -> Iterator[Self]:
        """The same at any depth."""
        return self.glob(os.path.join("**", pattern))


os.PathLike.register(PureRemotePath)
