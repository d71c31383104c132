"""A tunnel is a socket that is connected to something behind the server."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, ConnectionClosed, InvalidInput, InvalidTarget, OpenRefused, OpenTimeout
from openssh_core._io.reactor import get_reactor
from openssh_core._io.version import ssh_version
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

from .conftest import SOON, everything

MakeTarget = Callable[..., Any]


def test_what_goes_in_comes_back(either: Connection, make_target: MakeTarget) -> None:
    with either.open_tunnel("127.0.0.1", make_target().port) as sock:
        assert type(sock) is socket.socket
        assert sock.gettimeout() is None
        for word in (b"one", b"two"):
            sock.sendall(word)
            assert sock.recv(100) == word
        sock.shutdown(socket.SHUT_WR)
        assert everything(sock) == b""


def test_much_data_goes_both_ways_at_once(either: Connection, make_target: MakeTarget) -> None:
    data = random.Random(4).randbytes(8_000_000)
    with either.open_tunnel("127.0.0.1", make_target().port) as sock:

        def send() -> None:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        received = everything(sock)
        sender.join()
    assert hashlib.sha256(received).digest() == hashlib.sha256(data).digest()


def test_a_name_is_looked_up_by_the_server(either: Connection, make_target: MakeTarget) -> None:
    with either.open_tunnel("localhost", make_target().port) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"


def test_a_target_that_ends_first_is_read_to_its_end(either: Connection, make_target: MakeTarget) -> None:
    """As with HTTP/1.0: the end of the connection is the end of the document."""
    document = b"<html>" * 100_000
    target = make_target(lambda peer: peer.sendall(document))
    with either.open_tunnel("127.0.0.1", target.port) as sock:
        sock.settimeout(SOON)
        assert everything(sock) == document


def test_the_target_may_end_its_direction_and_go_on_listening(host: Connection, make_target: MakeTarget) -> None:
    heard: list[bytes] = []
    done = threading.Event()

    def half_closes(peer: socket.socket) -> None:
        peer.sendall(b"that is all from me")
        peer.shutdown(socket.SHUT_WR)
        heard.append(everything(peer))
        done.set()

    with host.open_tunnel("127.0.0.1", make_target(half_closes).port) as sock:
        assert everything(sock) == b"that is all from me"
        sock.sendall(b"late news " * 100_000)
    assert done.wait(SOON)
    assert heard == [b"late news " * 100_000]


def test_what_was_sent_before_close_arrives(either: Connection, make_target: MakeTarget) -> None:
    heard: list[int] = []
    done = threading.Event()

    def count(peer: socket.socket) -> None:
        heard.append(len(everything(peer)))
        done.set()

    sock = either.open_tunnel("127.0.0.1", make_target(count).port)
    sock.sendall(bytes(6_000_000))
    sock.close()
    assert done.wait(SOON)
    assert heard == [6_000_000]


def test_closing_the_socket_ends_the_connection_of_a_target_that_only_talks(
    host: Connection, make_target: MakeTarget
) -> None:
    done = threading.Event()

    def talk(peer: socket.socket) -> None:
        try:
            while True:
                peer.sendall(b"blah " * 1000)
        finally:
            done.set()

    sock = host.open_tunnel("127.0.0.1", make_target(talk).port)
    assert sock.recv(4) == b"blah"
    sock.close()
    assert done.wait(SOON)


def test_a_closed_port_is_refused_with_the_reason(host: Connection, unused_port: int) -> None:
    with pytest.raises(OpenRefused, match=r"Connection refused") as caught:
        host.open_tunnel("127.0.0.1", unused_port)
    assert caught.value.code == 2
    assert caught.value.host == host.host
    assert host.run("echo still here").stdout == "still here\n"


def test_a_guest_is_refused_too(either: Connection, unused_port: int) -> None:
    for _ in range(3):
        with pytest.raises(OpenRefused):
            either.open_tunnel("127.0.0.1", unused_port)
    assert either.run("echo still here").stdout == "still here\n"


def test_what_the_server_forbids_is_told_from_what_is_down(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server({"AllowTcpForwarding": False})
    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(OpenRefused, match="configuration forbids") as caught:
            host.open_tunnel("127.0.0.1", 22)
        assert caught.value.code == 1
        assert "AllowTcpForwarding" in caught.value.advice


def test_many_refusals_do_no_harm(
    loopback_server: LoopbackServer, unused_port: int, make_target: MakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The master keeps something for each refused channel of a link, so from some number on it is asked otherwise."""
    monkeypatch.setattr("openssh_core._backends.proxy._REFUSALS_ON_LINK", 2)
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        for _ in range(2):
            with pytest.raises(OpenRefused, match="Connection refused"):
                host.open_tunnel("127.0.0.1", unused_port)
        with pytest.raises(OpenRefused, match="does not tell why"):
            host.open_tunnel("127.0.0.1", unused_port)
        with host.open_tunnel("127.0.0.1", make_target().port) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"


def test_the_target_may_be_a_unix_socket(host: Connection, make_target: MakeTarget, control_dir: Path) -> None:
    path = control_dir / "target"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    try:
        make_target(listener=listener)
        with host.open_tunnel(path) as sock:
            sock.sendall(b"hello")
            assert sock.recv(100) == b"hello"
    finally:
        path.unlink()
    with pytest.raises(OpenRefused) as caught:
        host.open_tunnel(str(path))
    assert caught.value.code == 2


def test_a_target_that_does_not_answer_in_time(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server()
    with openssh_core.connect(**server.connect_options()) as host:
        server.freeze()
        with pytest.raises(OpenTimeout, match=r"within 0\.2 s") as caught:
            host.open_tunnel("127.0.0.1", 1, timeout=0.2)
        assert isinstance(caught.value, TimeoutError)
        server.thaw()
        # What was given up while it was still asked for harms nothing.
        assert host.run("echo still here").stdout == "still here\n"


@pytest.mark.parametrize(
    "where",
    [
        ("web1", 0),
        ("web1", 70_000),
        ("web1", -1),
        ("web1", True),
        ("web1", "22;x"),
        ("web1", 22.0),
        ("", 22),
        ("-oProxyCommand=x", 22),
        ("web 1", 22),
        ("web1\0", 22),
        (7, 22),
        ("web1",),
        ("relative/path",),
        (7,),
    ],
)
def test_what_is_no_target_is_refused_before_anything_is_sent(host: Connection, where: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidTarget):
        host.open_tunnel(*where)


def test_what_is_no_path_of_a_socket_is_refused(host: Connection) -> None:
    for path in ("/" + "x" * 107, "/a\0b"):
        with pytest.raises(InvalidInput):
            host.open_tunnel(path)
    with pytest.raises(InvalidInput):
        host.open_tunnel("web1", 22, timeout=-1)


def test_nothing_is_left_of_closed_tunnels(either: Connection, make_target: MakeTarget, unused_port: int) -> None:
    target = make_target()
    before = snapshot()
    for _ in range(5):
        with either.open_tunnel("127.0.0.1", target.port) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
        with pytest.raises(OpenRefused):
            either.open_tunnel("127.0.0.1", unused_port)
    assert_nothing_left(before, allow=["Thread-"])


def test_a_tunnel_ends_with_its_connection(loopback_server: LoopbackServer, make_target: MakeTarget) -> None:
    target = make_target()
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        sock = host.open_tunnel("127.0.0.1", target.port)
    with sock:
        sock.settimeout(SOON)
        assert sock.recv(1) == b""
    with pytest.raises(ConnectionClosed):
        host.open_tunnel("127.0.0.1", target.port)


def test_a_guests_tunnel_ends_with_the_guest(host: Connection, make_target: MakeTarget) -> None:
    with openssh_core.connect(host.host, control_path=host.control_path) as guest:
        sock = guest.open_tunnel("127.0.0.1", make_target().port)
    with sock:
        sock.settimeout(SOON)
        assert sock.recv(1) == b""
    host.check()


def test_a_forked_child_opens_its_own_and_takes_nothing(host: Connection, make_target: MakeTarget) -> None:
    target = make_target()
    with host.open_tunnel("127.0.0.1", target.port) as parents:
        with warnings.catch_warnings():
            # Python 3.12 warns of forks in programs with threads. That it goes well all the same is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            try:
                parents.close()
                with host.open_tunnel("127.0.0.1", target.port) as sock:
                    sock.sendall(b"child")
                    assert sock.recv(100) == b"child"
                host.close()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        parents.sendall(b"parent")
        assert parents.recv(100) == b"parent"


def test_a_guest_and_a_unix_socket_depend_on_the_masters_ssh(
    guest: Connection, make_target: MakeTarget, control_dir: Path
) -> None:
    path = control_dir / "target"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    make_target(listener=listener)
    version = ssh_version("ssh")
    try:
        if version is not None and version < (9, 4):
            with pytest.raises(OpenRefused, match="Unix socket") as caught:
                guest.open_tunnel(path)
            assert "9.4" in caught.value.advice
        else:
            with guest.open_tunnel(path) as sock:
                sock.sendall(b"hello")
                assert sock.recv(100) == b"hello"
    finally:
        path.unlink()


@pytest.mark.parametrize("direct", [False, True])
def test_one_after_the_other_leaves_nothing(host: Connection, make_target: MakeTarget, direct: bool) -> None:
    target = make_target()
    before = snapshot()
    for _ in range(100):
        with host.open_tunnel("127.0.0.1", target.port, direct=direct) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
    assert_nothing_left(before, allow=["Thread-"])


def test_direct_hands_the_socket_to_the_master_and_still_says_why_not(
    host: Connection, make_target: MakeTarget, unused_port: int
) -> None:
    with host.open_tunnel("127.0.0.1", make_target().port, direct=True) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        # It works while this program's own thread for such things does not.
        stopped, go_on = threading.Event(), threading.Event()
        get_reactor().submit(lambda: (stopped.set(), go_on.wait(SOON)))
        assert stopped.wait(SOON)
        try:
            sock.sendall(b"y")
            assert sock.recv(1) == b"y"
        finally:
            go_on.set()
    with pytest.raises(OpenRefused, match="Connection refused") as caught:
        host.open_tunnel("127.0.0.1", unused_port, direct=True)
    assert caught.value.code == 2
