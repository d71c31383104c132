"""SFTP version 3 (draft-ietf-secsh-filexfer-02): the requests, one frozen value each, beside its number and section.

A request's fields, in order, are its layout on the wire. `pieces` makes the packet: what it is made of goes out in
order, and file data is a piece of its own, never copied. What may be answered is said beside each: a status that is no
error is an answer only where nothing else is.
"""

from __future__ import annotations

import struct
from typing import ClassVar

from .._value import Value
from .primitives import string, u32
from .sftp_attrs import Attributes
from .sftp_replies import Attrs, Data, Handle, Names, Reply, Status

VERSION = 3

# What both sides take at least (section 3), and what OpenSSH's own programs take at most (sftp-common.h).
LEAST_PACKET = 34_000
MOST_PACKET = 256 * 1024

# Section 6.3: how a file is to be opened.
READ = 0x01
WRITE = 0x02
APPEND = 0x04
CREATE = 0x08
TRUNCATE = 0x10
EXCLUSIVE = 0x20

_HEAD = struct.Struct(">IBI")
# Of a READ or WRITE: the offset and the length.
_PLACE = struct.Struct(">QI")

NO_ATTRIBUTES = Attributes()


class Request(Value):
    """Anything that is asked with a request number.

    Attributes:
        number: the packet's type.
        answer: what comes back when it went well.
    """

    number: ClassVar[int]
    answer: ClassVar[type[Reply]] = Status

    def body(self) -> bytes:
        """What follows the request number."""
        raise NotImplementedError

    def pieces(self, request_id: int) -> tuple[bytes | memoryview, ...]:
        """The whole packet, its length in front, in pieces."""
        body = self.body()
        return (_HEAD.pack(len(body) + 5, self.number, request_id) + body,)


class Open(Request):
    """Section 6.3."""

    number: ClassVar[int] = 3
    answer: ClassVar[type[Reply]] = Handle
    path: bytes
    flags: int
    attributes: Attributes = NO_ATTRIBUTES

    def body(self) -> bytes:
        return string(self.path) + u32(self.flags) + self.attributes.encode()


class _OfHandle(Request):
    handle: bytes

    def body(self) -> bytes:
        return string(self.handle)


class _OfPath(Request):
    path: bytes

    def body(self) -> bytes:
        return string(self.path)


class Close(_OfHandle):
    """Section 6.3."""

    number: ClassVar[int] = 4


class Read(Request):
    """Section 6.4."""

    number: ClassVar[int] = 5
    answer: ClassVar[type[Reply]] = Data
    handle: bytes
    offset: int
    length: int

    def body(self) -> bytes:
        return string(self.handle) + _PLACE.pack(self.offset, self.length)


class Write(Request):
    """Section 6.4. The data is sent from where it lies, and must stay as it is until the answer is there."""

    number: ClassVar[int] = 6
    handle: bytes
    offset: int
    data: bytes | memoryview

    def body(self) -> bytes:
        return string(self.handle) + _PLACE.pack(self.offset, len(self.data)) + bytes(self.data)

    def pieces(self, request_id: int) -> tuple[bytes | memoryview, ...]:
        size = len(self.data)
        head = string(self.handle) + _PLACE.pack(self.offset, size)
        return _HEAD.pack(len(head) + size + 5, self.number, request_id) + head, self.data


class LStat(_OfPath):
    """Section 6.8."""

    number: ClassVar[int] = 7
    answer: ClassVar[type[Reply]] = Attrs


class FStat(_OfHandle):
    """Section 6.8."""

    number: ClassVar[int] = 8
    answer: ClassVar[type[Reply]] = Attrs


class SetStat(Request):
    """Section 6.9."""

    number: ClassVar[int] = 9
    path: bytes
    attributes: Attributes

    def body(self) -> bytes:
        return string(self.path) + self.attributes.encode()


class FSetStat(Request):
    """Section 6.9."""

    number: ClassVar[int] = 10
    handle: bytes
    attributes: Attributes

    def body(self) -> bytes:
        return string(self.handle) + self.attributes.encode()


class OpenDir(_OfPath):
    """Section 6.7."""

    number: ClassVar[int] = 11
    answer: ClassVar[type[Reply]] = Handle


class ReadDir(_OfHandle):
    """Section 6.7."""

    number: ClassVar[int] = 12
    answer: ClassVar[type[Reply]] = Names


class Remove(_OfPath):
    """Section 6.5."""

    number: ClassVar[int] = 13


class MakeDir(Request):
    """Section 6.6."""

    number: ClassVar[int] = 14
    path: bytes
    attributes: Attributes = NO_ATTRIBUTES

    def body(self) -> bytes:
        return string(self.path) + self.attributes.encode()


class RemoveDir(_OfPath):
    """Section 6.6."""

    number: ClassVar[int] = 15


class RealPath(_OfPath):
    """Section 6.11."""

    number: ClassVar[int] = 16
    answer: ClassVar[type[Reply]] = Names


class Stat(_OfPath):
    """Section 6.8."""

    number: ClassVar[int] = 17
    answer: ClassVar[type[Reply]] = Attrs


class Rename(Request):
    """Section 6.5; fails where the new name exists."""

    number: ClassVar[int] = 18
    old: bytes
    new: bytes

    def body(self) -> bytes:
        return string(self.old) + string(self.new)


class ReadLink(_OfPath):
    """Section 6.10."""

    number: ClassVar[int] = 19
    answer: ClassVar[type[Reply]] = Names


class Symlink(Request):
    """Section 6.10, with the arguments in OpenSSH's order: the draft has them the other way round, and the server that
    everybody has takes them so (PROTOCOL, section 4.1)."""

    number: ClassVar[int] = 20
    target: bytes
    link: bytes

    def body(self) -> bytes:
        return string(self.target) + string(self.link)


def init() -> bytes:
    """The packet that opens the conversation (section 4)."""
    return struct.pack(">IBI", 5, 1, VERSION)
