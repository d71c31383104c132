"""Commands that were given up and go on there keep their session of the server, and others do not wait for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection, errors
from openssh_core.testing import LoopbackServer

SESSIONS = 3


@pytest.fixture
def server(make_server: Callable[..., LoopbackServer]) -> LoopbackServer:
    return make_server({"MaxSessions": SESSIONS})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody here can end is waited for 10 s otherwise."""
    monkeypatch.setattr("openssh_core._io.patience.PATIENCE", 0.3)


def give_up(host: Connection, nap: Any) -> int:
    """Take every session that a command can have, and let go of it; how many these are."""
    count = 0
    try:
        while True:
            host.popen(nap.command, open_timeout=0.3).close()
            count += 1
    except errors.SessionError:
        return count


def end(nap: Any) -> None:
    for pid in nap.pids():
        os.kill(pid, signal.SIGTERM)


@pytest.mark.usefixtures("impatient")
def test_they_are_not_waited_for_without_end(server: LoopbackServer, nap: Any) -> None:
    with openssh_core.connect(**server.connect_options()) as host:
        count = give_up(host, nap)
        # Where the server takes no signals, one session is kept back for those who send them otherwise.
        assert SESSIONS - 1 <= count <= SESSIONS
        for use in (lambda: host.run("true"), lambda: host.popen("true")):
            with pytest.raises(errors.OpenRefused, match=f"0 in use here, {count} of commands that were given up"):
                use()
        nap.wait_until_it_runs(count)
        end(nap)
        assert host.capture("echo again") == "again\n"
    assert server.logins == 1


def test_whoever_waits_goes_on_when_one_of_them_ends(server: LoopbackServer, nap: Any) -> None:
    with openssh_core.connect(**server.connect_options()) as host, ThreadPoolExecutor(1) as pool:
        give_up(host, nap)
        waiting = pool.submit(host.run, "echo at last")
        end(nap)
        assert waiting.result().stdout == "at last\n"


@pytest.mark.parametrize("way", ["link", "guest"])
def test_a_limit_of_ones_own(make_server: Callable[..., LoopbackServer], way: str) -> None:
    server = make_server({"MaxSessions": 1})
    with openssh_core.connect(**server.connect_options(), spare=False) as link:
        host = link if way == "link" else openssh_core.connect("guest", control_path=link.control_path)
        with host, host.popen("read line", stdin=PIPE) as first:
            for command in (("echo never",), (openssh_core.Program(["echo", "never"]),)):
                with pytest.raises(errors.OpenTimeout) as caught:
                    host.popen(*command, open_timeout=0.1)
                assert caught.value.host == host.host
                assert "within 0.1 s" in str(caught.value) and "MaxSessions" in str(caught.value)
            assert first.stdin is not None
            first.stdin.close()
            first.wait(timeout=60)
            with host.popen("echo now", stdout=PIPE, open_timeout=60) as process:
                assert process.communicate() == ("now\n", None)


def test_a_limit_that_nobody_keeps(host: Connection) -> None:
    with pytest.raises(errors.InvalidInput, match="open_timeout"):
        host.popen("true", open_timeout=1, wait=False)
    with pytest.raises(errors.InvalidInput, match="open_timeout"):
        host.popen("true", open_timeout=-1)


def test_a_finaliser_lets_go(server: LoopbackServer) -> None:
    """The session is free at once, its pipes with the object."""
    with openssh_core.connect(**server.connect_options()) as host:
        process = host.popen("cat", stdin=PIPE, stdout=PIPE)
        process.let_go()
        with pytest.raises(errors.ExitStatusMissing):
            process.wait(timeout=60)
        process.close()
