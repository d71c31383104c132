"""The channel messages of RFC 4254: one frozen value each, beside its number and its section.

A message's fields, in order, are its layout on the wire. `decode` takes a packet body (message number first).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from .._value import Value
from ..errors import Malformed
from .primitives import Reader, boolean, string, u32

# RFC 4254 section 5.1: reasons in an OPEN_FAILURE.
OPEN_ADMINISTRATIVELY_PROHIBITED = 1
OPEN_CONNECT_FAILED = 2
OPEN_UNKNOWN_CHANNEL_TYPE = 3
OPEN_RESOURCE_SHORTAGE = 4

# RFC 4254 section 5.2: the only data type ever defined for extended data.
EXTENDED_DATA_STDERR = 1


class ChannelOpen(Value):
    """RFC 4254 section 5.1."""

    number: ClassVar[int] = 90
    kind: str
    sender: int
    window: int
    max_packet: int
    extra: bytes = b""

    def encode(self) -> bytes:
        return b"\x5a" + string(self.kind) + u32(self.sender) + u32(self.window) + u32(self.max_packet) + self.extra

    @classmethod
    def read(cls, body: Reader) -> ChannelOpen:
        return cls(body.text(), body.u32(), body.u32(), body.u32(), body.rest())


class OpenConfirmation(Value):
    """RFC 4254 section 5.1."""

    number: ClassVar[int] = 91
    recipient: int
    sender: int
    window: int
    max_packet: int
    extra: bytes = b""

    def encode(self) -> bytes:
        return b"\x5b" + u32(self.recipient) + u32(self.sender) + u32(self.window) + u32(self.max_packet) + self.extra

    @classmethod
    def read(cls, body: Reader) -> OpenConfirmation:
        return cls(body.u32(), body.u32(), body.u32(), body.u32(), body.rest())


class OpenFailure(Value):
    """RFC 4254 section 5.1."""

    number: ClassVar[int] = 92
    recipient: int
    code: int
    reason: str
    language: str = ""

    def encode(self) -> bytes:
        return b"\x5c" + u32(self.recipient) + u32(self.code) + string(self.reason) + string(self.language)

    @classmethod
    def read(cls, body: Reader) -> OpenFailure:
        recipient, code, reason = body.u32(), body.u32(), body.text()
        # Old servers leave the language tag out.
        return cls(recipient, code, reason, body.text() if body.left else "")


class WindowAdjust(Value):
    """RFC 4254 section 5.2."""

    number: ClassVar[int] = 93
    recipient: int
    count: int

    def encode(self) -> bytes:
        return b"\x5d" + u32(self.recipient) + u32(self.count)

    @classmethod
    def read(cls, body: Reader) -> WindowAdjust:
        return cls(body.u32(), body.u32())


class Data(Value):
    """RFC 4254 section 5.2."""

    number: ClassVar[int] = 94
    recipient: int
    data: bytes | memoryview

    def head(self) -> bytes:
        """What goes before the data itself, which need not be copied to be sent."""
        return b"\x5e" + u32(self.recipient) + u32(len(self.data))

    def encode(self) -> bytes:
        return self.head() + self.data

    @classmethod
    def read(cls, body: Reader) -> Data:
        return cls(body.u32(), body.blob())


class ExtendedData(Value):
    """RFC 4254 section 5.2; code 1 is stderr."""

    number: ClassVar[int] = 95
    recipient: int
    code: int
    data: bytes | memoryview

    def encode(self) -> bytes:
        return b"\x5f" + u32(self.recipient) + u32(self.code) + u32(len(self.data)) + self.data

    @classmethod
    def read(cls, body: Reader) -> ExtendedData:
        return cls(body.u32(), body.u32(), body.blob())


class Eof(Value):
    """RFC 4254 section 5.3."""

    number: ClassVar[int] = 96
    recipient: int

    def encode(self) -> bytes:
        return b"\x60" + u32(self.recipient)

    @classmethod
    def read(cls, body: Reader) -> Eof:
        return cls(body.u32())


class Close(Value):
    """RFC 4254 section 5.3."""

    number: ClassVar[int] = 97
    recipient: int

    def encode(self) -> bytes:
        return b"\x61" + u32(self.recipient)

    @classmethod
    def read(cls, body: Reader) -> Close:
        return cls(body.u32())


class ChannelRequest(Value):
    """RFC 4254 section 5.4; `payload` is what follows want_reply (see `requests`)."""

    number: ClassVar[int] = 98
    recipient: int
    name: str
    want_reply: bool
    payload: bytes = b""

    def encode(self) -> bytes:
        return b"\x62" + u32(self.recipient) + string(self.name) + boolean(self.want_reply) + self.payload

    @classmethod
    def read(cls, body: Reader) -> ChannelRequest:
        return cls(body.u32(), body.text(), body.boolean(), body.rest())


class RequestSuccess(Value):
    """RFC 4254 section 5.4, CHANNEL_SUCCESS."""

    number: ClassVar[int] = 99
    recipient: int

    def encode(self) -> bytes:
        return b"\x63" + u32(self.recipient)

    @classmethod
    def read(cls, body: Reader) -> RequestSuccess:
        return cls(body.u32())


class RequestFailure(Value):
    """RFC 4254 section 5.4, CHANNEL_FAILURE."""

    number: ClassVar[int] = 100
    recipient: int

    def encode(self) -> bytes:
        return b"\x64" + u32(self.recipient)

    @classmethod
    def read(cls, body: Reader) -> RequestFailure:
        return cls(body.u32())


class Ignored(Value):
    """A message that is legal here and means nothing to us: IGNORE, UNIMPLEMENTED, DEBUG (RFC 4253 section 11) and
    global requests with their answers (RFC 4254 section 4), which the master deals with itself."""

    code: int


Message = (
    ChannelOpen
    | OpenConfirmation
    | OpenFailure
    | WindowAdjust
    | Data
    | ExtendedData
    | Eof
    | Close
    | ChannelRequest
    | RequestSuccess
    | RequestFailure
    | Ignored
)

_READ: dict[int, Callable[[Reader], Message]] = {
    kind.number: kind.read
    for kind in (
        ChannelOpen,
        OpenConfirmation,
        OpenFailure,
        WindowAdjust,
        Data,
        ExtendedData,
        Eof,
        Close,
        ChannelRequest,
        RequestSuccess,
        RequestFailure,
    )
}
_HARMLESS = frozenset({2, 3, 4, 80, 81, 82})


def decode(packet: bytes | memoryview) -> Message:
    """The message in one packet.

    Raises:
        Malformed: empty, cut short, of a number that has no place here, or with bytes left over.
    """
    body = Reader(packet)
    number = body.u8()
    read = _READ.get(number)
    if read is None:
        if number in _HARMLESS:
            return Ignored(number)
        raise Malformed(f"message number {number} has no place on a channel link")
    message = read(body)
    if body.left:
        raise Malformed(f"{body.left} bytes too many after a {type(message).__name__}")
    return message
