"""Where the adapter differs from paramiko on purpose, and what it refuses."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_compat import paramiko
from openssh_compat.paramiko._failures import session_error
from openssh_compat.paramiko.buffered_pipe import BufferedPipe, PipeTimeout
from openssh_core.testing import AccountServer, LoopbackServer, shared_key

from .conftest import login

MIB = 1 << 20


@pytest.fixture
def client(loopback_server: LoopbackServer) -> Iterator[paramiko.SSHClient]:
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(loopback_server.known_hosts))
        client.connect(**login(loopback_server))
        yield client


# ---- what hangs in paramiko, or worse


@pytest.mark.shows("Channel.recv_exit_status")
def test_the_exit_status_does_not_need_the_output_to_be_read(client: paramiko.SSHClient) -> None:
    _, stdout, stderr = client.exec_command(f"head -c {8 * MIB} /dev/zero; head -c {8 * MIB} /dev/zero >&2")
    assert stdout.channel.recv_exit_status() == 0
    assert (len(stdout.read()), len(stderr.read())) == (8 * MIB, 8 * MIB)


def test_one_thread_serves_everything(loopback_server: LoopbackServer, client: paramiko.SSHClient) -> None:
    """Two connections, with a command, a shell, a tunnel, a forward and files on each."""
    before = set(threading.enumerate())
    with paramiko.SSHClient() as second:
        second.load_host_keys(str(loopback_server.known_hosts))
        second.connect(**login(loopback_server))
        held: list[Any] = []
        for one in (client, second):
            sftp, transport = one.open_sftp(), one.get_transport()
            assert sftp.stat("/").st_mode
            tunnel = transport.open_channel("direct-tcpip", (loopback_server.host, loopback_server.port), ("", 0))
            assert tunnel.recv(4) == b"SSH-"
            transport.request_port_forward("127.0.0.1", 0, handler=lambda *_: None)
            held += [sftp, tunnel, one.exec_command("cat")[0], one.invoke_shell()]
        new = {thread.name for thread in set(threading.enumerate()) - before}
        assert new <= {"openssh-core-reactor"}
        for each in held:
            each.close()


def test_polling_does_not_need_the_output_to_be_read(client: paramiko.SSHClient, until: Callable[..., Any]) -> None:
    _, stdout, _ = client.exec_command(f"head -c {8 * MIB} /dev/zero")
    until(stdout.channel.exit_status_ready)
    assert len(stdout.read()) == 8 * MIB


def test_one_stream_does_not_need_the_other_to_be_read(client: paramiko.SSHClient) -> None:
    _, stdout, stderr = client.exec_command(f"head -c {8 * MIB} /dev/zero >&2; echo done")
    assert stdout.readline() == "done\n"
    assert len(stderr.read()) == 8 * MIB


def test_a_slow_reader_holds_the_server_back(client: paramiko.SSHClient, until: Callable[..., Any]) -> None:
    channel = client.exec_command(f"head -c {64 * MIB} /dev/zero")[1].channel
    until(lambda: len(channel.in_buffer) > MIB)
    received, most = 0, 0
    while piece := channel.recv(MIB // 4):
        most = max(most, len(channel.in_buffer))
        received += len(piece)
    assert received == 64 * MIB
    assert most < 8 * MIB


@pytest.mark.shows("Channel.send", "Channel.sendall")
def test_sending_after_the_end_of_input_raises(client: paramiko.SSHClient) -> None:
    channel = client.exec_command("cat")[0].channel
    channel.shutdown_write()
    for send in (channel.send, channel.sendall):
        with pytest.raises(OSError, match="Socket is closed"):
            send(b"x")


@pytest.mark.shows("BufferedFile.read", "BufferedFile.readline")
def test_nothing_is_lost_when_a_read_takes_too_long(client: paramiko.SSHClient) -> None:
    stdin, stdout, _ = client.exec_command("printf begun; cat", timeout=0.2)
    for read in (stdout.read, stdout.readline):
        with pytest.raises(socket.timeout):
            read()
    stdin.write(" and ended")
    stdin.close()
    assert stdout.read() == b"begun and ended"


@pytest.mark.shows("SSHClient.exec_command")
def test_variables_that_the_server_does_not_take_are_set_all_the_same(client: paramiko.SSHClient) -> None:
    _, stdout, _ = client.exec_command("echo $NOT_ACCEPTED", environment={"NOT_ACCEPTED": "a 'b' $c"})
    assert stdout.read() == b"a 'b' $c\n"


def test_sending_has_a_time_limit_too(client: paramiko.SSHClient) -> None:
    stdin, _, _ = client.exec_command("sleep 600", timeout=0.2)
    with pytest.raises(socket.timeout):
        stdin.write(bytes(64 * MIB))
    assert not stdin.channel.send_ready()


@pytest.mark.shows("Transport.is_active")
def test_it_tells_that_the_connection_is_gone(client: paramiko.SSHClient, until: Callable[..., Any]) -> None:
    transport = client.get_transport()
    assert transport is not None and transport.active
    _stdin, stdout, _ = client.exec_command("cat")
    transport.connection.close()
    assert not transport.is_active()
    assert (stdout.read(), stdout.channel.recv_exit_status()) == (b"", -1)
    with pytest.raises(paramiko.SSHException, match="SSH session not active") as caught:
        client.exec_command("true")
    assert isinstance(caught.value.__cause__, openssh_core.OpenSSHError)


def test_a_command_before_the_connection_and_after() -> None:
    client = paramiko.SSHClient()
    client.close()
    with pytest.raises(paramiko.SSHException, match="SSH session not active"):
        client.exec_command("true")


def test_a_session_that_the_server_refuses() -> None:
    error = session_error(openssh_core.OpenRefused("the server opens no session", code=1))
    assert isinstance(error, paramiko.ChannelException)
    assert (error.code, error.text) == (1, "the server opens no session")
    assert type(session_error(openssh_core.RequestRefused("no exec here"))) is paramiko.SSHException


def test_errors_carry_what_the_core_knows(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    client = paramiko.SSHClient()
    client.load_host_keys(str(loopback_server.known_hosts))
    key = str(shared_key("stranger").write(tmp_path / "key"))
    with pytest.raises(paramiko.AuthenticationException) as caught:
        client.connect(**login(loopback_server, key_filename=key))
    assert isinstance(caught.value.__cause__, openssh_core.AuthenticationError)
    assert "publickey" in caught.value.__cause__.methods


def test_a_channel_nobody_holds_is_closed(client: paramiko.SSHClient, until: Callable[..., Any]) -> None:
    """Its session would keep one of the few slots a server has."""
    for _ in range(30):
        client.exec_command("cat")
    assert client.exec_command("echo room")[1].read() == b"room\n"


def test_what_goes_on_keeps_its_slot_though_nobody_holds_its_channel(
    make_server: Callable[..., LoopbackServer], tmp_path: Path, until: Callable[..., Any]
) -> None:
    """A server ends nothing because its channel is closed. The next command waits; paramiko's would be refused."""
    go, begun = tmp_path / "go", tmp_path / "begun"
    server = make_server({"MaxSessions": 1})
    with paramiko.SSHClient() as client, ThreadPoolExecutor(1) as pool:
        client.load_host_keys(str(server.known_hosts))
        client.connect(**login(server))
        client.exec_command(f"cat; touch {begun}; while ! test -e {go}; do sleep 0.02; done")
        next_one = pool.submit(client.exec_command, "echo room")
        # Closed it is: the end of its input has reached it.
        until(begun.exists)
        assert not next_one.done()
        go.touch()
        assert next_one.result(60)[1].read() == b"room\n"


def test_no_descriptor_stays_open(client: paramiko.SSHClient, until: Callable[..., Any]) -> None:
    client.exec_command("true")[1].read()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        stdin, stdout, _ = client.exec_command("cat")
        stdout.channel.fileno()
        stdin.close()
        assert stdout.channel.recv_exit_status() == 0
        del stdin, stdout, _
    until(lambda: len(os.listdir("/proc/self/fd")) <= before)


@pytest.mark.shows("AgentRequestHandler", "AgentRequestHandler.close")
def test_the_agent_goes_where_it_is_allowed_to(
    loopback_server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "agent")
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE) as agent:
        try:
            assert agent.stdout is not None and agent.stdout.readline()
            monkeypatch.setenv("SSH_AUTH_SOCK", path)
            key = shared_key("stranger").write(tmp_path / "key")
            subprocess.run(["ssh-add", "-q", str(key)], check=True, stdin=subprocess.DEVNULL)
            with paramiko.SSHClient() as client:
                client.forward_agent = True
                client.load_host_keys(str(loopback_server.known_hosts))
                client.connect(**login(loopback_server, allow_agent=True))
                assert client.exec_command("echo [$SSH_AUTH_SOCK]")[1].read() == b"[]\n"
                channel = client.get_transport().open_session()
                handler = paramiko.agent.AgentRequestHandler(channel)
                channel.exec_command("ssh-add -L")
                assert shared_key("stranger").blob in channel.makefile().read().decode()
                handler.close()
            assert [one.get_base64() for one in paramiko.Agent().get_keys()] == [shared_key("stranger").blob]
        finally:
            agent.terminate()


@pytest.mark.shows("SSHClient.invoke_shell")
def test_variables_of_a_shell(client: paramiko.SSHClient) -> None:
    """The original ignores them."""
    channel = client.invoke_shell(environment={"NOT_ACCEPTED": "it counts"})
    channel.settimeout(60)
    channel.sendall("echo [$NOT_ACCEPTED]; exit 3\n")
    assert b"[it counts]" in channel.makefile().read() and channel.recv_exit_status() == 3


@pytest.mark.shows("SFTPClient.listdir")
def test_names_that_are_no_text(client: paramiko.SSHClient, tmp_path: Path) -> None:
    """The original raises UnicodeDecodeError, for all of the directory."""
    (tmp_path / os.fsdecode(b"a\xffb")).write_text("x")
    with client.open_sftp() as sftp:
        (name,) = sftp.listdir(str(tmp_path))
        assert os.fsencode(name) == b"a\xffb" and sftp.stat(f"{tmp_path}/{name}").st_size == 1


def test_a_password_is_tried_before_questions_are_answered(password_server: AccountServer) -> None:
    """In the original's order, which is not that of ssh."""
    server = password_server
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(server.known_hosts))
        client.connect(**login(server, password=server.password, key_filename=None))
        transport = client.get_transport()
        assert transport is not None and transport.connection is not None
        assert 'using "password"' in transport.connection.log


def test_a_program_that_is_killed_leaves_no_master(loopback_server: LoopbackServer, until: Callable[..., Any]) -> None:
    server = loopback_server
    program = (
        "from openssh_compat import paramiko\n"
        "client = paramiko.SSHClient()\n"
        f"client.load_host_keys({str(server.known_hosts)!r})\n"
        f"client.connect({server.host!r}, {server.port}, {server.user!r}, key_filename={str(server.key)!r},\n"
        "               allow_agent=False)\n"
        "files = client.exec_command('cat')\n"
        "print(client.get_transport().connection.master_pid, flush=True)\n"
        "files[1].read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        master = int(process.stdout.readline())
        process.kill()
    until(lambda: not Path(f"/proc/{master}/cmdline").exists() or not Path(f"/proc/{master}/cmdline").read_bytes())


@pytest.mark.shows("Channel.request_x11")
def test_the_display_goes_where_it_is_allowed_to(
    make_server: Callable[..., LoopbackServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has a ticket, and connects to the display there, arrives at the display here."""
    if shutil.which("xauth") is None:
        pytest.skip("there is no xauth, by which sshd hands out tickets")
    server = make_server({"X11Forwarding": True})
    with socket.create_server(("127.0.0.1", 0)) as display, paramiko.SSHClient() as client:
        display.settimeout(60)
        number = display.getsockname()[1] - 6000
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{number}")
        monkeypatch.setenv("XAUTHORITY", str(tmp_path / "xauth"))
        client.load_host_keys(str(server.known_hosts))
        client.forward_x11 = True
        client.connect(**login(server))
        assert client.exec_command("echo [$DISPLAY]")[1].read() == b"[]\n"
        transport = client.get_transport()
        assert transport is not None
        with transport.open_session() as channel:
            assert channel.request_x11(handler=lambda *_: pytest.fail("it is not called")) == ""
            channel.exec_command('echo "$DISPLAY"; xauth list | sed "s/.* //"; cat; exit 3')
            stdout = channel.makefile("r")
            there, _, screen = stdout.readline().strip().partition(":")
            ticket = bytes.fromhex(stdout.readline().strip())
            port = 6000 + int(screen.partition(".")[0])
            # The beginning of a conversation in the X protocol: byte order, version, a ticket. ssh looks at that.
            hello = struct.pack("<cxHHHH2x20s16s", b"l", 11, 0, 18, 16, b"MIT-MAGIC-COOKIE-1", ticket)
            with socket.create_connection((there, port), 60) as program:
                program.sendall(hello)
                peer, _ = display.accept()
                with peer:
                    peer.settimeout(60)
                    assert peer.recv(100)[:32] == hello[:32]
                    peer.sendall(b"welcome")
                    assert program.recv(100) == b"welcome"
            channel.sendall(b"typed\n")
            channel.shutdown_write()
            assert stdout.read() == b"typed\n"
            assert channel.recv_exit_status() == 3
        with transport.open_session() as channel:
            monkeypatch.delenv("DISPLAY")
            with pytest.raises(paramiko.SSHException, match="DISPLAY"):
                channel.request_x11()


# ---- what is refused


@pytest.mark.shows(
    "Channel.request_forward_agent",
    "Channel.send_exit_status",
    "Channel.send_stderr",
    "Channel.sendall_stderr",
    "Transport.global_request",
)
def test_what_cannot_be_says_what_to_do(client: paramiko.SSHClient) -> None:
    transport = client.get_transport()
    assert transport is not None
    channel = transport.open_session()
    for call, words in (
        (lambda: transport.global_request("keepalive@openssh.com"), "set_keepalive"),
        (lambda: transport.start_server(server=None), "sshd"),
        (channel.request_x11, "client.forward_x11 = True"),
        (lambda: channel.request_forward_agent(print), "forward_agent = True"),
        (lambda: channel.send_exit_status(0), "no server"),
        (lambda: channel.send_stderr("x"), "no server"),
        (lambda: channel.sendall_stderr("x"), "no server"),
    ):
        with pytest.raises(NotImplementedError, match=words):
            call()


# Names of older versions that live code imports, and exceptions that the original keeps in a module.
DROPPED = {
    "DSSKey", "GSSAuth", "GSS_AUTH_AVAILABLE", "GSS_EXCEPTIONS", "NoValidConnectionsError", "PartialAuthentication",
    "UnableToAuthenticate", "__version_info__",
}  # fmt: skip
# And what only this has.
OWN = {"stand_in", "standing_in"}


def test_the_names_that_are_there_are_paramikos() -> None:
    original = pytest.importorskip("paramiko")
    assert {name for name in paramiko.__all__ if not hasattr(original, name)} == DROPPED | OWN
    for name in paramiko.__all__:
        home = getattr(getattr(paramiko, name), "__module__", "").removeprefix("openssh_compat.")
        assert name in DROPPED | OWN or not home.startswith("paramiko.") or getattr(importlib.import_module(home), name)


@pytest.mark.behaviour("kin")
def test_exceptions_stand_in_paramikos_order() -> None:
    original = pytest.importorskip("paramiko")
    for home in ("ssh_exception", "pkey", "hostkeys"):
        ours = importlib.import_module(f"openssh_compat.paramiko.{home}")
        for name in ours.__all__:
            kind = getattr(ours, name)
            if isinstance(kind, type) and issubclass(kind, Exception):
                namesake = getattr(getattr(original, home), name)
                # They are the original's as well, so that `except` clauses of others catch them.
                assert issubclass(kind, namesake)
                assert [one.__name__ for one in namesake.__mro__] == [
                    one.__name__ for one in kind.__mro__ if one in namesake.__mro__
                ]
                own = [one.__name__ for one in kind.__mro__ if one.__module__ == ours.__name__]
                assert [one for one in own if not one.startswith("_")] == [
                    one.__name__ for one in namesake.__mro__ if one.__module__ == f"paramiko.{home}"
                ]


@pytest.mark.behaviour("kin")
@pytest.mark.parametrize("first", ["paramiko", "openssh_compat.paramiko"])
def test_exceptions_are_the_originals_whichever_was_imported_first(first: str) -> None:
    pytest.importorskip("paramiko")
    second = ({"paramiko", "openssh_compat.paramiko"} - {first}).pop()
    program = (
        f"import {first}, {second}; import paramiko, openssh_compat.paramiko as ours\n"
        "for raised in (ours.SSHException('x'), ours.BadAuthenticationType('x', []), ours.ChannelException(1, 'x'),\n"
        "               ours.BadHostKeyException('h', ours.PKey(), ours.PKey()), ours.UnknownKeyType('x'),\n"
        "               ours.ProxyCommandFailure('x', 'y'), ours.hostkeys.InvalidHostKey('x', ValueError()),\n"
        "               ours.ssh_exception.NoValidConnectionsError({('::1', 22): OSError()})):\n"
        "    namesake = getattr(paramiko, type(raised).__name__, None)\n"
        "    try:\n        raise raised\n"
        "    except namesake or (paramiko.hostkeys.InvalidHostKey, OSError) as error:\n"
        "        assert error is raised and str(error), error\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---- the buffer


class Throttle:
    """Stands for a feed."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")


def pipe_with(size: int) -> tuple[BufferedPipe, Throttle]:
    pipe, throttle = BufferedPipe(), Throttle()
    pipe._feeds = (weakref.ref(throttle),)  # type: ignore[assignment]
    pipe.feed(bytes(size))
    return pipe, throttle


def test_a_full_buffer_stops_the_server_until_half_is_read() -> None:
    pipe, throttle = pipe_with(MIB)
    assert throttle.calls == []
    pipe.feed(b"x")
    pipe.feed(b"x")
    assert throttle.calls == ["pause"]
    pipe.read(MIB // 4)
    assert throttle.calls == ["pause"]
    pipe.read(MIB // 2)
    assert throttle.calls == ["pause", "resume"]


def test_room_is_made_when_nobody_else_reads(in_thread: Callable[..., Any]) -> None:
    pipe, throttle = pipe_with(2 * MIB)
    in_thread(pipe.read, 1)()
    pipe.make_room(unless_read=True)
    assert throttle.calls == ["pause"]
    pipe.make_room()
    assert throttle.calls == ["pause", "resume"]
    pipe.feed(bytes(2 * MIB))
    assert throttle.calls == ["pause", "resume"]


def test_room_that_was_made_for_want_of_a_reader_ends_when_one_comes(in_thread: Callable[..., Any]) -> None:
    pipe, throttle = pipe_with(2 * MIB)
    pipe.make_room(unless_read=True)
    assert throttle.calls == ["pause", "resume"]
    in_thread(pipe.read, 1)()
    pipe.feed(b"x")
    assert throttle.calls == ["pause", "resume", "pause"]


def test_a_buffer_read_byte_by_byte() -> None:
    pipe = BufferedPipe()
    for piece in (b"abc", b"d", b"", b"lost"):
        pipe.feed(piece)
    assert [pipe.read(1) for _ in range(6)] == [b"a", b"b", b"c", b"d", b"", b""]


def test_a_buffer_that_stays_empty() -> None:
    pipe = BufferedPipe()
    with pytest.raises(PipeTimeout):
        pipe.read(1, 0.0)
    with pytest.raises(PipeTimeout):
        pipe.read_all(0.01)


def test_two_that_wait_for_different_things(in_thread: Callable[..., Any], until: Callable[..., Any]) -> None:
    pipe = BufferedPipe()
    everything, something = in_thread(pipe.read_all), in_thread(pipe.read, 2)
    until(lambda: len(pipe._needs) == 2)
    pipe.feed(b"ab")
    assert something() == b"ab"
    pipe.feed(b"cd")
    pipe.close()
    assert everything() == b"cd"


def test_a_flag_follows_what_is_there() -> None:
    pipe, flag = BufferedPipe(), threading.Event()
    pipe.feed(b"ab")
    pipe.set_event(flag)
    assert flag.is_set()
    pipe.read(2)
    assert not flag.is_set()
    pipe.close()
    assert flag.is_set()
