"""The data types of RFC 4251 section 5. Short data is an error at once; no length is believed before it is checked."""

from __future__ import annotations

import struct

from ..errors import Malformed

U32_MAX = 0xFFFFFFFF

_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")


def u32(value: int) -> bytes:
    """Four bytes, most significant first."""
    return _U32.pack(value)


def u64(value: int) -> bytes:
    """Eight bytes, most significant first."""
    return _U64.pack(value)


def boolean(value: bool) -> bytes:
    """One byte, 0 or 1."""
    return b"\x01" if value else b"\x00"


def string(value: bytes | str) -> bytes:
    """A length (uint32) and that many bytes; text goes as UTF-8, undecodable bytes of the file system as they were."""
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return _U32.pack(len(data)) + data


class Reader:
    """Takes values off the front of one packet.

    Args:
        at: bytes that have been taken already.

    Raises:
        Malformed: by every method, when less is left than it needs.
    """

    __slots__ = ("_data", "_at")

    def __init__(self, data: bytes | memoryview, at: int = 0) -> None:
        self._data = data
        self._at = at

    @property
    def left(self) -> int:
        """How many bytes have not been taken yet."""
        return len(self._data) - self._at

    def take(self, size: int) -> bytes | memoryview:
        """The next `size` bytes; a memoryview when the packet is one, so that bulk data is not copied."""
        start, end = self._at, self._at + size
        if end > len(self._data):
            raise Malformed(f"a message ends early: {size} bytes wanted, {len(self._data) - start} left")
        self._at = end
        return self._data[start:end]

    def u8(self) -> int:
        at = self._at
        if at >= len(self._data):
            self.take(1)  # says what is wrong
        self._at = at + 1
        return self._data[at]

    def boolean(self) -> bool:
        # RFC 4251 section 5: every non-zero value is TRUE.
        return self.take(1)[0] != 0

    def u32(self) -> int:
        at = self._at
        if at + 4 > len(self._data):
            self.take(4)  # says what is wrong
        self._at = at + 4
        number: int = _U32.unpack_from(self._data, at)[0]
        return number

    def u64(self) -> int:
        return int(_U64.unpack(self.take(8))[0])

    def blob(self) -> bytes | memoryview:
        """A string's bytes, without a copy where the packet is a memoryview."""
        return self.take(self.u32())

    def string(self) -> bytes:
        return bytes(self.blob())

    def text(self) -> str:
        """A string meant for people. What is no UTF-8 is shown, not refused: the peer's words must not break us."""
        return self.string().decode("utf-8", "backslashreplace")

    def rest(self) -> bytes:
        """Everything that is left."""
        return bytes(self.take(self.left))
