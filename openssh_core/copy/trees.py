"""Files and trees over SFTP, there and back: what `Connection.get` and `Connection.put` do."""

from __future__ import annotations

import errno
import os
import posixpath
import stat as modes
from collections.abc import Callable, Iterable
from glob import glob
from time import monotonic
from typing import IO, Any

from .._wire import sftp as wire
from .._wire.sftp_replies import Attrs, Handle, Status
from ..errors import InvalidInput, SFTPTimeout, TransferError
from ..sftp.attributes import FileStat, of_wire
from ..sftp.client import SFTPClient
from ..sftp.courses import run
from ..sftp.moving import fetch
from ..sftp.paths import RemotePathLike, to_text, to_wire
from ._fetching import Fetching
from ._folders import Folder
from ._gauge import Cancel, Gauge, Limits, Watcher
from ._globbing import fitting
from ._job import Job, RemoteDigests
from ._landing import IntoFile
from ._sending import Sending
from .options import TransferOptions
from .progress import Progress, told
from .report import Report

LocalPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Remotes = RemotePathLike | Iterable[RemotePathLike]
Locals = LocalPath | IO[Any] | Iterable[LocalPath]


class Transfer:
    """One call of `get` or `put`.

    Args:
        digests: makes digests there.
        limits: how long it may take.
        check: raise when something failed.

    Attributes:
        stuck: whether the server does not answer the client any more.
    """

    stuck = False

    def __init__(
        self,
        client: SFTPClient,
        options: TransferOptions,
        *,
        digests: RemoteDigests,
        progress: Progress,
        cancel: Cancel | None,
        limits: Limits,
        check: bool,
    ) -> None:
        self._client = client
        self._options = options
        self._digests = digests
        self._progress = progress
        self._cancel = cancel
        self._limits = limits
        self._check = check
        # One file of which only its own error says what is wrong.
        self._single = False

    def get(self, remote: Remotes, local: LocalPath | IO[Any] | None) -> Report:
        """See `Connection.get`."""
        sources, several = _several(remote)
        paths = [to_wire(source) for source in sources]
        if hasattr(local, "write"):
            if several or self._options.recursive or self._options.glob:
                raise InvalidInput("one file object cannot take several files")
            return self._run("get", lambda job: self._into(job, paths[0], local))
        target = os.fspath(local) if local is not None else "."
        where = os.fsdecode(target)
        if not where:
            raise InvalidInput("local is empty", advice="'.' means the directory itself")

        def work(job: Job) -> None:
            fetching = Fetching(job)
            try:
                self._plan_get(job, fetching, paths, where, several)
            finally:
                # It also lets go of what was planned.
                fetching.run()

        return self._run("get", work)

    def _into(self, job: Job, path: bytes, file: Any) -> None:
        self._single = True
        target = IntoFile(file, to_text(path), job.options, job.gauge)
        try:
            size = run(job.session, fetch(job.client, path, target, pressure=job.pressure))
            target.finish(size)
        except (OSError, TransferError) as error:
            if job.gauge.stopped is not None or isinstance(error, SFTPTimeout):
                raise
            job.report.fail(to_text(path), "", error)
            return
        job.report.did(to_text(path), "", size)

    def _plan_get(self, job: Job, fetching: Fetching, paths: list[bytes], where: str, several: bool) -> None:
        if self._options.glob:
            several = True
            paths = [path for pattern in paths for path in self._fitting(pattern)]
        self._single = not several and not self._options.recursive
        inside = several or where.endswith("/")
        opened: dict[bytes, bytes] = {}
        statuses = self._looked_at(job, paths, opened) if self._options.recursive else dict.fromkeys(paths)
        for path, status in statuses.items():
            name = posixpath.basename(path.rstrip(b"/")) or path
            try:
                if status is not None and status.is_dir():
                    target = os.path.join(where, os.fsdecode(name)) if several else where
                    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
                    fetching.add_tree(path, Folder.top(target), opened.pop(path, None))
                elif inside or os.path.isdir(where):
                    if name in (b".", b"..", b"/"):
                        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), to_text(path))
                    fetching.add(path, Folder.top(where), name, status)
                else:
                    # A link that the caller has named is followed.
                    directory, last = os.path.split(os.path.realpath(where))
                    fetching.add(path, Folder.top(directory), os.fsencode(last), status)
            except OSError as error:
                job.failed(to_text(path), where, error)
            finally:
                if (handle := opened.pop(path, None)) is not None:
                    job.session.tell(wire.Close(handle))

    def _looked_at(self, job: Job, paths: list[bytes], opened: dict[bytes, bytes]) -> dict[bytes, FileStat | None]:
        """What each of them is. One alone is mostly a directory, and opened as one on the same way.

        Args:
            opened: gets the handle.
        """
        found: dict[bytes, FileStat | None] = {}
        messages: list[wire.Request] = [wire.Stat(path) for path in paths]
        # Where links are followed it is to be known first where the directory really is.
        if len(paths) == 1 and self._options.links != "follow":
            messages.append(wire.OpenDir(paths[0]))
        replies = self._client._ask_all(messages)
        if isinstance(last := replies[-1], Handle):
            opened[paths[0]] = last.handle
        for path, message, reply in zip(paths, messages, replies, strict=False):
            if isinstance(reply, Attrs):
                found[path] = of_wire(reply.attributes)
            else:
                assert isinstance(reply, Status)
                job.failed(to_text(path), "", self._client._failure(reply, message, path))
        if not found:
            self._close_all(job, opened)
        return found

    def _close_all(self, job: Job, opened: dict[bytes, bytes]) -> None:
        while opened:
            job.session.tell(wire.Close(opened.popitem()[1]))

    def _fitting(self, pattern: bytes) -> list[bytes]:
        found = fitting(self._client, pattern)
        if not found:
            raise TransferError(f"nothing on the server fits {to_text(pattern)!r}", host=self._client.host)
        return found

    def put(self, local: Locals, remote: RemotePathLike | None) -> Report:
        """See `Connection.put`."""
        target = to_wire(remote) if remote is not None else b"."
        if not target:
            raise InvalidInput("remote is empty", advice="'.' means the account's home directory")
        if hasattr(local, "read"):
            if self._options.recursive or self._options.glob:
                raise InvalidInput("a file object is one file, not a tree and not a pattern")
            return self._run("put", lambda job: self._from(job, local, target))
        sources, several = _several(local)
        paths = [os.fsencode(source) for source in sources]
        if any(not path or b"\0" in path for path in paths):
            raise InvalidInput("a local path is empty, or contains a NUL byte")

        def work(job: Job) -> None:
            sending = Sending(job)
            self._plan_put(job, sending, paths, target, several)
            sending.run()

        return self._run("put", work)

    def _from(self, job: Job, file: Any, target: bytes) -> None:
        self._single = True
        try:
            run(job.session, Sending(job).from_file(file, target))
        except (OSError, TransferError) as error:
            if job.gauge.stopped is not None or isinstance(error, SFTPTimeout):
                raise
            job.report.fail("", to_text(target), error)

    def _plan_put(self, job: Job, sending: Sending, paths: list[bytes], target: bytes, several: bool) -> None:
        if self._options.glob:
            several = True
            paths = [path for pattern in paths for path in self._here(pattern)]
        self._single = not several and not self._options.recursive
        inside = several or target.endswith(b"/")
        for path in paths:
            name = os.path.basename(path.rstrip(b"/")) or path
            try:
                status = os.stat(path)
                if modes.S_ISDIR(status.st_mode):
                    if not self._options.recursive:
                        raise IsADirectoryError(
                            errno.EISDIR, f"{os.strerror(errno.EISDIR)}; recursive=True sends it", os.fsdecode(path)
                        )
                    sending.add_tree(path, posixpath.join(target, name) if several else target, status)
                else:
                    sending.add(path, posixpath.join(target, name) if inside else target, status)
            except OSError as error:
                job.failed(os.fsdecode(path), to_text(target), error)

    def _here(self, pattern: bytes) -> list[bytes]:
        found = sorted(glob(pattern))
        if not found:
            raise TransferError(f"no file here fits {os.fsdecode(pattern)!r}", host=self._client.host)
        return found

    # ---- its beginning and its end

    def _run(self, what: str, work: Callable[[Job], None]) -> Report:
        options, host = self._options, self._client.host
        began = monotonic()
        with told(self._progress, f"{what} {host}") as callback:
            gauge = Gauge(host, callback, options.bwlimit, self._cancel, self._limits)
            job = Job(self._client, options, gauge, self._digests)
            try:
                with job.session.watched.by(Watcher(gauge, self._limits.idle)):
                    self._work(job, work)
            except TransferError as error:
                error.report = error.report or job.report
                raise
            except SFTPTimeout as error:
                late = self._limits.too_late(error, host)
                late.report = job.report
                raise late from error
            finally:
                self.stuck = job.stuck
                job.report.seconds = monotonic() - began
        return self._judged(job.report)

    def _work(self, job: Job, work: Callable[[Job], None]) -> None:
        """Do it, and see that nothing unfinished is left there."""
        job.tidy()
        try:
            work(job)
        except Exception as error:
            job.settle(error)
            raise
        finally:
            job.abandon()

    def _judged(self, report: Report) -> Report:
        failed = report.failed
        if not failed or not self._check:
            return report
        first = failed[0].error
        assert first is not None
        if self._single:
            raise first
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise TransferError(
            f"{failed[0].source!r}{more} could not be transferred ({first})",
            host=self._client.host,
            advice="See the report of this error; what is in its `done` is whole",
            report=report,
        ) from first


def _several(given: Any) -> tuple[list[Any], bool]:
    """What was named, and whether there may be several."""
    if isinstance(given, str | bytes) or hasattr(given, "__fspath__"):
        return [given], False
    if not isinstance(given, Iterable):
        raise InvalidInput(f"{type(given).__name__} is neither a path nor a list of paths")
    paths = list(given)
    if not paths:
        raise InvalidInput("an empty list of paths")
    return paths, True
