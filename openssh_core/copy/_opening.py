"""What a file that is sent is written to: looked at and opened on one way, for every way costs a round trip.

The look may show that something else had to be opened: a directory that the file goes into, a link that is followed, a
device. Then what was opened too early is given back, and nothing of it stays.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat as modes
from typing import IO

from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_replies import Attrs, Handle, Names, Status
from ..sftp.attributes import FileStat, of_wire
from ..sftp.failures import known_failure
from ..sftp.paths import to_text
from ..sftp.special import is_device, special_kind, special_there
from ._job import Job, gone
from ._places import Asking, Places

_NO_NAMES = (b"", b".", b"..")


class Opening:
    """The place of one file there.

    Args:
        target: the name it is to have.
        inside: None for what is found in a tree. What the caller has named may be a link, which is followed, or a
            directory, in which it gets this name; empty if it has none.
        fresh: whether nothing can be there.

    Attributes:
        target: the name it is to have, links and directories considered.
        where: what it is written to.
        old: what has the name, None while nothing is known to have it.
        start: offset of the first byte that is to be written.
    """

    def __init__(self, job: Job, places: Places, target: bytes, *, inside: bytes | None, fresh: bool) -> None:
        self._job = job
        self._places = places
        self._inside = inside
        self._looked = fresh
        self._handed_over = False
        # For another attempt.
        self._kept = False
        self._reply: Handle | Status | None = None
        self._opening: wire.Open | None = None
        self.target = target
        self.where = target
        self.old: FileStat | None = None
        self.start = 0

    # ---- what is known

    @property
    def special(self) -> bool:
        """Whether it is written to as it is: a device."""
        return self.old is not None and bool(special_kind(self.old.st_mode))

    @property
    def aside(self) -> bool:
        """Whether it is written under another name, which it has until it is complete."""
        return self.where != self.target

    # ---- looking and opening

    def look(self) -> Asking:
        """See what has the name.

        Raises:
            OSError: a directory has it, or a link that cannot be followed.
        """
        yield from self._find(None)

    def open(self, file: IO[bytes], status: os.stat_result | None, created: Attributes) -> Asking:
        """Open what it is written to; the handle, which becomes the caller's to close.

        Args:
            status: of the file here, None where it has none.
            created: attributes of a new file.

        Raises:
            OSError: the server did not do it, or what has the name is a directory, a FIFO, a socket, or a device that
                nobody has named.
        """
        options = self._job.options
        resumes = options.resume and options.atomic and status is not None
        if not self._looked:
            yield from self._find(None if resumes else created)
        if self.old is not None:
            self._refuse_special(self.old.st_mode or 0)
        if resumes and status is not None and not self.special:
            yield from self._take_up(file, status, created)
        elif self._opening is None or (self.special and self.aside):
            yield from self._ask([*self._too_early(), self._to_open(created)])
        if options.append and self.old is not None:
            self.start = self.old.st_size or 0
        reply, opening = self._reply, self._opening
        if isinstance(reply, Handle):
            self._handed_over = True
            return reply.handle
        assert isinstance(reply, Status) and opening is not None
        raise self._job.client._failure(reply, opening, self.where, shown=self.target)

    def _find(self, created: Attributes | None) -> Asking:
        """Look at what has the name, and at what has that which leads there.

        Args:
            created: open it as well, a new file with these.
        """
        self._looked = True
        yield from self._round(created)
        if self._inside is not None and self.old is not None and self.old.is_symlink():
            follow = wire.RealPath(self.target)
            real = yield from self._ask([*self._too_early(), follow])
            if isinstance(real, Status):
                # It leads in circles, or to a directory that is not there.
                raise self._job.client._failure(real, follow, self.target)
            self.target = real
            yield from self._round(created)
        if self._inside and self._is_directory():
            self.target = posixpath.join(self.target, self._inside)
            yield from self._round(created)
        if self._is_directory():
            raise known_failure(errno.EISDIR, to_text(self.target), self._job.host)

    def _is_directory(self) -> bool:
        return self.old is not None and self.old.is_dir()

    def _round(self, created: Attributes | None) -> Asking:
        asked = [*self._too_early(), wire.LStat(self.target)]
        self.where, self.old = self.target, None
        if created is not None and posixpath.basename(self.target) not in _NO_NAMES:
            asked += self._at_once(created)
        yield from self._ask(asked)

    def _at_once(self, created: Attributes) -> list[wire.Request]:
        """What may be opened though nothing is known of the target."""
        opening = self._to_open(created)
        if self.aside:
            return [opening]
        if self._inside is None or self._job.options.recursive:
            # It may be a device, which nobody has meant: to open it may do something.
            self._opening = None
            return []
        # Where a link leads is to be known first: to open a FIFO may take for ever.
        return [wire.Stat(self.target), opening]

    def _refuse_special(self, mode: int) -> None:
        # In a tree nobody has meant the device.
        if special_kind(mode) and (self._job.options.recursive or not is_device(mode)):
            raise special_there(to_text(self.target), mode, self._job.host)

    def _ask(self, asked: list[wire.Request]) -> Asking:
        """Ask for all of it, and keep what is answered; where a link leads, or that it cannot be followed."""
        real: object = None
        missing = asked
        self._job.dropped.update(one.path for one in asked if isinstance(one, wire.Remove))
        while missing:
            message, reply = yield asked
            # It may belong to what was asked before, and failed.
            asked, missing = [], [one for one in missing if one is not message]
            if isinstance(message, wire.Remove):
                if gone(reply):
                    self._job.dropped.discard(message.path)
            elif message is self._opening:
                assert isinstance(reply, Handle | Status)
                self._reply = reply
            elif isinstance(message, wire.Stat) and isinstance(reply, Attrs):
                self._followed(reply.attributes.permissions or 0)
            elif isinstance(reply, Attrs):
                self.old = of_wire(reply.attributes)
            elif isinstance(message, wire.RealPath):
                real = reply.entries[0].name if isinstance(reply, Names) else reply
        return real

    def _followed(self, mode: int) -> None:
        """What is about to be opened, where links lead to."""
        if modes.S_ISFIFO(mode):
            self._job.client._release(self.target)
        self._refuse_special(mode)

    def _to_open(self, created: Attributes) -> wire.Open:
        """The opening of what it is written to, as far as that is known by now."""
        options = self._job.options
        flags = wire.WRITE | wire.CREATE
        self.where = self.target
        if options.atomic and not options.append and not self.special:
            self.where = self._places.beside(self.target)
            flags |= wire.EXCLUSIVE
        elif not options.append:
            flags |= wire.TRUNCATE
        return self._opens(flags, created)

    def _opens(self, flags: int, created: Attributes) -> wire.Open:
        self._opening, self._reply = wire.Open(self.where, flags, created), None
        return self._opening

    def _take_up(self, file: IO[bytes], status: os.stat_result, created: Attributes) -> Asking:
        """Go on with what an earlier attempt has left."""
        self.where = self._places.resumable(self.target, status.st_size, int(status.st_mtime))
        self._kept = True
        self.start = yield from self._places.resume_at(file, self.where, status.st_size)
        file.seek(self.start)
        flags = wire.WRITE | wire.CREATE
        yield from self._ask([self._opens(flags if self.start else flags | wire.TRUNCATE, created)])

    # ---- giving up

    def undo(self) -> Asking:
        """See that nothing is left of it, and wait for that: what is only on its way would be lost if the session was
        closed now."""
        yield from self._ask(self._left())

    def give_up(self) -> None:
        """The same from outside, where nobody can wait."""
        for message in self._left():
            if isinstance(message, wire.Remove):
                self._job.drop(message.path)
            else:
                self._job.session.tell(message)

    def _left(self) -> list[wire.Request]:
        asked: list[wire.Request] = []
        if self._opening is None or isinstance(self._reply, Status):
            return asked
        if isinstance(self._reply, Handle) and not self._handed_over:
            asked.append(wire.Close(self._reply.handle))
        if self.aside and not self._kept:
            asked.append(wire.Remove(self.where))
        return asked

    def _too_early(self) -> list[wire.Request]:
        """What gives back that which was opened and is not wanted."""
        asked = self._left()
        self._reply = self._opening = None
        return asked
