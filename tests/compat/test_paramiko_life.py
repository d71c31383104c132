"""How long things live, who may use them at once, and what a transport answers when it is asked as a thread."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from openssh_core.testing import LoopbackServer

# ---- let go of


@pytest.mark.behaviour("collected")
def test_only_stdout_is_held(log_in: Callable[..., Any], loopback_server: LoopbackServer) -> None:
    client = log_in(loopback_server)
    stdout = client.exec_command("echo one; sleep 0.1; echo two")[1]
    gc.collect()
    assert stdout.read() == b"one\ntwo\n" and stdout.channel.recv_exit_status() == 0


@pytest.mark.behaviour("collected")
def test_only_the_channel_is_held(paramiko: Any, loopback_server: LoopbackServer) -> None:
    channel = connected_client(paramiko, loopback_server).get_transport().open_session()
    gc.collect()
    channel.exec_command("echo hi")
    assert channel.recv(10) == b"hi\n"
    channel.get_transport().close()


def connected_client(paramiko: Any, server: LoopbackServer) -> Any:
    client = paramiko.SSHClient()
    client.load_host_keys(str(server.known_hosts))
    client.connect(server.host, server.port, server.user, key_filename=str(server.key), allow_agent=False)
    return client


@pytest.mark.behaviour("collected")
def test_only_the_sftp_client_is_held(paramiko: Any, loopback_server: LoopbackServer) -> None:
    sftp = connected_client(paramiko, loopback_server).open_sftp()
    gc.collect()
    assert "etc" in sftp.listdir("/")
    transport = sftp.get_channel().get_transport()
    sftp.close()
    transport.close()


@pytest.mark.behaviour("dropped-file")
@pytest.mark.shows("BufferedFile.write", "SSHClient.open_sftp")
def test_a_file_that_is_dropped_is_written(shared: Any, tmp_path: Any, until: Callable[..., Any]) -> None:
    """Whether it has a buffer or not."""
    with shared.open_sftp() as sftp:
        for bufsize in (-1, 1000):
            path = tmp_path / str(bufsize)
            sftp.open(str(path), "w", bufsize).write("text")
            gc.collect()
            until(lambda path=path: path.read_text() == "text")


# ---- ended


@pytest.mark.behaviour("context-managers")
@pytest.mark.shows("ClosingContextManager")
def test_everything_is_a_context_manager(paramiko: Any, loopback_server: LoopbackServer) -> None:
    with connected_client(paramiko, loopback_server) as client:
        transport = client.get_transport()
        with transport.open_session() as channel:
            channel.exec_command("echo hi")
            with channel.makefile() as file:
                assert file.read() == b"hi\n"
            assert file.closed
        assert channel.closed
        with client.open_sftp() as sftp:
            with sftp.open("/etc/hostname") as remote:
                remote.read()
            assert remote.closed
        assert sftp.get_channel().closed
        assert transport.is_active()
    assert not transport.is_active() and client.get_transport() is None
    with paramiko.Transport((loopback_server.host, loopback_server.port)) as transport:
        transport.start_client()
    assert not transport.is_active()
    with paramiko.ProxyCommand("cat") as proxy:
        assert not proxy.closed
    proxy.process.wait()
    assert proxy.closed
    for pipe in (proxy.process.stdin, proxy.process.stdout, proxy.process.stderr):
        pipe.close()
    assert not hasattr(paramiko.Agent, "__exit__")
    assert issubclass(paramiko.Channel, paramiko.util.ClosingContextManager)


@pytest.mark.behaviour("sftp-closed")
def test_closing_the_client_ends_its_sftp(client: Any) -> None:
    sftp = client.open_sftp()
    file = sftp.open("/etc/hostname")
    client.close()
    for use in (lambda: sftp.listdir("/"), file.read):
        with pytest.raises(OSError, match=r"^Socket is closed$"):
            use()
    file.close()
    sftp.close()


@pytest.mark.behaviour("sftp-closed")
def test_closing_sftp_ends_its_files(shared: Any) -> None:
    sftp = shared.open_sftp()
    file = sftp.open("/etc/hostname")
    sftp.close()
    sftp.close()
    for use in (lambda: sftp.stat("/"), lambda: sftp.open("/etc/hostname"), file.read):
        with pytest.raises(OSError, match=r"^Socket is closed$"):
            use()
    file.close()


@pytest.mark.behaviour("after-a-failure")
@pytest.mark.shows("Transport.close")
def test_connecting_again(paramiko: Any, client: Any, loopback_server: LoopbackServer) -> None:
    server, before = loopback_server, client.get_transport()
    client.connect(server.host, server.port, server.user, key_filename=str(server.key), allow_agent=False)
    assert client.get_transport() is not before and client.exec_command("echo x")[1].read() == b"x\n"
    before.close()
    assert client.get_transport().is_active()


# ---- at the same time


@pytest.mark.behaviour("threads")
def test_many_threads_and_one_client(client: Any) -> None:
    results: list[bytes] = []

    def work(number: int) -> None:
        for _ in range(3):
            stdin, stdout, _ = client.exec_command(f"read x; echo $x {number}")
            stdin.write("go\n")
            results.append(stdout.read())
            stdout.channel.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == sorted(f"go {number}\n".encode() for number in range(4) for _ in range(3))


@pytest.mark.behaviour("threads")
@pytest.mark.shows("BufferedFile.close", "ChannelStdinFile.close")
def test_one_thread_writes_and_one_reads(shared: Any, in_thread: Callable[..., Any]) -> None:
    stdin, stdout, _ = shared.exec_command("cat")
    lines = in_thread(lambda: list(stdout))
    for number in range(100):
        stdin.write(f"{number}\n")
    stdin.close()
    assert lines() == [f"{number}\n" for number in range(100)]


# ---- a transport as a thread


@pytest.mark.behaviour("as-a-thread")
@pytest.mark.shows("SSHClient.get_transport")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the methods of threads
def test_a_transport_as_a_thread(shared: Any) -> None:
    transport = shared.get_transport()
    assert transport.is_alive() and transport.daemon and transport.isDaemon()
    assert isinstance(transport.name, str) and transport.getName() == transport.name
    name = transport.name
    transport.name = "mine"
    assert transport.getName() == "mine"
    transport.setName(name)
    assert transport.name == name


@pytest.mark.behaviour("facts")
@pytest.mark.shows(
    "Transport.get_hexdump", "Transport.renegotiate_keys", "Transport.send_ignore", "Transport.set_keepalive"
)
def test_what_a_transport_tells(shared: Any, loopback_server: LoopbackServer) -> None:
    transport, server = shared.get_transport(), loopback_server
    assert transport.active and transport.is_active() and transport.is_authenticated()
    assert transport.get_username() == server.user and transport.getpeername() == (server.host, server.port)
    assert transport.sock.getpeername() == (server.host, server.port)
    assert transport.remote_version.startswith("SSH-2.0-OpenSSH_") and transport.local_version.startswith("SSH-2.0-")
    assert transport.get_exception() is None and transport.get_hexdump() is False
    assert transport.get_log_channel() == "paramiko.transport"
    assert transport.get_remote_server_key().get_name() == "ssh-ed25519"
    for harmless in (transport.send_ignore, transport.renegotiate_keys, lambda: transport.set_keepalive(30)):
        assert harmless() is None
    assert transport.is_active()


@pytest.mark.behaviour("before-the-greeting")
@pytest.mark.shows("Transport.get_username")
def test_a_transport_that_did_not_begin(paramiko: Any, loopback_server: LoopbackServer) -> None:
    server = loopback_server
    transport = paramiko.Transport((server.host, server.port))
    try:
        assert not transport.is_active() and not transport.active and not transport.is_authenticated()
        assert transport.get_username() is None and not transport.is_alive()
        assert transport.getpeername() == (server.host, server.port) and transport.remote_version == ""
    finally:
        transport.close()
        transport.sock.close()


@pytest.mark.behaviour("log-names")
@pytest.mark.shows("SSHClient.load_host_keys", "SSHClient.set_log_channel")
def test_logging_under_another_name(paramiko: Any, loopback_server: LoopbackServer, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    server = loopback_server
    with paramiko.SSHClient() as client:
        client.set_log_channel("of.mine")
        client.load_host_keys(str(server.known_hosts))
        client.connect(server.host, server.port, server.user, key_filename=str(server.key), allow_agent=False)
        client._log(10, "said by a policy")
        client.open_sftp().close()
    said = {(record.name, record.getMessage()) for record in caplog.records}
    assert ("of.mine", "said by a policy") in said
    assert {text.split(" ", 1)[0] for name, text in said if text.startswith("Connected (version 2.0, client OpenSSH_")}
    sftp = " ".join(text for name, text in said if name == "of.mine.sftp")
    assert "Opened sftp connection (server version 3)" in sftp and "sftp session closed." in sftp
    assert {name for name, text in said if "Authentication" in text and "successful" in text} == {"of.mine"}
