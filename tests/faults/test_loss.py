"""What holds when the connection goes away under what runs: everybody is told, with what there was until then."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection, errors
from openssh_core.testing import LoopbackServer, Relay, assert_nothing_left, snapshot

Connect = Callable[..., Connection]

# Each ends a connection; the relay lies between client and server.
BREAKS: dict[str, Callable[[Connection, LoopbackServer, Relay], object]] = {
    "the master is killed": lambda host, server, relay: os.kill(host.master_pid, signal.SIGKILL),
    "the master is terminated": lambda host, server, relay: os.kill(host.master_pid, signal.SIGTERM),
    "the server is killed": lambda host, server, relay: server.kill_sessions(),
    "the network resets": lambda host, server, relay: relay.cut(),
    "the server hangs up": lambda host, server, relay: relay.half_close("client"),
    "the server sees us hang up": lambda host, server, relay: relay.half_close("server"),
    "a byte is spoiled on its way to us": lambda host, server, relay: spoil(host, relay, "client"),
    "a byte is spoiled on its way there": lambda host, server, relay: spoil(host, relay, "server"),
}


def spoil(host: Connection, relay: Relay, side: Any) -> None:
    """The next packet has one wrong bit; it takes a packet to be noticed."""
    relay.corrupt(side)
    with pytest.raises(errors.ConnectionLost):
        host.run("true")


@pytest.mark.parametrize("way", ["link", "guest"])
@pytest.mark.parametrize("how", BREAKS)
def test_everybody_is_told_and_keeps_what_came(
    server: LoopbackServer,
    relay: Any,
    connect: Connect,
    control_dir: Path,
    tmp_path: Path,
    until: Any,
    how: str,
    way: str,
) -> None:
    before = snapshot(control_dir)
    between = relay(server)
    private = connect(server, port=between.port)
    guest = openssh_core.connect("guest", control_path=private.control_path)
    host = private if way == "link" else guest
    with ThreadPoolExecutor(1) as pool, open(tmp_path / "err", "wb") as err:
        run = pool.submit(host.run, "echo out; echo err >&2; sleep 1000", stderr=err)
        process = host.popen("echo piped; sleep 1000", stdout=PIPE)
        waiting = host.popen("sleep 1000")
        assert process.stdout is not None
        assert process.stdout.readline() == "piped\n"
        # What went to stderr was said last, and a server sends stdout first.
        until(lambda: (tmp_path / "err").read_text() == "err\n")
        BREAKS[how](private, server, between)
        error = run.exception(timeout=60)
    assert type(error) is errors.ConnectionLost
    assert (error.started, error.stdout, error.stderr, error.host) == (True, "out\n", None, host.host)
    assert process.stdout.read() == ""
    for one in (process, waiting):
        with pytest.raises(errors.ConnectionLost) as caught:
            one.wait(timeout=60)
        assert caught.value.started
        with pytest.raises(errors.ConnectionLost):
            one.poll()
        assert one.returncode is None
        one.terminate()  # there is nothing to be done any more
        one.close()
    for use in (lambda: host.run("true"), lambda: host.popen("true")):
        with pytest.raises(errors.ConnectionLost) as caught:
            use()
        assert not caught.value.started
    with pytest.raises(errors.ConnectionLost):
        host.check()
    # Without a word to close(): whoever has lost a connection need not clean up after it.
    until(lambda: os.listdir(control_dir) == [])
    guest.close()
    private.close()
    between.close()
    assert_nothing_left(before, allow=("sshd",))


def test_a_neighbour_is_not_touched(server: LoopbackServer, connect: Connect) -> None:
    with connect(server) as host, connect(server) as neighbour:
        process = neighbour.popen("read line; echo $line", stdin=openssh_core.PIPE, stdout=PIPE)
        os.kill(host.master_pid, signal.SIGKILL)
        with pytest.raises(errors.ConnectionLost):
            host.run("true")
        assert process.communicate("untouched\n", timeout=60) == ("untouched\n", None)


def test_the_last_words_of_ssh_are_in_the_error(server: LoopbackServer, connect: Connect) -> None:
    with connect(server, keepalive=1) as host, host.popen("sleep 1000") as process:
        server.freeze()
        with pytest.raises(errors.ConnectionLost, match="not responding") as caught:
            process.wait(timeout=60)
        assert "not responding" in caught.value.last_words
        server.thaw()


def test_what_waits_in_the_queue_is_told_that_it_never_started(
    make_server: Any, connect: Connect, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server({"MaxSessions": 1})
    with connect(server) as host, ThreadPoolExecutor(5) as pool, host.popen("sleep 1000") as process:
        queued = [pool.submit(host.run, "echo never") for _ in range(5)]
        with pytest.raises(errors.CommandTimeout):
            host.run("echo never", timeout=0.1)
        server.kill_sessions()
        for future in queued:
            error = future.exception(timeout=60)
            assert type(error) is errors.ConnectionLost
            assert not error.started
        with pytest.raises(errors.ConnectionLost) as caught:
            process.wait(timeout=60)
        assert caught.value.started


def test_input_that_is_under_way_does_not_hold_anybody_up(server: LoopbackServer, connect: Connect) -> None:
    with connect(server) as host, ThreadPoolExecutor(1) as pool:
        run = pool.submit(host.run, "sleep 1000", input=bytes(20_000_000))
        process = host.popen("sleep 1000", stdin=PIPE, encoding=None)
        os.kill(host.master_pid, signal.SIGKILL)
        assert type(run.exception(timeout=60)) is errors.ConnectionLost
        assert process.stdin is not None
        with pytest.raises(BrokenPipeError):
            while True:
                process.stdin.write(bytes(65_536))
        process.close()


@pytest.mark.parametrize("way", ["link", "guest"])
def test_a_server_that_closes_a_quiet_session_says_no_status(make_server: Any, connect: Connect, way: str) -> None:
    # sshd counts in whole seconds: with 1 a session may be closed as soon as the clock's second changes.
    server = make_server({"ChannelTimeout": "session*=2"})
    with connect(server) as private, openssh_core.connect("guest", control_path=private.control_path) as guest:
        host = private if way == "link" else guest
        with pytest.raises(errors.ExitStatusMissing) as caught:
            host.run("echo out; sleep 1000")
        assert caught.value.stdout == "out\n"
        with host.popen("sleep 1000") as process, pytest.raises(errors.ExitStatusMissing):
            process.wait(timeout=60)
        # The connection goes on, and so does the next command, whatever became of the spare channel.
        assert host.capture("echo fine") == "fine\n"


def test_a_server_that_closes_an_idle_connection(make_server: Any, connect: Connect, until: Any) -> None:
    server = make_server({"UnusedConnectionTimeout": "2"})  # whole seconds, as above
    with connect(server, spare=False) as host:
        host.run("true")
        path = host.control_path
        until(lambda: not os.path.lexists(path))
        with pytest.raises(errors.ConnectionLost) as caught:
            host.run("true")
        assert not caught.value.started


def test_the_socket_file_can_vanish(server: LoopbackServer, connect: Connect, control_dir: Path) -> None:
    """Cleaners of temporary directories do that."""
    with connect(server) as host:
        os.unlink(host.control_path)
        assert host.capture("echo fine") == "fine\n"
        pid = host.master_pid
    assert not os.path.exists(f"/proc/{pid}/exe")


def test_the_whole_directory_can_vanish(server: LoopbackServer, connect: Connect) -> None:
    with connect(server) as host:
        shutil.rmtree(Path(host.control_path).parent)
        assert host.capture("echo fine") == "fine\n"
