"""Every parser is fed three ways: whole, byte by byte, and with something after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from openssh_core._wire.frames import FrameSplitter, frame

# What follows in the third way: three frames' worth of another message, cut short.
SOMETHING_AFTER = b"\x00\x00\x00\x09\x80\x00"

Arrives = Callable[[bytes], memoryview]


def whole(stream: bytes) -> list[bytes]:
    return [stream]


def byte_by_byte(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def with_something_after(stream: bytes) -> list[bytes]:
    return [stream + SOMETHING_AFTER]


@pytest.fixture(params=[whole, byte_by_byte, with_something_after], ids=lambda way: way.__name__)
def arrives(request: pytest.FixtureRequest) -> Arrives:
    """Sends one message body as a frame through a splitter, and gives back the body that came out."""

    def through(body: bytes) -> memoryview:
        splitter = FrameSplitter()
        (got,) = (out for piece in request.param(frame(body)) for out in splitter.feed(piece))
        return got

    return through
