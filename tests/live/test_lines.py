"""Output taken line by line while the command runs."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable

import pytest

from openssh_core import STDOUT, Connection
from openssh_core.errors import CommandFailed, CommandTimeout, ConnectionLost, InvalidInput

from .conftest import Nap


def test_lines_of_both_streams_in_order(either: Connection) -> None:
    script = "for i in 1 2; do echo out $i; sleep 0.05; echo err $i >&2; sleep 0.05; done; printf 'no newline'"
    assert list(either.iter_lines(script)) == [
        ("stdout", "out 1"),
        ("stderr", "err 1"),
        ("stdout", "out 2"),
        ("stderr", "err 2"),
        ("stdout", "no newline"),
    ]


def test_a_line_comes_while_the_command_runs(either: Connection, tmp_path: object) -> None:
    with either.iter_lines(f"mkfifo {tmp_path}/f; echo first; read x <{tmp_path}/f; echo $x") as lines:
        assert next(lines).text == "first"
        with open(f"{tmp_path}/f", "w", encoding="ascii") as fifo:
            fifo.write("second\n")
        assert next(lines).text == "second"
        with pytest.raises(StopIteration):
            next(lines)
        with pytest.raises(StopIteration):
            next(lines)
        assert lines.wait().returncode == 0


def test_newlines_and_characters_that_come_in_pieces(either: Connection) -> None:
    script = r"printf 'a\r'; sleep 0.05; printf '\nb\303'; sleep 0.05; printf '\274c\n\n\377d\n'"
    assert [line.text for line in either.iter_lines(script)] == ["a", "büc", "", "\udcffd"]
    assert [line.text for line in either.iter_lines(r"printf 'a\r\nb\377'", encoding=None)] == [b"a\r", b"b\xff"]


def test_one_stream_of_both(either: Connection) -> None:
    lines = list(either.iter_lines("echo a; echo b >&2; echo c", stderr=STDOUT))
    assert lines == [("stdout", "a"), ("stdout", "b"), ("stdout", "c")]
    with pytest.raises(InvalidInput, match="STDOUT"):
        either.iter_lines("true", stderr=5)


def test_the_end_of_the_loop_tells_of_failure(either: Connection) -> None:
    seen = []
    with pytest.raises(CommandFailed, match="status 3"):
        for line in either.iter_lines("echo partial; exit 3"):
            seen.append(line.text)
    assert seen == ["partial"]
    lines = either.iter_lines("echo partial; exit 3", check=False)
    assert [line.text for line in lines] == ["partial"]
    assert lines.wait().returncode == 3


def test_leaving_early_ends_the_command(either: Connection, nap: Nap) -> None:
    with either.iter_lines(f"echo go; {nap.command}; true") as lines:
        assert next(lines).text == "go"
        nap.wait_until_it_runs()
    nap.wait_until_it_is_over()


def test_a_loop_that_is_broken_out_of_warns_nobody_and_keeps_nothing(
    host: Connection, until: Callable[..., object]
) -> None:
    before = set(threading.enumerate())
    for line in host.iter_lines("yes"):
        assert line.text == "y"
        break
    gc.collect()
    # The channel was closed, and `yes` cannot write any more.
    until(lambda: not host._live().backend.running())  # type: ignore[attr-defined]
    assert not set(threading.enumerate()) - before


def test_limits(either: Connection, nap: Nap) -> None:
    for named, limit in (({"timeout": 0.3}, "timeout"), ({"idle_timeout": 0.3}, "idle_timeout")):
        seen = []
        with pytest.raises(CommandTimeout) as caught:
            for line in either.iter_lines(f"echo go; {nap.command}", **named):  # type: ignore[arg-type]
                seen.append(line.text)
        assert (seen, caught.value.limit, caught.value.seconds) == (["go"], limit, 0.3)
        nap.wait_until_it_is_over()


def test_a_loss_is_raised_after_the_lines_that_came(host: Connection) -> None:
    seen = []
    with pytest.raises(ConnectionLost):
        for line in host.iter_lines("echo one; sleep 1000"):
            seen.append(line.text)
            os.kill(host.master_pid, signal.SIGKILL)
    assert seen == ["one"]


def test_what_nobody_reads_holds_the_server(either: Connection, until: Callable[..., object]) -> None:
    lines = either.iter_lines("head -c 20000000 /dev/zero | tr '\\0' x | fold -w 999; echo; echo end")
    mailbox = lines._mailbox
    until(lambda: mailbox._come > 1_048_576)
    for _ in range(5):
        either.run("true")  # time enough for all of it, if nothing held it
    assert mailbox._come < 8_000_000
    assert sum(len(line.text) for line in lines) == 20_000_003
    assert mailbox._come == mailbox._taken


def test_a_line_without_end_comes_in_pieces(either: Connection) -> None:
    pieces = [line.text for line in either.iter_lines("head -c 5000000 /dev/zero", encoding=None)]
    assert len(pieces) > 1
    assert sum(map(len, pieces)) == 5_000_000


def test_functions_are_called_with_the_lines(either: Connection) -> None:
    out: list[str] = []
    err: list[str] = []
    done = either.follow("echo a; echo b >&2; exit 2", on_stdout=out.append, on_stderr=err.append)
    assert (out, err, done.returncode, done.stdout) == (["a"], ["b"], 2, None)
    with pytest.raises(CommandFailed):
        either.follow("exit 2", check=True)


def test_what_such_a_function_raises_ends_the_command(either: Connection, nap: Nap) -> None:
    def refuse(line: str) -> None:
        nap.wait_until_it_runs()
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="go"):
        either.follow(f"echo go; {nap.command}; true", on_stdout=refuse)
    nap.wait_until_it_is_over()
