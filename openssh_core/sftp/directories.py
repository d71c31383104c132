"""Directories: what is in them, making and removing them, whole trees of them."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from .._io.sftp_session import Mailbox
from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_replies import EOF, OK, Handle, Names, Status
from ..errors import SFTPError
from .attributes import of_wire
from .entries import RemoteEntry
from .failures import known_failure
from .paths import RemotePathLike, checked_name, join, to_text, to_wire
from .stats import Stats

# Requests for the next names of one directory that are on the way together, once it has shown to be long.
_READS_AHEAD = 16
# Removals on the way together.
_REMOVALS = 64
# Names that are kept in memory at most. A server that sends names for ever must not fill it; nobody has so many.
MOST_NAMES = 5_000_000

OnError = Callable[[OSError], object]


class Directories(Stats):
    """The part of a client that deals with directories."""

    def scandir(self, path: RemotePathLike = ".") -> Iterator[RemoteEntry]:
        """The entries of a directory, without `.` and `..`, as they come, in no order.

        Raises:
            NotADirectoryError, FileNotFoundError...: there is none.
            SuspectName: the server named an entry as no file can be named. Nothing was done with it.
        """
        where = self._path(path)
        shown = to_text(to_wire(path))
        handle = self._expect(Handle, wire.OpenDir(where), where).handle
        return self._entries(where, shown, handle)

    def _entries(self, where: bytes, shown: str, handle: bytes) -> Iterator[RemoteEntry]:
        box, ahead = Mailbox(), 1
        try:
            at_end = False
            while not at_end or len(box):
                while not at_end and len(box) < ahead:
                    self._session.ask(wire.ReadDir(handle), box)
                asked, reply = self._session.answer(box)
                if isinstance(reply, Status):
                    at_end = True
                    if reply.code != EOF:
                        raise self._failure(reply, asked.message, where)
                    continue
                ahead = min(2 * ahead, _READS_AHEAD)
                assert isinstance(reply, Names), "the request table lets nothing else through"
                for entry in reply.entries:
                    if entry.name not in (b".", b".."):
                        name = checked_name(entry.name, where)
                        longname = entry.longname.decode("utf-8", "backslashreplace")
                        yield RemoteEntry(self, join(shown, name), name, longname, of_wire(entry.attributes))
        finally:
            self._session.give_up(box)
            self._close_handle(handle)

    def listdir(self, path: RemotePathLike = ".") -> list[str]:
        """The names of the entries of a directory, without `.` and `..`, in no order."""
        names: list[str] = []
        for entry in self.scandir(path):
            names.append(entry.name)
            if len(names) > MOST_NAMES:
                raise SFTPError(
                    f"the directory {to_text(self._path(path))!r} has more than {MOST_NAMES} entries",
                    host=self.host,
                    advice="Go through it with scandir",
                )
        return names

    def walk(
        self,
        top: RemotePathLike = ".",
        *,
        topdown: bool = True,
        onerror: OnError | None = None,
        followlinks: bool = False,
    ) -> Iterator[tuple[str, list[str], list[str]]]:
        """Go through a tree, as `os.walk`.

        Args:
            onerror: given the OSError of a directory that cannot be read; it is left out then. What it raises ends
                the walk.
            followlinks: go into links to directories, too; each directory only once.
        """
        seen: set[str] = set()
        stack: list[tuple[str, list[str], list[str]] | str] = [to_text(to_wire(top))]
        while stack:
            following = stack.pop()
            if isinstance(following, tuple):
                yield following
                continue
            listed = self._listed(following, onerror, seen if followlinks else None)
            if listed is None:
                continue
            below, others = listed
            directories = list(below)
            if topdown:
                yield following, directories, others
            else:
                stack.append((following, directories, others))
            # What the caller took out of the list is left out; links are gone into only where that is wanted.
            stack.extend(
                join(following, name) for name in reversed(directories) if followlinks or not below.get(name, False)
            )

    def _listed(
        self, path: str, onerror: OnError | None, seen: set[str] | None
    ) -> tuple[dict[str, bool], list[str]] | None:
        """Directories (and whether each is a link) and other names; None where they cannot be read."""
        below: dict[str, bool] = {}
        others: list[str] = []
        try:
            if seen is not None:
                real = self._real(path)
                if real in seen:
                    return None
                seen.add(real)
            for entry in self.scandir(path):
                if entry.is_dir():
                    below[entry.name] = entry.is_symlink()
                else:
                    others.append(entry.name)
        except OSError as error:
            if onerror is not None:
                onerror(error)
            return None
        return below, others

    # ---- making and removing

    def mkdir(self, path: RemotePathLike, mode: int = 0o777) -> None:
        """Make a directory; the server's umask takes from the mode.

        Raises:
            FileExistsError: there is something of that name.
        """
        where = self._path(path)
        self._call(wire.MakeDir(where, Attributes(permissions=mode & 0o7777)), where)

    def makedirs(self, path: RemotePathLike, mode: int = 0o777, exist_ok: bool = False) -> None:
        """Make a directory and those above it that are missing.

        Raises:
            FileExistsError: it is there, and exist_ok is not set; or what is there is no directory.
        """
        where = self._path(path).rstrip(b"/") or b"/"
        missing = deque([where])
        refused: set[bytes] = set()
        while True:
            try:
                self.mkdir(missing[0], mode if missing[0] == where else 0o777)
            except FileNotFoundError:
                above = missing[0].rpartition(b"/")[0].rstrip(b"/")
                # A second time means that what is above it is there by now, and yet nothing can be made in it (/proc).
                if not above or missing[0] in refused:
                    raise
                refused.add(missing[0])
                missing.appendleft(above)
                continue
            except FileExistsError as error:
                if len(missing) > 1 and not self.isdir(missing[0]):
                    number, name = errno.ENOTDIR, to_text(missing[0])
                    raise known_failure(number, name, self.host) from error
                if len(missing) == 1 and not (exist_ok and self.isdir(where)):
                    raise
            missing.popleft()
            if not missing:
                return

    def rmdir(self, path: RemotePathLike) -> None:
        """Remove an empty directory.

        Raises:
            OSError: it is not empty (ENOTEMPTY), or no directory.
        """
        where = self._path(path)
        self._call(wire.RemoveDir(where), where)

    def rmtree(self, path: RemotePathLike, *, ignore_errors: bool = False, onerror: OnError | None = None) -> None:
        """Remove a directory and everything in it. Links in it are removed and never followed.

        SFTP version 3 names what it removes by paths: whoever can change the tree meanwhile can have something else
        removed that the account may remove.

        Args:
            ignore_errors: leave what cannot be removed.
            onerror: given the OSError of each thing that cannot be removed. Without either the first one is raised.

        Raises:
            NotADirectoryError: it is a file or a link.
        """
        top = to_text(to_wire(path))

        def failed(error: OSError) -> None:
            if onerror is not None:
                onerror(error)
            elif not ignore_errors:
                raise error

        if self.islink(top):
            raise known_failure(errno.ENOTDIR, top, self.host)
        order: list[str] = []
        stack = [top]
        while stack:
            directory = stack.pop()
            order.append(directory)
            try:
                entries = list(self.scandir(directory))
            except OSError as error:
                failed(error)
                continue
            stack.extend(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
            files = (self._path(entry.path) for entry in entries if not entry.is_dir(follow_symlinks=False))
            self._remove_all((wire.Remove(file) for file in files), failed)
        # Those that are deepest go first; one is asked for only when what is in it is gone.
        by_depth: dict[int, list[bytes]] = {}
        for directory in order:
            by_depth.setdefault(directory.count("/"), []).append(self._path(directory))
        for depth in sorted(by_depth, reverse=True):
            self._remove_all((wire.RemoveDir(where) for where in by_depth[depth]), failed)

    def _remove_all(self, removals: Iterable[wire.Remove | wire.RemoveDir], failed: OnError) -> None:
        """Have them removed, many at a time."""
        box, source = Mailbox(), iter(removals)
        try:
            while True:
                while len(box) < _REMOVALS and (removal := next(source, None)) is not None:
                    self._session.ask(removal, box, removal.path)
                if not len(box):
                    return
                asked, reply = self._session.answer(box)
                if isinstance(reply, Status) and reply.code != OK:
                    failed(self._failure(reply, asked.message, asked.tag))
        finally:
            self._session.give_up(box)
