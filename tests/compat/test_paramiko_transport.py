"""A Transport built, greeted and logged in step by step, its channels and forwards; over paramiko and over ours."""

from __future__ import annotations

import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openssh_compat import paramiko as ours
from openssh_core.testing import AccountServer, LoopbackServer, shared_key


@pytest.fixture
def key(paramiko: Any, loopback_server: LoopbackServer) -> Any:
    return paramiko.Ed25519Key.from_private_key_file(str(loopback_server.key))


@pytest.fixture
def stranger(paramiko: Any, tmp_path: Path) -> Any:
    return paramiko.Ed25519Key.from_private_key_file(str(shared_key("stranger").write(tmp_path / "stranger")))


@pytest.fixture
def make(paramiko: Any) -> Iterator[Callable[..., Any]]:
    """Transports, which are closed with the test."""
    made = []

    def to(*args: Any, **named: Any) -> Any:
        made.append(paramiko.Transport(*args, **named))
        return made[-1]

    yield to
    for transport in made:
        transport.close()
        # The original forgets it when nothing was started.
        transport.sock.close()


@pytest.fixture
def transport(client: Any) -> Any:
    """Of a client that is logged in."""
    return client.get_transport()


def says_yes(transport: Any) -> bool:
    channel = transport.open_session()
    channel.exec_command("echo yes")
    return bool(channel.makefile("rb").read() == b"yes\n" and channel.recv_exit_status() == 0)


# ---- step by step


@pytest.mark.shows("Transport")
@pytest.mark.behaviour("steps")
def test_step_by_step(make: Callable[..., Any], loopback_server: LoopbackServer, key: Any) -> None:
    server = loopback_server
    transport = make((server.host, server.port))
    assert not transport.is_active() and not transport.is_authenticated()
    transport.start_client(timeout=20)
    assert transport.is_active() and not transport.is_authenticated()
    shown = transport.get_remote_server_key()
    assert (shown.get_name(), shown.fingerprint) == ("ssh-ed25519", server.host_key.fingerprint)
    assert transport.auth_publickey(server.user, key) == []
    assert transport.is_authenticated() and transport.get_username() == server.user
    assert transport.getpeername()[:2] == (server.host, server.port)
    assert transport.remote_version.startswith("SSH-2.0-OpenSSH_")
    assert transport.local_version.startswith("SSH-2.0-")
    assert says_yes(transport)
    transport.close()
    assert not transport.is_active() and not transport.is_authenticated()


@pytest.mark.behaviour("steps")
def test_ways_to_name_the_server(make: Callable[..., Any], loopback_server: LoopbackServer, key: Any) -> None:
    server = loopback_server
    for where in (f"{server.host}:{server.port}", socket.create_connection((server.host, server.port), 20)):
        transport = make(where)
        transport.connect(username=server.user, pkey=key)
        assert says_yes(transport)


@pytest.mark.behaviour("refused-transport")
def test_no_transport_to_nobody() -> None:
    """The original says the same, and leaves its socket to the collector."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ours.SSHException, match=r"Unable to connect to 127\.0\.0\.1: .*Connection refused"):
        ours.Transport(("127.0.0.1", port))


@pytest.mark.behaviour("steps", "before-the-greeting")
@pytest.mark.shows("Transport.auth_publickey", "Transport.get_remote_server_key")
def test_nothing_before_the_greeting(
    paramiko: Any, make: Callable[..., Any], loopback_server: LoopbackServer, key: Any
) -> None:
    transport = make((loopback_server.host, loopback_server.port))
    with pytest.raises(paramiko.SSHException, match="No existing session"):
        transport.auth_publickey(loopback_server.user, key)
    with pytest.raises(paramiko.SSHException, match="No existing session"):
        transport.get_remote_server_key()
    with pytest.raises(paramiko.SSHException):
        transport.open_session()


@pytest.mark.behaviour("steps")
def test_one_key_after_the_other(
    paramiko: Any, make: Callable[..., Any], loopback_server: LoopbackServer, key: Any, stranger: Any
) -> None:
    transport = make((loopback_server.host, loopback_server.port))
    transport.start_client()
    with pytest.raises(paramiko.AuthenticationException, match="Authentication failed"):
        transport.auth_publickey(loopback_server.user, stranger)
    assert transport.is_active() and not transport.is_authenticated()
    assert transport.auth_publickey(loopback_server.user, key) == []
    assert says_yes(transport)


@pytest.mark.behaviour("method-not-offered", "steps")
@pytest.mark.shows("Transport.auth_none", "Transport.start_client")
def test_what_the_server_takes(paramiko: Any, make: Callable[..., Any], loopback_server: LoopbackServer) -> None:
    transport = make((loopback_server.host, loopback_server.port))
    transport.start_client()
    with pytest.raises(paramiko.BadAuthenticationType) as caught:
        transport.auth_none(loopback_server.user)
    assert "publickey" in caught.value.allowed_types


@pytest.mark.behaviour("steps")
@pytest.mark.shows("Transport.get_exception")
def test_with_an_event(make: Callable[..., Any], loopback_server: LoopbackServer, key: Any) -> None:
    transport = make((loopback_server.host, loopback_server.port))
    for step in (transport.start_client, lambda event: transport.auth_publickey(loopback_server.user, key, event)):
        event = threading.Event()
        step(event=event)
        assert event.wait(60)
    assert transport.get_exception() is None
    assert transport.is_authenticated()


@pytest.mark.behaviour("steps")
@pytest.mark.shows("Ed25519Key")
def test_all_at_once(paramiko: Any, make: Callable[..., Any], loopback_server: LoopbackServer, key: Any) -> None:
    server = loopback_server
    transport = make((server.host, server.port))
    transport.connect(hostkey=paramiko.Ed25519Key(data=blob(server)), username=server.user, pkey=key)
    assert says_yes(transport)
    assert transport.get_remote_server_key().fingerprint == server.host_key.fingerprint


def blob(server: LoopbackServer) -> bytes:
    import base64

    return base64.b64decode(server.host_key.public.split()[1])


@pytest.mark.behaviour("steps")
@pytest.mark.shows("Transport.connect")
def test_another_host_key_than_was_demanded(
    paramiko: Any, make: Callable[..., Any], loopback_server: LoopbackServer, key: Any, stranger: Any
) -> None:
    transport = make((loopback_server.host, loopback_server.port))
    with pytest.raises(paramiko.SSHException, match="Bad host key from server"):
        transport.connect(hostkey=stranger, username=loopback_server.user, pkey=key)
    assert not transport.is_authenticated()


@pytest.mark.behaviour("steps")
@pytest.mark.shows("Transport.auth_password")
def test_password_and_questions(paramiko: Any, make: Callable[..., Any], password_server: AccountServer) -> None:
    server = password_server
    transport = make((server.host, server.port))
    transport.start_client()
    with pytest.raises(paramiko.AuthenticationException):
        transport.auth_password(server.user, "wrong")
    assert transport.auth_password(server.user, server.password) == []
    assert says_yes(transport)


@pytest.mark.behaviour("roundabout")
def test_key_objects_of_ones_own(
    paramiko: Any, loopback_server: LoopbackServer, log_in: Callable[..., Any], key: Any, stranger: Any
) -> None:
    assert says_yes(log_in(loopback_server, key_filename=None, pkey=key).get_transport())
    with pytest.raises(paramiko.AuthenticationException):
        log_in(loopback_server, key_filename=None, pkey=stranger)
    # One that is not accepted, and one that is.
    assert says_yes(log_in(loopback_server, pkey=stranger).get_transport())


@pytest.mark.behaviour("roundabout")
@pytest.mark.shows(
    "SecurityOptions",
    "SecurityOptions.ciphers",
    "SecurityOptions.compression",
    "SecurityOptions.kex",
    "SecurityOptions.key_types",
    "Transport.use_compression",
)
def test_security_options(paramiko: Any, make: Callable[..., Any], loopback_server: LoopbackServer, key: Any) -> None:
    transport = make((loopback_server.host, loopback_server.port))
    options = transport.get_security_options()
    assert isinstance(options, paramiko.SecurityOptions) and "none" in options.compression
    for name in ("ciphers", "digests", "key_types", "kex"):
        assert len(getattr(options, name)) > 1
    options.ciphers = ["aes256-ctr"]
    assert tuple(options.ciphers) == ("aes256-ctr",)
    with pytest.raises(ValueError, match="unknown"):
        options.ciphers = ("rot13",)
    with pytest.raises(TypeError):
        options.digests = "hmac-sha2-256"
    transport.use_compression(True)
    transport.set_keepalive(5)
    transport.connect(username=loopback_server.user, pkey=key)
    assert says_yes(transport)


@pytest.mark.behaviour("roundabout")
def test_algorithms_that_are_left_out(
    paramiko: Any, log_in: Callable[..., Any], loopback_server: LoopbackServer
) -> None:
    client = log_in(loopback_server, disabled_algorithms={"ciphers": ["aes128-ctr"], "macs": ["hmac-sha1"]})
    assert says_yes(client.get_transport())


def test_algorithms_that_are_all_left_out(loopback_server: LoopbackServer) -> None:
    client = ours.SSHClient()
    client.set_missing_host_key_policy(ours.AutoAddPolicy)
    with pytest.raises(ours.SSHException, match="host key"):
        client.connect(
            loopback_server.host,
            loopback_server.port,
            disabled_algorithms={"keys": ["ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"]},
        )


# ---- ways to a server


@pytest.mark.behaviour("roundabout")
def test_through_another_server(paramiko: Any, transport: Any, loopback_server: LoopbackServer) -> None:
    """A tunnel of one connection is what the other goes over."""
    server = loopback_server
    channel = transport.open_channel("direct-tcpip", (server.host, server.port), ("", 0))
    with paramiko.SSHClient() as inner:
        inner.load_host_keys(str(server.known_hosts))
        inner.connect(
            server.host, server.port, server.user, key_filename=str(server.key), sock=channel, allow_agent=False
        )
        assert inner.exec_command("echo inside")[1].read() == b"inside\n"


def log_in_over(paramiko: Any, sock: Any, server: LoopbackServer) -> None:
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(server.known_hosts))
        client.connect(
            server.host, server.port, server.user, key_filename=str(server.key), sock=sock, allow_agent=False
        )
        assert client.exec_command("echo over it")[1].read() == b"over it\n"


@pytest.mark.behaviour("roundabout")
def test_over_a_socket(paramiko: Any, loopback_server: LoopbackServer) -> None:
    with socket.create_connection((loopback_server.host, loopback_server.port), 20) as sock:
        log_in_over(paramiko, sock, loopback_server)


@pytest.mark.behaviour("roundabout")
def test_over_a_command(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    """The original does it, too; its threads raise when the command is gone."""
    relay = tmp_path / "relay.py"
    relay.write_text(
        "import os, select, socket\n"
        f"s = socket.create_connection(({loopback_server.host!r}, {loopback_server.port}))\n"
        "while True:\n"
        "    for one in select.select([0, s], [], [])[0]:\n"
        "        data = os.read(0, 65536) if one == 0 else s.recv(65536)\n"
        "        if not data: raise SystemExit\n"
        "        s.sendall(data) if one == 0 else os.write(1, data)\n"
    )
    with ours.ProxyCommand(f"{sys.executable} {relay}") as sock:
        log_in_over(ours, sock, loopback_server)


# ---- policies


@pytest.mark.behaviour("own-policies")
@pytest.mark.shows("MissingHostKeyPolicy", "MissingHostKeyPolicy.missing_host_key")
def test_a_policy_of_ones_own(paramiko: Any, loopback_server: LoopbackServer) -> None:
    seen: list[Any] = []

    class Policy(paramiko.MissingHostKeyPolicy):  # type: ignore[misc,name-defined]
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            transport = client.get_transport()
            seen.append((hostname, key.get_name(), key.fingerprint))
            seen.append((transport.is_active(), transport.is_authenticated()))
            assert transport.get_remote_server_key() == key

    server = loopback_server
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(Policy)
        client.connect(server.host, server.port, server.user, key_filename=str(server.key), allow_agent=False)
        name = server.host if server.port == 22 else f"[{server.host}]:{server.port}"
        assert seen == [(name, "ssh-ed25519", server.host_key.fingerprint), (True, False)]
        assert not len(client.get_host_keys())


@pytest.mark.behaviour("own-policies")
def test_a_policy_that_refuses(paramiko: Any, loopback_server: LoopbackServer) -> None:
    class Policy:
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            raise LookupError(f"{hostname} is not in our book")

    server = loopback_server
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(Policy())
        with pytest.raises(LookupError, match="not in our book"):
            client.connect(server.host, server.port, server.user, key_filename=str(server.key), allow_agent=False)


@pytest.mark.behaviour("own-host-keys")
@pytest.mark.shows("SSHClient.save_host_keys")
def test_keys_that_the_program_knows(
    paramiko: Any, loopback_server: LoopbackServer, stranger: Any, tmp_path: Path
) -> None:
    server = loopback_server
    name = f"[{server.host}]:{server.port}"
    right = paramiko.Ed25519Key(data=blob(server))
    with paramiko.SSHClient() as client:
        client.get_host_keys().add(name, "ssh-ed25519", stranger)
        with pytest.raises(paramiko.BadHostKeyException) as caught:
            client.connect(server.host, server.port, server.user, key_filename=str(server.key), allow_agent=False)
        assert (caught.value.key, caught.value.expected_key) == (right, stranger)
        client.close()
        client.get_host_keys().clear()
        client.get_host_keys().add(name, "ssh-ed25519", right)
        client.connect(server.host, server.port, server.user, key_filename=str(server.key), allow_agent=False)
        client.save_host_keys(str(tmp_path / "known"))
        assert paramiko.HostKeys(str(tmp_path / "known")).check(name, right)


# ---- logging in otherwise


@pytest.mark.behaviour("own-login")
def test_a_login_of_ones_own(paramiko: Any, loopback_server: LoopbackServer, key: Any) -> None:
    """Subclasses replace `_auth`, and go over `_transport`."""

    class Client(paramiko.SSHClient):  # type: ignore[misc,name-defined]
        def _auth(self, username: str, *_args: Any) -> None:
            self._transport.auth_publickey(username, key)

    server = loopback_server
    with Client() as client:
        client.load_host_keys(str(server.known_hosts))
        client.connect(server.host, server.port, server.user)
        assert says_yes(client.get_transport())
    with Client() as client:
        with pytest.raises(paramiko.SSHException, match="not found in known_hosts"):
            client.connect(server.host, server.port, server.user)


# ---- channels


@pytest.mark.behaviour("tunnels")
def test_tunnels(paramiko: Any, transport: Any, in_thread: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        accepted = in_thread(listener.accept)
        channel = transport.open_channel("direct-tcpip", listener.getsockname(), ("127.0.0.1", 1234))
        peer, _ = accepted()
        with peer, closing(channel):
            peer.settimeout(60)
            assert isinstance(channel, paramiko.Channel)
            channel.sendall(b"hello")
            assert peer.recv(100) == b"hello"
            assert not channel.recv_ready()
            peer.sendall(b"hello back")
            assert select.select([channel], [], [], 60)[0] == [channel]
            assert channel.recv_ready() and len(channel.in_buffer) == 10
            assert channel.recv(5) == b"hello"
            channel.settimeout(0.01)
            assert channel.makefile("rb").read(5) == b" back"
            with pytest.raises(TimeoutError):
                channel.recv(1)
            channel.shutdown_write()
            assert peer.recv(100) == b""
            peer.close()
            channel.settimeout(60)
            assert channel.recv(1) == b""
    assert channel.closed


@pytest.mark.behaviour("tunnels")
def test_a_tunnel_to_nobody(paramiko: Any, transport: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(paramiko.ChannelException) as caught:
        transport.open_channel("direct-tcpip", ("127.0.0.1", port), ("", 0))
    assert (caught.value.code, caught.value.text) == (2, "Connect failed")


@pytest.mark.behaviour("tunnels")
def test_a_tunnel_that_is_forbidden(
    paramiko: Any, make_server: Callable[..., LoopbackServer], log_in: Callable[..., Any]
) -> None:
    transport = log_in(make_server({"AllowTcpForwarding": False})).get_transport()
    with pytest.raises(paramiko.ChannelException) as caught:
        transport.open_channel("direct-tcpip", ("127.0.0.1", 1), ("", 0))
    assert (caught.value.code, caught.value.text) == (1, "Administratively prohibited")


@pytest.mark.behaviour("tunnels")
@pytest.mark.shows("Transport.open_channel")
def test_a_kind_of_channel_that_there_is_not(paramiko: Any, transport: Any) -> None:
    with pytest.raises(paramiko.ChannelException) as caught:
        transport.open_channel("unheard-of")
    assert caught.value.code == 2


@pytest.mark.behaviour("sessions", "one-command")
@pytest.mark.shows("Channel.exec_command")
def test_a_session_is_used_once(paramiko: Any, transport: Any) -> None:
    channel = transport.open_session()
    channel.exec_command("true")
    assert channel.recv_exit_status() == 0
    with pytest.raises(paramiko.SSHException):
        channel.exec_command("true")


@pytest.mark.behaviour("sessions", "refused-request")
@pytest.mark.shows("Channel.invoke_subsystem", "Transport.open_session")
def test_a_subsystem_that_there_is_not(paramiko: Any, transport: Any) -> None:
    channel = transport.open_session()
    with pytest.raises(paramiko.SSHException, match="Channel closed"):
        channel.invoke_subsystem("unheard-of")


@pytest.mark.behaviour("sessions")
def test_files_made_before_the_command(transport: Any) -> None:
    channel = transport.open_session()
    channel.set_combine_stderr(True)
    channel.set_name("mine")
    stdout = channel.makefile("rb")
    channel.exec_command(b"echo a; echo b >&2")
    assert sorted(stdout.read().split()) == [b"a", b"b"]
    assert channel.get_name() == "mine" and channel.getpeername() == transport.getpeername()


@pytest.mark.behaviour("shell", "sessions")
@pytest.mark.shows("SSHClient.invoke_shell")
def test_a_shell(client: Any) -> None:
    channel = client.invoke_shell("xterm", 100, 30)
    channel.settimeout(60)
    channel.sendall("stty size; echo $TERM; exit 3\n")
    output = b""
    while piece := channel.recv(1000):
        output += piece
    assert b"30 100" in output and b"\nxterm" in output
    assert channel.recv_exit_status() == 3


@pytest.mark.behaviour("sessions")
@pytest.mark.shows("Channel.get_pty")
def test_a_terminal_that_changes(client: Any) -> None:
    channel = client.get_transport().open_session()
    channel.get_pty(width=90, height=20)
    channel.exec_command('stty size; while [ "$(stty size)" = "20 90" ]; do sleep 0.02; done; stty size')
    stdout = channel.makefile("rb")
    assert stdout.readline().split() == [b"20", b"90"]
    channel.resize_pty(70, 10)
    assert stdout.read().split() == [b"10", b"70"]


@pytest.mark.behaviour("variables", "sessions")
@pytest.mark.shows("Channel.set_environment_variable", "Channel.update_environment")
def test_variables(make_server: Callable[..., LoopbackServer], log_in: Callable[..., Any]) -> None:
    server = make_server({"AcceptEnv": "A B"})
    channel = log_in(server).get_transport().open_session()
    channel.update_environment({"A": "1"})
    channel.set_environment_variable("B", "two words")
    channel.exec_command("echo $A $B")
    assert channel.makefile("rb").read() == b"1 two words\n"
    shell = channel.get_transport().open_session()
    shell.get_pty()
    shell.update_environment({"A": "of a shell"})
    shell.invoke_shell()
    shell.settimeout(60)
    shell.sendall("echo [$A]; exit\n")
    assert b"[of a shell]" in shell.makefile("rb").read()


@pytest.mark.behaviour("sessions")
@pytest.mark.shows("Channel.exit_status_ready")
def test_waiting_for_the_status(transport: Any) -> None:
    channel = transport.open_session()
    channel.exec_command("read x; exit 7")
    assert not channel.exit_status_ready() and channel.exit_status == -1
    assert not channel.status_event.wait(0.01) and not channel.status_event.is_set()
    channel.send(b"\n")
    assert channel.status_event.wait(60)
    assert channel.exit_status == 7


@pytest.mark.behaviour("sessions", "dead-transport")
def test_no_session_without_a_connection(paramiko: Any, client: Any) -> None:
    transport = client.get_transport()
    client.close()
    with pytest.raises(paramiko.SSHException, match="SSH session not active"):
        transport.open_session()


# ---- forwards


@pytest.mark.behaviour("forwards")
@pytest.mark.shows("Channel.settimeout")
def test_a_port_of_the_server_and_a_function(transport: Any) -> None:
    seen: list[Any] = []
    done = threading.Event()

    def serve(channel: Any, origin: Any, server: Any) -> None:
        with channel:
            channel.settimeout(60)
            seen.append((channel.recv(100), len(origin), server[1]))
            channel.sendall(b"answer")
        done.set()

    def handle(channel: Any, origin: Any, server: Any) -> None:
        # The original calls this where it reads from the connection, so it must not wait.
        threading.Thread(target=serve, args=(channel, origin, server)).start()

    port = transport.request_port_forward("127.0.0.1", 0, handle)
    assert port > 0
    with socket.create_connection(("127.0.0.1", port), 60) as visitor:
        visitor.sendall(b"question")
        assert visitor.recv(100) == b"answer"
    assert done.wait(60)
    assert seen == [(b"question", 2, port)]
    transport.cancel_port_forward("127.0.0.1", port)


@pytest.mark.behaviour("forwards")
@pytest.mark.shows("Channel.sendall", "Transport.accept", "Transport.cancel_port_forward")
def test_a_port_of_the_server_and_accept(transport: Any, until: Callable[..., Any]) -> None:
    port = transport.request_port_forward("127.0.0.1", 0)
    assert transport.accept(0.01) is None
    with socket.create_connection(("127.0.0.1", port), 60) as visitor:
        channel = transport.accept(60)
        with channel:
            channel.sendall(b"hello")
            assert visitor.recv(100) == b"hello"
    transport.cancel_port_forward("127.0.0.1", port)
    until(lambda: refused(port))


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 60).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.behaviour("forwards")
@pytest.mark.shows("Transport.request_port_forward")
def test_a_port_that_is_taken(paramiko: Any, transport: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with pytest.raises(paramiko.SSHException, match="denied"):
            transport.request_port_forward("127.0.0.1", listener.getsockname()[1])


@pytest.mark.behaviour("facts")
def test_this_sides_address(client: Any) -> None:
    address, port, *_rest = client.exec_command("echo $SSH_CONNECTION")[1].read().decode().split()
    assert client.get_transport().sock.getsockname()[:2] == (address, int(port))
