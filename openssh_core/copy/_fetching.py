"""A tree from there to here: listings and files side by side over one session.

What the server says is material, not an order. A name is one part of a path or it is refused; everything is made
relative to a directory that is open already; links are made only where they cannot lead out; and what was announced as
a file and is something else by now ends in a regular file here all the same.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import stat as modes
from collections import deque
from collections.abc import Generator, Iterator
from typing import Any

from .._wire import sftp as wire
from .._wire.sftp_attrs import Entry as NameEntry
from .._wire.sftp_replies import EOF, Attrs, Handle, Names, Reply, Status
from ..errors import UnsafeName
from ..sftp.attributes import FileStat, of_wire
from ..sftp.courses import Course, Outcome, run_all
from ..sftp.failures import known_failure
from ..sftp.moving import fetch
from ..sftp.paths import to_text
from ..sftp.special import special_kind, special_there
from ._folders import Folder
from ._job import BACKLOG, DEEPEST, Job, kind_of, skip_reason
from ._landing import Landing, partial_name
from ._verifying import Arrived, Verifier, prefix_fits
from .filters import Entry

_PERMISSIONS = 0o777
_Asking = Generator[list[wire.Request], tuple[wire.Request, Reply], Any]


class Remote:
    """Something there that is to be fetched.

    Attributes:
        path: on the server.
        inside: from the top of the tree.
        name: in the folder here.
    """

    __slots__ = ("above", "folder", "inside", "name", "path", "status", "weight")

    def __init__(
        self,
        path: bytes,
        inside: str,
        folder: Folder,
        name: bytes,
        status: FileStat | None,
        above: frozenset[bytes] = frozenset(),
    ) -> None:
        # Where the directories around it really are, when links are followed.
        self.above = above
        self.path = path
        self.inside = inside
        self.folder = folder
        self.name = name
        self.status = status
        self.weight = 0

    @property
    def target(self) -> str:
        """Where it goes, for people."""
        return os.path.join(self.folder.shown, os.fsdecode(self.name))


class Listing:
    """A directory there, and the folder here that its content goes to."""

    __slots__ = ("above", "folder", "handle", "inside", "path", "weight")

    def __init__(self, path: bytes, inside: str, folder: Folder, above: frozenset[bytes]) -> None:
        self.path = path
        self.inside = inside
        self.folder = folder
        self.handle: bytes | None = None
        self.above = above
        self.weight = 0


Key = Remote | Listing


class Fetching:
    """Fetches what it is given, and all that is in it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._files: deque[Remote] = deque()
        self._directories: list[Listing] = []
        self._verifier = Verifier(job)

    def add(self, path: bytes, folder: Folder, name: bytes, status: FileStat | None) -> None:
        """A file to fetch. The folder is released when it is done."""
        self._job.gauge.expect(status.st_size if status else None)
        self._files.append(Remote(path, os.fsdecode(name), folder, name, status))

    def add_tree(self, path: bytes, folder: Folder, handle: bytes | None = None) -> None:
        """A directory whose content goes to the folder, which is released when it is done.

        Args:
            handle: of the directory there, if it is open already; it is closed in any case.
        """
        listing = Listing(path, "", folder, frozenset())
        listing.handle = handle
        self._directories.append(listing)

    def run(self) -> None:
        """Do it.

        Raises:
            OpenSSHError: no more answers will come. Or what made it impossible to go on.
        """
        try:
            # Closed at once: an error's traceback would keep it, and all that is under way in it, for longer.
            with contextlib.closing(run_all(self._job.session, self, at_once=self._job.at_once)) as outcomes:
                for outcome in outcomes:
                    self._ended(outcome)
            self._verifier.last()
        finally:
            self._verifier.drop()
            for listing in self._directories:
                if listing.handle is not None:
                    self._job.session.tell(wire.Close(listing.handle))
            for folder in [waiting.folder for waiting in self._files] + [each.folder for each in self._directories]:
                with contextlib.suppress(OSError):
                    folder.release()

    # ---- what is next

    def __iter__(self) -> Iterator[tuple[Key, Course[Any]]]:
        return self

    def __next__(self) -> tuple[Key, Course[Any]]:
        self._job.gauge.look()
        if not self._job.crowd.has_room:
            raise StopIteration  # for now
        if self._files:
            remote = self._files.popleft()
            remote.weight = self._job.crowd.enter(remote.status.st_size if remote.status else None)
            return remote, self._course(remote)
        if self._directories:
            listing = self._directories.pop()
            listing.weight = self._job.crowd.enter(None)
            return listing, self._list(listing)
        raise StopIteration

    def _ended(self, outcome: Outcome[Key, Any]) -> None:
        key, error = outcome.key, outcome.error
        self._job.crowd.leave(key.weight)
        if isinstance(key, Listing):
            self._listed(key, outcome.value, error)
        elif error is not None:
            self._job.failed(to_text(key.path), key.target, error)
        elif isinstance(outcome.value, Arrived):
            self._verifier.add(outcome.value)

    def _listed(self, listing: Listing, more: object, error: Exception | None) -> None:
        if error is None and more:
            self._directories.insert(0, listing)
            return
        try:
            listing.folder.release()
        except OSError as late:
            error = error or late
        if error is not None:
            self._job.failed(to_text(listing.path), listing.folder.shown, error)

    # ---- directories

    def _list(self, listing: Listing) -> Course[bool]:
        """Read names until there are none, or enough of them wait; whether there may be more."""
        if listing.handle is None:
            yield from self._open_directory(listing)
        asked: list[wire.Request] = [wire.ReadDir(listing.handle or b"")] * 2
        flying, ended = 0, False
        try:
            while flying or asked:
                flying += len(asked)
                message, reply = yield asked
                flying, asked = flying - 1, []
                if isinstance(reply, Names):
                    for entry in reply.entries:
                        self._found(listing, entry)
                    if not ended and len(self._files) < BACKLOG:
                        asked = [message]
                elif isinstance(reply, Status):
                    ended = True
                    if reply.code != EOF:
                        raise self._job.client._failure(reply, message, listing.path)
        except BaseException:
            ended = True
            raise
        finally:
            if ended:
                self._job.session.tell(wire.Close(listing.handle or b""))
                listing.handle = None
        return not ended

    def _open_directory(self, listing: Listing) -> _Asking:
        asked: list[wire.Request] = [wire.OpenDir(listing.path)]
        if self._job.options.links == "follow":
            asked.append(wire.RealPath(listing.path))
        handle: bytes | None = None
        failed: Exception | None = None
        for _ in list(asked):
            message, reply = yield asked
            asked = []
            if isinstance(reply, Handle):
                handle = reply.handle
            elif isinstance(reply, Names):
                real = reply.entries[0].name
                if real in listing.above:
                    failed = UnsafeName(f"{to_text(listing.path)!r} leads to a directory it is in")
                listing.above |= {real}
            elif isinstance(reply, Status):
                failed = failed or self._job.client._failure(reply, message, listing.path)
        listing.handle = handle
        if failed is not None:
            if handle is not None:
                self._job.session.tell(wire.Close(handle))
            raise failed

    def _found(self, listing: Listing, entry: NameEntry) -> None:
        name = entry.name
        if name in (b".", b".."):
            return
        shown = to_text(name)
        source = f"{to_text(listing.path)}/{shown}"
        if not name or b"/" in name or b"\0" in name:
            error = UnsafeName(f"the server says that {to_text(listing.path)!r} contains something named {name!r}")
            self._job.failed(source, listing.folder.shown, error)
            return
        inside = f"{listing.inside}/{shown}" if listing.inside else shown
        status = of_wire(entry.attributes)
        path = posixpath.join(listing.path, name)
        self._enqueue(Remote(path, inside, listing.folder.held(), name, status, listing.above))

    def _enqueue(self, remote: Remote) -> None:
        status = remote.status
        kind = kind_of(status.st_mode if status and status.type_known else None)
        follow = self._job.options.links == "follow" and kind == "link"
        if status is not None and status.type_known and not follow:
            if not self._job.filter.wants(Entry(remote.inside, kind, status.st_size, status.st_mtime)):
                remote.folder.release()
                return
            if kind == "directory":
                self._enter(remote)
                return
            if kind == "file":
                self._job.gauge.expect(status.st_size)
        self._files.append(remote)

    def _enter(self, remote: Remote) -> None:
        """Make the directory here, and have it listed."""
        try:
            if remote.folder.depth >= DEEPEST:
                raise UnsafeName(f"{to_text(remote.path)!r} is more than {DEEPEST} directories deep")
            told = remote.status.permissions if remote.status else None
            options = self._job.options
            mode = _PERMISSIONS if told is None else told & _PERMISSIONS
            folder = remote.folder.child(remote.name, mode if options.umask is None else mode & ~options.umask)
            if folder.fresh:
                self._job.report.did(to_text(remote.path), folder.shown)
            self._final_attributes(folder, remote.status, mode)
            self._directories.append(Listing(remote.path, remote.inside, folder, remote.above))
        except (OSError, UnsafeName) as error:
            self._job.failed(to_text(remote.path), remote.target, error)
        finally:
            remote.folder.release()

    def _final_attributes(self, folder: Folder, status: FileStat | None, mode: int) -> None:
        options = self._job.options
        if options.preserve and status is not None:
            times = None
            if status.st_atime is not None and status.st_mtime is not None:
                times = status.st_atime, status.st_mtime
            folder.finally_set(status.permissions, times)
        elif folder.fresh and options.umask is not None:
            folder.finally_set(mode & ~options.umask, None)
        elif folder.fresh and mode & 0o700 != 0o700:
            now = modes.S_IMODE(os.fstat(folder.fd).st_mode)
            folder.finally_set(now & ~(0o700 & ~mode), None)

    # ---- files and links

    def _course(self, remote: Remote) -> Course[Arrived | None]:
        try:
            status = remote.status
            named = status is None
            if status is None and not self._must_know:
                return (yield from self._file(remote, None))
            if status is None or not status.type_known or (status.is_symlink() and self._follows):
                status = remote.status = yield from self._look(remote)
            kind = kind_of(status.st_mode)
            if kind == "link":
                yield from self._link(remote)
            elif kind == "directory":
                if not self._job.options.recursive:
                    raise known_failure(errno.EISDIR, to_text(remote.path), self._job.host)
                remote.folder.held()
                self._enqueue(remote)
            elif what := special_kind(status.st_mode):
                if named:
                    raise special_there(to_text(remote.path), status.st_mode or 0, self._job.host)
                self._job.report.skip(to_text(remote.path), remote.target, f"it is {what}")
            else:
                return (yield from self._file(remote, status))
            return None
        finally:
            remote.folder.release()

    @property
    def _must_know(self) -> bool:
        """Whether a file the caller has named must be looked at before it is opened."""
        options = self._job.options
        return options.resume or options.newer_only or options.skip_same or not options.overwrite

    @property
    def _follows(self) -> bool:
        return self._job.options.links == "follow"

    def _look(self, remote: Remote) -> _Asking:
        # What the caller has named is followed in any case.
        named = remote.status is None
        message: wire.Request = wire.Stat(remote.path) if named or self._follows else wire.LStat(remote.path)
        _, reply = yield [message]
        if not isinstance(reply, Attrs):
            assert isinstance(reply, Status)
            raise self._job.client._failure(reply, message, remote.path)
        return of_wire(reply.attributes)

    def _file(self, remote: Remote, status: FileStat | None) -> Course[Arrived | None]:
        """Fetch it; what is still to be verified."""
        job = self._job
        landing = Landing(remote.folder.held(), remote.name, job.options, job.gauge)
        old = landing.old
        there = None if old is None else (old.st_size, int(old.st_mtime))
        arrived = None
        try:
            if status is not None and (why := skip_reason(job.options, status.st_size, status.st_mtime, there)):
                job.report.skip(to_text(remote.path), landing.shown, why)
                return None
            start = landing.start(status) if status is not None and job.options.resume else 0
            if start and not prefix_fits(job, remote.path, landing.fd, start):
                landing.start_over()
                start = 0
            size = yield from fetch(job.client, remote.path, landing, status=status, start=start, pressure=job.pressure)
            if job.options.verify:
                arrived = Arrived(remote.path, landing, size)
                return arrived
            landing.finish(size)
            job.report.did(to_text(remote.path), landing.shown, size)
            return None
        finally:
            if arrived is None:
                landing.drop()

    def _link(self, remote: Remote) -> _Asking:
        job = self._job
        source = to_text(remote.path)
        if job.options.links == "skip":
            job.report.skip(source, remote.target, "it is a symbolic link")
            return
        message = wire.ReadLink(remote.path)
        _, reply = yield [message]
        if not isinstance(reply, Names):
            assert isinstance(reply, Status)
            raise job.client._failure(reply, message, remote.path)
        text = reply.entries[0].name
        if not stays_inside(text, remote.inside.count("/")):
            job.report.skip(source, remote.target, f"it is a link that leads out of the tree (to {to_text(text)!r})")
            return
        make_link(remote.folder, remote.name, text, job.options.overwrite)
        job.report.did(source, remote.target)


def stays_inside(text: bytes, depth: int) -> bool:
    """Whether a link leads to something in its tree, whatever else is a link there.

    Args:
        depth: how many directories it lies below the top.
    """
    if not text or text.startswith(b"/") or b"\0" in text:
        return False
    parts = [part for part in text.split(b"/") if part not in (b"", b".")]
    up = 0
    while up < len(parts) and parts[up] == b"..":
        up += 1
    # Behind a name, `..` leads out of wherever that name leads to.
    return up <= depth and b".." not in parts[up:]


def make_link(folder: Folder, name: bytes, text: bytes, overwrite: bool) -> None:
    """A symbolic link, in place of a file or a link that is there."""
    try:
        os.symlink(text, name, dir_fd=folder.fd)
        return
    except FileExistsError:
        if not overwrite:
            raise
    temporary = partial_name(name)
    os.symlink(text, temporary, dir_fd=folder.fd)
    try:
        os.rename(temporary, name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    except OSError:
        os.unlink(temporary, dir_fd=folder.fd)
        raise
