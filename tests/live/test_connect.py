"""What holds while a connection comes about, or does not: the reason is a type, and nothing is left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import errors
from openssh_core.testing import (
    InetdServer,
    LoopbackServer,
    Relay,
    assert_nothing_left,
    generate_key,
    known_hosts_line,
    shared_key,
    snapshot,
)

Refused = Callable[..., Any]


@pytest.fixture
def refused(control_dir: Path) -> Refused:
    """Connects, expecting just this error, and sees that nothing is left of the attempt."""

    def attempt(
        kind: type[errors.OpenSSHError], target: str, *, closing: Relay | None = None, **options: Any
    ) -> errors.OpenSSHError:
        before = snapshot(control_dir)
        with pytest.raises(kind) as caught:
            openssh_core.connect(target, **{"control_dir": control_dir, "config_file": "none", **options})
        assert type(caught.value) is kind
        assert os.listdir(control_dir) == []
        if closing is not None:
            closing.close()
        assert_nothing_left(before, allow=("sshd",))
        return caught.value

    return attempt


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Makes a program of shell lines."""

    def make(text: str) -> str:
        path = tmp_path / f"program{len(os.listdir(tmp_path))}"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return make


def is_alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def known(server: LoopbackServer, path: Path, public: str, *, marker: str = "") -> str:
    """A known_hosts file with one key for the server's address."""
    path.write_text(known_hosts_line(f"[{server.host}]:{server.port}", public, marker=marker) + "\n")
    return str(path)


# ---- the network


def test_a_name_that_does_not_resolve(refused: Refused) -> None:
    # No part of a name has more than 63 characters, so this is known without asking any server.
    error = refused(errors.UnknownHost, "x" * 64 + ".invalid")
    assert error.host == "x" * 64 + ".invalid"
    assert "Could not resolve" in error.last_words


def test_a_port_where_nobody_listens(refused: Refused) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        error = refused(errors.ConnectionRefused, f"127.0.0.1:{nobody.getsockname()[1]}")
    assert error.host in str(error)


def test_an_address_without_a_route(refused: Refused) -> None:
    refused(errors.HostUnreachable, "255.255.255.255")


def test_a_server_that_never_says_a_word(make_server: Any, refused: Refused) -> None:
    server = make_server()
    server.freeze(listener=True)
    error = refused(errors.ConnectTimeout, **server.connect_options(), connect_timeout=0.3)
    assert isinstance(error, TimeoutError)
    assert "0.3 s" in str(error)


def test_a_network_that_is_too_slow_for_the_login(
    loopback_server: LoopbackServer, relay: Any, refused: Refused
) -> None:
    # Its version gets through at once, its keys would take minutes.
    slow = relay(loopback_server, bandwidth=50)
    options = loopback_server.connect_options(port=slow.port)
    error = refused(errors.ConnectTimeout, **options, connect_timeout=2, closing=slow)
    assert "2 s" in str(error)


def test_no_time_at_all(loopback_server: LoopbackServer, refused: Refused) -> None:
    refused(errors.InvalidInput, **loopback_server.connect_options(), connect_timeout=0)


def test_a_proxy_command_that_hangs_ends_with_the_login(refused: Refused, nap: Any) -> None:
    refused(errors.ConnectTimeout, "far", options={"ProxyCommand": nap.command}, connect_timeout=0.3)
    nap.wait_until_it_is_over()


def test_a_known_hosts_command_that_hangs_ends_with_the_login(
    loopback_server: LoopbackServer, refused: Refused, nap: Any
) -> None:
    options = {**loopback_server.connect_options(), "known_hosts": None}
    options["options"] = {"KnownHostsCommand": f"/bin/{nap.command}"}
    refused(errors.ConnectTimeout, **options, connect_timeout=1)
    nap.wait_until_it_is_over()


def test_a_server_of_another_kind(refused: Refused) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"220 mail.example.org ESMTP\r\n" * 2000)

        thread = threading.Thread(target=greet)
        thread.start()
        try:
            with pytest.raises(errors.ConnectError):
                openssh_core.connect(f"127.0.0.1:{listener.getsockname()[1]}", config_file="none")
        finally:
            thread.join()


def test_a_server_that_hangs_up_at_once(refused: Refused) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: listener.accept()[0].close())  # noqa: PLW0108 - accepted in the thread
        thread.start()
        try:
            with pytest.raises(errors.ConnectError, match="closed the connection"):
                openssh_core.connect(f"127.0.0.1:{listener.getsockname()[1]}", config_file="none")
        finally:
            thread.join()


# ---- the host key

CHECKED = ("strict", "accept-new", "warn")


def test_an_unknown_host_key_is_refused_and_named(
    loopback_server: LoopbackServer, refused: Refused, tmp_path: Path
) -> None:
    options = {**loopback_server.connect_options(), "known_hosts": tmp_path / "empty"}
    error = refused(errors.HostKeyUnknown, **options)
    assert loopback_server.host_key.fingerprint in str(error)
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize("policy", CHECKED)
def test_a_changed_host_key_is_refused_under_every_policy(
    loopback_server: LoopbackServer, refused: Refused, tmp_path: Path, policy: str
) -> None:
    file = known(loopback_server, tmp_path / "known", shared_key("another host").public)
    options = {**loopback_server.connect_options(), "known_hosts": file, "host_keys": policy}
    error = refused(errors.HostKeyChanged, **options)
    assert error.fingerprint == loopback_server.host_key.fingerprint
    assert error.recorded_in == f"{file}:1"
    assert Path(file).read_text().count("\n") == 1


@pytest.mark.parametrize("policy", CHECKED)
def test_a_revoked_host_key_is_refused_under_every_policy(
    loopback_server: LoopbackServer, refused: Refused, tmp_path: Path, policy: str
) -> None:
    file = known(loopback_server, tmp_path / "known", loopback_server.host_key.public, marker="@revoked")
    options = {**loopback_server.connect_options(), "known_hosts": file, "host_keys": policy}
    refused(errors.HostKeyRevoked, **options)


def test_accept_new_records_the_key(loopback_server: LoopbackServer, control_dir: Path, tmp_path: Path) -> None:
    options = {**loopback_server.connect_options(), "control_dir": control_dir, "known_hosts": tmp_path / "known"}
    with openssh_core.connect(**options, host_keys="accept-new") as host:
        assert host.capture("echo here") == "here\n"
    assert loopback_server.host_key.blob in (tmp_path / "known").read_text()
    with openssh_core.connect(**options, host_keys="strict") as host:
        assert host.capture("echo again") == "again\n"


def test_warn_records_nothing(loopback_server: LoopbackServer, control_dir: Path, tmp_path: Path) -> None:
    options = {**loopback_server.connect_options(), "control_dir": control_dir, "known_hosts": tmp_path / "known"}
    with openssh_core.connect(**options, host_keys="warn") as host:
        assert host.capture("echo here") == "here\n"
    assert not (tmp_path / "known").exists()


# ---- who logs in


def test_a_key_the_server_does_not_know(loopback_server: LoopbackServer, refused: Refused, tmp_path: Path) -> None:
    wrong = shared_key("stranger").write(tmp_path / "id")
    error = refused(errors.AuthenticationError, **{**loopback_server.connect_options(), "key": wrong})
    assert "publickey" in error.methods
    assert loopback_server.user in str(error)


def test_too_many_keys(make_server: Any, refused: Refused, tmp_path: Path) -> None:
    server = make_server({"MaxAuthTries": 2})
    keys = [shared_key(f"stranger {n}").write(tmp_path / f"id{n}") for n in range(4)]
    refused(errors.TooManyAuthenticationFailures, **{**server.connect_options(), "key": keys})


def test_a_key_file_that_is_not_there(loopback_server: LoopbackServer, refused: Refused, tmp_path: Path) -> None:
    options = {**loopback_server.connect_options(), "key": tmp_path / "missing"}
    error = refused(errors.AuthenticationError, **options)
    assert f"no key file {tmp_path / 'missing'}" in error.advice


def test_a_key_file_that_others_can_read(loopback_server: LoopbackServer, refused: Refused, tmp_path: Path) -> None:
    key = shared_key("user").write(tmp_path / "id")
    key.chmod(0o644)
    error = refused(errors.AuthenticationError, **{**loopback_server.connect_options(), "key": key})
    assert "chmod 600" in error.advice
    assert str(key) in error.advice


def test_a_key_file_that_is_no_key(loopback_server: LoopbackServer, refused: Refused, tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.write_text("-----BEGIN NOTHING-----\n")
    key.chmod(0o600)
    error = refused(errors.AuthenticationError, **{**loopback_server.connect_options(), "key": key})
    assert str(key) in error.advice


def test_an_encrypted_key_without_its_passphrase_asks_nobody(
    make_server: Any, refused: Refused, tmp_path: Path
) -> None:
    key = generate_key(passphrase="open sesame")
    server = make_server(key=key)
    refused(errors.AuthenticationError, **server.connect_options())


def test_a_password_server_without_a_password_asks_nobody(password_server: Any, refused: Refused) -> None:
    options = password_server.connect_options()
    del options["password"]
    error = refused(errors.AuthenticationError, **options)
    assert "password" in error.methods


# ---- ssh and its configuration


@pytest.mark.parametrize("text", ["NoSuchKeyword yes\n", "Port no-number\n", "Host 127.0.0.1\n  Compression perhaps\n"])
def test_a_configuration_that_ssh_does_not_take(
    loopback_server: LoopbackServer, refused: Refused, tmp_path: Path, text: str
) -> None:
    (tmp_path / "config").write_text(text)
    error = refused(
        errors.ConfigurationError, **{**loopback_server.connect_options(), "config_file": tmp_path / "config"}
    )
    assert "config" in str(error)


def test_a_configuration_that_is_not_there(loopback_server: LoopbackServer, refused: Refused, tmp_path: Path) -> None:
    options = {**loopback_server.connect_options(), "config_file": tmp_path / "none here"}
    refused(errors.ConfigurationError, **options)


def test_an_option_that_ssh_does_not_take(loopback_server: LoopbackServer, refused: Refused) -> None:
    options = {**loopback_server.connect_options(), "options": {"Ciphers": "no-such-cipher"}}
    refused(errors.ConfigurationError, **options)


def test_an_option_that_is_ours_to_decide(loopback_server: LoopbackServer, refused: Refused) -> None:
    options = {**loopback_server.connect_options(), "options": {"ControlPersist": "no"}}
    refused(errors.InvalidOption, **options)


@pytest.mark.parametrize("program", ["/no/such/ssh", "no-such-ssh", "/etc", "/etc/passwd", "/etc/passwd/ssh"])
def test_no_ssh_program(refused: Refused, program: str) -> None:
    error = refused(errors.SSHNotFound, "127.0.0.1", ssh=program)
    assert program in str(error)


@pytest.mark.parametrize(
    "words",
    [
        "unknown option -- E",
        'command-line line 0: unsupported option "accept-new".',
        "command-line: line 0: Bad configuration option: permitlocalcommand",
    ],
)
def test_an_ssh_that_is_too_old(refused: Refused, script: Callable[[str], str], words: str) -> None:
    refused(errors.SSHTooOld, "127.0.0.1", ssh=script(f"echo '{words}' >&2; exit 255"))


def test_an_ssh_that_ends_well_and_leaves_no_master(refused: Refused, script: Callable[[str], str]) -> None:
    refused(errors.ConnectError, "127.0.0.1", ssh=script("exit 0"))


def test_an_ssh_that_is_killed(refused: Refused, script: Callable[[str], str]) -> None:
    error = refused(errors.ConnectError, "127.0.0.1", ssh=script("kill -9 $$"))
    assert "signal 9" in str(error)


def test_a_host_alias_brings_its_settings(loopback_server: LoopbackServer, control_dir: Path) -> None:
    with openssh_core.connect("loopback", config_file=loopback_server.ssh_config, control_dir=control_dir) as host:
        assert host.capture("echo here") == "here\n"
        assert host.host == "loopback"


def test_a_jump_host_is_gone_through_and_left(make_server: Any, control_dir: Path, tmp_path: Path) -> None:
    server = make_server()
    config = tmp_path / "config"
    config.write_text(
        server.ssh_config.read_text().replace("Host loopback", "Host near far") + "Host far\n  ProxyJump near\n"
    )
    before = snapshot(control_dir)
    with openssh_core.connect("far", config_file=config, control_dir=control_dir) as host:
        assert host.capture("echo there") == "there\n"
        assert server.logins == 2
    assert_nothing_left(before)


def test_a_jump_host_that_is_not_there(make_server: Any, refused: Refused, tmp_path: Path) -> None:
    server = make_server()
    config = tmp_path / "config"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        config.write_text(f"Host near\n  Port {port}\n  HostName 127.0.0.1\nHost far\n  ProxyJump near\n")
        refused(errors.ConnectError, "far", config_file=config)
    assert server.logins == 0


def test_a_server_without_a_port(inetd_server: InetdServer, control_dir: Path) -> None:
    before = snapshot(control_dir)
    with openssh_core.connect(**inetd_server.connect_options(), control_dir=control_dir) as host:
        assert host.run("exit 3").returncode == 3
    assert_nothing_left(before)


MEDDLING = """
    ControlPersist yes
    ControlMaster auto
    ControlPath /tmp/never-{name}
    ForkAfterAuthentication yes
    SessionType subsystem
    StdinNull yes
    RequestTTY force
    RemoteCommand touch {mark}-remote
    PermitLocalCommand yes
    LocalCommand touch {mark}-local
    LocalForward {port} 127.0.0.1:1
    DynamicForward {port}
    RemoteForward {port} 127.0.0.1:1
    ExitOnForwardFailure yes
    LogLevel QUIET
    BatchMode no
    ServerAliveInterval 0
    ConnectTimeout 1
"""


def test_a_configuration_made_for_the_terminal_does_no_harm(
    loopback_server: LoopbackServer, control_dir: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = MEDDLING.format(name=os.getpid(), mark=tmp_path / "mark", port=port)
        config = tmp_path / "config"
        config.write_text(loopback_server.ssh_config.read_text() + text)
        before = snapshot(control_dir)
        with openssh_core.connect("loopback", config_file=config, control_dir=control_dir) as host:
            assert host.run("echo fine; exit 4").returncode == 4
            with openssh_core.connect("loopback", control_path=host.control_path) as guest:
                assert guest.run("echo fine; exit 5").returncode == 5
        assert_nothing_left(before)
    assert sorted(os.listdir(tmp_path)) == ["config"]
    assert not os.path.lexists(f"/tmp/never-{os.getpid()}")


# ---- what is refused before anything runs


@pytest.mark.parametrize(
    "target",
    [
        "",
        "-oProxyCommand=id",
        "a b",
        "a\n",
        "a\0b",
        "user@",
        "@host",
        "-l@host",
        "h:0",
        "h:65536",
        "h:22x",
        "h;id",
        "$(id)",
    ],
)
def test_a_target_that_is_none_starts_nothing(refused: Refused, script: Callable[[str], str], target: str) -> None:
    refused(errors.InvalidTarget, target, ssh="/no/such/ssh")


@pytest.mark.parametrize("named", [{"user": "-x"}, {"user": ""}, {"port": 0}, {"port": True}, {"port": "22"}])
def test_a_user_or_port_that_is_none_starts_nothing(refused: Refused, named: dict[str, Any]) -> None:
    refused(errors.InvalidTarget, "host", ssh="/no/such/ssh", **named)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "5"])
def test_a_connect_timeout_that_is_no_time(refused: Refused, seconds: Any) -> None:
    refused(errors.InvalidInput, "host", ssh="/no/such/ssh", connect_timeout=seconds)


# ---- where the control socket is


def test_a_control_directory_that_others_can_write_to(control_dir: Path) -> None:
    control_dir.chmod(0o770)
    with pytest.raises(errors.InsecureControlDirectory, match="0770"):
        openssh_core.connect("host", ssh="/no/such/ssh", control_dir=control_dir)


def test_a_control_directory_below_one_that_others_can_write_to(tmp_path: Path) -> None:
    (tmp_path / "open" / "inner").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(errors.InsecureControlDirectory, match="open"):
        openssh_core.connect("host", ssh="/no/such/ssh", control_dir=tmp_path / "open" / "inner")
    assert os.listdir(tmp_path / "open" / "inner") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_control_directory_of_somebody_else(control_dir: Path) -> None:
    os.chown(control_dir, 50000, 50000)
    with pytest.raises(errors.InsecureControlDirectory, match="50000"):
        openssh_core.connect("host", ssh="/no/such/ssh", control_dir=control_dir)


def test_a_symbolic_link_to_a_directory_that_others_can_write_to(control_dir: Path, tmp_path: Path) -> None:
    control_dir.chmod(0o777)
    (tmp_path / "link").symlink_to(control_dir)
    with pytest.raises(errors.InsecureControlDirectory):
        openssh_core.connect("host", ssh="/no/such/ssh", control_dir=tmp_path / "link")


def test_a_symbolic_link_to_a_safe_directory_is_followed(
    loopback_server: LoopbackServer, control_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(control_dir)
    with openssh_core.connect(**loopback_server.connect_options(), control_dir=tmp_path / "link") as host:
        assert Path(host.control_path).parent.parent == control_dir


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_control_directory_that_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(errors.InvalidControlPath):
        openssh_core.connect("host", ssh="/no/such/ssh", control_dir=tmp_path / name)


@pytest.mark.parametrize("name", ["d" * 90, "per%cent", "dollar$HOME", "til~de", "line\nend"])
def test_a_control_directory_whose_name_ssh_cannot_use(control_dir: Path, name: str) -> None:
    (control_dir / name).mkdir()
    with pytest.raises(errors.InvalidControlPath):
        openssh_core.connect("host", ssh="/no/such/ssh", control_dir=control_dir / name)
    assert os.listdir(control_dir / name) == []
    (control_dir / name).rmdir()


def test_the_socket_of_a_private_master_is_ours_alone(loopback_server: LoopbackServer, control_dir: Path) -> None:
    with openssh_core.connect(**loopback_server.connect_options(), control_dir=control_dir) as host:
        directory = Path(host.control_path).parent
        assert directory.parent == control_dir
        assert directory.stat().st_mode & 0o777 == 0o700
        assert Path(host.control_path).stat().st_mode & 0o077 == 0


# ---- taking up a master that runs


def test_an_adopted_master_outlives_its_guest(host: openssh_core.Connection) -> None:
    with openssh_core.connect("guest", control_path=host.control_path) as guest:
        assert guest.master_pid == host.master_pid
        assert guest.capture("echo as a guest") == "as a guest\n"
    assert guest.closed
    host.check()
    assert host.capture("echo still there") == "still there\n"


def test_an_adopted_master_outlives_a_guest_with_a_running_command(host: openssh_core.Connection, nap: Any) -> None:
    with openssh_core.connect("guest", control_path=host.control_path) as guest:
        process = guest.popen(nap.command)
        nap.wait_until_it_runs()
    nap.wait_until_it_is_over()
    assert process.returncode is not None or process._session.error is not None
    host.check()
    assert host.capture("echo still there") == "still there\n"


def test_a_master_of_ssh_itself_can_be_adopted(
    loopback_server: LoopbackServer, control_dir: Path, until: Callable[..., object]
) -> None:
    path = str(control_dir / "master")
    words = ["ssh", "-F", str(loopback_server.ssh_config), "-M", "-N", "-f", "-S", path, "-o", "ControlPersist=60"]
    subprocess.run([*words, "loopback"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    with openssh_core.connect("loopback", control_path=path) as guest:
        assert guest.run("echo here; exit 2").returncode == 2
        pid = guest.master_pid
    assert is_alive(pid)
    subprocess.run(["ssh", "-F", "none", "-S", path, "-O", "exit", "loopback"], stderr=subprocess.DEVNULL, check=True)
    # It says that it will, and then does it.
    until(lambda: not os.path.exists(path))


def test_a_control_path_where_there_is_nothing(control_dir: Path) -> None:
    with pytest.raises(errors.ConnectionLost, match="no control socket"):
        openssh_core.connect("host", control_path=control_dir / "missing")


@pytest.fixture
def at_the_path(control_dir: Path) -> Iterator[Path]:
    """A path for something that is no master's socket."""
    path = control_dir / "c"
    yield path
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()


def test_a_control_path_of_a_plain_file_or_directory(at_the_path: Path) -> None:
    at_the_path.write_text("precious")
    with pytest.raises(errors.InsecureControlSocket, match="not a socket"):
        openssh_core.connect("host", control_path=at_the_path)
    assert at_the_path.read_text() == "precious"


def test_a_control_path_that_is_a_symbolic_link(at_the_path: Path, host: openssh_core.Connection) -> None:
    at_the_path.symlink_to(host.control_path)
    with pytest.raises(errors.InsecureControlSocket):
        openssh_core.connect("host", control_path=at_the_path)


def test_a_control_path_where_nobody_listens_any_more(at_the_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(at_the_path))
    with pytest.raises(errors.ConnectionLost, match="no master listens"):
        openssh_core.connect("host", control_path=at_the_path)


def test_a_control_path_where_somebody_listens_and_is_silent(at_the_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(at_the_path))
        silent.listen()
        with pytest.raises(errors.MasterUnresponsive):
            openssh_core.connect("host", control_path=at_the_path, connect_timeout=0.1)


def test_a_control_path_where_no_master_listens_but_something_else(at_the_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(at_the_path))
        other.listen()

        def greet() -> None:
            peer, _ = other.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9)

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises((errors.RemoteProtocolError, errors.ConnectionLost)):
            openssh_core.connect("host", control_path=at_the_path, connect_timeout=20)
        thread.join()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a socket away")
def test_a_control_socket_of_somebody_else(at_the_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as foreign:
        foreign.bind(str(at_the_path))
        foreign.listen()
        os.chown(at_the_path, 50000, 50000)
        with pytest.raises(errors.InsecureControlSocket, match="50000"):
            openssh_core.connect("host", control_path=at_the_path)


IMPOSTOR = """
    import os, socket, sys
    path = sys.argv[1]
    os.setegid(50000)
    os.seteuid(50000)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("listening", flush=True)
    peer, _ = listener.accept()
    print(len(peer.recv(1)), flush=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_not_a_byte_is_said_to_a_listener_of_somebody_else(at_the_path: Path) -> None:
    at_the_path.parent.chmod(0o777)
    words = [sys.executable, "-c", textwrap.dedent(IMPOSTOR), str(at_the_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as impostor:
        assert impostor.stdout is not None
        assert impostor.stdout.readline() == "listening\n"
        # The file can be passed off as ours, who listens cannot.
        os.chown(at_the_path, os.geteuid(), os.getegid())
        with pytest.raises(errors.InsecureControlSocket, match="50000"):
            openssh_core.connect("host", control_path=at_the_path)
        assert impostor.stdout.readline() == "0\n"


@pytest.mark.parametrize("path", ["relative", "/tmp/" + "x" * 100, "/tmp/a%h", "/tmp/~", "/tmp/a\0b"])
def test_a_control_path_that_ssh_could_not_use(path: str) -> None:
    with pytest.raises(errors.InvalidControlPath):
        openssh_core.connect("host", control_path=path)


# ---- the life of a connection


def test_closing_leaves_nothing_behind(loopback_server: LoopbackServer, control_dir: Path) -> None:
    before = snapshot(control_dir)
    host = openssh_core.connect(**loopback_server.connect_options(), control_dir=control_dir)
    pid = host.master_pid
    host.run("true")
    host.close()
    host.close()
    assert os.listdir(control_dir) == []
    assert not is_alive(pid)
    assert_nothing_left(before)


def test_after_closing_everything_says_so(loopback_server: LoopbackServer) -> None:
    host = openssh_core.connect(**loopback_server.connect_options())
    host.close()
    assert "closed" in repr(host)
    for use in (lambda: host.run("true"), lambda: host.popen("true"), host.check, lambda: host.control_path):
        with pytest.raises(errors.ConnectionClosed):
            use()


def test_a_connection_nobody_holds_ends(loopback_server: LoopbackServer, control_dir: Path) -> None:
    before = snapshot(control_dir)
    host = openssh_core.connect(**loopback_server.connect_options(), control_dir=control_dir)
    host.run("true")
    del host
    assert_nothing_left(before)


def test_a_connection_outlives_the_thread_that_made_it(loopback_server: LoopbackServer) -> None:
    with ThreadPoolExecutor(1) as pool:
        host = pool.submit(lambda: openssh_core.connect(**loopback_server.connect_options())).result()
    with host:
        assert host.capture("echo still") == "still\n"


def test_many_threads_connect_at_the_same_time(loopback_server: LoopbackServer, control_dir: Path) -> None:
    before = snapshot(control_dir)

    def visit(number: int) -> object:
        with openssh_core.connect(**loopback_server.connect_options(), control_dir=control_dir) as host:
            return host.capture("echo", str(number))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(visit, range(12))) == [f"{number}\n" for number in range(12)]
    assert_nothing_left(before)


FORGETFUL = """
    import sys
    import openssh_core
    options = eval(sys.stdin.read())
    host = openssh_core.connect(**options)
    print(host.capture("echo here"), end="")
    process = host.popen(sys.argv[1], stdout=openssh_core.PIPE)
    if sys.argv[2] == "raise":
        raise SystemExit(7)
"""


@pytest.mark.parametrize("how", ["end", "raise"])
def test_a_program_that_ends_without_closing_leaves_nothing_behind(
    loopback_server: LoopbackServer, control_dir: Path, nap: Any, how: str
) -> None:
    before = snapshot(control_dir)
    options = {**loopback_server.connect_options(), "control_dir": str(control_dir)}
    words = [sys.executable, "-c", textwrap.dedent(FORGETFUL), nap.command, how]
    done = subprocess.run(words, input=repr(options), capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("here\n", 7 if how == "raise" else 0)
    assert os.listdir(control_dir) == []
    nap.wait_until_it_is_over()
    assert_nothing_left(before)


def test_variables_and_directory_of_the_program_do_not_matter(
    loopback_server: LoopbackServer, control_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.chdir(tmp_path)
    with openssh_core.connect(**loopback_server.connect_options(), control_dir=control_dir) as host:
        assert host.capture("echo here") == "here\n"


def test_a_runtime_directory_of_ours_is_used(
    loopback_server: LoopbackServer, control_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(control_dir))
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        assert Path(host.control_path).parent.parent == control_dir
    control_dir.chmod(0o755)
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        assert Path(host.control_path).parent.parent == Path("/tmp")
