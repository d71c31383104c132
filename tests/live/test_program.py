"""What holds for a `Program`: started as at home, or an error that says why not."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, STDOUT, Connection, Program, Pty, errors
from openssh_core.testing import LoopbackServer


def test_it_runs_and_its_output_is_its_own(either: Connection) -> None:
    for _ in range(2):  # by /bin/sh, and then by the login shell itself
        done = either.run(Program(("sh", "-c", "cat; echo $0 >&2; exit 3", "zero")), input="in")
        assert (done.returncode, done.stdout, done.stderr) == (3, "in", "zero\n")
        assert done.command == ["sh", "-c", "cat; echo $0 >&2; exit 3", "zero"]


def test_its_process_id_is_known_from_the_start(either: Connection) -> None:
    with either.popen(Program(("sh", "-c", "echo $$; read x")), stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{process.pid}\n"
        assert process.pid is not None and os.getpgid(process.pid) == process.pid


@pytest.mark.parametrize(
    ("program", "number", "filename"),
    [
        (Program(("no-such-program",)), errno.ENOENT, "no-such-program"),
        (Program(("/etc/passwd", "x")), errno.EACCES, "/etc/passwd"),
        (Program(("x",), executable="/etc"), errno.EACCES, "/etc"),
        (Program(("true",), cwd="/no/such/place"), errno.ENOENT, "/no/such/place"),
        (Program(("true",), cwd="/etc/passwd"), errno.ENOTDIR, "/etc/passwd"),
    ],
    ids=["nothing", "no program", "a directory", "cwd: nothing", "cwd: a file"],
)
def test_what_cannot_be_started_is_an_error(either: Connection, program: Program, number: int, filename: str) -> None:
    for start in (either.run, either.popen):
        with pytest.raises(errors.ProgramNotStarted, match=os.strerror(number)) as caught:
            start(program, stdout=PIPE)  # type: ignore[operator]
        assert (caught.value.errno, caught.value.filename) == (number, filename)
        assert caught.value.step == ("program" if program.cwd is None else "cwd")
        assert caught.value.host == either.host
    assert isinstance(caught.value, OSError)


def test_a_start_that_fails_leaves_nothing(loopback_server: LoopbackServer, no_leaks: None) -> None:
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        for start in (host.run, host.popen):
            with pytest.raises(errors.ProgramNotStarted):
                start(Program(["no-such-program"]), stdout=PIPE, stderr=PIPE)  # type: ignore[operator]


def test_a_directory_of_somebody_else(ordinary_user_server: Any) -> None:
    with openssh_core.connect(**ordinary_user_server.connect_options()) as host:
        for cwd in ("/root", "/root/deeper"):
            with pytest.raises(errors.ProgramNotStarted) as caught:
                host.run(Program(("pwd",), cwd=cwd))
            assert caught.value.errno == errno.EACCES
        with pytest.raises(errors.ProgramNotStarted) as caught:
            host.run(Program(("id",), user="root"))
        assert (caught.value.errno, caught.value.step) == (errno.EPERM, "user")


def test_without_a_report_it_is_a_status(either: Connection) -> None:
    done = either.run(Program(("no-such-program",), report=False))
    assert done.returncode == 127 and isinstance(done.stderr, str) and "no-such-program" in done.stderr
    assert either.run(Program(("echo", "x"), report=False)).stdout == "x\n"


def test_on_a_terminal_and_with_merged_streams(either: Connection) -> None:
    done = either.run(Program(("sh", "-c", "echo a; echo b >&2")), stderr=STDOUT)
    assert (done.stdout, done.stderr) == ("a\nb\n", None)
    assert either.run(Program(("tty",)), pty=Pty()).stdout.startswith("/dev/")  # type: ignore[union-attr]


def test_variables_besides(either: Connection) -> None:
    assert either.run(Program(("sh", "-c", "echo $A $HOME")), env={"A": "a  b"}).stdout.startswith("a b /")  # type: ignore[union-attr]


def test_signals_that_the_protocol_does_not_have(either: Connection) -> None:
    command = "trap 'echo woken; exit 5' WINCH; echo ready; while :; do sleep 0.02; done"
    with either.popen(Program(("sh", "-c", command)), stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGWINCH)
        assert process.stdout.read() == "woken\n"
        assert process.wait() == 5


@pytest.mark.parametrize("forced", ["exit 0", "echo instead", "echo instead; exit 3"])
def test_an_account_that_runs_something_else(make_server: Callable[..., LoopbackServer], forced: str) -> None:
    server = make_server({"ForceCommand": forced})
    with openssh_core.connect(**server.connect_options()) as host:
        for start in (host.run, host.popen):
            with pytest.raises(errors.RequestRefused, match="without starting the program"):
                start(Program(("true",)))  # type: ignore[operator]
        if "echo" in forced:
            done = host.run(Program(("true",), report=False))
            assert (done.stdout, done.returncode) == ("instead\n", 3 if "3" in forced else 0)


def test_a_start_up_file_that_talks(make_server: Callable[..., LoopbackServer], tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("echo welcome; cd() { echo hijacked; }; set -- left over\n")
    server = make_server({"SetEnv": f"HOME={tmp_path}"})
    with openssh_core.connect(**server.connect_options()) as host:
        for _ in range(2):
            done = host.run(Program(("sh", "-c", "pwd; echo $#"), cwd="/usr"))
            assert done.stdout in ("/usr\n0\n", "welcome\n/usr\n0\n")


def test_the_end_calls_back(either: Connection) -> None:
    ended = threading.Event()
    seen: list[Any] = []

    def note(process: Any) -> None:
        seen.append((process, process.returncode))
        ended.set()

    with either.popen("read x; exit 4", stdin=PIPE) as process:
        process.add_done_callback(note)
        assert process.stdin is not None and not seen
        process.stdin.close()
        assert ended.wait(60)
    assert seen == [(process, 4)]
    process.add_done_callback(note)
    assert seen == [(process, 4)] * 2


def test_a_start_that_nobody_waits_for(either: Connection) -> None:
    for command, error in (
        (Program(["sh", "-c", "exit 3"]), None),
        ("exit 3", None),
        (Program(["no-such-program"]), errors.ProgramNotStarted),
    ):
        known = threading.Event()
        process = either.popen(command, wait=False)  # type: ignore[arg-type]
        process.add_start_callback(lambda _process: known.set())  # noqa: B023
        assert known.wait(60)
        if error is None:
            process.check_started()
            assert process.wait() == 3
        else:
            with pytest.raises(error):
                process.check_started()
            with pytest.raises(error):
                process.wait()


def test_a_callback_that_raises_harms_nobody(host: Connection, caplog: pytest.LogCaptureFixture) -> None:
    process = host.popen("true")
    process.wait()
    process.add_done_callback(lambda _process: 1 / 0)
    assert "to be called about a command" in caplog.text
    assert host.run("true").returncode == 0


def test_what_makes_no_sense(host: Connection) -> None:
    with pytest.raises(errors.InvalidCommand, match="cwd"):
        host.run(Program(("true",)), cwd="/")
    with pytest.raises(errors.InvalidCommand, match="alone"):
        host.run(Program(("true",)), "x")
