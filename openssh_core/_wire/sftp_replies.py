"""What an SFTP version 3 server answers (draft-ietf-secsh-filexfer-02 sections 4 and 7)."""

from __future__ import annotations

import struct
from typing import ClassVar

from .._value import Value
from ..errors import Malformed
from .primitives import Reader
from .sftp_attrs import Attributes, Entry, read_entries

# Section 7: the codes of a status.
OK = 0
EOF = 1
NO_SUCH_FILE = 2
PERMISSION_DENIED = 3
FAILURE = 4
BAD_MESSAGE = 5
NO_CONNECTION = 6
CONNECTION_LOST = 7
OP_UNSUPPORTED = 8

# Section 6.3: a handle is at most so long.
LONGEST_HANDLE = 256

_VERSION = 2
# The type, and the number of the request.
_HEAD = struct.Struct(">BI")


class Status(Value):
    """Section 7, SSH_FXP_STATUS.

    Attributes:
        words: what the server says about it.
    """

    number: ClassVar[int] = 101
    code: int
    words: str = ""

    @classmethod
    def read(cls, body: Reader) -> Status:
        code = body.u32()
        # Servers of version 2 and some embedded ones send the code alone.
        words = body.text() if body.left else ""
        return cls(code, words)


class Handle(Value):
    """Section 7, SSH_FXP_HANDLE."""

    number: ClassVar[int] = 102
    handle: bytes

    @classmethod
    def read(cls, body: Reader) -> Handle:
        handle = body.string()
        if len(handle) > LONGEST_HANDLE:
            raise Malformed(f"a handle of {len(handle)} bytes; at most {LONGEST_HANDLE} are possible")
        return cls(handle)


class Data(Value):
    """Section 7, SSH_FXP_DATA. The data lies in the packet it came in."""

    number: ClassVar[int] = 103
    data: bytes | memoryview

    @classmethod
    def read(cls, body: Reader) -> Data:
        return cls(body.blob())


class Names(Value):
    """Section 7, SSH_FXP_NAME."""

    number: ClassVar[int] = 104
    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, body: Reader) -> Names:
        return cls(read_entries(body))


class Attrs(Value):
    """Section 7, SSH_FXP_ATTRS."""

    number: ClassVar[int] = 105
    attributes: Attributes

    @classmethod
    def read(cls, body: Reader) -> Attrs:
        return cls(Attributes.read(body))


class ExtendedReply(Value):
    """Section 8, SSH_FXP_EXTENDED_REPLY; what is in it depends on what was asked."""

    number: ClassVar[int] = 201
    payload: bytes

    @classmethod
    def read(cls, body: Reader) -> ExtendedReply:
        return cls(body.rest())


Reply = Status | Handle | Data | Names | Attrs | ExtendedReply

_KINDS: dict[int, type[Reply]] = {kind.number: kind for kind in (Status, Handle, Data, Names, Attrs, ExtendedReply)}


def decode(packet: bytes | memoryview) -> tuple[int, Reply]:
    """The request number and the answer in a packet (without its length).

    Raises:
        Malformed: it is none.
    """
    if len(packet) < _HEAD.size:
        raise Malformed(f"an SFTP packet ends early: it has {len(packet)} bytes")
    number, request_id = _HEAD.unpack_from(packet)
    kind = _KINDS.get(number)
    if kind is None:
        raise Malformed(f"an SFTP packet of type {number}, which no server sends")
    return request_id, kind.read(Reader(packet, _HEAD.size))


def decode_version(packet: bytes | memoryview) -> tuple[int, dict[bytes, bytes]]:
    """The server's version, and its extensions by name, from the first packet it sends (section 4).

    Raises:
        Malformed: it is another packet.
    """
    body = Reader(packet)
    number = body.u8()
    if number != _VERSION:
        raise Malformed(f"the SFTP server began with a packet of type {number} instead of its version")
    version = body.u32()
    extensions = {}
    while body.left:
        name, value = body.string(), body.string()
        extensions[name] = value
    return version, extensions
