"""How a file gets its name on the server: it is sent under another one, and takes its place when it is complete."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import IO, Any

from .._wire import sftp as wire
from .._wire.sftp_extensions import PosixRename
from .._wire.sftp_replies import OK, Attrs, Reply, Status
from ..sftp.attributes import of_wire
from ._job import Job
from ._landing import partial_name, resumable_name
from ._verifying import prefix_fits

Asking = Generator[Any, tuple[wire.Request, Reply], Any]


class Places:
    """Names on the server, as parts of courses."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def look(self, path: bytes) -> Asking:
        """What is there, a link itself; None when nothing is, or nothing can be known."""
        _, reply = yield [wire.LStat(path)]
        return of_wire(reply.attributes) if isinstance(reply, Attrs) else None

    def granted(
        self, message: wire.Request, path: bytes, second: bytes | None = None, *, shown: bytes | None = None
    ) -> Asking:
        """Ask for something.

        Args:
            path, second: what it is about.
            shown: what an error calls it.

        Raises:
            SFTPOSError: the server did not do it.
        """
        _, reply = yield [message]
        if isinstance(reply, Status) and reply.code != OK:
            raise self._job.client._failure(reply, message, path, second, shown)

    def resume_at(self, file: IO[bytes], path: bytes, size: int) -> Asking:
        """How much of it an earlier attempt has left there."""
        there = yield from self.look(path)
        if there is None or not there.is_file() or not 0 < (there.st_size or 0) <= size:
            return 0
        return there.st_size if prefix_fits(self._job, path, file.fileno(), there.st_size) else 0

    def take_place(self, where: bytes, target: bytes) -> Asking:
        """Give it the name of the target, in one step where the server can.

        Raises:
            SFTPOSError: it has not got it; what was there is there.
        """
        if self._job.session.offers(PosixRename):
            yield from self.granted(PosixRename(where, target), where, target, shown=target)
            return
        message = wire.Rename(where, target)
        _, reply = yield [message]
        if not isinstance(reply, Status) or reply.code == OK:
            return
        # The name is taken, and this server replaces nothing. What is there steps aside, and comes back if need be.
        aside = self.beside(target)
        yield from self.granted(wire.Rename(target, aside), target)
        try:
            yield from self.granted(message, where, target, shown=target)
        except OSError:
            self._job.session.tell(wire.Rename(aside, target))
            raise
        self._job.session.tell(wire.Remove(aside))

    def beside(self, target: bytes) -> bytes:
        """A name beside the target that nothing has."""
        return self._named(target, partial_name(posixpath.basename(target)))

    def resumable(self, target: bytes, size: int, mtime: int) -> bytes:
        """The name of one that is left for another attempt."""
        return self._named(target, resumable_name(posixpath.basename(target), size, mtime))

    def _named(self, target: bytes, name: bytes) -> bytes:
        return posixpath.join(posixpath.dirname(target), name)
