"""Changing what is copied on its way: line ends, or whatever a function makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from ..errors import InvalidInput

Convert = Literal["dos2unix", "unix2dos"] | Callable[[bytes], bytes]
"""`dos2unix` and `unix2dos` change line ends (a CR that is there is not doubled). A function is given the file piece by
piece, in order, and at the end once an empty piece; what it returns takes their place."""


def converter(convert: Convert) -> Callable[[bytes], bytes]:
    """A function for one file.

    Raises:
        InvalidInput: it is no conversion.
    """
    if convert == "dos2unix":
        return _ToUnix()
    if convert == "unix2dos":
        return _ToDos()
    if callable(convert):
        return convert
    raise InvalidInput(f"convert={convert!r} is neither 'dos2unix', 'unix2dos' nor a function")


class _ToUnix:
    def __init__(self) -> None:
        self._held = b""

    def __call__(self, data: bytes) -> bytes:
        text = self._held + data
        # A CR at the end may be half of a line end.
        self._held = b"\r" if data and text.endswith(b"\r") else b""
        return text[: len(text) - len(self._held)].replace(b"\r\n", b"\n")


class _ToDos:
    def __init__(self) -> None:
        self._before = b""

    def __call__(self, data: bytes) -> bytes:
        before = self._before
        if data:
            self._before = b"\r" if data.endswith(b"\r") else b""
        return re.sub(rb"(?<!\r)\n", b"\r\n", before + data)[len(before) :]
