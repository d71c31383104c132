"""Splitting a stream into length-prefixed messages: mux, proxy mode and SFTP all travel as `uint32 length, body`."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..errors import Malformed
from .primitives import u32

# What ssh itself accepts on a control socket (PROTOCOL.mux implementation, mux.c) and as an SFTP message.
MAX_FRAME = 256 * 1024

_U32 = struct.Struct(">I")


def frame(body: bytes) -> bytes:
    """The body with its length in front."""
    return u32(len(body)) + body


class FrameSplitter:
    """Collects bytes and gives back whole bodies.

    Args:
        limit: the longest body that is believed, in bytes.
    """

    __slots__ = ("_limit", "_tail")

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._tail = b""

    @property
    def pending(self) -> int:
        """Bytes held back because their message is not whole yet."""
        return len(self._tail)

    @property
    def missing(self) -> int:
        """Bytes without which no message gets whole; whoever reads no more than these takes nothing of the next one."""
        have = len(self._tail)
        if have < 4:
            return 4 - have
        return int(4 + _U32.unpack_from(self._tail)[0] - have)

    def feed(self, data: bytes) -> list[memoryview]:
        """Take what the stream gave; return the bodies now complete, as views (no copy of bulk data).

        Raises:
            Malformed: a length over the limit.
        """
        return list(self.split(data))

    def split(self, data: bytes) -> Iterator[memoryview]:
        """The same one by one: what came before a length over the limit is there before the error is."""
        if self._tail:
            data = self._tail + data
        view, at, size = memoryview(data), 0, len(data)
        while size - at >= 4:
            length = _U32.unpack_from(data, at)[0]
            if length > self._limit:
                raise Malformed(f"a message of {length} bytes was announced; at most {self._limit} are possible")
            if size - at - 4 < length:
                break
            yield view[at + 4 : at + 4 + length]
            at += 4 + length
        self._tail = data[at:]
