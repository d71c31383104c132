"""What becomes of a command that its caller leaves: it begins and goes on where that was promised, it ends where nobody
could ever end it, and here nothing of it is left."""

from __future__ import annotations

import gc
import os
import signal
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection, Feed, errors
from openssh_core._backends import parting
from openssh_core._backends.passenger_session import PassengerSession
from openssh_core._backends.proxy_session import ProxySession
from openssh_core.testing import LoopbackServer

Until = Callable[..., Any]

# ---- given up, and yet it runs


def test_a_command_that_is_closed_at_once_still_runs(either: Connection, tmp_path: Path, until: Until) -> None:
    files = [tmp_path / str(number) for number in range(20)]
    for file in files:
        either.popen(f"sleep 0.05; touch {file}", stdout=PIPE).close()
    until(lambda: all(file.exists() for file in files))


def test_a_command_that_is_closed_with_its_connection_still_runs(
    loopback_server: LoopbackServer, tmp_path: Path, until: Until
) -> None:
    files = [tmp_path / str(number) for number in range(5)]
    for file in files:
        with openssh_core.connect(**loopback_server.connect_options()) as host:
            host.popen(f"sleep 0.05; touch {file}", stdin=PIPE, stdout=PIPE).close()
    until(lambda: all(file.exists() for file in files))


def test_closing_says_at_once_that_nothing_more_will_be_known(either: Connection, nap: Any) -> None:
    process = either.popen(nap.command, stdout=PIPE)
    process.close()
    with pytest.raises(errors.ExitStatusMissing):
        process.wait(timeout=60)
    os.kill(nap.wait_until_it_runs()[0], signal.SIGKILL)


def test_slots_of_what_was_closed_come_free_when_it_ends(make_server: Any, tmp_path: Path) -> None:
    with openssh_core.connect(**make_server({"MaxSessions": 2}).connect_options()) as host:
        for _ in range(10):
            host.popen("cat", stdin=PIPE, stdout=PIPE).close()
        assert host.capture("echo room") == "room\n"


def test_a_forced_command_never_tells_its_process_id_and_is_closed_all_the_same(
    make_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, until: Until
) -> None:
    monkeypatch.setattr(parting, "PATIENCE", 0.05)
    file = tmp_path / "closed"
    server = make_server(sshd_options=["-o", f"ForceCommand=cat; touch {file}"])
    with openssh_core.connect(**server.connect_options()) as host:
        host.popen("anything", stdin=PIPE, stdout=PIPE).close()
        until(file.exists)


# ---- a handler of the caller's raises, and nobody has the command


class Alarm(Exception):
    """What a signal handler of the caller raises."""


@pytest.fixture
def alarms() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("how", ["run", "popen"])
def test_what_was_started_and_never_handed_over_is_ended(
    either: Connection, nap: Any, alarms: None, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    for kind in (ProxySession, PassengerSession):

        def begin(session: Any, begin: Callable[[Any], None] = kind.begin) -> None:
            begin(session)
            signal.raise_signal(signal.SIGALRM)

        monkeypatch.setattr(kind, "begin", begin)
    with pytest.raises(Alarm):
        getattr(either, how)(f"touch /dev/null; {nap.command}")
    monkeypatch.undo()
    # In order: had it been started, it would run by now.
    assert either.capture("echo fine") == "fine\n"
    nap.wait_until_it_is_over()


@pytest.mark.parametrize("how", ["run", "popen"])
def test_what_was_never_started_costs_no_time(
    either: Connection, alarms: None, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    waited: list[float | None] = []
    for kind in (ProxySession, PassengerSession):
        monkeypatch.setattr(kind, "begin", lambda _session: signal.raise_signal(signal.SIGALRM))
        wait = kind.wait_exited
        monkeypatch.setattr(kind, "wait_exited", lambda *given, wait=wait: waited.append(wait(*given)) or waited[-1])
    with pytest.raises(Alarm):
        getattr(either, how)("true")
    assert all(waited), "it was known to be over"
    monkeypatch.undo()
    assert either.capture("echo fine") == "fine\n"


def test_an_alarm_at_any_moment_leaves_nothing_running(either: Connection, nap: Any, alarms: None) -> None:
    for number in range(40):
        # What is raised in a callback of the garbage collector is lost, and other plugins have such.
        with pytest.raises((Alarm, errors.CommandTimeout)):
            signal.setitimer(signal.ITIMER_REAL, 0.0001 + number * 0.0001)
            either.run(nap.command, timeout=3)
    assert either.capture("echo fine") == "fine\n"
    nap.wait_until_it_is_over()


@pytest.mark.parametrize("arguments", [{"encoding": "no such"}, {"errors": "no such"}], ids=str)
def test_what_could_never_be_read_is_not_started(either: Connection, nap: Any, arguments: dict[str, str]) -> None:
    for start in (either.run, either.popen):
        with pytest.raises(errors.InvalidInput, match="no such"):
            start(nap.command, **arguments)
    assert either.capture("echo fine") == "fine\n"
    assert not nap.pids()


# ---- nothing for the collector


def _run(host: Connection) -> None:
    host.run("echo out; echo err >&2", input="x", env={"NAME": "value"})


def _popen(host: Connection) -> None:
    with host.popen("cat; echo err >&2", stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.communicate("x") == ("x", "err\n")


def _feed(host: Connection) -> None:
    with host.popen("echo out", stdout=Feed(lambda _data: None), stderr=Feed(lambda _data: None)) as process:
        process.wait()


def _file(host: Connection) -> None:
    with open(os.devnull, "r+b") as file:
        host.run("cat; echo out", stdin=file, stdout=file, stderr=None)


def _signal(host: Connection) -> None:
    with host.popen("exec sleep 1000", stdout=PIPE) as process:
        process.kill()
        process.wait()


def _close(host: Connection) -> None:
    host.popen("true", stdin=PIPE, stdout=PIPE).close()


WAYS = {"run": _run, "popen": _popen, "feed": _feed, "file": _file, "signal": _signal, "close": _close}


@pytest.mark.parametrize("use", WAYS.values(), ids=WAYS)
def test_a_finished_command_leaves_nothing_to_the_collector(
    either: Connection, until: Until, monkeypatch: pytest.MonkeyPatch, use: Callable[[Connection], None]
) -> None:
    sessions: list[weakref.ref[Any]] = []
    for kind in (ProxySession, PassengerSession):
        make = kind.__init__

        def init(self: Any, *given: Any, make: Any = make) -> None:
            sessions.append(weakref.ref(self))
            make(self, *given)

        monkeypatch.setattr(kind, "__init__", init)
    use(either)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            use(either)
        # The reactor's thread may be on its way out of it.
        until(lambda: all(session() is None for session in sessions))
        assert gc.collect() == 0
    finally:
        gc.enable()
