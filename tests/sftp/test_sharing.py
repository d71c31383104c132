"""One client for many: threads, interrupts, forks, lost connections, and servers with few sessions."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import ConnectionClosed, ConnectionLost, OpenRefused, SFTPClosed, SFTPTimeout
from openssh_core.sftp import SFTPClient
from openssh_core.testing import assert_nothing_left, snapshot
from openssh_core.testing import fake_sftp as fake


def test_threads_share_a_client_and_get_their_own_answers(sftp: SFTPClient, there: Path) -> None:
    def work(number: int) -> None:
        for turn in range(15):
            path = there / f"{number}-{turn}"
            data = bytes([number]) * (number * 10_000 + turn)
            sftp.write_bytes(path, data)
            assert sftp.stat(path).st_size == len(data)
            assert sftp.read_bytes(path) == data
            sftp.remove(path)
            assert not sftp.exists(path)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(12)))
    assert os.listdir(there) == []


def test_a_client_has_no_thread_of_its_own(host: openssh_core.Connection) -> None:
    before = set(threading.enumerate())
    with host.sftp() as client:
        client.stat("/")
        assert not set(threading.enumerate()) - before


class Held:
    """Answers to requests of one path wait until they are let go; everything else is answered at once."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.server: fake.FakeSftp | None = None

    def __call__(self, server: fake.FakeSftp, question: fake.Question) -> bytes | None:
        if question.string() != b"/held":
            return None
        self.server = server
        self.waiting.append(fake.packet(fake.ATTRS, fake.u32(question.number) + fake.attributes(fake.REGULAR, 7)))
        return b""

    def let_go(self) -> None:
        waiting, self.waiting = self.waiting, []
        assert self.server is not None
        self.server._sock.sendall(b"".join(waiting))


def test_one_that_waits_keeps_nobody_waiting(against: Any, until: Callable[..., Any]) -> None:
    held = Held()
    client, _server = against({b"/f": b"x"}, answers={fake.STAT: held})
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(client.stat, "/held") for _ in range(4)]
        until(lambda: len(held.waiting) == 4)
        for _ in range(20):
            assert client.stat("/f").st_size == 1
        held.let_go()
        assert [future.result().st_size for future in slow] == [7] * 4


def test_an_interrupt_of_one_leaves_the_others_in_peace(against: Any, until: Callable[..., Any]) -> None:
    """The main thread reads for everybody when it is interrupted; somebody else has to take over."""
    held = Held()
    client, _server = against({b"/f": b"x"}, answers={fake.STAT: held})

    def interrupt() -> None:
        until(lambda: held.waiting)
        other = pool.submit(client.stat, "/held")
        until(lambda: len(held.waiting) == 2)
        others.append(other)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    others: list[Any] = []
    with ThreadPoolExecutor(3) as pool:
        interrupting = pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.stat("/held")
        interrupting.result()
        # What was given up is answered all the same, and dropped.
        held.let_go()
        assert others[0].result().st_size == 7
        assert client.stat("/f").st_size == 1


def test_an_open_that_was_interrupted_leaves_no_handle(against: Any, until: Callable[..., Any]) -> None:
    waiting: list[fake.Question] = []

    def late(server: fake.FakeSftp, question: fake.Question) -> bytes | None:
        if waiting:
            return None
        waiting.append(question)
        os.kill(os.getpid(), signal.SIGINT)
        return server._open(question)

    client, server = against({b"/f": b"x"}, answers={fake.OPEN: late})
    with pytest.raises(KeyboardInterrupt):
        client.open("/f", "rb")
        until(lambda: False)  # the signal may come a moment after the answer
    client.stat("/f")
    client.stat("/f")
    until(lambda: not server.handles)


INTERRUPTS = 60


def test_interrupts_at_every_moment(sftp: SFTPClient, here: Path, there: Path) -> None:
    """Whatever step is hit, the client goes on, and what was there is whole."""

    class Alarm(Exception):
        pass

    def ring(*_: object) -> None:
        raise Alarm

    old, new = b"o" * 300_000, b"n" * 300_000
    (here / "f").write_bytes(new)
    (there / "f").write_bytes(old)
    before = signal.signal(signal.SIGALRM, ring)
    hits = 0
    try:
        for number in range(INTERRUPTS):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0002 + number * 0.0001)
                sftp.put(here / "f", there / "f")
                sftp.get(there / "f", here / "g")
                sftp.listdir(there)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Alarm:
                hits += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert (there / "f").read_bytes() in (old, new)
            assert sftp.stat(there / "f").st_size == 300_000
    finally:
        signal.signal(signal.SIGALRM, before)
    assert hits
    assert not [name for name in os.listdir(here) if name.endswith(".part")]
    assert sftp.stat(there / "f").is_file()


def test_a_child_of_a_fork_leaves_the_parents_client_alone(host: openssh_core.Connection, there: Path) -> None:
    (there / "f").write_bytes(b"x")
    with host.sftp() as client:
        client.stat(there / "f")
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                client.stat(there / "f")
            except SFTPClosed:
                client.close()
                with host.sftp() as own:
                    status = 0 if own.stat(there / "f").st_size == 1 else 2
            finally:
                os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
        assert client.stat(there / "f").st_size == 1


def test_nothing_is_left(host: openssh_core.Connection, there: Path, until: Callable[..., Any]) -> None:
    (there / "f").write_bytes(b"x" * 1000)
    before = snapshot()
    for _ in range(3):
        with host.sftp() as client:
            client.read_bytes(there / "f")
            client.open(there / "f", "rb", buffering=0).close()
    client.close()
    assert_nothing_left(before)
    with pytest.raises(SFTPClosed):
        client.stat("/")


def test_a_closed_client_wakes_who_waits(against: Any, until: Callable[..., Any]) -> None:
    held = Held()
    client, _server = against({}, answers={fake.STAT: held})
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(client.stat, "/held") for _ in range(2)]
        until(lambda: len(held.waiting) == 2)
        client.close()
        for future in waiting:
            with pytest.raises(SFTPClosed):
                future.result()


def test_what_is_never_answered_times_out_alone(against: Any) -> None:
    held = Held()
    client, _server = against({b"/f": b"x"}, answers={fake.STAT: held}, timeout=0.2)
    with pytest.raises(SFTPTimeout, match="STAT"):
        client.stat("/held")
    client.timeout = 60
    assert client.stat("/f").st_size == 1
    held.let_go()
    assert client.stat("/f").st_size == 1, "the late answer was dropped"


def test_others_that_are_answered_do_not_hide_one_that_is_not(against: Any) -> None:
    held, stop = Held(), threading.Event()
    client, _server = against({b"/f": b"x"}, answers={fake.STAT: held}, timeout=0.5)

    def busy() -> None:
        while not stop.is_set():
            try:
                client.stat("/f")
            except SFTPTimeout:
                pass  # on a machine that stood still for so long

    with ThreadPoolExecutor(2) as pool:
        noise = pool.submit(busy)
        try:
            with pytest.raises(SFTPTimeout):
                client.stat("/held")
        finally:
            stop.set()
        noise.result()


def test_a_slow_server_is_no_dead_one(against: Any) -> None:
    """The whole takes longer than the timeout, but something moves."""

    def dribble(server: fake.FakeSftp, question: fake.Question) -> bytes:
        handle, offset, size = question.string(), question.u64(), question.u32()
        data = bytes(server.files[server.handles[handle]][offset : offset + size])
        answer = fake.packet(fake.DATA, fake.u32(question.number) + fake.string(data))
        if not data:
            return fake.status(question.number, fake.END)
        for at in range(0, len(answer), 1000):
            server._sock.sendall(answer[at : at + 1000])
            time.sleep(0.1)
        return b""

    client, _server = against({b"/f": b"x" * 30_000}, answers={fake.READ: dribble}, timeout=2.5)
    assert client.read_bytes("/f") == b"x" * 30_000


# ---- the connection beneath


@pytest.fixture
def server(make_server: Any) -> Any:
    return make_server()


def test_a_connection_that_is_cut(server: Any, relay: Any, here: Path, there: Path) -> None:
    (there / "f").write_bytes(b"x" * 5_000_000)
    (here / "f").write_bytes(b"as it was")
    line = relay(server)
    with openssh_core.connect(**server.connect_options(port=line.port)) as host, host.sftp() as client:

        def cut(done: int, _total: int | None) -> None:
            if done > 1_000_000:
                line.cut()

        with pytest.raises(ConnectionLost):
            client.get(there / "f", here / "f", progress=cut)
        assert (here / "f").read_bytes() == b"as it was" and os.listdir(here) == ["f"]
        with pytest.raises(ConnectionLost):
            client.stat("/")


def test_a_frozen_server(server: Any) -> None:
    with openssh_core.connect(**server.connect_options()) as host, host.sftp() as client:
        client.stat("/")
        server.freeze()
        client.timeout = 0.5
        with pytest.raises(SFTPTimeout):
            client.stat("/")
        client.timeout = 60
        server.thaw()
        assert client.stat("/").is_dir()


def test_a_connection_that_is_closed_under_a_client(server: Any) -> None:
    with openssh_core.connect(**server.connect_options()) as host:
        client = host.sftp()
        client.stat("/")
    with pytest.raises((ConnectionClosed, ConnectionLost)):
        client.stat("/")
    client.close()


@pytest.mark.parametrize("way", ["link", "guest"])
def test_one_session_is_enough(make_server: Any, way: str) -> None:
    server = make_server({"MaxSessions": 1})
    with openssh_core.connect(**server.connect_options()) as owner:
        host = owner if way == "link" else openssh_core.connect("guest", control_path=owner.control_path)
        for _ in range(3):
            with host.sftp() as client:
                assert client.stat("/").is_dir()
            assert host.run("echo x").stdout == "x\n"
        if host is not owner:
            host.close()
    assert server.logins == 1


def test_a_spare_session_gives_way(make_server: Any) -> None:
    server = make_server({"MaxSessions": 3})
    with openssh_core.connect(**server.connect_options()) as host:
        host.run("true")
        clients = [host.sftp() for _ in range(3)]
        assert all(client.stat("/").is_dir() for client in clients)
        for client in clients:
            client.close()
        assert [host.run("echo x").stdout for _ in range(3)] == ["x\n"] * 3
    assert server.logins == 1


def test_no_session_at_all(make_server: Any) -> None:
    server = make_server({"MaxSessions": 0})
    with openssh_core.connect(**server.connect_options()) as host, pytest.raises((OpenRefused, SFTPTimeout)):
        host.sftp(timeout=1)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which descriptors there are")
def test_a_client_that_is_dropped_closes_its_socket(host: openssh_core.Connection) -> None:
    before = snapshot()
    client = host.sftp()
    client.stat("/")
    del client
    assert_nothing_left(before)
