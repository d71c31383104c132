"""connect(): what gets in, and what is raised when it does not; paramiko and the adapter do the same."""

from __future__ import annotations

import errno
import os
import re
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import (
    AccountServer,
    LoopbackServer,
    generate_key,
    known_hosts_line,
    known_hosts_name,
    shared_key,
)

from .conftest import login


def answers(client: Any) -> bool:
    return bool(client.exec_command("echo yes")[1].read() == b"yes\n")


@pytest.fixture
def other_key(tmp_path: Path) -> str:
    """A key file that no server lets in."""
    return str(shared_key("stranger").write(tmp_path / "stranger"))


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


# ---- getting in


@pytest.mark.behaviour("connect-gives-none")
def test_connect_gives_nothing(paramiko: Any, log_in: Callable[..., Any], loopback_server: LoopbackServer) -> None:
    with log_in(loopback_server) as client:
        assert answers(client)
        assert client.connect(**login(loopback_server)) is None
    assert client.get_transport() is None


@pytest.mark.behaviour("ways-in")
def test_several_key_files(log_in: Callable[..., Any], loopback_server: LoopbackServer, other_key: str) -> None:
    assert answers(log_in(loopback_server, key_filename=[other_key, str(loopback_server.key)]))


@pytest.mark.behaviour("ways-in")
def test_with_compression(log_in: Callable[..., Any], loopback_server: LoopbackServer) -> None:
    assert answers(log_in(loopback_server, compress=True))


@pytest.mark.behaviour("connect-gives-none")
def test_positional_arguments(paramiko: Any, loopback_server: LoopbackServer) -> None:
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(loopback_server.known_hosts))
        where = (loopback_server.host, loopback_server.port, loopback_server.user)
        client.connect(*where, None, None, str(loopback_server.key), 30, False, False)
        assert answers(client)


@pytest.mark.behaviour("ways-in")
def test_over_ipv6(log_in: Callable[..., Any], make_server: Callable[..., LoopbackServer]) -> None:
    assert answers(log_in(make_server(address="::1")))


@pytest.mark.behaviour("ways-in")
def test_with_a_password(log_in: Callable[..., Any], password_server: AccountServer) -> None:
    client = log_in(password_server, password=password_server.password, key_filename=None)
    assert answers(client)


@pytest.mark.behaviour("ways-in")
@pytest.mark.parametrize("argument", ["passphrase", "password"])
def test_with_a_passphrase(
    log_in: Callable[..., Any], make_server: Callable[..., LoopbackServer], argument: str
) -> None:
    server = make_server(key=shared_key("locked", passphrase="open sesame"))
    assert answers(log_in(server, **{argument: "open sesame"}))


# ---- host keys


@pytest.mark.behaviour("unknown-host", "policies")
@pytest.mark.shows("RejectPolicy.missing_host_key")
def test_an_unknown_host_is_rejected(paramiko: Any, loopback_server: LoopbackServer) -> None:
    client = paramiko.SSHClient()
    name = re.escape(f"Server '[127.0.0.1]:{loopback_server.port}' not found in known_hosts")
    with pytest.raises(paramiko.SSHException, match=name):
        client.connect(**login(loopback_server))
    assert not isinstance(client, paramiko.AuthenticationException)


@pytest.mark.behaviour("home")
@pytest.mark.shows("SSHClient.load_system_host_keys")
def test_a_file_of_the_system_is_read(paramiko: Any, loopback_server: LoopbackServer) -> None:
    with paramiko.SSHClient() as client:
        client.load_system_host_keys(str(loopback_server.known_hosts))
        client.connect(**login(loopback_server))
        assert answers(client)


@pytest.mark.behaviour("home")
def test_the_users_own_file_is_read(paramiko: Any, loopback_server: LoopbackServer, empty_home: Path) -> None:
    with paramiko.SSHClient() as client:
        client.load_system_host_keys()  # it is not there yet, which is no error
        (empty_home / ".ssh").mkdir()
        (empty_home / ".ssh" / "known_hosts").write_text(loopback_server.known_hosts.read_text())
        client.load_system_host_keys()
        client.connect(**login(loopback_server))
        assert answers(client)


@pytest.mark.behaviour("home")
@pytest.mark.parametrize("method", ["load_system_host_keys", "load_host_keys"])
def test_a_file_that_is_not_there(paramiko: Any, tmp_path: Path, method: str) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(paramiko.SSHClient(), method)(str(tmp_path / "missing"))


@pytest.mark.behaviour("policies")
@pytest.mark.shows("AutoAddPolicy", "AutoAddPolicy.missing_host_key", "RejectPolicy")
def test_auto_add_writes_to_the_file_that_was_loaded(
    paramiko: Any, loopback_server: LoopbackServer, tmp_path: Path
) -> None:
    mine = tmp_path / "known_hosts"
    mine.touch()
    for policy in (paramiko.AutoAddPolicy, paramiko.RejectPolicy()):
        with paramiko.SSHClient() as client:
            client.load_host_keys(str(mine))
            client.set_missing_host_key_policy(policy)
            client.connect(**login(loopback_server))
            assert answers(client)
    assert mine.read_text().count(loopback_server.host_key.blob) == 1


@pytest.mark.behaviour("policies")
def test_auto_add_without_a_file_remembers_for_the_client(
    paramiko: Any, loopback_server: LoopbackServer, empty_home: Path
) -> None:
    with paramiko.SSHClient() as client:
        client.load_system_host_keys()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(**login(loopback_server))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(**login(loopback_server))
        assert answers(client)
    assert os.listdir(empty_home) == []
    with pytest.raises(paramiko.SSHException):
        paramiko.SSHClient().connect(**login(loopback_server))


@pytest.mark.behaviour("policies")
@pytest.mark.shows("WarningPolicy", "WarningPolicy.missing_host_key")
def test_warning_policy_warns_each_time(paramiko: Any, loopback_server: LoopbackServer) -> None:
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.WarningPolicy)
        for _ in range(2):
            with pytest.warns(UserWarning, match=r"Unknown ssh-ed25519 host key for \[127.0.0.1\]:"):
                client.connect(**login(loopback_server))
        assert answers(client)


def test_warning_policy_is_quiet_about_a_known_host(paramiko: Any, loopback_server: LoopbackServer) -> None:
    with paramiko.SSHClient() as client, warnings.catch_warnings():
        warnings.simplefilter("error")
        client.load_host_keys(str(loopback_server.known_hosts))
        client.set_missing_host_key_policy(paramiko.WarningPolicy)
        client.connect(**login(loopback_server))


@pytest.mark.behaviour("changed-host")
@pytest.mark.shows("PKey.fingerprint")
@pytest.mark.parametrize("policy", ["AutoAddPolicy", "RejectPolicy", "WarningPolicy"])
def test_a_changed_host_key_is_refused(
    paramiko: Any, loopback_server: LoopbackServer, tmp_path: Path, policy: str
) -> None:
    name, other = known_hosts_name(loopback_server.host, loopback_server.port), shared_key("impostor")
    known = tmp_path / "known_hosts"
    known.write_text(known_hosts_line(name, other.public) + "\n")
    client = paramiko.SSHClient()
    client.load_host_keys(str(known))
    client.set_missing_host_key_policy(getattr(paramiko, policy))
    with pytest.raises(paramiko.BadHostKeyException) as caught:
        client.connect(**login(loopback_server))
    assert caught.value.hostname in (loopback_server.host, name)
    assert caught.value.key.fingerprint == loopback_server.host_key.fingerprint
    assert caught.value.expected_key.fingerprint == other.fingerprint
    assert caught.value.expected_key.get_base64() == other.blob


@pytest.mark.behaviour("own-policies")
def test_a_policy_that_reaches_into_the_client(paramiko: Any, loopback_server: LoopbackServer, tmp_path: Path) -> None:
    """As libraries write them: made before there is a client, and at home in its private parts."""

    class Policy(paramiko.MissingHostKeyPolicy):  # type: ignore[misc,name-defined]
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            client._log(10, "adding it")
            assert client._system_host_keys.lookup(hostname) is None
            client._host_keys.add(hostname, key.get_name(), key)
            client.save_host_keys(client._host_keys_filename)

    policy = Policy()
    (tmp_path / "mine").touch()
    with paramiko.SSHClient() as client:
        client.load_host_keys(os.fspath(tmp_path / "mine"))
        client.set_missing_host_key_policy(policy)
        client.connect(**login(loopback_server))
        assert answers(client) and client._policy is policy
    assert loopback_server.host_key.blob in (tmp_path / "mine").read_text()


# ---- nobody there


@pytest.mark.behaviour("unknown-name")
def test_a_name_that_does_not_resolve(paramiko: Any, loopback_server: LoopbackServer) -> None:
    with pytest.raises(socket.gaierror) as local:
        socket.getaddrinfo("no-such-host.invalid", 22)
    with pytest.raises(socket.gaierror) as caught:
        paramiko.SSHClient().connect(**login(loopback_server, hostname="no-such-host.invalid"))
    assert caught.value.errno == local.value.errno


@pytest.mark.behaviour("refused")
def test_a_port_where_nobody_listens(paramiko: Any, loopback_server: LoopbackServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(paramiko.ssh_exception.NoValidConnectionsError) as caught:
            paramiko.SSHClient().connect(**login(loopback_server, port=port))
    error = caught.value
    assert isinstance(error, OSError) and error.errno is None
    assert str(error) == f"[Errno None] Unable to connect to port {port} on 127.0.0.1"
    assert [(where, type(why), why.errno) for where, why in error.errors.items()] == [
        (("127.0.0.1", port), ConnectionRefusedError, errno.ECONNREFUSED)
    ]


@pytest.mark.behaviour("no-answer")
@pytest.mark.shows("SSHClient")
def test_a_host_that_does_not_answer(paramiko: Any, loopback_server: LoopbackServer) -> None:
    """A listener whose queue is full: the kernel leaves the next SYN without an answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        with pytest.raises(TimeoutError):
            paramiko.SSHClient().connect(**login(loopback_server, port=full.getsockname()[1], timeout=0.5))


# ---- not let in


@pytest.mark.behaviour("not-let-in")
def test_a_key_that_is_not_accepted(
    paramiko: Any, log_in: Callable[..., Any], other_key: str, loopback_server: LoopbackServer
) -> None:
    with pytest.raises(paramiko.AuthenticationException, match=r"^Authentication failed\.$") as caught:
        log_in(loopback_server, key_filename=other_key)
    assert type(caught.value) is paramiko.AuthenticationException


@pytest.mark.behaviour("not-let-in")
def test_a_wrong_password(paramiko: Any, log_in: Callable[..., Any], password_server: AccountServer) -> None:
    with pytest.raises(paramiko.AuthenticationException, match=r"^Authentication failed\.$"):
        log_in(password_server, password="wrong", key_filename=None)


@pytest.mark.behaviour("method-not-offered")
def test_a_method_that_the_server_does_not_take(
    paramiko: Any, log_in: Callable[..., Any], make_server: Callable[..., LoopbackServer]
) -> None:
    server = make_server({"PasswordAuthentication": False, "KbdInteractiveAuthentication": False})
    with pytest.raises(paramiko.BadAuthenticationType) as caught:
        log_in(server, password="secret", key_filename=None)
    assert caught.value.allowed_types == ["publickey"]
    assert "secret" not in str(caught.value)


@pytest.mark.behaviour("nothing-to-try")
def test_nothing_to_log_in_with(
    paramiko: Any, log_in: Callable[..., Any], loopback_server: LoopbackServer, empty_home: Path
) -> None:
    with pytest.raises(paramiko.SSHException, match="No authentication methods available") as caught:
        log_in(loopback_server, key_filename=None)
    assert not isinstance(caught.value, paramiko.AuthenticationException)


@pytest.mark.behaviour("missing-key-file")
def test_a_key_file_that_is_not_there(log_in: Callable[..., Any], loopback_server: LoopbackServer) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        log_in(loopback_server, key_filename="/no/such/key")
    assert caught.value.filename == "/no/such/key"


@pytest.mark.behaviour("locked-key")
def test_an_encrypted_key_without_a_passphrase(
    paramiko: Any, log_in: Callable[..., Any], make_server: Callable[..., LoopbackServer]
) -> None:
    server = make_server(key=shared_key("locked", passphrase="open sesame"))
    with pytest.raises(paramiko.PasswordRequiredException, match="Private key file is encrypted"):
        log_in(server)


@pytest.mark.behaviour("locked-key")
def test_an_encrypted_key_with_a_wrong_passphrase(
    paramiko: Any, log_in: Callable[..., Any], make_server: Callable[..., LoopbackServer]
) -> None:
    server = make_server(key=shared_key("locked", passphrase="open sesame"))
    with pytest.raises(paramiko.SSHException):
        log_in(server, passphrase="wrong passphrase")


@pytest.mark.behaviour("ways-in")
def test_a_key_that_was_generated_now(log_in: Callable[..., Any], make_server: Callable[..., LoopbackServer]) -> None:
    assert answers(log_in(make_server(key=generate_key(kind="ecdsa"))))
