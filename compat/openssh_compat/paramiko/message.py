"""A buffer of values in the encodings of RFC 4251 section 5, which is read from its start and written at its end."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from ._lent import lend
from .util import asbytes, deflate_long, inflate_long

__all__ = ["Message"]

# A message of a MiB is longer than any that can be; asked for more than there is, it gives zeros up to this.
_LONGEST = 1 << 20


class Message:
    """Values one after the other. What is read beyond its end is zeros, as in paramiko.

    Args:
        content: what is to be read; empty without it.
    """

    big_int = 0xFF000000

    def __init__(self, content: bytes | None = None) -> None:
        self._data = bytearray(content or b"")
        self._at = 0
        self.seqno = 0

    def __bytes__(self) -> bytes:
        return self.asbytes()

    def __repr__(self) -> str:
        return f"paramiko.Message({bytes(self._data)!r})"

    def asbytes(self) -> bytes:
        """All of it, as bytes."""
        return bytes(self._data)

    def rewind(self) -> None:
        """Read from the start again."""
        self._at = 0

    def get_remainder(self) -> bytes:
        """What was not read yet; it stays unread."""
        return bytes(self._data[self._at :])

    def get_so_far(self) -> bytes:
        """What was read. Reading goes on where it was."""
        return bytes(self._data[: self._at])

    # ---- reading

    def get_bytes(self, n: int) -> bytes:
        """The next n bytes."""
        piece = bytes(self._data[self._at : self._at + max(n, 0)])
        self._at += len(piece)
        return piece + bytes(n - len(piece)) if len(piece) < n < _LONGEST else piece

    def get_byte(self) -> bytes:
        return self.get_bytes(1)

    def get_boolean(self) -> bool:
        return self.get_byte() != b"\x00"

    def get_int(self) -> int:
        return int.from_bytes(self.get_bytes(4), "big")

    def get_int64(self) -> int:
        return int.from_bytes(self.get_bytes(8), "big")

    def get_adaptive_int(self) -> int:
        """A uint32, or an mpint where that was too small for it: no encoding of the RFC, but one of paramiko's."""
        first = self.get_byte()
        if first == b"\xff":
            return inflate_long(self.get_binary())
        return int.from_bytes(first + self.get_bytes(3), "big")

    def get_mpint(self) -> int:
        return inflate_long(self.get_binary())

    def get_string(self) -> bytes:
        """A string: its bytes."""
        return self.get_bytes(self.get_int())

    get_binary = get_string

    def get_text(self) -> str:
        """A string, as text.

        Raises:
            UnicodeDecodeError: it is no UTF-8.
        """
        return self.get_string().decode("utf-8")

    def get_list(self) -> list[str]:
        """A name-list."""
        return self.get_text().split(",")

    # ---- writing

    def add_bytes(self, b: bytes) -> Message:
        self._data += b
        return self

    def add_byte(self, b: bytes) -> Message:
        return self.add_bytes(b)

    def add_boolean(self, b: bool) -> Message:
        return self.add_bytes(b"\x01" if b else b"\x00")

    def add_int(self, n: int) -> Message:
        """A uint32.

        Raises:
            struct.error: it is none.
        """
        return self.add_bytes(struct.pack(">I", n))

    def add_int64(self, n: int) -> Message:
        return self.add_bytes(struct.pack(">Q", n))

    def add_adaptive_int(self, n: int) -> Message:
        """See `get_adaptive_int`."""
        return self.add_byte(b"\xff").add_string(deflate_long(n)) if n >= self.big_int else self.add_int(n)

    def add_mpint(self, z: int) -> Message:
        return self.add_string(deflate_long(z) if z else b"")

    def add_string(self, s: Any) -> Message:
        """A string, from text, bytes, or something with `asbytes`."""
        data = asbytes(s)
        return self.add_int(len(data)).add_bytes(data)

    def add_list(self, l: Sequence[str]) -> Message:  # noqa: E741  # the original's name for it
        return self.add_string(",".join(l))

    def add(self, *seq: Any) -> Message:
        """Each of them, by its type: bool, int (adaptive), list of names, else a string."""
        for one in seq:
            if type(one) is bool:
                self.add_boolean(one)
            elif isinstance(one, int):
                self.add_adaptive_int(one)
            elif isinstance(one, list):
                self.add_list(one)
            else:
                self.add_string(one)
        return self


lend(__name__)
