"""Output handed to a function as it arrives, by each way through a master."""

from __future__ import annotations

import logging
import threading

import pytest

from openssh_core import STDOUT, Connection, Feed, InvalidInput

MIB = 1 << 20


class Taker:
    """Keeps what it is given, and sees the end."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.changed = threading.Condition()
        self.ends = 0

    def __call__(self, piece: bytes) -> None:
        with self.changed:
            self.pieces.append(piece)
            self.ends += not piece
            self.changed.notify_all()

    def wait_for_end(self) -> bytes:
        with self.changed:
            assert self.changed.wait_for(lambda: self.ends, 60)
            assert self.pieces.index(b"") == len(self.pieces) - 1
            return b"".join(self.pieces)

    def wait_for(self, size: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: sum(map(len, self.pieces)) >= size, 60)


def test_both_streams_whole_and_ended_once(either: Connection) -> None:
    out, err = Taker(), Taker()
    process = either.popen("head -c 300000 /dev/zero; echo err >&2", stdout=Feed(out), stderr=Feed(err))
    assert (out.wait_for_end(), err.wait_for_end()) == (bytes(300_000), b"err\n")
    assert process.wait() == 0
    assert (process.stdout, process.stderr, out.ends, err.ends) == (None, None, 1, 1)


def test_in_one_stream(either: Connection) -> None:
    out = Taker()
    process = either.popen("echo one; echo two >&2", stdout=Feed(out), stderr=STDOUT)
    assert out.wait_for_end() == b"one\ntwo\n"
    assert process.wait() == 0


def test_run_gives_to_it_too(either: Connection) -> None:
    out = Taker()
    done = either.run("echo one", stdout=Feed(out))
    assert (done.stdout, out.wait_for_end()) == (None, b"one\n")


def test_the_server_is_held_back(either: Connection) -> None:
    out = Taker()
    feed = Feed(out)
    feed.pause()
    process = either.popen(f"head -c {64 * MIB} /dev/zero; echo the end >&2", stdout=feed, stderr=Feed(err := Taker()))
    out.wait_for(1)
    assert process.poll() is None and not err.pieces
    assert sum(map(len, out.pieces)) < 16 * MIB
    feed.resume()
    assert len(out.wait_for_end()) == 64 * MIB
    assert (err.wait_for_end(), process.wait()) == (b"the end\n", 0)


def test_a_function_that_raises_loses_its_own_output_only(either: Connection, caplog: pytest.LogCaptureFixture) -> None:
    def fails(_piece: bytes) -> None:
        raise RuntimeError("of the caller")

    with caplog.at_level(logging.ERROR):
        process = either.popen("head -c 3000000 /dev/zero; exit 7", stdout=Feed(fails))
        assert process.wait() == 7
    assert [record.name for record in caplog.records] == ["openssh_core.feed"]
    assert either.run("echo well").stdout == "well\n"


def test_it_is_no_input(either: Connection) -> None:
    with pytest.raises(InvalidInput, match="has no file descriptor"):
        either.popen("cat", stdin=Feed(Taker()))  # type: ignore[arg-type]
