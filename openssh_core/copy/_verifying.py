"""Digests on both sides: of what has arrived, before it takes its place, and of what an earlier attempt has left."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from typing import IO

from .._protocol.transfer import InOrder
from ..errors import OpenSSHError, VerificationFailed
from ..sftp.attributes import FileStat
from ..sftp.courses import Course, run_all
from ..sftp.moving import fetch
from ..sftp.paths import to_text
from ._job import Job
from ._landing import Landing

_PIECE = 1 << 20
# Files of which the digests are asked for in one go.
_TOGETHER = 100


class Arrived:
    """A file that is here and not in its place yet."""

    __slots__ = ("landing", "path", "size")

    def __init__(self, path: bytes, landing: Landing, size: int) -> None:
        self.path = path
        self.landing = landing
        self.size = size


class Verifier:
    """Lets files take their place when their digests are those of the originals."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._waiting: list[Arrived] = []

    def add(self, arrived: Arrived) -> None:
        """One more."""
        self._waiting.append(arrived)
        if len(self._waiting) >= _TOGETHER:
            self.last()

    def last(self) -> None:
        """Do it for all that wait."""
        if not self._waiting:
            return
        there = remote_digests(self._job, [arrived.path for arrived in self._waiting])
        while self._waiting:
            self._check(self._waiting.pop(0), there)

    def _check(self, arrived: Arrived, there: dict[bytes, str]) -> None:
        landing = arrived.landing
        source = to_text(arrived.path)
        try:
            if local_digest(landing.fd, arrived.size) != there.get(arrived.path):
                raise differs(self._job, source, landing.shown)
            landing.finish(arrived.size)
            self._job.report.did(source, landing.shown, arrived.size)
        except (OSError, OpenSSHError) as error:
            self._job.failed(source, landing.shown, error)
        finally:
            landing.drop()

    def drop(self) -> None:
        """What still waits will not take its place."""
        while self._waiting:
            with contextlib.suppress(OSError):
                self._waiting.pop().landing.drop()


def differs(job: Job, source: str, target: str) -> VerificationFailed:
    """The error for digests that differ."""
    return VerificationFailed(
        f"{target!r} is not what {source!r} is: their SHA-256 digests differ",
        host=job.host,
        advice="It was not put in its place; look whether the source is being written to, then try again",
    )


class Departed:
    """A file that is there and not in its place yet; it is open here once more."""

    __slots__ = ("fd", "shown", "size", "target", "where")

    def __init__(self, file: IO[bytes], shown: str, where: bytes, target: bytes, size: int) -> None:
        self.fd = os.dup(file.fileno())
        self.shown = shown
        self.where = where
        self.target = target
        self.size = size


class Judge:
    """Lets files that were sent take their place when their digests are those of the originals.

    Args:
        take_place: the course that gives a file its name.
    """

    def __init__(self, job: Job, take_place: Callable[[bytes, bytes], Course[None]]) -> None:
        self._job = job
        self._take_place = take_place
        self._waiting: list[Departed] = []

    def add(self, departed: Departed) -> None:
        """One more."""
        self._waiting.append(departed)
        if len(self._waiting) >= _TOGETHER:
            self.last()

    def last(self) -> None:
        """Do it for all that wait."""
        if not self._waiting:
            return
        there = remote_digests(self._job, [departed.where for departed in self._waiting])
        good = []
        for departed in self._waiting:
            if local_digest(departed.fd, departed.size) == there.get(departed.where):
                good.append(departed)
            else:
                self._refuse(departed, differs(self._job, departed.shown, to_text(departed.target)))
        courses = ((departed, self._settle(departed)) for departed in good)
        for outcome in run_all(self._job.session, courses, at_once=self._job.at_once):
            if outcome.error is not None:
                self._refuse(outcome.key, outcome.error)
            else:
                self._job.report.did(outcome.key.shown, to_text(outcome.key.target), outcome.key.size)
        self._forget()

    def _settle(self, departed: Departed) -> Course[None]:
        if departed.where != departed.target:
            yield from self._take_place(departed.where, departed.target)

    def _refuse(self, departed: Departed, error: Exception) -> None:
        if departed.where != departed.target:
            self._job.drop(departed.where)
        self._job.failed(departed.shown, to_text(departed.target), error)

    def _forget(self) -> None:
        while self._waiting:
            os.close(self._waiting.pop().fd)

    def drop(self) -> None:
        """What still waits will not take its place."""
        for departed in self._waiting:
            if departed.where != departed.target and not self._job.options.resume:
                self._job.drop(departed.where)
        self._forget()


def prefix_fits(job: Job, path: bytes, fd: int, size: int) -> bool:
    """Whether a file there begins with what is here. True where that cannot be found out: its size and its time,
    which are in the name of what is here, agree."""
    there = job.digests([path], size)
    return there is None or there.get(path) == local_digest(fd, size)


def local_digest(fd: int, size: int) -> str:
    """Of so many bytes from the beginning."""
    digest = hashlib.sha256()
    at = 0
    while at < size:
        data = os.pread(fd, min(_PIECE, size - at), at)
        if not data:
            break
        digest.update(data)
        at += len(data)
    return digest.hexdigest()


def remote_digests(job: Job, paths: list[bytes]) -> dict[bytes, str]:
    """Of whole files; by reading them once more where no program there can tell."""
    told = job.digests(paths, None)
    if told is not None:
        return told
    targets = [(path, _Digest()) for path in paths]
    found = {}
    courses = (((path, target), fetch(job.client, path, target, pressure=job.pressure)) for path, target in targets)
    for outcome in run_all(job.session, courses, at_once=8):
        path, target = outcome.key
        if outcome.error is None:
            found[path] = target.digest.hexdigest()
    return found


class _Digest:
    """The target of a file that is only looked at."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self._in_order = InOrder(0)

    def begin(self, status: FileStat) -> None:
        pass

    def write_at(self, offset: int, data: memoryview) -> None:
        for piece in self._in_order.put(offset, data):
            self.digest.update(piece)
