"""Bytes of the other machine as text, the way subprocess does it."""

from __future__ import annotations


def decode(data: bytes, encoding: str | None, errors: str) -> str | bytes:
    """Text with newlines as Python has them; the bytes themselves when there is no encoding."""
    if encoding is None:
        return data
    text = data.decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def encode(data: str | bytes | bytearray | memoryview, encoding: str | None, errors: str) -> bytes:
    """What is sent for `data`."""
    return data.encode(encoding or "utf-8", errors) if isinstance(data, str) else bytes(data)
