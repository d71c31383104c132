"""A stream becomes the same bodies however it is cut, and no length is believed that is out of all proportion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._wire.frames import MAX_FRAME, FrameSplitter, frame
from openssh_core.errors import Malformed

from_anything = st.lists(st.binary(max_size=40), max_size=8)


def test_a_frame_is_the_length_and_the_body() -> None:
    assert frame(b"hello") == bytes.fromhex("00000005") + b"hello"
    assert frame(b"") == bytes(4)


def test_whole_frames_come_out_at_once() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(frame(b"one") + frame(b"") + frame(b"three")) == [b"one", b"", b"three"]
    assert splitter.pending == 0


def test_what_is_not_whole_waits() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(bytes.fromhex("000000")) == []
    assert splitter.pending == 3
    assert splitter.feed(bytes.fromhex("03 6f6e")) == []
    assert splitter.pending == 6
    assert splitter.feed(b"e" + bytes.fromhex("0000")) == [b"one"]
    assert splitter.pending == 2


def test_what_is_missing_is_never_more_than_the_next_message() -> None:
    splitter = FrameSplitter()
    stream, read = frame(b"one") + frame(b"") + frame(b"three"), []
    while stream:
        size = splitter.missing
        piece, stream = stream[:size], stream[size:]
        read.append((size, [bytes(body) for body in splitter.feed(piece)]))
    assert read == [(4, []), (3, [b"one"]), (4, [b""]), (4, []), (5, [b"three"])]


def test_what_is_missing_counts_what_has_come() -> None:
    splitter = FrameSplitter()
    splitter.feed(bytes.fromhex("0000"))
    assert splitter.missing == 2
    splitter.feed(bytes.fromhex("0005 6162"))
    assert splitter.missing == 3


def test_no_bytes_change_nothing() -> None:
    splitter = FrameSplitter()
    splitter.feed(b"\x00\x00\x00\x02a")
    assert splitter.feed(b"") == []
    assert splitter.feed(b"b") == [b"ab"]


def test_bodies_are_views_of_what_was_fed() -> None:
    (body,) = FrameSplitter().feed(frame(b"bulk"))
    assert isinstance(body, memoryview)


def test_the_longest_frame_that_ssh_accepts_is_accepted() -> None:
    assert MAX_FRAME == 262_144
    (body,) = FrameSplitter().feed(frame(bytes(MAX_FRAME)))
    assert len(body) == MAX_FRAME


@pytest.mark.parametrize("length", [MAX_FRAME + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_over_the_limit_is_refused_before_anything_of_it_came(length: int) -> None:
    with pytest.raises(Malformed, match=f"{length} bytes was announced"):
        FrameSplitter().feed(length.to_bytes(4, "big"))


def test_a_length_over_the_limit_is_refused_behind_whole_frames_too() -> None:
    with pytest.raises(Malformed):
        FrameSplitter().feed(frame(b"good") + b"\xff\xff\xff\xff")


def test_the_limit_is_the_callers() -> None:
    assert FrameSplitter(limit=3).feed(frame(b"abc")) == [b"abc"]
    with pytest.raises(Malformed):
        FrameSplitter(limit=3).feed(frame(b"abcd"))


@given(from_anything, st.data())
def test_however_the_stream_is_cut_the_same_bodies_come_out(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame, bodies))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    splitter = FrameSplitter()
    got = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += [bytes(body) for body in splitter.feed(stream[start:end])]
    assert got == bodies
    assert splitter.pending == 0


@given(st.binary(), st.integers(0, 64))
def test_any_bytes_give_bodies_within_the_limit_or_malformed(data: bytes, limit: int) -> None:
    splitter = FrameSplitter(limit)
    try:
        bodies = splitter.feed(data)
    except Malformed:
        return
    assert all(len(body) <= limit for body in bodies)
    assert sum(4 + len(body) for body in bodies) + splitter.pending == len(data)
