"""The terminal is handed over to a remote shell, and comes back as it was: with a real terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

import openssh_core
from openssh_core.errors import InvalidInput
from openssh_core.testing import LoopbackServer

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(__file__).with_name("handing_over.py"))
Start = Callable[..., "pexpect.spawn[str]"]


def words(server: LoopbackServer, mode: str, *command: str) -> list[str]:
    return [PROGRAM, json.dumps(server.connect_options(), default=str), mode, *command]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}


@pytest.fixture
def start(loopback_server: LoopbackServer) -> Iterator[Start]:
    """Starts the program on a terminal of 97 columns and 33 rows."""
    started: list[pexpect.spawn[str]] = []

    def begin(mode: str, *command: str) -> pexpect.spawn[str]:
        child = pexpect.spawn(
            sys.executable,
            words(loopback_server, mode, *command),
            env=environment(),
            dimensions=(33, 97),
            encoding="utf-8",
            timeout=30,
        )
        child.delaybeforesend = None
        child.expect(r"MASTER (\d+)")
        started.append(child)
        return child

    yield begin
    for child in started:
        child.close(force=True)


def in_shell(child: pexpect.spawn[str]) -> None:
    """Wait until the remote shell reads what is typed."""
    child.sendline("echo re''ady")
    child.expect("ready\r\n")


def is_raw(child: pexpect.spawn[str]) -> bool:
    return not termios.tcgetattr(child.child_fd)[3] & termios.ICANON


def test_keys_and_output_go_through_and_the_terminal_comes_back(start: Start) -> None:
    child = start("shell")
    in_shell(child)
    assert is_raw(child)
    child.sendline("stty size; echo $TERM; test -t 0 && test -t 1 && test -t 2 && echo te''rminals")
    child.expect("33 97\r\nxterm-256color\r\nterminals")
    child.sendline("exit 7")
    child.expect("RETURNED 7 RESTORED")
    child.expect(pexpect.EOF)
    assert not is_raw(child)


def test_ctrl_c_goes_to_the_other_side(start: Start) -> None:
    child = start("shell", "trap 'echo inter''rupted; exit 5' INT; echo ready; while :; do sleep 0.01; done")
    child.expect("ready")
    child.sendintr()
    child.expect("interrupted")
    child.expect("RETURNED 5 RESTORED")


def test_a_new_size_follows(start: Start) -> None:
    child = start("shell", "trap 'stty size' WINCH; trap 'exit 130' INT; echo ready; while :; do sleep 0.01; done")
    child.expect("ready")
    child.setwinsize(40, 120)
    child.expect("40 120")
    child.sendintr()
    child.expect("RETURNED (-2|130) RESTORED")


def test_much_output_and_a_long_paste(start: Start) -> None:
    child = start(
        "shell", "stty raw -echo; echo ready; head -c 100000 | wc -c; head -c 300000 /dev/zero | tr '\\0' x; echo end"
    )
    child.expect("ready")
    # More than a terminal holds, piece by piece, as it is read.
    for _ in range(100):
        child.send("y" * 1000)
    child.expect("100000")
    child.expect("x{1000}end", searchwindowsize=3000)
    child.expect("RETURNED 0 RESTORED")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_us_leaves_the_terminal_as_it_was(start: Start, number: int) -> None:
    child = start("shell")
    in_shell(child)
    assert is_raw(child)
    child.kill(number)
    child.expect(pexpect.EOF)
    assert not is_raw(child)
    child.close()
    assert child.signalstatus == number


def test_an_exception_does_too(start: Start) -> None:
    child = start("shell")
    in_shell(child)
    child.kill(signal.SIGINT)  # from outside: a KeyboardInterrupt
    child.expect("RAISED KeyboardInterrupt RESTORED")


def test_a_lost_connection_does_too(start: Start) -> None:
    child = start("shell")
    assert child.match is not None
    master = int(child.match.group(1))  # type: ignore[union-attr]
    in_shell(child)
    os.kill(master, signal.SIGKILL)
    child.expect("RAISED ConnectionLost RESTORED")


def test_a_killed_remote_shell_does_too(start: Start) -> None:
    child = start("shell")
    in_shell(child)
    child.sendline("kill -9 $$")
    child.expect("RETURNED -9 RESTORED")


def test_there_is_a_way_out(start: Start) -> None:
    child = start("shell", "trap '' INT; stty -echo; echo ready; while read x; do echo got: $x; done")
    child.expect("ready")
    child.send("a~.\r~~b\r~c\r")
    child.expect("got: a~.\r\ngot: ~b\r\ngot: ~c\r\n")
    child.send("~.")
    child.expect("RAISED ExitStatusMissing RESTORED")


def test_in_another_thread(start: Start) -> None:
    child = start("thread", "stty size; exit 6")
    child.expect("33 97")
    child.expect(r"RETURNED \[6\] RESTORED")


def test_a_person_takes_over_from_a_program_and_back(start: Start) -> None:
    child = start("interact", "echo ready; while read x; do stty size; echo got: $x; done")
    child.expect("TAKE OVER")
    child.send("word\r")
    child.expect("33 97\r\ngot: word")
    assert is_raw(child)
    child.send("\x1d")
    child.expect("LEFT RESTORED")


def test_without_a_terminal_it_is_passed_on_like_a_file(loopback_server: LoopbackServer) -> None:
    done = subprocess.run(
        [sys.executable, *words(loopback_server, "shell")],
        env=environment(),
        input="echo out; echo err >&2; test -t 0 || echo no terminal; exit 5\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[1:3] == ["out", "no terminal"]
    assert "RETURNED 5" in done.stdout
    assert done.stderr == "err\n"


def test_the_escape_is_one_character(loopback_server: LoopbackServer) -> None:
    with openssh_core.connect(**loopback_server.connect_options()) as host, pytest.raises(InvalidInput, match="escape"):
        host.shell(escape="~~")
