"""Tunnels and forwards when something breaks: what was open goes on or says why not, and nothing is left."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, ConnectionLost, OpenRefused
from openssh_core._backends.proxy_tunnel import ProxyTunnel
from openssh_core._backends.tunnel import Destination
from openssh_core._io import control
from openssh_core._io.deadline import Deadline
from openssh_core._io.link import ProxyLink
from openssh_core._io.reactor import get_reactor
from openssh_core._wire import channels as wire
from openssh_core.testing import FakeMaster, FakeServer, LoopbackServer, assert_nothing_left, snapshot

from .conftest import SOON

MakeTarget = Callable[..., Any]


def round_trip(sock: socket.socket) -> bytes:
    sock.settimeout(SOON)
    sock.sendall(b"x")
    return sock.recv(1)


def test_the_control_socket_is_unlinked(loopback_server: LoopbackServer, make_target: MakeTarget) -> None:
    port = make_target().port
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        forward = host.forward_local(0, port)
        remote = host.forward_remote(0, port)
        os.unlink(host.control_path)
        # What goes through the link does not need it.
        with host.open_tunnel("127.0.0.1", port) as sock, socket.create_connection(forward.address) as client:
            assert round_trip(sock) == round_trip(client) == b"x"
        with socket.create_connection(remote.address) as client:
            assert round_trip(client) == b"x"
        with pytest.raises(ConnectionLost, match="control socket"):
            host.forward_remote(0, port)
        remote.close()
    assert forward.closed


def test_the_master_is_killed_while_a_tunnel_is_being_opened(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server()
    for guest in (False, True):
        with openssh_core.connect(**server.connect_options()) as host:
            other = openssh_core.connect(host.host, control_path=host.control_path) if guest else host
            server.freeze()
            threading.Timer(0.2, os.kill, (host.master_pid, signal.SIGKILL)).start()
            with pytest.raises(ConnectionLost):
                other.open_tunnel("127.0.0.1", 1)
            server.thaw()


@pytest.mark.parametrize("work", ["open_tunnel", "forward_remote"])
@pytest.mark.parametrize("guest", [False, True])
def test_an_interrupt_while_the_server_thinks(
    make_server: Callable[..., LoopbackServer], work: str, guest: bool
) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    server = make_server()
    before = snapshot()
    with openssh_core.connect(**server.connect_options()) as host:
        other = openssh_core.connect(host.host, control_path=host.control_path) if guest else host
        server.freeze()
        previous = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Interrupted):
                if work == "open_tunnel":
                    other.open_tunnel("127.0.0.1", 1)
                else:
                    other.forward_remote(0, 1)
        finally:
            signal.signal(signal.SIGALRM, previous)
            server.thaw()
        assert other.forwards == ()
        assert other.run("echo still here").stdout == "still here\n"
        other.close()
    assert_nothing_left(before)


def test_refused_tunnels_do_no_harm_to_what_runs_beside_them(host: Connection, unused_port: int) -> None:
    with host.popen("cat", stdin=openssh_core.PIPE, stdout=openssh_core.PIPE, encoding=None) as process:
        assert process.stdin and process.stdout
        for _ in range(20):
            with pytest.raises(OpenRefused):
                host.open_tunnel("127.0.0.1", unused_port)
        process.stdin.write(b"alive")
        process.stdin.close()
        assert process.stdout.read() == b"alive"


# ---- what only a fake server does


class Odd(FakeServer):
    """Opens whatever is asked for, unless it is to refuse it."""

    refusal: wire.OpenFailure | None = None

    def on_open(self, opening: wire.ChannelOpen) -> None:
        if self.refusal is not None:
            self.send(wire.OpenFailure(opening.sender, self.refusal.code, self.refusal.reason))
        else:
            self.confirm(opening, window=100_000)

    def on_data(self, channel: Any, data: bytes) -> None:
        """Grants nothing: what does not fit the first window is never sent."""


@pytest.fixture
def odd() -> Iterator[tuple[FakeMaster, ProxyLink]]:
    reactor = get_reactor()
    with FakeMaster(server=Odd) as master:
        with control.greet(master.path, Deadline.after(SOON)) as conversation:
            sock = conversation.proxy(Deadline.after(SOON))
        # The answer may be here before the server behind it is.
        master.wait_for(lambda: master.servers)
        link = ProxyLink(sock, reactor, lost=ConnectionLost, ended=lambda: None)
        yield master, link
        link.close(ConnectionLost("over"))


def opened(link: ProxyLink) -> tuple[ProxyTunnel, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(SOON)
    tunnel = ProxyTunnel(link, get_reactor(), theirs, Destination("web1", 80), None, None, host="web1")
    get_reactor().submit(tunnel.start)
    assert tunnel.wait_answered(SOON)
    return tunnel, ours


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [(3, "", "knows no such tunnels"), (4, "", "short of"), (99, "", "no reason given"), (2, "no \x07route", "route")],
)
def test_every_refusal_has_words(odd: tuple[FakeMaster, ProxyLink], code: int, reason: str, words: str) -> None:
    master, link = odd
    master.servers[0].refusal = wire.OpenFailure(0, code, reason)  # type: ignore[attr-defined]
    tunnel, ours = opened(link)
    assert isinstance(tunnel.error, OpenRefused)
    assert words in str(tunnel.error)
    assert "\x07" not in str(tunnel.error)
    assert tunnel.error.code == code
    with ours:
        assert ours.recv(1) == b""


def test_no_more_is_sent_than_the_window_takes(odd: tuple[FakeMaster, ProxyLink]) -> None:
    master, link = odd
    _tunnel, ours = opened(link)
    channel = next(iter(master.servers[0].channels.values()))
    with ours:
        ours.sendall(bytes(150_000))
        ours.shutdown(socket.SHUT_WR)
        master.wait_for(lambda: len(channel.received) == 100_000)
        channel.grant(50_000)
        master.wait_for(lambda: channel.heard_eof)
        assert len(channel.received) == 150_000


def test_a_close_without_an_end_ends_it_and_what_came_before_is_delivered(odd: tuple[FakeMaster, ProxyLink]) -> None:
    master, link = odd
    tunnel, ours = opened(link)
    channel = next(iter(master.servers[0].channels.values()))
    with ours:
        channel.data(b"last words")
        channel.request("exit-status", b"\0\0\0\0")  # makes no sense here, and does no harm
        channel.data(b"on stderr", stderr=True)
        channel.close()
        assert tunnel.wait_over(SOON)
        said = b""
        while piece := ours.recv(100):
            said += piece
        assert said.startswith(b"last words")
        assert tunnel.error is None


def test_the_link_breaks_and_the_tunnel_says_so(odd: tuple[FakeMaster, ProxyLink]) -> None:
    master, link = odd
    tunnel, ours = opened(link)
    channel = next(iter(master.servers[0].channels.values()))
    with ours:
        channel.data(b"half of ")
        assert ours.recv(100) == b"half of "
        master.hang_up()
        assert tunnel.wait_over(SOON)
        assert isinstance(tunnel.error, ConnectionLost)
        assert ours.recv(1) == b""


def test_no_descriptor_left_is_waited_out(host: Connection, make_target: MakeTarget, until: Callable[..., Any]) -> None:
    """The listening socket stays ready: without a pause the one thread for everything would spin."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with host.forward_local(0, make_target().port) as forward:
        stopped, go_on = threading.Event(), threading.Event()
        get_reactor().submit(lambda: (stopped.set(), go_on.wait(SOON)))
        assert stopped.wait(SOON)
        with socket.create_connection(forward.address) as client:
            try:
                free = os.dup(0)
                os.close(free)
                resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
                go_on.set()
                until(lambda: forward.errors)
                assert "Too many open files" in str(forward.errors[0])
            finally:
                go_on.set()
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert round_trip(client) == b"x"
        assert len(forward.errors) < 100
