"""A tree from here to there: directories and files side by side over one session."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import posixpath
import stat as modes
from collections.abc import Iterator
from typing import IO, Any

from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_replies import OK, Attrs, Status
from ..sftp.attributes import FileStat, of_wire
from ..sftp.courses import Course, Outcome, run_all
from ..sftp.moving import send
from ..sftp.paths import to_text
from ..sftp.special import special_here, special_kind
from ._crowd import SMALL
from ._gauge import Reader
from ._holes import send_holes
from ._job import DEEPEST, Job, facts, kind_of, skip_reason
from ._opening import Opening
from ._places import Places
from ._verifying import Departed, Judge
from .conversion import converter
from .filters import Entry

_PERMISSIONS = 0o777
_EVERYTHING = 0o7777
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_NO_STATUS = os.stat_result((0,) * 10)


class Local:
    """Something here that is to be sent.

    Attributes:
        path: here.
        inside: from the top of the tree.
        target: there.
        fresh: whether the directory it goes to was made just now, so that nothing is in it.
    """

    __slots__ = ("above", "depth", "fresh", "inside", "path", "status", "target", "weight")

    def __init__(
        self,
        path: bytes,
        inside: str,
        target: bytes,
        status: os.stat_result,
        *,
        fresh: bool = False,
        above: frozenset[tuple[int, int]] = frozenset(),
        depth: int = 0,
    ) -> None:
        self.path = path
        self.inside = inside
        self.target = target
        self.status = status
        self.fresh = fresh
        self.depth = depth
        self.weight = 0
        # The directories around it, when links are followed.
        self.above = above

    @property
    def shown(self) -> str:
        """Its path here, for people."""
        return os.fsdecode(self.path)


class Sending:
    """Sends what it is given, and all that is in it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        # Directories that are there by now, and what of them has not been sent.
        self._open: list[Iterator[Local]] = []
        self._waiting: list[Local] = []
        self._attributes: list[tuple[bytes, Attributes]] = []
        self._places = Places(job)
        self._judge = Judge(job, self._places.take_place)

    def add(self, path: bytes, target: bytes, status: os.stat_result) -> None:
        """A file to send."""
        self._job.gauge.expect(status.st_size)
        self._waiting.append(Local(path, os.fsdecode(os.path.basename(path)), target, status))

    def add_tree(self, path: bytes, target: bytes, status: os.stat_result) -> None:
        """A directory whose content goes to a directory there, which is made if it is not there."""
        self._waiting.append(Local(path, "", target, status))

    def run(self) -> None:
        """Do it.

        Raises:
            OpenSSHError: no more answers will come. Or what made it impossible to go on.
        """
        job = self._job
        try:
            # Closed at once: an error's traceback would keep it, and all that is under way in it, for longer.
            with contextlib.closing(run_all(job.session, self, at_once=job.at_once)) as outcomes:
                for outcome in outcomes:
                    self._ended(outcome)
            self._judge.last()
            # Whatever is put into a directory changes its time, so its own come last, the innermost first.
            last = (((path, "."), self._set(path, wanted)) for path, wanted in reversed(self._attributes))
            for done in run_all(job.session, last, at_once=job.at_once):
                if done.error is not None:
                    job.failed(to_text(done.key[0]), to_text(done.key[0]), done.error)
        finally:
            self._judge.drop()

    # ---- what is next

    def __iter__(self) -> Iterator[tuple[Local, Course[Any]]]:
        return self

    def __next__(self) -> tuple[Local, Course[Any]]:
        self._job.gauge.look()
        if not self._job.crowd.has_room:
            raise StopIteration  # for now
        if self._waiting:
            return self._begun(self._waiting.pop())
        while self._open:
            for local in self._open[-1]:
                return self._begun(local)
            self._open.pop()
        raise StopIteration

    def _begun(self, local: Local) -> tuple[Local, Course[Any]]:
        local.weight = self._job.crowd.enter(local.status.st_size)
        return local, self._course(local)

    def _ended(self, outcome: Outcome[Local, Any]) -> None:
        local, value = outcome.key, outcome.value
        self._job.crowd.leave(local.weight)
        if outcome.error is not None:
            self._job.failed(local.shown, to_text(local.target), outcome.error)
        elif isinstance(value, Departed):
            self._judge.add(value)
        elif isinstance(value, bool):
            if value:
                self._job.report.did(local.shown, to_text(local.target))
            self._open.append(self._content(local, fresh=value))

    def _content(self, directory: Local, *, fresh: bool) -> Iterator[Local]:
        """What is in a directory and wanted."""
        job = self._job
        above = directory.above | {(directory.status.st_dev, directory.status.st_ino)}
        try:
            with os.scandir(directory.path) as entries:
                for entry in entries:
                    name = entry.name
                    inside = os.fsdecode(name)
                    inside = f"{directory.inside}/{inside}" if directory.inside else inside
                    target = posixpath.join(directory.target, name)
                    try:
                        status = entry.stat(follow_symlinks=job.options.links == "follow")
                    except OSError as error:
                        job.failed(os.fsdecode(entry.path), to_text(target), error)
                        continue
                    kind = kind_of(status.st_mode)
                    if job.filter.wants(Entry(inside, kind, status.st_size, int(status.st_mtime))):
                        if kind == "file":
                            job.gauge.expect(status.st_size)
                        yield Local(
                            entry.path, inside, target, status, fresh=fresh, above=above, depth=directory.depth + 1
                        )
        except OSError as error:
            job.failed(directory.shown, to_text(directory.target), error)

    def _course(self, local: Local) -> Course[Any]:
        kind = kind_of(local.status.st_mode)
        if kind == "directory":
            return self._directory(local)
        if kind == "link":
            return self._link(local)
        if kind == "file" or not local.depth:
            return self._file(local)
        return self._skip(local, f"it is {special_kind(local.status.st_mode)}")

    def _skip(self, local: Local, why: str) -> Course[None]:
        self._job.report.skip(local.shown, to_text(local.target), why)
        return
        yield []

    # ---- directories

    def _directory(self, local: Local) -> Course[bool]:
        """Make it; whether it was not there."""
        job = self._job
        if local.depth > DEEPEST:
            raise OSError(errno.ELOOP, f"more than {DEEPEST} directories deep", local.shown)
        if (local.status.st_dev, local.status.st_ino) in local.above:
            raise OSError(errno.ELOOP, "a link to a directory it is in", local.shown)
        mode = modes.S_IMODE(local.status.st_mode) & _PERMISSIONS
        if job.options.umask is not None:
            mode &= ~job.options.umask
        made = wire.MakeDir(local.target, Attributes(permissions=mode | 0o700))
        asked: list[wire.Request] = [made, wire.Stat(local.target)]
        refused, there = None, None
        for _ in list(asked):
            message, reply = yield asked
            asked = []
            if isinstance(reply, Attrs):
                there = of_wire(reply.attributes)
            elif message is made and isinstance(reply, Status) and reply.code != OK:
                refused = reply
        if refused is not None and (there is None or not there.is_dir()):
            raise job.client._failure(refused, made, local.target)
        fresh = refused is None
        final = self._of_directory(local, mode, fresh)
        if final is not None:
            self._attributes.append((local.target, final))
        return fresh

    def _of_directory(self, local: Local, mode: int, fresh: bool) -> Attributes | None:
        status = local.status
        if self._job.options.preserve:
            times = int(status.st_atime), int(status.st_mtime)
            return Attributes(permissions=modes.S_IMODE(status.st_mode), atime=times[0], mtime=times[1])
        if fresh and (self._job.options.umask is not None or mode & 0o700 != 0o700):
            return Attributes(permissions=mode)
        return None

    def _set(self, path: bytes, wanted: Attributes) -> Course[None]:
        yield from self._places.granted(wire.SetStat(path, wanted), path)

    # ---- links

    def _link(self, local: Local) -> Course[None]:
        job = self._job
        if job.options.links == "skip":
            yield from self._skip(local, "it is a symbolic link")
            return
        text = os.readlink(local.path)
        message = wire.Symlink(text, local.target)
        _, reply = yield [message]
        if isinstance(reply, Status) and reply.code != OK:
            if not job.options.overwrite:
                yield from self._skip(local, "it exists")
                return
            temporary = self._places.beside(local.target)
            yield from self._places.granted(wire.Symlink(text, temporary), local.target)
            yield from self._places.take_place(temporary, local.target)
        job.report.did(local.shown, to_text(local.target))

    # ---- files

    def _file(self, local: Local) -> Course[Departed | None]:
        if special_kind(local.status.st_mode):
            raise special_here(local.shown, local.status.st_mode)
        inside = None if local.depth else os.path.basename(local.path)
        opening = Opening(self._job, self._places, local.target, inside=inside, fresh=local.fresh)
        try:
            if self._must_know and not local.fresh:
                yield from opening.look()
                there = None if opening.old is None else facts(opening.old)
                status = local.status
                if why := skip_reason(self._job.options, status.st_size, int(status.st_mtime), there):
                    yield from self._skip(local, why)
                    return None
            follow = 0 if self._job.options.links == "follow" or not local.depth else os.O_NOFOLLOW
            fd = os.open(local.path, _READ | follow)
            with open(fd, "rb", buffering=0) as file:
                now = os.fstat(fd)
                if modes.S_ISDIR(now.st_mode):
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), local.shown)
                if special_kind(now.st_mode):
                    raise special_here(local.shown, now.st_mode)
                whole = self._whole(file, now)
                if whole is None:
                    return (yield from self._placed(file, local.shown, opening, now))
            return (yield from self._placed(whole, local.shown, opening, now))
        finally:
            local.target = opening.target

    def _whole(self, file: IO[bytes], status: os.stat_result) -> IO[bytes] | None:
        """All of a small file, so that it need not be open while the server is waited for; None where it must be."""
        options = self._job.options
        if status.st_size > SMALL or options.verify or options.resume or options.sparse:
            return None
        data = file.read(SMALL + 1) or b""
        if len(data) > SMALL or len(data) < status.st_size:
            file.seek(0)  # it changes
            return None
        return io.BytesIO(data)

    @property
    def _must_know(self) -> bool:
        """Whether it depends on what is there if a file is sent at all."""
        options = self._job.options
        return options.newer_only or options.skip_same or not options.overwrite

    def from_file(self, file: IO[Any], target: bytes) -> Course[None]:
        """Send what a file object has, from where it stands; it is not closed."""
        opening = Opening(self._job, self._places, target, inside=b"", fresh=False)
        if not self._job.options.overwrite:
            yield from opening.look()
            if opening.old is not None:
                yield from self._skip(Local(b"", "", opening.target, _NO_STATUS), "it exists")
                return
        yield from self._placed(file, "", opening, None)

    def _placed(
        self, file: IO[bytes], shown: str, opening: Opening, status: os.stat_result | None
    ) -> Course[Departed | None]:
        """Send what an open file has, and let it take its place.

        Args:
            status: of the file, None where it has none.
        """
        job, options = self._job, self._job.options
        change = None if options.convert is None else converter(options.convert)
        source = Reader(file.read, job.gauge, shown, change)
        mode = None if status is None else modes.S_IMODE(status.st_mode) & _PERMISSIONS
        if mode is not None and options.umask is not None:
            mode &= ~options.umask
        created = wire.NO_ATTRIBUTES if mode is None else Attributes(permissions=mode)
        try:
            handle = yield from opening.open(file, status, created)
            finally_set = self._of_file(status, mode, opening.old)
            if options.sparse and status is not None and modes.S_ISREG(status.st_mode):
                size = yield from send_holes(job, file, source, opening.where, opening.target, handle, finally_set)
            else:
                size = yield from send(
                    job.client,
                    opening.where,
                    source,
                    handle=handle,
                    finally_set=finally_set,
                    start=opening.start,
                    fsync=options.fsync,
                    pressure=job.pressure,
                    shown=opening.target,
                )
            end = opening.start + size
            if options.verify and not opening.special:
                return Departed(file, shown, opening.where, opening.target, end)
            if opening.aside:
                yield from self._places.take_place(opening.where, opening.target)
        except Exception:
            yield from opening.undo()
            raise
        except BaseException:
            opening.give_up()
            raise
        job.report.did(shown, to_text(opening.target), end if options.resume else size)
        return None

    def _of_file(self, status: os.stat_result | None, mode: int | None, old: FileStat | None) -> Attributes:
        options = self._job.options
        if options.preserve and status is not None:
            times = int(status.st_atime), int(status.st_mtime)
            return Attributes(permissions=modes.S_IMODE(status.st_mode), atime=times[0], mtime=times[1])
        if options.umask is not None and mode is not None:
            return Attributes(permissions=mode)
        in_place = options.append or not options.atomic
        if old is not None and old.is_file() and old.permissions is not None and not in_place:
            return Attributes(permissions=old.permissions & _PERMISSIONS)
        return wire.NO_ATTRIBUTES
