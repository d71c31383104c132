"""`connect(sock=...)`: ssh is handed a connection instead of making one."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import ConnectError, InvalidInput, InvalidOption
from openssh_core.testing import LoopbackServer, assert_nothing_left, known_hosts_line, snapshot

Until = Callable[..., Any]


class Like:
    """An object that is no socket and behaves like one, as those of other libraries do."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._sock = socket.create_connection(address)
        self.sent = self.received = 0
        self.closed = False

    def send(self, data: bytes) -> int:
        # Not always all of it.
        count = self._sock.send(data[:1000])
        self.sent += count
        return count

    def recv(self, size: int) -> bytes:
        data = self._sock.recv(min(size, 1000))
        self.received += len(data)
        return data

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._sock.shutdown(socket.SHUT_RDWR)
            self._sock.close()


def address_of(server: LoopbackServer) -> tuple[str, int]:
    assert server.port
    return server.host, server.port


def test_a_socket_is_all_ssh_needs(loopback_server: LoopbackServer) -> None:
    sock = socket.create_connection(address_of(loopback_server))
    mine = sock.getsockname()[1]
    with openssh_core.connect(**loopback_server.connect_options(), sock=sock) as host:
        assert sock.fileno() == -1, "it is ssh's now"
        assert host.capture("echo $SSH_CONNECTION").split()[1] == str(mine)
        assert len(host.capture("head -c 3000000 /dev/zero", encoding=None)) == 3_000_000


def test_the_target_only_names_whom_to_expect(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    """The host key is looked up by the target's name, and nothing is looked up by it elsewhere."""
    known = tmp_path / "known_hosts"
    known.write_text(known_hosts_line(["no-such-host.invalid"], loopback_server.host_key.public) + "\n")
    options = loopback_server.connect_options()
    options |= {"target": f"{loopback_server.user}@no-such-host.invalid", "known_hosts": known}
    with openssh_core.connect(**options, sock=socket.create_connection(address_of(loopback_server))) as host:
        assert host.capture("echo there") == "there\n"
    options["target"] = f"{loopback_server.user}@another.invalid"
    with pytest.raises(openssh_core.HostKeyUnknown):
        openssh_core.connect(**options, sock=socket.create_connection(address_of(loopback_server)))


def test_a_descriptor_will_do(loopback_server: LoopbackServer) -> None:
    fd = socket.create_connection(address_of(loopback_server)).detach()
    connection = os.readlink(f"/proc/self/fd/{fd}")
    with openssh_core.connect(**loopback_server.connect_options(), sock=fd) as host:
        assert host.capture("echo there") == "there\n"
        # Whatever has this number now, that socket is closed here.
        assert connection not in [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")[:-1]]


def test_a_limit_that_was_set_on_the_socket_means_nothing_to_ssh(loopback_server: LoopbackServer) -> None:
    sock = socket.create_connection(address_of(loopback_server), timeout=5)
    with openssh_core.connect(**loopback_server.connect_options(), sock=sock) as host:
        assert host.capture("echo there") == "there\n"


def test_an_object_that_behaves_like_a_socket(loopback_server: LoopbackServer, until: Until) -> None:
    like = Like(address_of(loopback_server))
    before = snapshot()
    with openssh_core.connect(**loopback_server.connect_options(), sock=like) as host:
        assert len(host.capture("head -c 300000 /dev/zero", encoding=None)) == 300_000
        assert host.run("wc -c", input=bytes(300_000), encoding=None).stdout == b"300000\n"
    assert like.received > 300_000
    assert like.sent > 300_000
    until(lambda: like.closed)
    assert_nothing_left(before)


def test_a_tls_connection_is_read_and_not_only_its_descriptor(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    words = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=proxy"]
    words += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
    outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    outside.load_cert_chain(certificate, key)
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    inside.check_hostname = False
    inside.load_verify_locations(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def copy(source: socket.socket, sink: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65_536):
                    sink.sendall(data)
            for end in (source, sink):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        def serve() -> None:
            raw, _ = listener.accept()
            with outside.wrap_socket(raw, server_side=True) as plain:
                with socket.create_connection(address_of(loopback_server)) as server:
                    back = threading.Thread(target=copy, args=(server, plain))
                    back.start()
                    copy(plain, server)
                    back.join()

        thread = threading.Thread(target=serve)
        thread.start()
        sock = inside.wrap_socket(socket.create_connection(listener.getsockname()))
        with openssh_core.connect(**loopback_server.connect_options(), sock=sock) as host:
            assert host.capture("echo there") == "there\n"
        thread.join()


def test_a_server_that_hangs_up_is_a_failed_login(loopback_server: LoopbackServer) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    before = snapshot()
    with pytest.raises(ConnectError):
        openssh_core.connect(**loopback_server.connect_options(), sock=ours)
    assert ours.fileno() == -1
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(openssh_core.ConnectTimeout):
        openssh_core.connect(**loopback_server.connect_options(), sock=ours, connect_timeout=1)
    assert ours.fileno() == -1
    assert_nothing_left(before)


def test_the_helper_leaves_nothing(loopback_server: LoopbackServer, control_dir: Path) -> None:
    sock = socket.create_connection(address_of(loopback_server))
    options = loopback_server.connect_options()
    with openssh_core.connect(**options, sock=sock, control_dir=control_dir) as host:
        directory = Path(host.control_path).parent
        assert {"p", "proxy"}.isdisjoint(os.listdir(directory))
        # Between ssh and its server there is no other process.
        children = Path(f"/proc/{host.master_pid}/task/{host.master_pid}/children").read_text()
        assert children == ""


def test_a_directory_whose_name_a_shell_would_read(loopback_server: LoopbackServer, control_dir: Path) -> None:
    strange = control_dir / "a b&'x%h"
    strange.mkdir(mode=0o700)
    sock = socket.create_connection(address_of(loopback_server))
    try:
        with pytest.raises(openssh_core.InvalidControlPath):
            openssh_core.connect(**loopback_server.connect_options(), sock=sock, control_dir=strange)
        assert sock.fileno() == -1
        strange.rename(control_dir / "a b&'x")
        sock = socket.create_connection(address_of(loopback_server))
        with openssh_core.connect(
            **loopback_server.connect_options(), sock=sock, control_dir=control_dir / "a b&'x"
        ) as host:
            assert host.capture("echo there") == "there\n"
    finally:
        (control_dir / "a b&'x").rmdir()


@pytest.mark.parametrize("thing", [object(), "web1:22", 10**6, True, 1.5])
def test_what_cannot_send_and_receive(loopback_server: LoopbackServer, thing: Any) -> None:
    with pytest.raises(InvalidInput):
        openssh_core.connect(**loopback_server.connect_options(), sock=thing)


def test_a_closed_socket_and_a_command_that_would_connect_otherwise(loopback_server: LoopbackServer) -> None:
    sock = socket.socket()
    sock.close()
    with pytest.raises(InvalidInput, match="closed"):
        openssh_core.connect(**loopback_server.connect_options(), sock=sock)
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket.create_server(("127.0.0.1", 0)) as listener:
        for sock in (datagrams, listener):
            with pytest.raises(InvalidInput, match="no connection"):
                openssh_core.connect(**loopback_server.connect_options(), sock=sock)
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(InvalidOption, match="ProxyJump"):
        openssh_core.connect(**loopback_server.connect_options(), sock=ours, options={"ProxyJump": "web1"})
    assert ours.fileno() == -1


@pytest.mark.parametrize(
    "changes",
    [
        {"persist": 5},
        {"reconnect": True},
        {"port": 70_000},
        {"target": "-oProxyCommand=x"},
        {"options": {"No Option": "x"}},
        {"connect_timeout": -1},
        {"keepalive": -1},
        {"gateway": "web1"},
        {"no_such_argument": 1},
        {"ssh": "/no/such/ssh"},
    ],
)
@pytest.mark.parametrize("kind", ["socket", "descriptor"])
def test_it_is_closed_whatever_is_wrong(
    loopback_server: LoopbackServer, changes: dict[str, Any], kind: str, control_dir: Path
) -> None:
    options = {**loopback_server.connect_options(), "control_dir": control_dir, **changes}
    for connect in (openssh_core.connect, lambda **given: openssh_core.connecting(**given).result(60)):
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.settimeout(60)
            with pytest.raises((InvalidInput, ConnectError, TypeError)):
                connect(**options, sock=ours if kind == "socket" else ours.detach())
            assert theirs.recv(1) == b""
        assert ours.fileno() == -1


def test_a_lazy_connection_that_is_never_used_closes_it(loopback_server: LoopbackServer) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        openssh_core.connect(**loopback_server.connect_options(), sock=ours, lazy=True).close()
        assert ours.fileno() == -1


def test_what_is_no_connection_stays_open(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb", buffering=0) as file:
        with pytest.raises(InvalidInput, match="no socket"):
            openssh_core.connect(**loopback_server.connect_options(), sock=file.fileno())
        file.write(b"still there")


@pytest.mark.parametrize("shell", ["/usr/sbin/nologin", "/bin/false", "/no/such/shell", "/bin/csh"])
def test_whatever_the_users_shell_is(
    loopback_server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    """ssh runs helpers by $SHELL, and that of a service's account may be none."""
    monkeypatch.setenv("SHELL", shell)
    sock = socket.create_connection(address_of(loopback_server))
    with openssh_core.connect(**loopback_server.connect_options(), sock=sock) as host:
        assert host.capture("echo there") == "there\n"
