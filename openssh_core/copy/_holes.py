"""Files with holes: what is zero anyway is not sent."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import IO

from .._protocol.transfer import WritePlan
from .._wire import sftp as wire
from .._wire.sftp_attrs import Attributes
from .._wire.sftp_extensions import FSync
from .._wire.sftp_replies import OK, Status
from ..sftp.courses import Course
from ._gauge import Reader
from ._job import Job


def send_holes(
    job: Job,
    file: IO[bytes],
    source: Reader,
    where: bytes,
    target: bytes,
    opened: bytes,
    finally_set: Attributes,
) -> Course[int]:
    """Send only what is not zero anyway, then set the length.

    Args:
        target: what errors call it.
        opened: the handle of the file; it is closed in any case.
    """
    handle: bytes | None = opened
    plan = WritePlan(job.pressure)
    pieces = data_of(file, source, job.session.limits.write)
    waiting, following = 0, next(pieces, None)
    size = os.fstat(file.fileno()).st_size
    last: list[wire.Request] = [wire.FSetStat(opened, Attributes(size=size))]
    if finally_set != wire.NO_ATTRIBUTES:
        last.append(wire.FSetStat(opened, finally_set))
    if job.options.fsync and job.session.offers(FSync):
        last.append(FSync(opened))
    last.append(wire.Close(opened))
    try:
        while waiting or handle is not None:
            asked: list[wire.Request] = []
            while handle is not None and following is not None and plan.may_send(len(following[1])):
                asked.append(wire.Write(handle, *following))
                following = next(pieces, None)
            if following is None and handle is not None:
                asked, handle = asked + last, None
            waiting += len(asked)
            message, reply = yield asked
            waiting -= 1
            if isinstance(message, wire.Write):
                plan.landed(len(message.data))
            if isinstance(reply, Status) and reply.code != OK:
                raise job.client._failure(reply, message, where, shown=target)
        return size
    finally:
        plan.abandon()
        if handle is not None:
            job.session.tell(wire.Close(handle))


def data_of(file: IO[bytes], source: Reader, piece: int) -> Iterator[tuple[int, bytes]]:
    """Pieces of a file that are not all zeros, with their offsets; holes are not even read."""
    fd, at = file.fileno(), 0
    end = os.fstat(fd).st_size
    while at < end:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
            hole = os.lseek(fd, at, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # nothing but a hole is left
            hole = end  # this file system tells of no holes
        os.lseek(fd, at, os.SEEK_SET)
        while at < hole:
            data = source.read(min(piece, hole - at))
            if not data:
                return
            if data.strip(b"\0"):
                yield at, data
            at += len(data)
