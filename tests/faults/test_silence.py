"""What holds when the other side is there and says nothing: whoever set a limit gets it, and closing always works."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection, errors
from openssh_core.testing import LoopbackServer, Relay, assert_nothing_left, snapshot

Connect = Callable[..., Connection]


@contextmanager
def frozen(server: LoopbackServer) -> Iterator[None]:
    """The server's processes are stopped meanwhile."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process is stopped meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


# ---- the server is silent


def test_keepalives_end_it_in_the_end(server: LoopbackServer, connect: Connect) -> None:
    with connect(server, keepalive=1) as host, ThreadPoolExecutor(2) as pool, frozen(server):
        running = pool.submit(host.run, "sleep 1000")
        starting = pool.submit(host.popen, "true")
        for future in (running, starting):
            assert isinstance(future.exception(timeout=60), errors.ConnectionLost)


@pytest.mark.parametrize("way", ["link", "guest"])
def test_a_limit_holds_though_the_server_is_silent(
    server: LoopbackServer, connect: Connect, answer_within: Callable[[float], None], way: str
) -> None:
    answer_within(0.3)
    with connect(server) as private, openssh_core.connect("guest", control_path=private.control_path) as guest:
        host = private if way == "link" else guest
        with host.popen("cat", stdin=PIPE, stdout=PIPE) as process:
            with frozen(server):
                with pytest.raises((errors.CommandTimeout, errors.MasterUnresponsive)):
                    host.run("echo late", timeout=0.3)
                with pytest.raises(errors.CommandTimeout):
                    process.wait(timeout=0.3)
                host.check()  # the master itself is well
            assert process.communicate("still there\n", timeout=60) == ("still there\n", None)
        assert host.capture("echo fine") == "fine\n"


@pytest.mark.parametrize("way", ["link", "guest"])
def test_silence_has_its_limit_though_the_server_is_silent(
    server: LoopbackServer,
    connect: Connect,
    answer_within: Callable[[float], None],
    tmp_path: Path,
    until: Any,
    way: str,
) -> None:
    answer_within(0.3)
    with connect(server) as private, openssh_core.connect("guest", control_path=private.control_path) as guest:
        host = private if way == "link" else guest
        with open(tmp_path / "err", "wb") as err, ThreadPoolExecutor(1) as pool:
            run = pool.submit(host.run, "echo out; echo err >&2; sleep 1000", stderr=err, idle_timeout=1)
            until(lambda: (tmp_path / "err").read_text() == "err\n")
            with frozen(server):
                error = run.exception(timeout=60)
    assert isinstance(error, errors.CommandTimeout)
    assert (error.limit, error.stdout, error.killed) == ("idle_timeout", "out\n", False)


def test_a_signal_that_gets_no_answer_is_not_said_to_be_delivered(server: LoopbackServer, connect: Connect) -> None:
    with connect(server) as host, frozen(server):
        with pytest.raises(errors.CommandTimeout) as caught:
            host.run("sleep 1000", timeout=0.2)
        assert caught.value.killed is not True


@pytest.mark.parametrize("way", ["link", "guest"])
def test_closing_does_not_wait_for_a_silent_server(
    server: LoopbackServer, connect: Connect, control_dir: Path, way: str
) -> None:
    before = snapshot(control_dir)
    private = connect(server)
    guest = openssh_core.connect("guest", control_path=private.control_path)
    host = private if way == "link" else guest
    process = host.popen("cat", stdin=PIPE, stdout=PIPE)
    with frozen(server):
        host.close()
        guest.close()
        private.close()
        assert os.listdir(control_dir) == []
        with pytest.raises((errors.ConnectionClosed, errors.ConnectionLost, errors.ExitStatusMissing)):
            process.wait(timeout=60)
        process.close()
    assert_nothing_left(before, allow=("sshd",))


def test_closing_does_not_wait_though_much_is_queued(
    server: LoopbackServer, connect: Connect, relay: Any, control_dir: Path, steady: Any, until: Any
) -> None:
    """With the network blocked a master hears neither TERMINATE nor SIGTERM."""
    before = snapshot(control_dir)
    hole: Relay = relay(server)
    host = connect(server, port=hole.port)
    with host.popen("cat >/dev/null", stdin=PIPE, encoding=None, bufsize=0) as process:
        assert process.stdin is not None
        hole.freeze()
        os.set_blocking(process.stdin.fileno(), False)
        written = 0

        def write() -> int:
            nonlocal written
            written += process.stdin.write(bytes(65_536)) or 0  # type: ignore[union-attr]
            return written

        until(steady(write))
        assert written > 1_000_000
        host.close()
    assert os.listdir(control_dir) == []
    hole.close()
    assert_nothing_left(before, allow=("sshd",))


def test_a_black_hole_in_the_middle_of_output(server: LoopbackServer, connect: Connect, relay: Any) -> None:
    hole: Relay = relay(server)
    with connect(server, port=hole.port) as host:
        process = host.popen("yes", stdout=PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == "y\n"
        hole.freeze()
        with pytest.raises(errors.CommandTimeout):
            process.wait(timeout=0.2)
    process.close()


def test_a_silence_that_ends_was_only_a_pause(server: LoopbackServer, connect: Connect, relay: Any) -> None:
    between: Relay = relay(server)
    with connect(server, port=between.port) as host, ThreadPoolExecutor(1) as pool:
        run = pool.submit(host.run, "head -c 3000000 /dev/zero; echo; cat", input=bytes(3_000_000), encoding=None)
        for _ in range(20):
            between.freeze()
            between.thaw()
        assert run.result(timeout=60).stdout == bytes(3_000_000) + b"\n" + bytes(3_000_000)


def test_interrupting_while_the_server_is_silent(server: LoopbackServer, connect: Connect, until: Any) -> None:
    main = threading.main_thread().ident
    assert main is not None
    with connect(server) as host, frozen(server):
        timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            host.run("echo late")
        timer.join()


# ---- the master is silent


@pytest.mark.parametrize("way", ["link", "guest"])
def test_a_stopped_master_is_called_unresponsive(
    server: LoopbackServer, connect: Connect, answer_within: Callable[[float], None], way: str
) -> None:
    answer_within(0.3)
    with connect(server) as private, openssh_core.connect("guest", control_path=private.control_path) as guest:
        host = private if way == "link" else guest
        with stopped(private.master_pid):
            with pytest.raises(errors.MasterUnresponsive):
                host.check()
            with pytest.raises(errors.MasterUnresponsive):
                openssh_core.connect("another", control_path=private.control_path, connect_timeout=0.3)
            with pytest.raises((errors.CommandTimeout, errors.MasterUnresponsive)):
                host.run("true", timeout=0.3)
        host.check()
        assert host.capture("echo fine") == "fine\n"


def test_closing_ends_a_stopped_master(server: LoopbackServer, connect: Connect, control_dir: Path) -> None:
    before = snapshot(control_dir)
    host = connect(server)
    process = host.popen("sleep 1000")
    os.kill(host.master_pid, signal.SIGSTOP)
    host.close()
    process.close()
    assert os.listdir(control_dir) == []
    assert_nothing_left(before, allow=("sshd",))


def test_a_master_whose_queue_is_full(
    server: LoopbackServer, connect: Connect, answer_within: Callable[[float], None]
) -> None:
    """It accepts no connection, and the kernel takes only so many for it."""
    answer_within(0.3)
    with connect(server) as host, stopped(host.master_pid):
        waiting = []
        try:
            for _ in range(300):
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].setblocking(False)
                try:
                    waiting[-1].connect(host.control_path)
                except BlockingIOError:
                    break
            else:
                pytest.fail("the queue has no end")
            with pytest.raises(errors.MasterUnresponsive):
                host.check()
        finally:
            for sock in waiting:
                sock.close()


def test_a_master_that_another_client_holds_up(
    server: LoopbackServer, connect: Connect, answer_within: Callable[[float], None]
) -> None:
    """Between a request for a session and its descriptors a master serves nobody else."""
    answer_within(0.3)
    with connect(server) as host, socket.socket(socket.AF_UNIX) as rude:
        rude.connect(host.control_path)
        # PROTOCOL.mux: MUX_C_NEW_SESSION, number 0, reserved, no flag set, no escape, TERM, command.
        body = b"\x10\x00\x00\x02" + bytes(4 + 4 + 4 * 4) + b"\xff\xff\xff\xff" + bytes(4) + b"\x00\x00\x00\x04true"
        hello = b"\x00\x00\x00\x01\x00\x00\x00\x04"
        for message in (hello, body):
            rude.sendall(len(message).to_bytes(4, "big") + message)
        with pytest.raises(errors.MasterUnresponsive):
            for _ in range(1000):  # the first may come before the master has read the request
                host.check()
        rude.close()
        host.check()
        assert host.capture("echo fine") == "fine\n"


# ---- the server asks whether we are there


def test_quiet_sessions_answer_the_server_s_questions(make_server: Any, connect: Connect) -> None:
    options = {"ClientAliveInterval": 1, "ClientAliveCountMax": 2, "LogLevel": "DEBUG"}
    servers = [make_server(options) for _ in range(2)]
    with connect(servers[0]) as host, connect(servers[1], spare=False) as other:
        with openssh_core.connect("guest", control_path=other.control_path) as guest:
            processes = [one.popen("read line; echo $line", stdin=PIPE, stdout=PIPE) for one in (host, guest)]
            for server in servers:
                # More of them than it takes, unanswered, to end the connection.
                server.wait_for_log(r"(?s)(Got [0-9]+/[0-9]+ for keepalive.*){3}", timeout=60)
            for process in processes:
                assert process.communicate("still there\n", timeout=60) == ("still there\n", None)


@pytest.mark.parametrize("way", ["link", "link, nothing open", "guest"])
def test_a_start_has_its_limit_though_the_server_is_silent(
    server: LoopbackServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr("openssh_core.running._LEAST_ANSWER", 0.3)
    with connect(server, spare=way == "link") as private:
        with openssh_core.connect("guest", control_path=private.control_path) as guest:
            host = guest if way == "guest" else private
            host.check()
            with frozen(server), pytest.raises(errors.MasterUnresponsive, match=r"0\.3 s"):
                host.popen("true", open_timeout=0.3)
            assert host.capture("echo fine") == "fine\n"
