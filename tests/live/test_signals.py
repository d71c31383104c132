"""What holds for signals: they reach the whole process group, whoever logged in, or it is said that they do not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection, RemoteProcess, errors
from openssh_core.testing import LoopbackServer

ENDS: list[tuple[Callable[[RemoteProcess], object], int]] = [
    (lambda process: process.terminate(), signal.SIGTERM),
    (lambda process: process.kill(), signal.SIGKILL),
    (lambda process: process.send_signal("HUP"), signal.SIGHUP),
    (lambda process: process.send_signal("SIGINT"), signal.SIGINT),
    (lambda process: process.send_signal(signal.SIGUSR1), signal.SIGUSR1),
    (lambda process: process.send_signal(12), signal.SIGUSR2),
]


@pytest.mark.parametrize(("end", "number"), ENDS)
def test_a_signal_ends_the_whole_group(
    anybody: Connection, nap: Any, end: Callable[[RemoteProcess], object], number: int
) -> None:
    # In the shell's own process, and in one beside it. SIGINT is ignored in the background (POSIX, asynchronous lists).
    beside = f"{nap.command} &" if number != signal.SIGINT else ""
    with anybody.popen(f"{beside} exec {nap.command}") as process:
        nap.wait_until_it_runs(2 if beside else 1)
        end(process)
        assert process.wait(timeout=60) == -number
        assert process.signal == signal.Signals(number).name.removeprefix("SIG")
    nap.wait_until_it_is_over()


def test_a_group_without_its_leader_is_reached_too(anybody: Connection, nap: Any) -> None:
    with anybody.popen(f"{nap.command} & {nap.command} & wait; echo over", stdout=PIPE) as process:
        nap.wait_until_it_runs(2)
        process.kill()
        process.wait(timeout=60)
    nap.wait_until_it_is_over()


def test_a_signal_sent_at_once_is_not_lost(anybody: Connection, nap: Any) -> None:
    for _ in range(5):
        with anybody.popen(nap.command) as process:
            process.terminate()
            assert process.wait(timeout=60) == -signal.SIGTERM
    nap.wait_until_it_is_over()


def test_a_handler_runs_and_its_status_counts(anybody: Connection) -> None:
    script = "trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.01; done"
    with anybody.popen(script, stdout=PIPE, stderr=openssh_core.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # The sleep of the moment, in the same group, ends by it; the shell does not.
        process.send_signal("USR1")
        assert process.stdout.readline() == "caught\n"
        assert process.wait(timeout=60) == 9
        assert process.signal is None


def test_a_signal_that_is_ignored_leaves_it_running(anybody: Connection) -> None:
    with anybody.popen("trap '' TERM; echo ready; read line; echo $line", stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.poll() is None
        process.stdin.write("still here\n")
        process.stdin.close()
        assert process.stdout.readline() == "still here\n"
        assert process.wait(timeout=60) == 0


def test_nobody_else_is_hit(anybody: Connection, nap: Any) -> None:
    with anybody.popen(f"{nap.command}; echo over", stdout=PIPE) as other, anybody.popen("exec sleep 1000") as process:
        nap.wait_until_it_runs()
        process.kill()
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()


def test_many_are_ended_at_once(anybody: Connection, nap: Any) -> None:
    processes = [anybody.popen(nap.command) for _ in range(8)]
    nap.wait_until_it_runs(8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda process: process.kill(), processes))
    assert [process.wait(timeout=60) for process in processes] == [-signal.SIGKILL] * 8
    nap.wait_until_it_is_over()


def test_every_slot_may_be_taken_by_what_is_to_be_ended(make_server: Any, nap: Any) -> None:
    """A root login is signalled through a session of its own, and there must be one left for that."""
    server = make_server({"MaxSessions": 3})
    with openssh_core.connect(**server.connect_options()) as host, ThreadPoolExecutor(8) as pool:

        def run() -> errors.CommandTimeout:
            with pytest.raises(errors.CommandTimeout) as caught:
                host.run(nap.command, timeout=1)
            return caught.value

        for error in [future.result() for future in [pool.submit(run) for _ in range(8)]]:
            assert error.killed is not False
        nap.wait_until_it_is_over()
        assert host.capture("echo still fine") == "still fine\n"
    assert server.logins == 1


def test_closing_the_connection_ends_what_runs(anybody: Connection, nap: Any, loopback_server: LoopbackServer) -> None:
    process = anybody.popen(nap.command)
    deaf = anybody.popen(f"trap '' HUP TERM; {nap.command}; {nap.command}", stdin=PIPE)
    nap.wait_until_it_runs(2)
    anybody.close()
    nap.wait_until_it_is_over()
    for one in (process, deaf):
        try:
            one.wait(timeout=60)
        except (errors.ExitStatusMissing, errors.ConnectionClosed):
            pass  # gone for sure, but nobody heard it say so
    process.close()
    deaf.close()


def test_a_forced_command_that_takes_no_signal_says_so(
    make_server: Any, nap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openssh_core.process.SIGNAL_PATIENCE", 0.5)
    server = make_server({"ForceCommand": nap.command})
    with openssh_core.connect(**server.connect_options()) as host, host.popen("anything") as process:
        nap.wait_until_it_runs()
        with pytest.raises(errors.SignalNotDelivered) as caught:
            process.terminate()
        assert caught.value.signal == "TERM"
        assert process.poll() is None
        for pid in nap.pids():
            os.kill(pid, signal.SIGKILL)
        # Some shells become their last command, others live to tell.
        assert process.wait(timeout=60) in (-signal.SIGKILL, 128 + signal.SIGKILL)


def test_a_subsystem_that_takes_no_signal_says_so(host: Connection) -> None:
    with host.popen(subsystem="sftp", stdin=PIPE, stdout=PIPE, encoding=None) as process:
        with pytest.raises(errors.SignalNotDelivered):
            process.terminate()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_on_a_terminal_too(anybody: Connection, nap: Any) -> None:
    with anybody.popen(f"{nap.command}; {nap.command}", pty=True, stdout=PIPE) as process:
        nap.wait_until_it_runs()
        process.terminate()
        assert process.wait(timeout=60) == -signal.SIGTERM
    nap.wait_until_it_is_over()


def test_control_c_on_a_terminal(anybody: Connection, nap: Any) -> None:
    with anybody.popen(f"exec {nap.command}", pty=True, stdin=PIPE, stdout=PIPE, encoding=None) as process:
        nap.wait_until_it_runs()
        assert process.stdin is not None
        process.stdin.write(b"\x03")
        process.stdin.flush()
        nap.wait_until_it_is_over()
        try:
            assert process.wait(timeout=60) == -signal.SIGINT
        except errors.ExitStatusMissing:
            pass  # the mux protocol does not tell death by a signal


@pytest.mark.parametrize("name", ["NOSUCH", "", "SIG", 0, 999, -9, "TERM; id"])
def test_a_signal_that_is_none(anybody: Connection, name: Any) -> None:
    with anybody.popen("exec sleep 1000") as process:
        with pytest.raises(errors.InvalidInput, match="no signal"):
            process.send_signal(name)
        process.kill()


def test_a_signal_to_what_has_ended_does_nothing(anybody: Connection) -> None:
    with anybody.popen("exit 3") as process:
        assert process.wait() == 3
        process.kill()
        assert process.returncode == 3
