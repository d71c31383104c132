"""Hosts behind other hosts: through a connection, through a target, through several, through a function."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import (
    AuthenticationError,
    Connection,
    ConnectTimeout,
    GatewayError,
    HostKeyUnknown,
    InvalidInput,
    InvalidTarget,
)
from openssh_core.gateway import Gateway, direct, find_gateway
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

MakeServer = Callable[..., LoopbackServer]


@pytest.fixture(scope="session")
def bastion_server() -> Iterator[LoopbackServer]:
    """The host on the way; `loopback_server` is the one behind it."""
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="session")
def bastion(bastion_server: LoopbackServer) -> Iterator[Connection]:
    with openssh_core.connect(**bastion_server.connect_options()) as connection:
        yield connection


@pytest.fixture
def both(bastion_server: LoopbackServer, loopback_server: LoopbackServer, tmp_path: Path) -> dict[str, Any]:
    """Options to connect to the inner host, by which the outer one is known, too."""
    known = tmp_path / "known_hosts"
    known.write_text(bastion_server.known_hosts.read_text() + loopback_server.known_hosts.read_text())
    return loopback_server.connect_options() | {"known_hosts": known}


def test_through_a_connection(bastion: Connection, loopback_server: LoopbackServer) -> None:
    before = snapshot()
    with openssh_core.connect(**loopback_server.connect_options(), gateway=bastion) as host:
        assert host.capture("echo there") == "there\n"
        # Its connection comes from the bastion's server, not from us.
        peer = int(host.capture("echo $SSH_CONNECTION").split()[1])
        assert peer in ports_of(bastion)
        assert len(host.capture("head -c 3000000 /dev/zero", encoding=None)) == 3_000_000
    assert_nothing_left(before)
    bastion.check()


def ports_of(connection: Connection) -> set[int]:
    """Ports that the server's process of a connection has sockets on."""
    server = int(connection.capture("echo $PPID"))
    inodes = set()
    for name in os.listdir(f"/proc/{server}/fd"):
        if found := re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{server}/fd/{name}")):
            inodes.add(found[1])
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(line[1].partition(":")[2], 16) for line in lines if line[9] in inodes}


def test_through_a_guests_connection(bastion: Connection, loopback_server: LoopbackServer) -> None:
    with openssh_core.connect(bastion.host, control_path=bastion.control_path) as guest:
        with openssh_core.connect(**loopback_server.connect_options(), gateway=guest) as host:
            assert host.capture("echo there") == "there\n"


def test_the_way_is_kept_for_as_long_as_it_is_needed(
    bastion_server: LoopbackServer, loopback_server: LoopbackServer
) -> None:
    """Nobody else refers to the connection that it goes through."""
    host = openssh_core.connect(
        **loopback_server.connect_options(), gateway=openssh_core.connect(**bastion_server.connect_options())
    )
    way = host._beneath
    assert way is not None
    with host:
        assert host.capture("echo there") == "there\n"
    way.gateway._hops[0].connection.close()


def test_through_a_target(both: dict[str, Any], bastion_server: LoopbackServer) -> None:
    logins = bastion_server.logins
    before = snapshot()
    with openssh_core.connect(**both, gateway=bastion_server.target) as host:
        assert host.capture("echo there") == "there\n"
        assert bastion_server.logins == logins + 1
    # The connection to it was made for this one, and ends with it.
    assert_nothing_left(before)


def test_through_several(
    both: dict[str, Any], bastion_server: LoopbackServer, own_proxy: Any, make_server: MakeServer
) -> None:
    middle = make_server()
    known = both["known_hosts"]
    known.write_text(known.read_text() + middle.known_hosts.read_text())
    before = snapshot()
    way = [f"socks5://127.0.0.1:{own_proxy.port}", bastion_server.target, f"ssh://{middle.target}"]
    with openssh_core.connect(**both, gateway=way) as host:
        assert host.capture("echo there") == "there\n"
        assert middle.logins == 1
        assert own_proxy.asked == [("socks_5", "127.0.0.1", bastion_server.port)]
    assert_nothing_left(before, allow=["Thread-", "socket:"])


def test_through_a_connection_and_a_proxy_behind_it(
    bastion: Connection, loopback_server: LoopbackServer, own_proxy: Any
) -> None:
    way = [bastion, f"http://127.0.0.1:{own_proxy.port}"]
    with openssh_core.connect(**loopback_server.connect_options(), gateway=way) as host:
        assert host.capture("echo there") == "there\n"
    assert own_proxy.asked == [("http", loopback_server.host, loopback_server.port)]


def test_through_a_function(loopback_server: LoopbackServer) -> None:
    asked = []

    def connects(host: str, port: int) -> socket.socket:
        asked.append((host, port))
        return socket.create_connection((host, port))

    with openssh_core.connect(**loopback_server.connect_options(), gateway=connects) as host:
        assert host.capture("echo there") == "there\n"
    assert asked == [(loopback_server.host, loopback_server.port)]

    def fails(_host: str, _port: int) -> socket.socket:
        raise OSError("no way")

    with pytest.raises(GatewayError, match="fails does not reach .*no way"):
        openssh_core.connect(**loopback_server.connect_options(), gateway=fails)
    with pytest.raises(InvalidInput, match="send"):
        openssh_core.connect(**loopback_server.connect_options(), gateway=lambda *_: None)


def test_one_gateway_for_several_connections(both: dict[str, Any], bastion_server: LoopbackServer) -> None:
    logins = bastion_server.logins
    options = {key: value for key, value in both.items() if key != "target"}
    before = snapshot()
    with find_gateway(both["target"], ways=[bastion_server.target], **options) as gateway:
        for _ in range(2):
            with openssh_core.connect(**both, gateway=gateway) as host:
                assert host.capture("echo there") == "there\n"
        assert bastion_server.logins == logins + 1
    assert_nothing_left(before)


def test_a_gateway_whose_hop_broke_logs_in_again(both: dict[str, Any], make_server: MakeServer) -> None:
    bastion = make_server()
    known = both["known_hosts"]
    known.write_text(known.read_text() + bastion.known_hosts.read_text())
    options = {key: value for key, value in both.items() if key != "target"}
    with find_gateway(both["target"], ways=[bastion.target], **options) as gateway:
        hop: Any = gateway._hops[0]
        os.kill(hop._connection.master_pid, signal.SIGKILL)
        with openssh_core.connect(**both, gateway=gateway) as host:
            assert host.capture("echo there") == "there\n"
        assert bastion.logins == 2


def test_each_hop_says_itself_why_it_fails(
    both: dict[str, Any], bastion_server: LoopbackServer, bastion: Connection, unused_port: int, tmp_path: Path
) -> None:
    before = snapshot()
    down = f"{both['target'].split('@')[0]}@127.0.0.1:{unused_port}"
    with pytest.raises(openssh_core.ConnectionRefused) as refused:
        openssh_core.connect(**both, gateway=down)
    assert refused.value.host == down
    with pytest.raises(GatewayError, match="Connection refused") as caught:
        openssh_core.connect(**both | {"target": down}, gateway=bastion)
    assert caught.value.host == bastion.host
    with pytest.raises(AuthenticationError) as denied:
        openssh_core.connect(**both, gateway=f"nobody-here@{bastion_server.target.partition('@')[2]}")
    assert str(bastion_server.port) in (denied.value.host or "")
    nothing = tmp_path / "nothing"
    nothing.touch()
    with pytest.raises(HostKeyUnknown) as unknown:
        openssh_core.connect(**both | {"known_hosts": nothing}, gateway=bastion_server.target)
    assert str(bastion_server.port) in (unknown.value.host or "")
    assert_nothing_left(before)


def test_the_limit_is_for_all_of_it(both: dict[str, Any], make_server: MakeServer) -> None:
    bastion = make_server()
    known = both["known_hosts"]
    known.write_text(known.read_text() + bastion.known_hosts.read_text())
    with openssh_core.connect(**bastion.connect_options()) as host:
        bastion.freeze()
        with pytest.raises(ConnectTimeout):
            openssh_core.connect(**both, gateway=host, connect_timeout=0.5)
        bastion.thaw()


@pytest.mark.parametrize(
    "gateway",
    ["", "-oProxyCommand=x", "a b", [], ["web1"] * 17, 7, object(), ["web1", 7], [lambda *_: None, lambda *_: None]],
)
def test_what_is_no_gateway(loopback_server: LoopbackServer, gateway: Any) -> None:
    with pytest.raises(InvalidInput):
        openssh_core.connect(**loopback_server.connect_options(), gateway=gateway)


def test_one_way_at_a_time(bastion: Connection, loopback_server: LoopbackServer) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(InvalidInput, match="sock= and gateway="):
        openssh_core.connect(**loopback_server.connect_options(), gateway=bastion, sock=ours)
    with pytest.raises(InvalidInput):
        openssh_core.connect("web1", control_path=bastion.control_path, gateway=bastion)
    with pytest.raises(openssh_core.InvalidOption, match="ProxyJump"):
        openssh_core.connect(**loopback_server.connect_options(), gateway=bastion, options={"ProxyJump": "web1"})
    with pytest.raises(InvalidTarget, match="-oProxyCommand|dash"):
        openssh_core.connect(**loopback_server.connect_options(), gateway=["bastion", "-oProxyCommand=x"])


# ---- find_gateway


def test_the_first_way_that_leads_there_is_found(
    both: dict[str, Any], bastion: Connection, unused_port: int, own_proxy: Any
) -> None:
    options = {key: value for key, value in both.items() if key != "target"}
    own_proxy.answer = b"nonsense"
    ways = [f"socks5://127.0.0.1:{unused_port}", f"http://127.0.0.1:{own_proxy.port}", [bastion], direct]
    gateway = find_gateway(both["target"], ways=ways, **options)
    assert isinstance(gateway, Gateway)
    assert str(gateway) == bastion.host
    assert str(find_gateway(both["target"], ways=[direct], **options)) == "direct"


def test_when_no_way_leads_there_each_says_why(
    both: dict[str, Any], bastion: Connection, unused_port: int, own_proxy: Any
) -> None:
    options = {key: value for key, value in both.items() if key != "target"}
    web = socket.create_server(("127.0.0.1", 0))
    own_proxy.answer = b""
    before = snapshot()
    ways = [f"socks5://127.0.0.1:{own_proxy.port}", bastion, direct]
    with web, pytest.raises(GatewayError) as caught:
        find_gateway(f"127.0.0.1:{unused_port}", ways=ways, timeout=0.3, **options)
    error = caught.value
    assert len(error.reasons) == 3
    assert "in time" in error.reasons[0]
    assert "refused" in error.reasons[1]
    assert "refused" in error.reasons[2]
    assert all(reason in str(error) for reason in error.reasons)
    with pytest.raises(GatewayError, match="none to try"):
        find_gateway("127.0.0.1", ways=[], **options)
    assert_nothing_left(before, allow=["Thread-", "socket:"])


def test_what_answers_must_be_an_ssh_server(both: dict[str, Any]) -> None:
    options = {key: value for key, value in both.items() if key != "target"}
    ours, theirs = socket.socketpair()
    theirs.sendall(b"220 mail ready\r\n")
    theirs.close()
    with pytest.raises(GatewayError, match="no SSH server"):
        find_gateway("127.0.0.1", ways=[lambda *_: ours], **options)
    assert ours.fileno() == -1
    ours, theirs = socket.socketpair()
    theirs.sendall(b"welcome\r\nSSH-2.0-after some words\r\n")
    find_gateway("127.0.0.1", ways=[lambda *_: ours], **options)
    theirs.close()


def test_many_connections_through_one_hop_at_once(both: dict[str, Any], bastion_server: LoopbackServer) -> None:
    logins = bastion_server.logins
    options = {key: value for key, value in both.items() if key != "target"}
    before = snapshot()
    with find_gateway(both["target"], ways=[bastion_server.target], **options) as gateway:

        def use(number: int) -> str:
            with openssh_core.connect(**both, gateway=gateway) as host:
                said = host.capture("echo", str(number))
                assert isinstance(said, str)
                return said

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(use, range(6))) == [f"{number}\n" for number in range(6)]
        assert bastion_server.logins == logins + 1
    assert_nothing_left(before)
