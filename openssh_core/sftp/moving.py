"""The course of one file from there to here, and from here to there.

Data travels at the speed of the link: as much is asked for as fits on the way, answers are taken in the order in which
the server gives them, and a file that is one piece costs two round trips, three where its new name is given at the end.
"""

from __future__ import annotations

import errno
import stat as modes
from collections.abc import Callable, Generator, Iterable
from typing import Protocol

from .._protocol.transfer import Pressure, ReadPlan, Span, WritePlan
from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_extensions import FSync
from .._wire.sftp_replies import EOF, OK, Attrs, Data, Handle, Reply, Status
from .attributes import FileStat, of_wire
from .base import ClientBase
from .courses import Answer, Course
from .failures import known_failure
from .paths import to_text
from .special import special_kind, special_there

Chunk = bytes | memoryview
Asking = Generator[Iterable[wire.Request], Answer, None]
# Is told what is known of a file.
Look = Callable[[FileStat], object]
# Writes a file by its own means, given the client, the path and the handle; how many bytes.
Fill = Callable[[ClientBase, bytes, bytes], Course[int]]


class Target(Protocol):
    """Where a file goes."""

    def begin(self, status: FileStat) -> None:
        """It is there, and this is known of it; not called where nothing is known. May be called again."""

    def write_at(self, offset: int, data: memoryview) -> None:
        """Some of it. In any order; a piece may come again, and none is longer than the server's limit."""


class Source(Protocol):
    """Where a file comes from."""

    def read(self, size: int) -> Chunk:
        """The next piece, at most `size` bytes; empty at the end. It must stay as it is."""


def fetch(
    client: ClientBase,
    path: bytes,
    target: Target,
    *,
    status: FileStat | None = None,
    start: int = 0,
    pressure: Pressure | None = None,
) -> Course[int]:
    """Read a file to its end, which is where the server meets it, whatever was said of its size.

    Args:
        status: what is known of the file; without it that is asked for.
        start: offset of the first byte that is wanted.
        pressure: shared with other courses.

    Returns:
        the file's size, as it was met.

    Raises:
        OSError: the server did not open or read it; or whatever the target raised.
    """
    reading = _Reading(client, path, target, start, pressure)
    try:
        yield from reading.open(status)
        if reading.is_small:
            yield from reading.in_one_go()
            if not reading.plan.done:
                # Shorter, or longer, than was said: once more, step by step.
                yield from reading.open(None)
        yield from reading.step_by_step()
        assert reading.plan.end is not None
        return reading.plan.end
    finally:
        reading.let_go()


class _Reading:
    """A file that is being read."""

    def __init__(self, client: ClientBase, path: bytes, target: Target, start: int, pressure: Pressure | None) -> None:
        self._client = client
        self._path = path
        self._target = target
        self._start = start
        self._pressure = pressure or Pressure()
        self._handle: bytes | None = None
        self._size: int | None = None
        self.plan = self._new_plan(1)

    def _new_plan(self, piece: int) -> ReadPlan:
        return ReadPlan(self._start, None, size=self._size, piece=piece, pressure=self._pressure)

    def open(self, status: FileStat | None) -> Asking:
        """Look at it, and open it on the same way.

        The server answers the look first: to open a FIFO may take for ever.
        """
        asked: list[wire.Request] = [wire.Open(self._path, wire.READ)]
        if status is None:
            asked.insert(0, wire.Stat(self._path))
        failed: Status | None = None
        for _ in list(asked):
            message, reply = yield asked
            asked = []
            if isinstance(reply, Handle):
                self._handle = reply.handle
            elif isinstance(reply, Attrs):
                status = of_wire(reply.attributes)
                self._refuse_special(status)
            elif isinstance(message, wire.Open) and isinstance(reply, Status):
                failed = reply
        if failed is not None:
            raise self._client._failure(failed, wire.Open(self._path, wire.READ), self._path)
        if status is not None and status.is_dir():
            raise _is_directory(self._client, self._path)
        if status is not None:
            self._target.begin(status)
            self._size = status.st_size
        self.plan.abandon()
        self.plan = self._new_plan(self._client._session.limits.read)

    def _refuse_special(self, status: FileStat) -> None:
        mode = status.st_mode or 0
        if special_kind(mode):
            if modes.S_ISFIFO(mode):
                self._client._release(self._path)
            raise special_there(to_text(self._path), mode, self._client.host)

    @property
    def is_small(self) -> bool:
        """Whether one request is enough, as far as is known."""
        return self._size is not None and self._size - self._start <= self._client._session.limits.read

    def in_one_go(self) -> Asking:
        """Ask for all of it, for what is behind its end, and for its closing, in one breath."""
        assert self._handle is not None
        asked: list[wire.Request] = [*self._wanted(), wire.Close(self._handle)]
        self._handle = None
        for _ in list(asked):
            message, reply = yield asked
            asked = []
            self._take(message, reply)

    def step_by_step(self) -> Asking:
        """Ask as answers come, until the end is met."""
        while not self.plan.done:
            message, reply = yield self._wanted()
            self._take(message, reply)

    def _wanted(self) -> list[wire.Request]:
        assert self._handle is not None
        return [wire.Read(self._handle, span.offset, span.length) for span in iter(self.plan.next, None)]

    def _take(self, message: wire.Request, reply: Reply) -> None:
        if not isinstance(message, wire.Read):
            return  # how its closing went says nothing about what was read
        span = Span(message.offset, message.length)
        if isinstance(reply, Data):
            self._target.write_at(span.offset, memoryview(reply.data))
            self.plan.came(span, len(reply.data))
        elif isinstance(reply, Status) and reply.code == EOF:
            self.plan.met_end(span)
        elif isinstance(reply, Status):
            raise self._client._failure(reply, message, self._path)

    def let_go(self) -> None:
        self.plan.abandon()
        handle, self._handle = self._handle, None
        if handle is not None:
            self._client._session.tell(wire.Close(handle))


def send(
    client: ClientBase,
    path: bytes,
    source: Source,
    *,
    handle: bytes | None = None,
    flags: int = wire.WRITE | wire.CREATE | wire.TRUNCATE,
    created: Attributes = wire.NO_ATTRIBUTES,
    finally_set: Attributes = wire.NO_ATTRIBUTES,
    start: int = 0,
    fsync: bool = False,
    fill: Fill | None = None,
    look: Look | None = None,
    pressure: Pressure | None = None,
    shown: bytes | None = None,
) -> Course[int]:
    """Write a file.

    Args:
        handle: of the file, where it is open; it is closed in any case.
        flags: how it is opened.
        created: its attributes if it is made; the server's umask takes from the permissions.
        finally_set: attributes to set when everything is written.
        start: offset of the first byte that is written.
        fsync: have it on the disk before it is closed, where the server can.
        fill: writes it in place of the source.
        look: told of the file as it is when it has been closed; that is asked for on the same way.
        pressure: shared with other courses.
        shown: what errors call it.

    Returns:
        bytes written.

    Raises:
        OSError: the server did not open, write or close it; what there is of it stays. Or whatever the source raised.
    """
    session = client._session
    if handle is None:
        message, reply = yield [wire.Open(path, flags, created)]
        if not isinstance(reply, Handle):
            assert isinstance(reply, Status)
            raise client._failure(reply, message, path, shown=shown)
        handle = reply.handle
    writing = _Writing(client, path, handle, source, start, pressure, shown)
    last: list[wire.Request] = []
    if finally_set != wire.NO_ATTRIBUTES:
        last.append(wire.FSetStat(handle, finally_set))
    if fsync and session.offers(FSync):
        last.append(FSync(handle))
    try:
        if fill is not None:
            writing.offset += yield from fill(client, path, handle)
            writing.skip_source()
        last.append(wire.Close(handle))
        if look is not None:
            # What is asked of one file is done in the order in which it is asked (section 6.1).
            last.append(wire.Stat(path))
        yield from writing.all_of_it(last, look)
        return writing.offset - start
    finally:
        writing.let_go()


class _Writing:
    """A file that is being written.

    Attributes:
        offset: of the next byte.
    """

    def __init__(
        self,
        client: ClientBase,
        path: bytes,
        handle: bytes,
        source: Source,
        start: int,
        pressure: Pressure | None,
        shown: bytes | None,
    ) -> None:
        self._client = client
        self._path = path
        self._shown = shown
        self._handle: bytes | None = handle
        self._source = source
        self._plan = WritePlan(pressure)
        self._piece = client._session.limits.write
        self._next: Chunk = b""
        self._at_end = False
        self.offset = start

    def skip_source(self) -> None:
        """It has been written by other means."""
        self._at_end = True

    def all_of_it(self, last: list[wire.Request], look: Look | None) -> Asking:
        """Write what the source has, then ask for these; nothing but that all of it went well is a success."""
        waiting = 0
        while waiting or last or not self._at_end:
            asked = self._wanted()
            if self._at_end and last:
                asked, last, self._handle = asked + last, [], None
            waiting += len(asked)
            message, reply = yield asked
            waiting -= 1
            if isinstance(message, wire.Write):
                self._plan.landed(len(message.data))
            if isinstance(reply, Status) and reply.code != OK:
                raise self._client._failure(reply, message, self._path, shown=self._shown)
            if isinstance(reply, Attrs) and look is not None:
                look(of_wire(reply.attributes))

    def _wanted(self) -> list[wire.Request]:
        asked: list[wire.Request] = []
        handle = self._handle
        while handle is not None and not self._at_end:
            self._next = self._next or self._source.read(self._piece)
            if not self._next:
                self._at_end = True
            elif self._plan.may_send(len(self._next)):
                asked.append(wire.Write(handle, self.offset, self._next))
                self.offset += len(self._next)
                self._next = b""
            else:
                break
        return asked

    def let_go(self) -> None:
        self._plan.abandon()
        handle, self._handle = self._handle, None
        if handle is not None:
            self._client._session.tell(wire.Close(handle))


def _is_directory(client: ClientBase, path: bytes) -> OSError:
    return known_failure(errno.EISDIR, to_text(path), client.host)


def kind_of(status: FileStat | None) -> int:
    """The type bits of a mode, 0 where nothing is known."""
    return 0 if status is None or status.st_mode is None else modes.S_IFMT(status.st_mode)
