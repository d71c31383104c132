"""What programs hand over to be sent: text, bytes, and what looks like bytes."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Sendable", "as_bytes", "as_text", "whole_characters"]

Sendable = str | bytes | bytearray | memoryview


def as_bytes(data: Sendable) -> bytes | memoryview:
    """Its bytes; text goes as UTF-8.

    Raises:
        TypeError: it is something else.
    """
    return data.encode("utf-8") if isinstance(data, str) else memoryview(data).cast("B")


def as_text(data: Sendable) -> str:
    """As text: for a command, or a variable. Bytes that are no text come out on the server as they were.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(data, str):
        return data
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data).decode("utf-8", "surrogateescape")
    raise TypeError(f"expected text or bytes, got {type(data).__name__}")


def whole_characters(data: bytes | memoryview, sent: int, send: Callable[[memoryview], int]) -> int:
    """How many characters of a text were sent, when so many of its bytes were; the rest of one that was cut is sent.

    Callers go on with `text[sent:]`.

    Args:
        send: sends some of what it is given; how many bytes that was.
    """
    view = memoryview(data)
    while sent < len(view) and view[sent] & 0xC0 == 0x80:
        sent += send(view[sent : sent + 1])
    return len(bytes(view[:sent]).decode("utf-8"))
