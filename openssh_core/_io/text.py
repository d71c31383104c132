"""Bytes of the other machine as text, the way subprocess does it."""

from __future__ import annotations

import codecs
import functools

from ..errors import InvalidInput


@functools.lru_cache(maxsize=64)
def check_coding(encoding: str | None, errors: str) -> None:
    """See that there is such a coding, before anything depends on it.

    Raises:
        InvalidInput: there is none.
    """
    try:
        if encoding is not None and not codecs.lookup(encoding)._is_text_encoding:
            raise LookupError(f"{encoding} is no encoding of text")
        codecs.lookup_error(errors)
    except (LookupError, TypeError) as error:
        raise InvalidInput(f"encoding={encoding!r}, errors={errors!r}: {error}") from None


def decode(data: bytes, encoding: str | None, errors: str) -> str | bytes:
    """Text with newlines as Python has them; the bytes themselves when there is no encoding."""
    if encoding is None:
        return data
    text = data.decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def encode(data: str | bytes | bytearray | memoryview, encoding: str | None, errors: str) -> bytes:
    """What is sent for `data`.

    Raises:
        InvalidInput: it cannot be written in this encoding.
    """
    if not isinstance(data, str):
        return bytes(data)
    try:
        return data.encode(encoding or "utf-8", errors)
    except UnicodeEncodeError as error:
        raise InvalidInput(f"the input cannot be written in {error.encoding} ({error.reason})") from None
