"""Logins in the background: many at a time, bounded, and each with a handle."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connecting, connect_many, connecting, errors
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot


@pytest.fixture
def options(loopback_server: LoopbackServer, control_dir: Path) -> dict[str, Any]:
    return {**loopback_server.connect_options(), "control_dir": control_dir}


def is_here(host: openssh_core.Connection) -> bool:
    return host.capture("echo here") == "here\n"


def test_a_handle_becomes_a_connection(options: dict[str, Any], control_dir: Path) -> None:
    before = snapshot(control_dir)
    handle = connecting(**options)
    assert handle.wait(30)
    assert handle.poll()
    assert handle.exception() is None
    with handle.result() as host:
        assert is_here(host)
        assert handle.result() is host
        assert "connected" in repr(handle)
    assert_nothing_left(before, allow=("sshd",))


def test_a_handle_becomes_an_error(options: dict[str, Any], control_dir: Path) -> None:
    before = snapshot(control_dir)
    handle = connecting(**{**options, "key": "/no/such/key"})
    assert isinstance(handle.exception(30), errors.AuthenticationError)
    with pytest.raises(errors.AuthenticationError):
        handle.result()
    assert "AuthenticationError" in repr(handle)
    assert_nothing_left(before, allow=("sshd",))


def test_what_cannot_be_is_raised_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidTarget):
        connect_many(["good", "-bad"])
    with pytest.raises(errors.InvalidOption):
        connecting("host", options={"ControlPath": "/x"})
    for wrong in (0, True, 1.5):
        with pytest.raises(errors.InvalidInput):
            connect_many([], at_once=wrong)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="lazy"):
        connecting("host", lazy=True)


def test_more_at_once_than_the_server_lets_wait(make_server: Any, control_dir: Path) -> None:
    # Of more than three that are not logged in yet it would throw all away.
    server = make_server({"MaxStartups": "10:30:100"})
    options = {**server.connect_options(), "control_dir": control_dir}
    target = options.pop("target")
    with ExitStack() as stack:
        handles = connect_many([target] * 24, **options)
        hosts = [stack.enter_context(handle.result(60)) for handle in handles]
        assert all(map(is_here, hosts))
        assert len({host.master_pid for host in hosts}) == 24
        assert "MaxStartups" not in server.log
        assert "drop connection" not in server.log


def test_one_that_is_turned_away_is_tried_again(
    make_server: Any, control_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Somebody else takes the places that the server has.
    server = make_server({"MaxStartups": "1:100:1"})
    monkeypatch.setattr("openssh_core.connection.pending._PAUSE", 0.05)
    with socket.create_connection((server.host, server.port)) as other:
        other.recv(100)
        handle = connecting(**{**server.connect_options(), "control_dir": control_dir})
        server.wait_for_log(r"(?s)(drop|beginning MaxStartups).*", 20)
        assert not handle.poll()
    with handle.result(60) as host:
        assert is_here(host)


@contextmanager
def hanging_up() -> Iterator[tuple[int, list[int]]]:
    """A port that closes every connection at once; it and how often it did."""
    count = [0]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return
                count[0] += 1

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], count
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_being_turned_away_ends_with_the_time(control_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openssh_core.connection.pending._PAUSE", 0.05)
    with hanging_up() as (port, count):
        handle = connecting(f"127.0.0.1:{port}", config_file="none", control_dir=control_dir, connect_timeout=1)
        assert isinstance(handle.exception(30), (errors.TurnedAway, errors.ConnectTimeout))
        assert count[0] > 1
        # Who connects in the foreground is told at once.
        before = count[0]
        with pytest.raises(errors.TurnedAway):
            openssh_core.connect(f"127.0.0.1:{port}", config_file="none", control_dir=control_dir)
        assert count[0] == before + 1


def test_a_rejected_login_is_tried_once(make_server: Any, control_dir: Path, tmp_path: Path) -> None:
    server = make_server({"LogLevel": "VERBOSE"})
    options = {**server.connect_options(), "control_dir": control_dir, "key": "/no/such/key"}
    assert isinstance(connecting(**options).exception(30), errors.AuthenticationError)
    server.wait_for_log("Connection closed by authenticating user")
    assert server.log.count("Connection from") == 1


class Slow:
    """Host key functions that wait to be let go, and count."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.go = threading.Event()
        self.now = self.most = 0

    def __call__(self, key: openssh_core.HostKey) -> bool:
        with self.lock:
            self.now += 1
            self.most = max(self.now, self.most)
        self.go.wait(60)
        with self.lock:
            self.now -= 1
        return True


@pytest.mark.parametrize(("at_once", "most"), [(3, 3), (32, 8)])
def test_not_too_many_at_a_time(
    make_server: Any, control_dir: Path, until: Callable[..., object], at_once: int, most: int
) -> None:
    server = make_server()
    slow = Slow()
    options = {**server.connect_options(), "control_dir": control_dir, "known_hosts": b"", "host_keys": slow}
    target = options.pop("target")
    handles = connect_many([target] * (most + 3), at_once=at_once, **options)
    try:
        until(lambda: slow.now == most)
        assert not any(handle.poll() for handle in handles)
        slow.go.set()
        for handle in handles:
            handle.result(60).close()
    finally:
        slow.go.set()
    assert slow.most == most


def test_callers_of_connect_wait_for_their_turn_too(
    make_server: Any, control_dir: Path, until: Callable[..., object]
) -> None:
    server = make_server()
    slow = Slow()
    options = {**server.connect_options(), "control_dir": control_dir, "known_hosts": b"", "host_keys": slow}
    handles = connect_many([options.pop("target")] * 8, **options)
    try:
        until(lambda: slow.now == 8)
        with pytest.raises(errors.ConnectTimeout, match="other logins"):
            openssh_core.connect(server.target, **{**options, "connect_timeout": 0.2})
    finally:
        slow.go.set()
        for handle in handles:
            handle.result(60).close()


def test_cancelled_while_it_runs_and_while_it_waits(
    loopback_server: LoopbackServer, control_dir: Path, until: Callable[..., object], nap: Any
) -> None:
    before = snapshot(control_dir)
    options = {"config_file": "none", "control_dir": control_dir, "options": {"ProxyCommand": nap.command}}
    handles = connect_many(["far"] * 3, at_once=2, **options)
    nap.wait_until_it_runs(2)
    for handle in reversed(handles):
        handle.cancel()
    for handle in handles:
        with pytest.raises(errors.ConnectError, match="cancelled"):
            handle.result(30)
    nap.wait_until_it_is_over()
    until(lambda: not [thread for thread in threading.enumerate() if "openssh-core-login" in thread.name])
    assert_nothing_left(before, allow=("sshd",))


def test_cancelled_when_it_is_there(options: dict[str, Any]) -> None:
    handle = connecting(**options)
    host = handle.result(30)
    handle.cancel()
    assert host.closed


def test_callbacks(options: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    called: list[Connecting] = []
    over = threading.Event()
    handle = connecting(**options)

    def fail(_handle: Connecting) -> None:
        raise ValueError("in the callback")

    handle.add_done_callback(fail)
    handle.add_done_callback(called.append)
    handle.add_done_callback(lambda _handle: over.set())
    assert over.wait(30)
    handle.add_done_callback(called.append)
    assert called == [handle, handle]
    assert "in the callback" in caplog.text
    handle.result().close()


def test_awaited(options: dict[str, Any]) -> None:
    async def visit() -> list[bool]:
        target = options.pop("target")
        handles = connect_many([target] * 3, **options)
        hosts = [await handle for handle in handles]
        try:
            return [is_here(host) for host in hosts]
        finally:
            for host in hosts:
                host.close()

    assert asyncio.run(visit()) == [True] * 3


def test_awaited_no_longer(control_dir: Path, nap: Any) -> None:
    async def visit() -> None:
        handle = connecting("far", config_file="none", control_dir=control_dir, options={"ProxyCommand": nap.command})
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await asyncio.wait_for(handle, 0.3)
        assert await asyncio.to_thread(handle.wait, 30)
        with pytest.raises(errors.ConnectError, match="cancelled"):
            await handle

    asyncio.run(visit())
    nap.wait_until_it_is_over()


def test_a_forked_child_has_none_of_it(control_dir: Path, nap: Any) -> None:
    handle = connecting("far", config_file="none", control_dir=control_dir, options={"ProxyCommand": nap.command})
    nap.wait_until_it_runs()
    child = os.fork()
    if child == 0:
        os._exit(0 if handle.poll() and isinstance(handle.exception(0), errors.OpenSSHError) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not handle.poll()
    handle.cancel()
    assert handle.wait(30)


ENDS = """
    import sys, openssh_core
    options = eval(sys.stdin.read())
    handles = openssh_core.connect_many([options.pop("target")] * 2, **options)
    if sys.argv[1] == "connected":
        [handle.result() for handle in handles]
"""


@pytest.mark.parametrize("when", ["connected", "under way"])
def test_a_program_that_ends_leaves_nothing(options: dict[str, Any], control_dir: Path, when: str) -> None:
    before = snapshot(control_dir)
    options["control_dir"] = str(control_dir)
    words = [sys.executable, "-c", textwrap.dedent(ENDS), when]
    subprocess.run(words, input=repr(options), text=True, check=True)
    assert_nothing_left(before, allow=("sshd",))


def test_nothing_is_said_of_what_goes_well(options: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        connecting(**options).result(30).close()
    assert caplog.text == ""
