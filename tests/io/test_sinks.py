"""Where output goes: all of it, in order, and what was taken is told exactly once, at once or later."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from openssh_core._io.reactor import Reactor
from openssh_core._io.sinks import Collect, Discard, PidFilter, ToFile, ToPipe
from openssh_core._protocol.window import WindowBudget

Until = Callable[[Callable[[], Any]], Any]

TOKEN = b"0123456789abcdef01234567:"
MUCH = bytes(range(256)) * 2000


# ---- in memory


def test_collected_output_is_all_of_it() -> None:
    sink = Collect()
    assert sink.value() == b""
    assert sink.write(b"one ") == 4
    assert sink.write(memoryview(b"two")) == 3
    assert sink.value() == b"one two"
    sink.finish()
    sink.finish()
    assert sink.value() == b"one two"


def test_collected_output_is_not_changed_by_who_gave_it() -> None:
    sink = Collect()
    given_away = bytearray(b"data")
    sink.write(memoryview(given_away))
    given_away[:] = b"gone"
    assert sink.value() == b"data"


def test_discarded_output_is_taken() -> None:
    sink = Discard()
    assert sink.write(MUCH) == len(MUCH)
    sink.finish()


# ---- a file


def no_failure(error: OSError) -> None:
    raise error


def test_a_file_takes_everything_at_once(clean: None, tmp_path: Path) -> None:
    path = tmp_path / "output"
    sink = ToFile(os.open(path, os.O_WRONLY | os.O_CREAT), no_failure)
    assert sink.write(MUCH) == len(MUCH)
    assert sink.write(memoryview(b"end")) == 3
    sink.finish()
    sink.finish()
    assert path.read_bytes() == MUCH + b"end"


def test_a_disk_that_is_full_is_told_and_the_rest_is_dropped(clean: None) -> None:
    failures: list[OSError] = []
    sink = ToFile(os.open("/dev/full", os.O_WRONLY), failures.append)
    assert sink.write(b"data") == 4, "or the command would never end"
    assert sink.write(b"more") == 4
    assert [failure.errno for failure in failures] == [errno.ENOSPC]
    sink.finish()


def test_a_file_that_may_grow_no_further_is_told(clean: None, tmp_path: Path) -> None:
    failures: list[OSError] = []
    path = tmp_path / "output"
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    try:
        sink = ToFile(os.open(path, os.O_WRONLY | os.O_CREAT), failures.append)
        assert sink.write(bytes(3000)) == 3000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
        signal.signal(signal.SIGXFSZ, before)
    assert [failure.errno for failure in failures] == [errno.EFBIG]
    assert path.stat().st_size == 1000, "what it took is there"


# ---- a pipe


class Reader:
    """A pipe with a sink at its write end, and what the sink has told."""

    def __init__(self, reactor: Reactor) -> None:
        self.end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        self.credited = 0
        self.broken = 0
        self._reactor = reactor
        self.sink = ToPipe(reactor, write_end, credit=self._credit, broken=self._broken)

    def _credit(self, count: int) -> None:
        self.credited += count

    def _broken(self) -> None:
        self.broken += 1

    def write(self, data: bytes) -> int:
        return self._reactor.call(lambda: self.sink.write(data))

    def finish(self) -> None:
        self._reactor.call(self.sink.finish)

    def read_all(self) -> bytes:
        data = b""
        while piece := os.read(self.end, 65_536):
            data += piece
        return data

    def close(self) -> None:
        os.close(self.end)


@pytest.fixture
def reader(reactor: Reactor) -> Iterator[Reader]:
    reader = Reader(reactor)
    yield reader
    reader.finish()
    if reader.end >= 0:
        reader.close()


def test_a_pipe_takes_what_fits_at_once(reader: Reader) -> None:
    assert reader.write(b"data") == 4
    assert os.read(reader.end, 100) == b"data"
    assert reader.credited == 0


def test_what_a_pipe_has_no_room_for_is_credited_when_it_is_taken(reader: Reader, until: Until) -> None:
    at_once = reader.write(MUCH)
    assert 0 < at_once < len(MUCH)
    assert reader.write(b"the end") == 0
    reader.finish()
    assert reader.read_all() == MUCH + b"the end"
    until(lambda: at_once + reader.credited == len(MUCH) + 7)


def test_a_pipe_is_closed_when_everything_is_in_it(reader: Reader) -> None:
    reader.write(b"data")
    reader.finish()
    reader.finish()
    assert reader.read_all() == b"data"
    assert reader.write(b"late") == 4, "nobody can have it, so it counts as taken"


def test_a_reader_that_goes_away_is_told_of_and_misses_nothing(reader: Reader) -> None:
    reader.close()
    reader.end = -1
    assert reader.write(b"data") == 4
    assert reader.write(b"more") == 4
    assert reader.broken == 1


def test_a_reader_that_goes_away_with_a_backlog_owes_nothing(reader: Reader, until: Until) -> None:
    at_once = reader.write(MUCH)
    assert reader.write(MUCH) == 0
    reader.close()
    reader.end = -1
    until(lambda: at_once + reader.credited == 2 * len(MUCH))
    assert reader.broken == 1


# ---- the line with the process id


class Filtered:
    """A filter over a sink that keeps what passes, and what was found behind the word."""

    def __init__(self, token: bytes = TOKEN) -> None:
        self.passed = Collect()
        self.found: list[bytes] = []
        self.filter = PidFilter(token, self.passed, self.found.append)
        self.taken = 0

    def write(self, *pieces: bytes) -> Filtered:
        for piece in pieces:
            self.taken += self.filter.write(piece)
        return self


@pytest.mark.parametrize("before", [b"", b"Welcome!\n", b"half a line "])
@pytest.mark.parametrize("after", [b"", b"output\nmore\n", b"\n\n"])
def test_the_line_is_taken_out_and_nothing_else(before: bytes, after: bytes) -> None:
    stream = before + TOKEN + b"4242\n" + after
    filtered = Filtered().write(stream)
    assert filtered.found == [b"4242"]
    assert filtered.passed.value() == before + after
    assert filtered.taken == len(stream)


@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(2, 2**31), st.data())
def test_however_the_output_is_cut_the_same_passes(before: bytes, after: bytes, pid: int, data: st.DataObject) -> None:
    stream = before + TOKEN + b"%d\n" % pid + after
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    filtered = Filtered().write(*pieces)
    assert filtered.found == [b"%d" % pid]
    assert filtered.passed.value() == before + after
    assert filtered.taken == len(stream)


@given(st.lists(st.binary(max_size=40) | st.sampled_from([TOKEN[:1], TOKEN[:9], TOKEN[:24], b"\n"]), max_size=8))
def test_nothing_is_lost_of_output_without_the_line(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    assume(TOKEN not in stream)
    filtered = Filtered().write(*pieces)
    filtered.filter.finish()
    assert filtered.passed.value() == stream


def test_output_that_cannot_be_the_line_passes_at_once() -> None:
    filtered = Filtered().write(b"a prompt> ")
    assert filtered.passed.value() == b"a prompt> "


def test_more_may_stand_behind_the_number() -> None:
    filtered = Filtered().write(TOKEN + b"4242:EN", b"OENT:cwd\r\n")
    assert (filtered.found, filtered.passed.value()) == ([b"4242:ENOENT:cwd"], b"")


def test_the_line_is_looked_for_once() -> None:
    line = TOKEN + b"4242\n"
    filtered = Filtered().write(line, line)
    assert filtered.found == [b"4242"]
    assert filtered.passed.value() == line


def test_what_looks_like_the_line_and_is_none_passes() -> None:
    no_line = TOKEN + b"x" * 100 + b"\n"
    filtered = Filtered().write(no_line, b"rest")
    filtered.filter.finish()
    assert filtered.found == []
    assert filtered.passed.value() == no_line + b"rest"


def test_much_output_without_the_line_passes_within_the_first_window() -> None:
    """What is held back is not credited. Were it as much as the first window, the server would wait for ever."""
    filtered = Filtered()
    for _ in range(100):
        filtered.write(TOKEN[:-1] * 100)
        assert sum(map(len, [filtered.passed.value()])) - filtered.taken == 0
    assert 100 * 2400 - filtered.taken < WindowBudget().first() // 2
    assert filtered.found == [b""]


def test_what_was_held_back_comes_at_the_end() -> None:
    filtered = Filtered().write(TOKEN[:10])
    assert filtered.passed.value() == b""
    filtered.filter.finish()
    assert filtered.passed.value() == TOKEN[:10]


def test_whether_anything_came_is_known() -> None:
    filtered = Filtered()
    assert filtered.filter.nothing_came
    filtered.write(TOKEN[:1])
    assert not filtered.filter.nothing_came
