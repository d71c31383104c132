"""One file from there to here, and from here to there, as fast as the link goes."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Generator
from typing import IO

from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_extensions import PosixRename
from .._wire.sftp_replies import FAILURE, OK, Attrs, Handle, Names, Reply, Status
from . import litter
from .attributes import FileStat, of_wire
from .base import ClientBase
from .courses import Course, run
from .failures import known_failure
from .local import FromLocal, LocalFile, Progress, Stream, Watched, open_source, partial_name
from .moving import Asking, Fill, Look, Source, fetch, send
from .paths import RemotePathLike, to_text
from .special import is_device, special_there

_PERMISSIONS = 0o777
_ALL_AT_ONCE = wire.WRITE | wire.CREATE | wire.TRUNCATE


class Transfers(ClientBase):
    """The part of a client that moves files."""

    def get(
        self,
        remote: RemotePathLike,
        local: str | os.PathLike[str] | IO[bytes],
        *,
        atomic: bool = True,
        preserve: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Fetch one file.

        It is read to its end, wherever that is by then: what the server says about its size is not believed.

        Args:
            local: the path of the file it becomes, or a binary file to write to (in order; not closed).
            atomic: write to a new file beside it, which takes its place at the end: on any failure what was there is
                untouched, and nothing else is left. False writes into the file itself.
            preserve: give it the permissions (without set-id bits) and times of the original. Otherwise an existing
                file keeps its permissions, and a new one has those of the original that the umask leaves.
            progress: called with the bytes that have come, and the file's size as far as it is known. What it raises
                ends the transfer.

        Returns:
            the size in bytes.

        Raises:
            OSError: of the server (`SFTPOSError`), or of the file here; `SpecialFile` for a FIFO, a socket or a device.
            SFTPTimeout, ConnectionLost...: there was no answer.
        """
        target = _target(local, atomic=atomic, preserve=preserve)
        watched = target if progress is None else Watched(target, progress)
        try:
            size = run(self._session, fetch(self, self._path(remote), watched))
            target.finish(size)
        finally:
            target.drop()
        return size

    def put(
        self,
        local: str | os.PathLike[str] | IO[bytes],
        remote: RemotePathLike,
        *,
        atomic: bool = True,
        preserve: bool = False,
        fsync: bool = False,
        progress: Progress | None = None,
        look: Look | None = None,
    ) -> int:
        """Send one file, to its end as it is when that is reached.

        Args:
            local: the path of a file, or a binary file to read from, from where it stands (not closed).
            remote: the path of the file it becomes.
            atomic: write to a new file beside it, which takes its place at the end: on any failure what was there is
                untouched. It needs the right to make files in that directory. Where the server cannot rename over a
                file in one step, the old one steps aside first and is removed at the end. False writes into the file
                itself, and saves a round trip.
            preserve: give it the permissions (without set-id bits) and times of the original. Otherwise an existing
                file keeps its permissions, and a new one has those of the original that the server's umask leaves.
            fsync: have it on the server's disk before it takes its place (`fsync@openssh.com`, where offered).
            progress: called with the bytes that were read, and the total as far as it is known. What it raises ends
                the transfer.
            look: called with what the server says of the file when it is complete (a `FileStat`). That is asked for
                together with something else, so it costs no round trip. It is an error if the file cannot be looked at.

        Returns:
            the size in bytes.

        Raises:
            OSError: of the server (`SFTPOSError`), or of the file here; `SpecialFile` for a FIFO, a socket or a device.
            SFTPTimeout, ConnectionLost...: there was no answer.
        """
        if not isinstance(local, str | os.PathLike):
            return self._put(local, None, self._path(remote), atomic, preserve, fsync, progress, look)
        with open_source(_local(local)) as file:
            status = os.fstat(file.fileno())
            return self._put(file, _of_local(status), self._path(remote), atomic, preserve, fsync, progress, look)

    def _put(
        self,
        file: IO[bytes],
        status: FileStat | None,
        path: bytes,
        atomic: bool,
        preserve: bool,
        fsync: bool,
        progress: Progress | None,
        look: Look | None,
    ) -> int:
        source: Source = FromLocal(file)
        if progress is not None:
            source = Watched(source, progress, status.st_size if status else None)
        placed = Placing(self, path, source, status, preserve=preserve, fsync=fsync, look=look)
        return run(self._session, placed.beside() if atomic else placed.into())


class Placing:
    """A file on its way to a place there.

    Args:
        status: of the original, None where it has none.
        look: told of the file when it has its place.

    Attributes:
        fill: writes the file in place of the source, given the client, the path and the handle.
    """

    def __init__(
        self,
        client: ClientBase,
        path: bytes,
        source: Source,
        status: FileStat | None,
        *,
        preserve: bool,
        fsync: bool,
        look: Look | None = None,
    ) -> None:
        self._client = client
        self._look = look
        self._path = path
        self._source = source
        self._fsync = fsync
        mode = None if status is None or status.permissions is None else status.permissions & _PERMISSIONS
        self._created = Attributes(permissions=mode) if mode is not None else wire.NO_ATTRIBUTES
        self._finally = wire.NO_ATTRIBUTES
        self._preserve = preserve and status is not None
        self.fill: Fill | None = None
        if preserve and status is not None:
            self._finally = Attributes(permissions=mode, atime=status.st_atime, mtime=status.st_mtime)

    def into(self) -> Course[int]:
        """Write into the file itself."""
        return send(
            self._client,
            self._path,
            self._source,
            flags=_ALL_AT_ONCE,
            created=self._created,
            finally_set=self._finally,
            fsync=self._fsync,
            fill=self.fill,
            look=self._look,
        )

    def beside(self) -> Course[int]:
        """Write to a new file beside it, which takes its place at the end."""
        for left in litter.take(self._client.host):
            self._client._session.tell(wire.Remove(left))
        partial = self._beside()
        opening = wire.Open(partial, wire.WRITE | wire.CREATE | wire.EXCLUSIVE, self._created)
        try:
            old, opened = yield from self._look_and_open(opening)
            if old is not None and old.type_known and not old.is_file():
                # Too early: nothing can be put beside this.
                if isinstance(opened, Handle):
                    yield from self._discard(partial, wire.Close(opened.handle))
                return (yield from self._into_other(old))
            if not isinstance(opened, Handle):
                raise self._client._failure(opened, opening, partial, shown=self._path)
            if old is not None and old.permissions is not None and not self._preserve:
                self._finally = Attributes(permissions=old.permissions & _PERMISSIONS)
            size = yield from send(
                self._client,
                partial,
                self._source,
                handle=opened.handle,
                finally_set=self._finally,
                fsync=self._fsync,
                fill=self.fill,
                shown=self._path,
            )
            yield from self._take_place(partial)
        except GeneratorExit:
            # Given up from outside: there is no time to wait for anything.
            self._client._session.tell(wire.Remove(partial))
            self._client._session.flush()
            litter.add(self._client.host, [partial])
            raise
        except Exception:
            yield from self._discard(partial)
            raise
        return size

    def _discard(self, partial: bytes, *before: wire.Request) -> Asking:
        """See that nothing is left of what was begun."""
        removal = wire.Remove(partial)
        asked: list[wire.Request] = [*before, removal]
        message: wire.Request | None = None
        while message is not removal:
            message, _ = yield asked
            asked = []

    def _look_and_open(
        self, opening: wire.Open
    ) -> Generator[list[wire.Request], tuple[wire.Request, Reply], tuple[FileStat | None, Handle | Status]]:
        """What is there, and a new file beside it, on one way."""
        old: FileStat | None = None
        opened: Handle | Status = Status(FAILURE)
        asked: list[wire.Request] = [wire.LStat(self._path), opening]
        for _ in list(asked):
            message, reply = yield asked
            asked = []
            if message is opening:
                assert isinstance(reply, Handle | Status)
                opened = reply
            elif isinstance(reply, Attrs):
                old = of_wire(reply.attributes)
        return old, opened

    def _into_other(self, old: FileStat) -> Course[int]:
        """The target is a link, which is followed, or no regular file, which is written into."""
        if old.is_dir():
            raise known_failure(errno.EISDIR, to_text(self._path), self._client.host)
        if not old.is_symlink():
            if not is_device(old.st_mode or 0):
                raise special_there(to_text(self._path), old.st_mode or 0, self._client.host)
            return (yield from self.into())
        real = yield from self._follow()
        if real == self._path:
            # It leads nowhere that could be written to.
            raise known_failure(errno.ELOOP, to_text(self._path), self._client.host)
        self._path = real
        return (yield from self.beside())

    def _follow(self) -> Generator[list[wire.Request], tuple[wire.Request, object], bytes]:
        message, reply = yield [wire.RealPath(self._path)]
        if isinstance(reply, Names):
            return reply.entries[0].name
        assert isinstance(reply, Status)
        raise self._client._failure(reply, message, self._path)

    def _take_place(self, partial: bytes) -> Asking:
        if self._client._session.offers(PosixRename):
            yield from self._granted(PosixRename(partial, self._path), partial, self._look)
            return
        _, reply = yield [wire.Rename(partial, self._path)]
        if isinstance(reply, Status) and reply.code != OK:
            yield from self._replace(partial)
        if self._look is not None:
            yield from self._granted(wire.Stat(self._path), self._path, self._look)

    def _replace(self, partial: bytes) -> Asking:
        """The name is taken, and this server replaces nothing: what is there steps aside, and comes back if need be."""
        aside = self._beside()
        yield from self._granted(wire.Rename(self._path, aside), self._path)
        try:
            yield from self._granted(wire.Rename(partial, self._path), partial)
        except OSError:
            self._client._session.tell(wire.Rename(aside, self._path))
            raise
        self._client._session.tell(wire.Remove(aside))

    def _granted(self, message: wire.Request, path: bytes, look: Look | None = None) -> Asking:
        """Ask for something, and with it how the file is, if somebody is to be told."""
        asked = [message]
        if look is not None and not isinstance(message, wire.Stat):
            asked.append(wire.Stat(self._path))
        for _ in list(asked):
            which, reply = yield asked
            asked = []
            if isinstance(reply, Status) and reply.code != OK:
                raise self._client._failure(reply, which, path, self._path, shown=self._path)
            if isinstance(reply, Attrs) and look is not None:
                look(of_wire(reply.attributes))

    def _beside(self) -> bytes:
        directory, name = posixpath.split(self._path)
        return posixpath.join(directory, os.fsencode(partial_name(os.fsdecode(name))))


def _of_local(status: os.stat_result) -> FileStat:
    # A time before 1970 or after 2106 does not fit; it is left as it comes.
    times = (int(status.st_atime), int(status.st_mtime))
    atime, mtime = times if all(0 <= time < 2**32 for time in times) else (None, None)
    return FileStat(status.st_mode, status.st_size, status.st_uid, status.st_gid, atime, mtime)


def _target(local: str | os.PathLike[str] | IO[bytes], *, atomic: bool, preserve: bool) -> LocalFile | Stream:
    if isinstance(local, str | os.PathLike):
        return LocalFile(_local(local), atomic=atomic, preserve=preserve)
    return Stream(local)


def _local(path: str | os.PathLike[str]) -> str:
    return os.fspath(path)
