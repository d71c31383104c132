"""What holds when a command takes longer than it may: it is ended there, and what came until then is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import DEVNULL, PIPE, STDOUT, Connection, errors
from openssh_core.testing import Account, AccountServer

# ---- the limits


def test_a_timeout_ends_the_whole_process_group(anybody: Connection, nap: Any) -> None:
    with pytest.raises(errors.CommandTimeout) as caught:
        anybody.run(f"echo partial; echo said >&2; {nap.command} & {nap.command}", timeout=0.5)
    error = caught.value
    assert (error.limit, error.seconds, error.killed) == ("timeout", 0.5, True)
    assert (error.stdout, error.stderr) == ("partial\n", "said\n")
    assert isinstance(error, TimeoutError)
    nap.wait_until_it_is_over()
    assert anybody.capture("echo still fine") == "still fine\n"


def test_a_timeout_of_nothing_ends_at_once(anybody: Connection, nap: Any) -> None:
    with pytest.raises(errors.CommandTimeout):
        anybody.run(nap.command, timeout=0)
    nap.wait_until_it_is_over()
    assert anybody.capture("echo still fine") == "still fine\n"


def test_silence_has_a_limit_of_its_own(anybody: Connection, nap: Any) -> None:
    with pytest.raises(errors.CommandTimeout) as caught:
        anybody.run(f"echo once; {nap.command}", idle_timeout=0.5)
    assert (caught.value.limit, caught.value.stdout) == ("idle_timeout", "once\n")
    assert caught.value.killed
    nap.wait_until_it_is_over()


def test_output_now_and_then_is_no_silence(either: Connection) -> None:
    # On the whole it takes longer than the limit.
    done = either.run("for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.4; done", idle_timeout=3)
    assert str(done.stdout).split() == list("123456789")


def test_output_on_stderr_is_no_silence_either(either: Connection) -> None:
    done = either.run("for i in 1 2 3 4 5 6 7 8 9; do echo $i >&2; sleep 0.4; done", idle_timeout=3)
    assert str(done.stderr).split() == list("123456789")


def test_both_limits_at_once_and_the_first_counts(either: Connection, nap: Any) -> None:
    with pytest.raises(errors.CommandTimeout) as caught:
        either.run(nap.command, timeout=60, idle_timeout=0.2)
    assert caught.value.limit == "idle_timeout"
    with pytest.raises(errors.CommandTimeout) as caught:
        either.run(f"while :; do echo x; sleep 0.1; done; {nap.command}", timeout=0.5, idle_timeout=60)
    assert caught.value.limit == "timeout"
    assert str(caught.value.stdout).startswith("x\n")
    nap.wait_until_it_is_over()


def test_a_limit_that_is_not_reached_changes_nothing(either: Connection) -> None:
    done = either.run("echo quick; exit 3", timeout=60, idle_timeout=60)
    assert (done.stdout, done.returncode) == ("quick\n", 3)


def test_a_limit_longer_than_any_life(either: Connection) -> None:
    assert either.run("echo quick", timeout=1e10, idle_timeout=1e10).stdout == "quick\n"


def test_output_without_an_end_is_kept_as_far_as_it_came(either: Connection) -> None:
    with pytest.raises(errors.CommandTimeout) as caught:
        either.run("yes", timeout=0.5)
    assert set(str(caught.value.stdout)[:-2].split()) == {"y"}


def test_bytes_are_kept_as_bytes(either: Connection, nap: Any) -> None:
    with pytest.raises(errors.CommandTimeout) as caught:
        either.run(rf"printf '\377\000'; {nap.command}", timeout=0.5, encoding=None)
    assert caught.value.stdout == b"\xff\x00"


def test_input_that_nobody_reads_does_not_hold_a_timeout_up(either: Connection, nap: Any) -> None:
    with pytest.raises(errors.CommandTimeout):
        either.run(nap.command, input=b"x" * 10_000_000, timeout=0.5)
    nap.wait_until_it_is_over()


def test_a_command_that_ignores_everything_but_kill(anybody: Connection, nap: Any) -> None:
    with pytest.raises(errors.CommandTimeout) as caught:
        anybody.run(f"trap '' HUP INT TERM PIPE QUIT; {nap.command}; {nap.command}", timeout=0.5)
    assert caught.value.killed
    nap.wait_until_it_is_over()


def test_what_left_its_process_group_is_not_waited_for(either: Connection, nap: Any) -> None:
    # It keeps the output open and cannot be found any more.
    with pytest.raises(errors.CommandTimeout):
        either.run(f"setsid {nap.command} & echo started; wait", timeout=0.5)
    for pid in nap.wait_until_it_runs():
        os.kill(pid, signal.SIGKILL)


def test_on_a_terminal_too(host: Connection, nap: Any) -> None:
    with pytest.raises(errors.CommandTimeout) as caught:
        host.run(f"echo partial; {nap.command}", pty=True, timeout=0.5)
    assert caught.value.stdout == "partial\n"
    nap.wait_until_it_is_over()


def test_a_forced_command_that_cannot_be_ended_is_not_said_to_be(
    make_server: Any, nap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("running._KILL_PATIENCE", "_backends.proxy.PARTING_PATIENCE"):
        monkeypatch.setattr(f"openssh_core.{patience}", 0.3)
    server = make_server({"ForceCommand": f"echo forced; {nap.command}"})
    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(errors.CommandTimeout) as caught:
            host.run("anything", timeout=0.5)
        assert caught.value.killed is not True
        assert caught.value.stdout == "forced\n"
        assert nap.pids()


# ---- Ctrl-C


@pytest.mark.parametrize("limits", [{}, {"timeout": 100}, {"idle_timeout": 100}])
def test_an_interrupt_comes_through_and_ends_the_command(anybody: Connection, nap: Any, limits: dict[str, int]) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        nap.wait_until_it_runs()
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            anybody.run(nap.command, **limits)
    finally:
        thread.join()
    nap.wait_until_it_is_over()
    assert anybody.capture("echo still fine") == "still fine\n"


class Alarm(Exception):
    """What a signal handler of the caller raises."""


def _raise_alarm(*_: object) -> None:
    raise Alarm


def test_interrupts_at_any_moment_break_nothing(either: Connection) -> None:
    """A handler may raise between any two steps of ours in the main thread."""
    before = signal.signal(signal.SIGALRM, _raise_alarm)
    interrupted = 0
    try:
        for number in range(150):
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.0001 + number * 0.00008)
                    assert either.run("echo fine").stdout == "fine\n"
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except Alarm:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted
    # Neither the connection nor a slot is lost.
    for _ in range(25):
        assert either.run("echo fine").stdout == "fine\n"


# ---- what we do to be able to end it does not show in the output

OUTPUTS = [
    ("true", b"", b""),
    ("printf x", b"x", b""),
    ("echo; echo", b"\n\n", b""),
    (r"printf '\000\377\n\r\001'", b"\0\xff\n\r\1", b""),
    ("echo err >&2", b"", b"err\n"),
    ("printf out; printf err >&2", b"out", b"err"),
    ("echo $$ >/dev/null", b"", b""),
    ("exec printf '%s\\n' replaced", b"replaced\n", b""),
    ("head -c 100000 /dev/zero", bytes(100_000), b""),
    ("if true; then echo a; fi", b"a\n", b""),
    ("(echo in a group)", b"in a group\n", b""),
    ("{ echo in braces; }", b"in braces\n", b""),
    ("# only a comment", b"", b""),
    ("cat <<END\nhere\nEND", b"here\n", b""),
    ("echo 'a\nb'", b"a\nb\n", b""),
]


@pytest.mark.parametrize(("command", "out", "err"), OUTPUTS)
def test_the_output_is_the_command_s_own(anybody: Connection, command: str, out: bytes, err: bytes) -> None:
    done = anybody.run(command, encoding=None)
    assert (done.stdout, done.stderr, done.returncode) == (out, err, 0)


def test_the_output_is_its_own_byte_by_byte(anybody: Connection) -> None:
    with anybody.popen("printf abc; sleep 0.01; printf def", stdout=PIPE, encoding=None, bufsize=0) as process:
        assert process.stdout is not None
        assert b"".join(iter(lambda: os.read(process.stdout.fileno(), 1), b"")) == b"abcdef"  # type: ignore[union-attr]


def test_the_output_is_its_own_on_a_terminal(anybody: Connection) -> None:
    assert anybody.run("echo one; echo two >&2", pty=True, encoding=None).stdout == b"one\r\ntwo\r\n"


def test_the_output_is_its_own_with_both_streams_together(anybody: Connection) -> None:
    assert anybody.run("echo one; echo two >&2; echo three", stderr=STDOUT).stdout == "one\ntwo\nthree\n"


def test_the_output_is_its_own_in_a_file(anybody: Connection, tmp_path: Any) -> None:
    with open(tmp_path / "out", "wb") as out:
        anybody.run("echo one; echo two >&2", stdout=out, stderr=out)
    assert sorted((tmp_path / "out").read_text().split()) == ["one", "two"]


def test_the_output_is_its_own_with_input(anybody: Connection) -> None:
    assert anybody.run("cat; echo end", input="begin\n").stdout == "begin\nend\n"


def test_the_output_is_its_own_with_variables_and_a_directory(anybody: Connection) -> None:
    done = anybody.run('echo "$NAME"; pwd', env={"NAME": "value"}, cwd="/")
    assert done.stdout == "value\n/\n"


@pytest.fixture(scope="session")
def talkative_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountServer]:
    """A server whose user has a login shell that says something first."""
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        shell = Path(directory, "shell")
        shell.write_text('#!/bin/sh\necho "welcome to the machine"\nprintf "no line end"\nexec /bin/sh "$@"\n')
        shell.chmod(0o755)
        with AccountServer(Account("host", shell=str(shell))) as server:
            yield server


@pytest.mark.parametrize("way", ["link", "guest"])
def test_a_login_shell_that_talks_first_is_heard(talkative_server: AccountServer, nap: Any, way: str) -> None:
    with openssh_core.connect(**talkative_server.connect_options()) as host:
        path = host.control_path if way == "guest" else None
        with openssh_core.connect(**talkative_server.connect_options(), control_path=path) as one:
            assert one.run("echo said").stdout == "welcome to the machine\nno line endsaid\n"
            with pytest.raises(errors.CommandTimeout) as caught:
                one.run(nap.command, timeout=0.5)
            assert caught.value.killed
            assert caught.value.stdout == "welcome to the machine\nno line end"


def test_a_forced_command_can_be_talked_to(make_server: Any) -> None:
    """It never says the line that is looked for."""
    server = make_server({"ForceCommand": "echo forced; cat"})
    with openssh_core.connect(**server.connect_options()) as host:
        for _ in range(2):  # the second time it is known that the server refuses signals
            with host.popen("anything", stdin=PIPE, stdout=PIPE) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                assert process.stdout.readline() == "forced\n"
                for line in ("one\n", "two\n"):
                    process.stdin.write(line)
                    process.stdin.flush()
                    assert process.stdout.readline() == line


def test_discarded_output_is_discarded(anybody: Connection) -> None:
    done = anybody.run("echo one; exit 3", stdout=DEVNULL)
    assert (done.stdout, done.returncode) == (None, 3)


INHERITING = """
import sys
import openssh_core
with openssh_core.connect("guest", control_path=sys.argv[1]) as host:
    host.run("echo out; echo err >&2", stdout=None, stderr=None)
"""


def test_inherited_output_is_the_command_s_own(host: Connection) -> None:
    words = [sys.executable, "-c", INHERITING, host.control_path]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("out\n", "err\n")
