"""What holds for a command that runs beside us."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import pytest

import openssh_core
from openssh_core import PIPE, Connection, Pty


def test_a_conversation_over_real_pipes(either: Connection) -> None:
    with either.popen("cat", stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in ("one\n", "two\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == line
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait() == 0


def test_output_can_be_waited_for_with_select(either: Connection) -> None:
    with either.popen("echo now; read x; echo then", stdin=PIPE, stdout=PIPE, encoding=None) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 10)[0] == [process.stdout]
        assert os.read(process.stdout.fileno(), 100) == b"now\n"
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.stdout.read() == b"then\n"


def test_lines_can_be_taken_as_they_come(either: Connection) -> None:
    with either.popen("for i in 1 2 3; do echo $i; done", stdout=PIPE) as process:
        assert process.stdout is not None
        assert [line.rstrip() for line in process.stdout] == ["1", "2", "3"]


def test_poll_is_none_while_it_runs(either: Connection) -> None:
    with either.popen("read x; exit 7", stdin=PIPE) as process:
        assert process.poll() is None
        assert process.returncode is None
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 7
        assert process.poll() == 7


def test_communicate_feeds_and_reads_at_the_same_time(either: Connection) -> None:
    data = b"y" * 2_000_000
    with either.popen("tee /dev/stderr", stdin=PIPE, stdout=PIPE, stderr=PIPE, encoding=None) as process:
        assert process.communicate(data) == (data, data)
        assert process.returncode == 0


def test_communicate_goes_on_after_a_timeout(either: Connection, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"echo first; until [ -e {go} ]; do sleep 0.02; done; echo second"
    with either.popen(script, stdin=PIPE, stdout=PIPE) as process:
        with pytest.raises(openssh_core.CommandTimeout) as caught:
            process.communicate(timeout=0)
        assert caught.value.killed is False
        go.touch()
        assert process.communicate(timeout=30) == ("first\nsecond\n", None)


def test_wait_leaves_it_running_when_the_time_is_over(either: Connection) -> None:
    with either.popen("read x", stdin=PIPE) as process:
        with pytest.raises(openssh_core.CommandTimeout, match="still runs") as caught:
            process.wait(timeout=0.01)
        assert isinstance(caught.value, TimeoutError)
        assert process.poll() is None


def test_the_status_does_not_wait_for_background_processes(either: Connection) -> None:
    process = either.popen("sleep 60 & exit 5", stdout=PIPE)
    assert process.wait(timeout=30) == 5
    process.close()
    either.run("pkill -f '^sleep 60$'")


def test_a_reader_that_goes_away_ends_an_endless_writer(either: Connection) -> None:
    with either.popen("yes", stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "y\n"
        process.stdout.close()
        try:
            process.wait(timeout=30)
        except openssh_core.ExitStatusMissing:
            pass  # the mux protocol does not tell death by a signal


def test_writing_to_what_has_ended_is_a_broken_pipe(either: Connection) -> None:
    with either.popen("exec <&-; exit 0", stdin=PIPE, bufsize=0, encoding=None) as process:
        process.wait()
        assert process.stdin is not None
        poll = select.poll()
        poll.register(process.stdin, select.POLLERR)
        assert poll.poll(10_000)
        with pytest.raises(BrokenPipeError):
            process.stdin.write(b"x")


def test_terminate_and_kill_say_which_signal(host: Connection) -> None:
    for end, number in ((lambda p: p.terminate(), signal.SIGTERM), (lambda p: p.kill(), signal.SIGKILL)):
        with host.popen("sleep 100") as process:
            end(process)
            assert process.wait(timeout=30) == -number
            assert process.signal == signal.Signals(number).name.removeprefix("SIG")


def test_signalling_what_has_ended_does_nothing(either: Connection) -> None:
    with either.popen("true") as process:
        process.wait()
        process.terminate()
        process.send_signal("USR1")


def test_no_such_signal(host: Connection) -> None:
    with host.popen("true") as process, pytest.raises(openssh_core.InvalidInput, match="no signal"):
        process.send_signal("NOSUCH")


def test_a_terminal_has_a_size_and_can_be_resized(host: Connection) -> None:
    terminal = Pty(term="xterm", columns=123, rows=45)
    script = 'stty size; echo "$TERM"; trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.01; done'
    with host.popen(script, pty=terminal, stdout=PIPE) as process:
        assert process.stdout is not None
        assert [process.stdout.readline().strip() for _ in range(3)] == ["45 123", "xterm", "ready"]
        process.resize(100, 50)
        assert process.stdout.readline().strip() == "50 100"


def test_a_login_shell_reads_commands(either: Connection) -> None:
    with either.popen(stdin=PIPE, stdout=PIPE) as shell:
        out, _ = shell.communicate("echo from the shell\nexit 9\n")
        assert "from the shell" in str(out)
        assert shell.returncode == 9


def test_a_subsystem_can_be_started(either: Connection) -> None:
    with either.popen(subsystem="sftp", stdin=PIPE, stdout=PIPE, encoding=None, bufsize=0) as sftp:
        assert sftp.stdin is not None
        assert sftp.stdout is not None
        sftp.stdin.write(b"\x00\x00\x00\x05\x01\x00\x00\x00\x03")  # SSH_FXP_INIT, version 3
        assert sftp.stdout.read(5)[4:5] == b"\x02"  # SSH_FXP_VERSION


def test_an_unknown_subsystem_is_refused_with_a_reason(host: Connection) -> None:
    with pytest.raises(openssh_core.RequestRefused, match="subsystem") as caught:
        host.popen(subsystem="no-such-thing")
    assert caught.value.request == "subsystem"
    assert host.run("true").returncode == 0


def test_output_of_one_can_be_input_of_another(host: Connection) -> None:
    with (
        host.popen("printf 'b\\na\\n'", stdout=PIPE) as first,
        host.popen("sort", stdin=first.stdout, stdout=PIPE) as second,
    ):
        assert first.stdout is not None
        first.stdout.close()
        assert second.communicate()[0] == "a\nb\n"
