"""What a transfer in either direction has in common."""

from __future__ import annotations

import contextlib
import errno
import stat as modes
from collections.abc import Callable

from .._protocol.transfer import Pressure
from .._wire import sftp as wire
from .._wire.sftp_replies import NO_SUCH_FILE, OK, Reply, Status
from ..errors import OpenSSHError, SFTPTimeout
from ..sftp import litter
from ..sftp.attributes import FileStat
from ..sftp.client import SFTPClient
from ._crowd import Crowd
from ._gauge import Gauge
from .filters import Kind
from .options import TransferOptions
from .report import Report

# A tree that is deeper is none that people made; each level here holds a descriptor.
DEEPEST = 200
# Bytes of all files that may be on the way together.
MOST_ON_THE_WAY = 16 << 20
# Names that may wait for their turn.
BACKLOG = 2000

# With one of these every further file would fail too.
_HOPELESS = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM])
_HOPELESS_THERE = frozenset([errno.ENOSPC])

RemoteDigests = Callable[[list[bytes], "int | None"], "dict[bytes, str] | None"]
"""Digests of files there, by path: of the whole of each, or of so many bytes from its beginning. None: it cannot be
done there."""


class Job:
    """One call of `get` or `put`."""

    def __init__(self, client: SFTPClient, options: TransferOptions, gauge: Gauge, digests: RemoteDigests) -> None:
        self.client = client
        self.session = client._session
        self.host = client.host
        self.options = options
        self.filter = options.filter
        self.gauge = gauge
        self.digests = digests
        self.report = Report()
        self.pressure = Pressure(MOST_ON_THE_WAY)
        # Names there of what will not be completed, and may not be removed yet.
        self.dropped: set[bytes] = set()
        # Whether the server does not answer any more.
        self.stuck = False
        self.crowd = Crowd(options.at_once, self.session.limits.handles)

    @property
    def at_once(self) -> int:
        """How many courses there may ever be together."""
        return self.crowd.most

    def failed(self, source: str, target: str, error: Exception) -> None:
        """Note it, unless nothing can go on.

        Raises:
            Exception: the error, when every further file would fail too.
        """
        self.gauge.look()
        self.report.fail(source, target, error)
        hopeless = _HOPELESS_THERE if isinstance(error, OpenSSHError) else _HOPELESS
        if isinstance(error, OSError) and error.errno in hopeless:
            raise error

    def drop(self, path: bytes) -> None:
        """What is unfinished there shall go; never waits."""
        self.dropped.add(path)
        self.session.tell(wire.Remove(path))

    def tidy(self) -> None:
        """Have removed what an earlier transfer could not."""
        self.dropped.update(litter.take(self.host))
        if self.dropped:
            self._remove_dropped()

    def settle(self, error: BaseException | None = None) -> None:
        """See that what was told the server last, to remove what is not complete, has reached it."""
        if isinstance(error, SFTPTimeout):
            self.stuck = True
        with contextlib.suppress(Exception):
            self.gauge.look()  # if the time is over, what is left of it to clean up begins here
        if not self.stuck and self.session.error is None:
            try:
                self._remove_dropped()
            except OpenSSHError:
                self.stuck = True  # what ended the transfer matters more

    def _remove_dropped(self) -> None:
        """Once more, to know how it went; the answers come after whatever was asked before was done."""
        paths = list(self.dropped)
        asked: list[wire.Request] = [wire.Remove(path) for path in paths]
        for path, reply in zip(paths, self.client._ask_all(asked or [wire.RealPath(b".")]), strict=False):
            if gone(reply):
                self.dropped.discard(path)

    def abandon(self) -> None:
        """There is no time to wait: whoever comes next looks after what may be left."""
        litter.add(self.host, self.dropped)
        self.dropped.clear()


def gone(reply: Reply) -> bool:
    """Whether the answer to REMOVE means that nothing is there any more."""
    return isinstance(reply, Status) and reply.code in (OK, NO_SUCH_FILE)


def kind_of(mode: int | None) -> Kind:
    """The kind of a file by its mode."""
    if mode is None:
        return "other"
    if modes.S_ISREG(mode):
        return "file"
    if modes.S_ISDIR(mode):
        return "directory"
    return "link" if modes.S_ISLNK(mode) else "other"


def skip_reason(options: TransferOptions, size: int | None, mtime: int | None, there: tuple[int, int] | None) -> str:
    """Why a file is not transferred; empty when it is.

    Args:
        size, mtime: of the source.
        there: size and time of what has the target's name, None when nothing has.
    """
    if there is None:
        return ""
    if not options.overwrite:
        return "it exists"
    if options.newer_only and mtime is not None and mtime <= there[1]:
        return "it is not newer"
    if options.skip_same and (size, mtime) == there:
        return "it is the same"
    return ""


def facts(status: FileStat) -> tuple[int, int]:
    """Size and time."""
    return status.st_size or 0, status.st_mtime or 0
