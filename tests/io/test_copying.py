"""Between our end of a pipe and a sink or a source everything is copied, and no faster than it is taken."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openssh_core._io.copying import PipeReader, PipeWriter
from openssh_core._io.reactor import Reactor
from openssh_core._io.sinks import Collect, ToPipe
from openssh_core._io.sources import FromBytes, FromDescriptor

Until = Callable[[Callable[[], Any]], Any]

MUCH = os.urandom(1_000_000)


class Reading:
    """A pipe that is read into a sink."""

    def __init__(self, reactor: Reactor) -> None:
        self.heard = 0
        self.ended = 0
        self.reactor = reactor
        self.end, self.write_end = os.pipe()
        os.set_blocking(self.end, False)

    def into(self, sink: Any) -> PipeReader:
        reader = PipeReader(self.reactor, self.end, sink, heard=self._heard, ended=self._ended)
        self.reactor.call(reader.start)
        return reader

    def _heard(self) -> None:
        self.heard += 1

    def _ended(self) -> None:
        self.ended += 1


@pytest.fixture
def reading(reactor: Reactor) -> Reading:
    return Reading(reactor)


def test_a_pipe_is_read_to_its_end(reading: Reading, until: Until) -> None:
    sink = Collect()
    reader = reading.into(sink)
    with open(reading.write_end, "wb") as file:
        file.write(MUCH)
    until(lambda: reading.ended)
    assert sink.value() == MUCH
    assert reading.heard > 1
    reading.reactor.call(reader.close)
    assert reading.ended == 1


def test_a_pipe_can_be_given_up(reading: Reading) -> None:
    reader = reading.into(Collect())
    reading.reactor.call(reader.close)
    reading.reactor.call(reader.start)
    assert reading.ended == 1
    with pytest.raises(BrokenPipeError):
        os.write(reading.write_end, b"x")
    os.close(reading.write_end)


class Slow:
    """A sink that takes nothing until it is told to."""

    def __init__(self) -> None:
        self.given = 0

    def write(self, data: bytes) -> int:
        self.given += len(data)
        return 0

    def finish(self) -> None:
        pass

    def abandon(self) -> None:
        pass


def test_a_slow_sink_stops_the_reading_until_it_has_taken_something(reading: Reading, until: Until) -> None:
    sink = Slow()
    reader = reading.into(sink)
    os.set_blocking(reading.write_end, False)
    written = 0

    def fill() -> int:
        nonlocal written
        try:
            while True:
                written += os.write(reading.write_end, bytes(65_536))
        except BlockingIOError:
            return written

    until(lambda: fill() and reading.reactor.call(lambda: sink.given) > 131_072)
    given = sink.given
    fill()
    reading.reactor.call(lambda: None)
    assert sink.given == given, "it is not read on"
    reading.reactor.call(lambda: reader.credit(given))
    until(lambda: sink.given > given)
    reading.reactor.call(reader.close)
    os.close(reading.write_end)


def test_a_pipe_into_a_pipe_is_as_slow_as_its_reader(reading: Reading, until: Until) -> None:
    end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    readers: list[PipeReader] = []
    sink = ToPipe(
        reading.reactor,
        write_end,
        credit=lambda count: readers[0].credit(count),  # noqa: PLW0108 - there is none yet
        broken=lambda: readers[0].close(),  # noqa: PLW0108
    )
    readers.append(reading.into(sink))
    with subprocess.Popen(["head", "-c", "3000000", "/dev/zero"], stdout=reading.write_end):
        os.close(reading.write_end)
        count = 0
        while piece := os.read(end, 10_000):
            count += len(piece)
    assert count == 3_000_000
    until(lambda: reading.ended)
    os.close(end)


def test_when_nobody_reads_the_copy_the_original_is_closed(reading: Reading, until: Until) -> None:
    end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    readers: list[PipeReader] = []
    broken = lambda: readers[0].close()  # noqa: E731, PLW0108 - there is none yet
    sink = ToPipe(reading.reactor, write_end, credit=lambda _: None, broken=broken)
    readers.append(reading.into(sink))
    os.close(end)
    with subprocess.Popen(["yes"], stdout=reading.write_end, stderr=subprocess.DEVNULL) as process:
        os.close(reading.write_end)
        assert process.wait(30) == -13, "it gets the SIGPIPE it would get at home"
    until(lambda: reading.ended)


# ---- into a pipe


@pytest.fixture
def pipe(reactor: Reactor) -> Iterator[tuple[int, int]]:
    """A pipe whose write end, which does not block, becomes somebody's own."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    yield read, write
    os.close(read)


def read_all(fd: int) -> bytes:
    data = b""
    while piece := os.read(fd, 65_536):
        data += piece
    return data


def test_bytes_go_into_a_pipe_as_fast_as_it_takes_them(reactor: Reactor, pipe: tuple[int, int]) -> None:
    writer = PipeWriter(reactor, pipe[1])
    reactor.submit(lambda: writer.start(FromBytes(MUCH)))
    assert read_all(pipe[0]) == MUCH


def test_no_bytes_close_it_at_once(reactor: Reactor, pipe: tuple[int, int]) -> None:
    writer = PipeWriter(reactor, pipe[1])
    reactor.submit(lambda: writer.start(FromBytes(b"")))
    assert read_all(pipe[0]) == b""


def test_a_source_that_comes_and_goes(reactor: Reactor, pipe: tuple[int, int]) -> None:
    read, write = os.pipe()
    writer = PipeWriter(reactor, pipe[1])
    source = FromDescriptor(reactor, read, writer.push)
    reactor.submit(lambda: writer.start(source))
    for word in (b"one", b"two"):
        os.write(write, word)
        assert os.read(pipe[0], 100) == word
    os.close(write)
    assert read_all(pipe[0]) == b""


def test_a_fast_source_waits_for_a_slow_reader(reactor: Reactor, pipe: tuple[int, int]) -> None:
    with subprocess.Popen(["head", "-c", "3000000", "/dev/zero"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        writer = PipeWriter(reactor, pipe[1])
        source = FromDescriptor(reactor, os.dup(process.stdout.fileno()), writer.push)
        reactor.submit(lambda: writer.start(source))
        count = 0
        while piece := os.read(pipe[0], 10_000):
            count += len(piece)
    assert count == 3_000_000


def test_a_reader_that_goes_away_ends_it_and_its_source(reactor: Reactor, until: Until) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    source_end, feed = os.pipe()
    writer = PipeWriter(reactor, write)
    source = FromDescriptor(reactor, source_end, writer.push)
    reactor.call(lambda: writer.start(source))
    os.close(read)
    os.write(feed, b"data")
    until(lambda: reactor.call(lambda: source.pull(1)) == b"")
    with pytest.raises(BrokenPipeError):
        os.write(feed, b"more")
    os.close(feed)
    reactor.call(writer.close)


def test_a_reader_that_goes_away_while_the_pipe_is_full_ends_it(reactor: Reactor) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    writer = PipeWriter(reactor, write)
    reactor.call(lambda: writer.start(FromBytes(MUCH)))
    os.close(read)  # the reactor's thread ends, or the fixture complains
