"""Conversations in pexpect's words with what runs on a terminal of the other machine."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator

import pexpect
import pytest

from openssh_core import Connection, Pty
from openssh_core.errors import ConnectionLost
from openssh_core.expect import RemoteSpawn

from .conftest import Nap


@pytest.fixture
def quick(either: Connection) -> Iterator[type[object]]:
    """`spawn(command)`: what it makes waits for nobody before it types."""
    made: list[RemoteSpawn] = []

    def spawn(*command: str, **named: object) -> RemoteSpawn:
        child = either.expect(*command, **named)  # type: ignore[arg-type]
        child.delaybeforesend = None
        made.append(child)
        return child

    yield spawn  # type: ignore[misc]
    for child in made:
        child.close()


def test_a_dialogue(quick: type[object]) -> None:
    child = quick("printf 'name: '; read name; echo hello $name; printf 'more? '; read more; exit 3")
    assert child.expect(["password: ", "name: "]) == 1
    assert child.isalive()
    child.sendline("world")
    child.expect(r"hello (\w+)\r\n")
    assert child.match.group(1) == "world"
    assert child.before == "world\r\n"  # the terminal's echo
    child.expect_exact("more? ")
    child.sendline()
    child.expect(pexpect.EOF)
    assert child.wait() == 3
    assert (child.exitstatus, child.signalstatus, child.isalive()) == (3, None, False)
    assert os.waitstatus_to_exitcode(child.status) == 3


def test_it_is_a_terminal_of_the_size_asked_for(quick: type[object]) -> None:
    child = quick("tty && stty size && echo $TERM", pty=Pty("xterm", columns=97, rows=33))
    child.expect("/dev/.*\r\n33 97\r\nxterm")
    assert child.getwinsize() == (33, 97)
    assert child.isatty()


def test_another_size(host: Connection) -> None:
    with host.expect("trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done") as child:
        child.expect("ready")
        child.setwinsize(40, 120)
        child.expect("40 120")
        assert child.getwinsize() == (40, 120)


def test_time_passes_and_the_end_is_told(quick: type[object]) -> None:
    child = quick("echo before; cat")
    with pytest.raises(pexpect.TIMEOUT):
        child.expect("never", timeout=0.1)
    assert child.expect(["never", pexpect.TIMEOUT], timeout=0) == 1
    assert "before" in child.before
    child.sendeof()
    assert child.expect(["never", pexpect.EOF]) == 1
    assert child.eof()
    assert child.wait() == 0


def test_keys_with_control(quick: type[object]) -> None:
    child = quick("trap 'echo interrupted' INT; cat; echo after; cat")
    child.sendline("ready")
    # The terminal's echo, and what says that cat runs: a shell that is interrupted just before waits for it first.
    child.expect("ready\r\nready\r\n")
    child.sendintr()
    child.expect("interrupted")
    child.expect("after")
    assert child.sendcontrol("d") == 1
    assert child.sendcontrol("é") == 0
    child.expect(pexpect.EOF)


def test_everything_can_be_logged(quick: type[object]) -> None:
    log, sent, read = io.StringIO(), io.StringIO(), io.StringIO()
    child = quick("read x; echo got $x", logfile=log)
    child.logfile_send, child.logfile_read = sent, read
    child.sendline("word")
    child.expect(pexpect.EOF)
    assert sent.getvalue() == "word\n"
    assert read.getvalue() == "word\r\ngot word\r\n"
    assert "got word" in log.getvalue()
    assert "word\n" in log.getvalue()


def test_bytes(quick: type[object]) -> None:
    child = quick(r"stty -echo; echo ready; read x; printf 'a\377%s' $x", encoding=None)
    child.expect(b"ready\r\n")
    child.sendline(b"b")
    child.expect(b"\xff")
    assert child.before == b"a"
    assert child.read() == b"b"


def test_reading_it_like_a_file(quick: type[object]) -> None:
    child = quick("echo one; echo two; printf three")
    assert child.readline() == "one\r\n"
    assert child.read() == "two\r\nthree"
    assert list(quick("echo one; echo two")) == ["one\r\n", "two\r\n"]


def test_closing_ends_it(quick: type[object], nap: Nap) -> None:
    child = quick(f"trap '' HUP INT; echo ready; {nap.command}; {nap.command}")
    child.expect("ready")
    nap.wait_until_it_runs()
    child.close()
    nap.wait_until_it_is_over()
    assert not child.isalive()
    assert child.signalstatus in (signal.SIGKILL, None)  # a guest's master does not say
    child.close()
    with pytest.raises(ValueError, match="closed"):
        child.read_nonblocking()


def test_a_hang_up_is_enough_for_most(quick: type[object]) -> None:
    child = quick("echo ready; cat")
    child.expect("ready")
    assert child.terminate() is True
    assert child.terminate() is True


def test_what_insists_is_told_of(quick: type[object], nap: Nap) -> None:
    child = quick(f"trap '' HUP INT; echo ready; while :; do {nap.command}; done")
    child.expect("ready")
    child.delayafterterminate = 0.1
    assert child.terminate() is False
    assert child.isalive()
    child.kill(signal.SIGKILL)
    child.expect(pexpect.EOF)
    assert child.terminate() is True
    nap.wait_until_it_is_over()


def test_killed_it_says_by_what(host: Connection) -> None:
    with host.expect("kill -TERM $$") as child:
        child.expect(pexpect.EOF)
        assert child.wait() is None
        assert (child.exitstatus, child.signalstatus) == (None, signal.SIGTERM)


def test_a_loss_ends_the_output_and_is_raised_by_wait(host: Connection) -> None:
    with host.expect("echo ready; sleep 1000") as child:
        child.expect("ready")
        os.kill(host.master_pid, signal.SIGKILL)
        child.expect(pexpect.EOF)
        assert not child.isalive()
        with pytest.raises(ConnectionLost):
            child.wait()


def test_the_login_shell(quick: type[object]) -> None:
    child = quick()
    child.sendline("echo ma''rk; exit 4")
    child.expect("mark")
    child.expect(pexpect.EOF)
    assert child.wait() == 4


def test_what_is_known_of_it_is_shown(quick: type[object]) -> None:
    child = quick("echo ready; cat")
    child.expect("ready")
    assert "after: 'ready'" in str(child)
    assert child.fileno() == child.child_fd
