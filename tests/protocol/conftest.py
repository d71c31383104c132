"""Every stream is fed three ways: whole, byte by byte, and with something after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

# The beginning of another packet.
SOMETHING_AFTER = b"\x00\x00\x00\x09\x00"


def whole(stream: bytes) -> list[bytes]:
    return [stream]


def byte_by_byte(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def with_something_after(stream: bytes) -> list[bytes]:
    return [stream + SOMETHING_AFTER]


@pytest.fixture(params=[whole, byte_by_byte, with_something_after], ids=lambda way: way.__name__)
def cut(request: pytest.FixtureRequest) -> Callable[[bytes], list[bytes]]:
    way: Callable[[bytes], list[bytes]] = request.param
    return way
