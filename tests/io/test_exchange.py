"""A program is written to and read from at the same time: whatever it does, neither waits for the other for ever."""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openssh_core._io.deadline import Deadline
from openssh_core._io.exchange import Exchange

Start = Callable[..., subprocess.Popen[bytes]]

NEVER = Deadline(None)
MUCH = bytes(range(256)) * 4000


@pytest.fixture
def start(clean: None) -> Iterator[Start]:
    """Start a shell command with three pipes; whoever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def run(command: str, **named: Any) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        words = ["/bin/sh", "-c", command]
        started.append(subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, **named))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass


def exchange(process: subprocess.Popen[bytes], data: bytes = b"") -> Exchange:
    return Exchange(process.stdin, process.stdout, process.stderr, data)


def test_much_goes_through_a_program_that_answers_at_once(start: Start) -> None:
    talk = exchange(start("cat"), MUCH)
    assert talk.go_on(NEVER)
    assert talk.output("stdout") == MUCH
    assert talk.output("stderr") == b""


def test_much_on_both_outputs_while_nothing_is_read(start: Start) -> None:
    talk = exchange(start("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; cat"), MUCH)
    assert talk.go_on(NEVER)
    assert talk.output("stdout") == bytes(300_000) + MUCH
    assert talk.output("stderr") == bytes(300_000)


def test_without_data_the_input_is_closed_at_once(start: Start) -> None:
    process = start("cat; echo over")
    talk = exchange(process)
    assert process.stdin and process.stdin.closed
    assert talk.go_on(NEVER)
    assert talk.output("stdout") == b"over\n"


def test_what_stands_in_a_buffer_goes_first(start: Start) -> None:
    process = start("cat", bufsize=1000)
    assert process.stdin
    process.stdin.write(b"first, ")
    talk = exchange(process, b"second")
    assert talk.go_on(NEVER)
    assert talk.output("stdout") == b"first, second"


@pytest.mark.parametrize("command", ["exec true", "exec <&-; echo done", "head -c 10 >/dev/null; echo done"])
def test_a_program_that_does_not_read_its_input_is_no_error(start: Start, command: str) -> None:
    talk = exchange(start(command), MUCH)
    assert talk.go_on(NEVER)
    assert (talk.output("stdout") or b"").strip() in (b"", b"done")


def test_all_files_are_closed_at_the_end(start: Start) -> None:
    process = start("cat")
    assert exchange(process, b"data").go_on(NEVER)
    assert process.stdin and process.stdout and process.stderr
    assert process.stdin.closed and process.stdout.closed and process.stderr.closed


def test_what_is_no_pipe_has_no_output(start: Start) -> None:
    process = start("echo out; echo err >&2")
    assert process.stderr
    talk = Exchange(None, process.stdout, None, b"")
    assert talk.go_on(NEVER)
    assert (talk.output("stdout"), talk.output("stderr")) == (b"out\n", None)


def test_with_nothing_to_do_it_is_over(clean: None) -> None:
    assert Exchange(None, None, None, b"").go_on(Deadline.after(0))


def test_a_deadline_interrupts_it_and_it_can_be_taken_up_again(start: Start) -> None:
    talk = exchange(start("read line; echo got $line; read line; echo then $line"), b"one\n")
    assert talk.go_on(NEVER), "the second read meets the end"
    assert talk.output("stdout") == b"got one\nthen\n"

    process = start("echo early; exec sleep 1000")
    talk = exchange(process)
    while talk.output("stdout") != b"early\n":
        assert not talk.go_on(Deadline.after(0.01))
    process.kill()
    assert talk.go_on(NEVER)
    assert talk.output("stdout") == b"early\n"


def test_a_deadline_interrupts_a_program_that_never_stops_talking(start: Start) -> None:
    process = start("exec yes")
    talk = exchange(process)
    assert not talk.go_on(Deadline.after(0.05))
    assert (talk.output("stdout") or b"").startswith(b"y\ny\n")
    process.kill()
    assert talk.go_on(NEVER)


def test_a_deadline_interrupts_a_program_that_does_not_read(start: Start) -> None:
    process = start("exec sleep 1000")
    talk = exchange(process, MUCH)
    assert not talk.go_on(Deadline.after(0.05))
    process.kill()
    assert talk.go_on(NEVER)


def test_a_deadline_that_has_passed_still_lets_through_what_is_there(start: Start) -> None:
    process = start("echo there; exec sleep 1000")
    assert process.stdout
    assert select.select([process.stdout], [], [], 30)[0]
    talk = Exchange(None, process.stdout, None, b"")
    assert not talk.go_on(Deadline.after(0))
    assert talk.output("stdout") == b"there\n"


def test_python_itself_as_the_other_side(start: Start) -> None:
    script = "import sys; data = sys.stdin.buffer.read(); sys.stderr.buffer.write(data); sys.stdout.buffer.write(data)"
    talk = exchange(start(f'{sys.executable} -S -c "{script}"'), MUCH)
    assert talk.go_on(NEVER)
    assert talk.output("stdout") == talk.output("stderr") == MUCH
