"""Exceptions: their texts, their arguments, and what becomes of them when they are copied; when each is raised."""

from __future__ import annotations

import copy
import pickle
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openssh_compat import paramiko as ours
from openssh_core.testing import LoopbackServer, known_hosts_name, shared_key

from .conftest import login


@pytest.fixture
def bare(paramiko: Any, loopback_server: LoopbackServer) -> Iterator[Any]:
    """A client that knows the host, and is not connected."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(loopback_server.known_hosts))
        yield client


# ---- the exceptions themselves

MADE = {
    "SSHException": ("text",),
    "AuthenticationException": ("text",),
    "PasswordRequiredException": ("text",),
    "BadAuthenticationType": ("Bad authentication type", ["publickey", "password"]),
    "PartialAuthentication": (["password"],),
    "UnableToAuthenticate": ("text",),
    "ChannelException": (2, "Connect failed"),
    "NoValidConnectionsError": (
        {("::1", 22): OSError(111, "x"), ("10.0.0.2", 22): OSError(111, "x"), ("10.0.0.1", 22): OSError(111, "x")},
    ),
    "ProxyCommandFailure": ("nc", "broken"),
    "CouldNotCanonicalize": ("host",),
    "ConfigParseError": ("text",),
    "IncompatiblePeer": ("text",),
    "MessageOrderError": ("text",),
    "UnknownKeyType": ("ssh-unheard-of", b"abc"),
    "SFTPError": (20, "Not a directory: x"),
}


def made(module: Any, name: str) -> Any:
    kind = getattr(module, name, None) or getattr(module.ssh_exception, name)
    return kind(*MADE[name])


@pytest.mark.behaviour("words")
@pytest.mark.shows(
    "BadAuthenticationType.allowed_types",
    "ConfigParseError",
    "IncompatiblePeer",
    "MessageOrderError",
    "PartialAuthentication.allowed_types",
    "UnableToAuthenticate",
)
@pytest.mark.parametrize("name", MADE)
def test_what_an_exception_says(name: str) -> None:
    import paramiko

    theirs, mine = made(paramiko, name), made(ours, name)
    assert (str(mine), repr(mine)) == (str(theirs), repr(theirs))
    assert mine.args == theirs.args or name == "NoValidConnectionsError"
    attributes = {name: value for name, value in vars(theirs).items() if name not in ("errors", "__cause__")}
    assert {name: getattr(mine, name) for name in attributes} == attributes


@pytest.mark.behaviour("copies")
@pytest.mark.shows("PartialAuthentication", "ProxyCommandFailure")
@pytest.mark.parametrize("name", MADE)
def test_an_exception_is_copied_and_pickled(paramiko: Any, name: str) -> None:
    """As it is on its way from another process."""
    one = made(paramiko, name)
    for same in (copy.copy(one), pickle.loads(pickle.dumps(one))):
        assert type(same) is type(one) and str(same) == str(one) and repr(same) == repr(one)
        assert set(vars(same)) == set(vars(one))


@pytest.mark.behaviour("refused", "words")
@pytest.mark.shows("BadAuthenticationType", "ChannelException", "NoValidConnectionsError", "UnknownKeyType")
def test_attributes_of_exceptions(paramiko: Any) -> None:
    refused = made(paramiko, "BadAuthenticationType")
    assert (refused.explanation, refused.allowed_types) == MADE["BadAuthenticationType"]
    assert str(refused) == "Bad authentication type; allowed types: ['publickey', 'password']"
    assert (made(paramiko, "ChannelException").code, made(paramiko, "ChannelException").text) == (2, "Connect failed")
    nowhere = made(paramiko, "NoValidConnectionsError")
    assert isinstance(nowhere, OSError) and nowhere.errno is None and len(nowhere.errors) == 3
    assert str(nowhere) == "[Errno None] Unable to connect to port 22 on 10.0.0.1, 10.0.0.2 or ::1"
    unknown = paramiko.UnknownKeyType(key_type="t", key_bytes=b"12")
    assert (unknown.key_type, unknown.key_bytes, str(unknown)) == ("t", b"12", "UnknownKeyType(type='t', bytes=<2>)")


@pytest.mark.behaviour("changed-host")
@pytest.mark.shows("BadHostKeyException", "ECDSAKey.generate", "PKey.get_base64", "SSHException")
def test_a_wrong_host_key_in_words(paramiko: Any) -> None:
    got, expected = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
    error = paramiko.BadHostKeyException("host", got, expected)
    assert (error.hostname, error.key, error.expected_key) == ("host", got, expected) == error.args
    assert str(error) == (
        f"Host key for server 'host' does not match: got '{got.get_base64()}', expected '{expected.get_base64()}'"
    )
    assert copy.copy(error).key == got


# ---- nobody there, or somebody else


@pytest.mark.behaviour("no-banner")
@pytest.mark.parametrize("words", [b"", b"HTTP/1.0 400 Bad Request\r\n\r\n", None], ids=["nothing", "web", "silence"])
def test_who_is_no_ssh_server(paramiko: Any, serve: Callable[..., int], words: bytes | None) -> None:
    where = {
        "port": serve(words or b"", hang_up=words is not None),
        "timeout": 0.9,
        "banner_timeout": 0.3,
        "password": "x",
    }
    with pytest.raises(paramiko.SSHException, match=r"^Error reading SSH protocol banner$"):
        paramiko.SSHClient().connect("127.0.0.1", username="u", allow_agent=False, look_for_keys=False, **where)


@pytest.mark.behaviour("no-banner")
@pytest.mark.shows("SSHClient.connect")
def test_a_frozen_server(paramiko: Any, make_server: Callable[..., LoopbackServer], bare: Any) -> None:
    server = make_server()
    server.freeze(listener=True)
    with pytest.raises(paramiko.SSHException, match=r"^Error reading SSH protocol banner$"):
        bare.connect(**login(server, timeout=30, banner_timeout=0.3))


@pytest.mark.behaviour("login-stalls")
@pytest.mark.shows("SSHClient.set_missing_host_key_policy")
def test_a_login_that_stalls(paramiko: Any, make_server: Callable[..., LoopbackServer]) -> None:
    """The server stops when its key is looked at."""
    server = make_server()

    class Policy(paramiko.MissingHostKeyPolicy):  # type: ignore[misc,name-defined]
        def missing_host_key(self, *_: Any) -> None:
            server.freeze()

    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(Policy)
        with pytest.raises(paramiko.AuthenticationException, match=r"^Authentication timeout\.$"):
            client.connect(**login(server, timeout=1, banner_timeout=0.3, auth_timeout=0.3))


def stranger(paramiko: Any) -> Any:
    import io

    return paramiko.Ed25519Key.from_private_key(io.StringIO(shared_key("stranger").private))


@pytest.mark.behaviour("unknown-name")
@pytest.mark.parametrize("hostname", ["", "no-such-host.invalid", "a b"])
def test_names_that_are_none(paramiko: Any, bare: Any, loopback_server: LoopbackServer, hostname: str) -> None:
    with pytest.raises(socket.gaierror):
        bare.connect(**login(loopback_server, hostname=hostname))


@pytest.mark.behaviour("connect-gives-none")
@pytest.mark.shows("Transport.is_authenticated")
def test_a_port_in_words(bare: Any, loopback_server: LoopbackServer) -> None:
    bare.connect(**login(loopback_server, port=str(loopback_server.port)))
    assert bare.get_transport().is_authenticated()


# ---- not let in


@pytest.mark.behaviour("missing-key-file")
def test_a_missing_key_file_and_a_password(bare: Any, loopback_server: LoopbackServer) -> None:
    with pytest.raises(FileNotFoundError):
        bare.connect(**login(loopback_server, key_filename="/no/such/key", password="x"))


@pytest.mark.behaviour("after-a-failure")
def test_what_the_client_is_after_a_failure(paramiko: Any, bare: Any, loopback_server: LoopbackServer) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        bare.connect(**login(loopback_server, key_filename=None, pkey=stranger(paramiko)))
    bare.connect(**login(loopback_server))
    assert bare.exec_command("echo yes")[1].read() == b"yes\n"


@pytest.mark.behaviour("changed-host")
@pytest.mark.shows("SSHClient.get_host_keys")
def test_a_host_key_of_another_type_is_known(paramiko: Any, loopback_server: LoopbackServer) -> None:
    server, other = loopback_server, paramiko.ECDSAKey.generate()
    with paramiko.SSHClient() as client:
        client.get_host_keys().add(known_hosts_name(server.host, server.port), other.get_name(), other)
        with pytest.raises(paramiko.BadHostKeyException) as caught:
            client.connect(**login(server))
    assert caught.value.expected_key == other and caught.value.key.get_name() == "ssh-ed25519"


@pytest.mark.behaviour("unknown-host")
def test_the_words_for_an_unknown_host(paramiko: Any, loopback_server: LoopbackServer) -> None:
    server = loopback_server
    with pytest.raises(paramiko.SSHException) as caught:
        paramiko.SSHClient().connect(**login(server))
    assert caught.value.args == (f"Server '[{server.host}]:{server.port}' not found in known_hosts",)


# ---- a transport that is not there (any more)


@pytest.mark.behaviour("dead-transport")
@pytest.mark.shows("Transport.open_sftp_client")
def test_a_transport_that_was_closed(paramiko: Any, client: Any) -> None:
    transport = client.get_transport()
    transport.close()
    transport.close()
    assert not transport.is_active() and not transport.is_authenticated() and transport.get_username() is None
    for call in (
        transport.open_session,
        transport.open_sftp_client,
        lambda: transport.open_channel("direct-tcpip", ("127.0.0.1", 1), ("", 0)),
        lambda: transport.request_port_forward("", 0),
    ):
        with pytest.raises(paramiko.SSHException, match=r"^SSH session not active$"):
            call()
    for step in (lambda: transport.auth_none("x"), lambda: transport.auth_password("x", "y")):
        with pytest.raises(paramiko.SSHException, match=r"^No existing session$"):
            step()
    with pytest.raises((paramiko.SSHException, RuntimeError)):
        transport.start_client()


@pytest.mark.behaviour("username")
def test_who_a_transport_is_logged_in_as(paramiko: Any, loopback_server: LoopbackServer) -> None:
    server = loopback_server
    with paramiko.Transport((server.host, server.port)) as transport:
        transport.start_client(timeout=60)
        with pytest.raises(paramiko.AuthenticationException, match=r"^Authentication failed\.$"):
            transport.auth_publickey(server.user, stranger(paramiko))
        assert transport.is_active() and not transport.is_authenticated() and transport.get_username() is None
        transport.auth_publickey(server.user, paramiko.Ed25519Key.from_private_key_file(str(server.key)))
        assert transport.get_username() == server.user


@pytest.mark.behaviour("tunnels")
@pytest.mark.shows("Transport.open_forwarded_tcpip_channel")
def test_places_that_lead_nowhere(paramiko: Any, shared: Any) -> None:
    transport = shared.get_transport()
    for call in (
        lambda: transport.open_channel("direct-tcpip", ("127.0.0.1", 1), ("127.0.0.1", 0)),
        lambda: transport.open_channel("unheard-of"),
        lambda: transport.open_forwarded_tcpip_channel(("127.0.0.1", 1), ("127.0.0.1", 2)),
    ):
        with pytest.raises(paramiko.ChannelException) as caught:
            call()
        assert (
            caught.value.args == (2, "Connect failed") and str(caught.value) == f"ChannelException{caught.value.args}"
        )


# ---- ours alone


@pytest.mark.shows("SSHClient.connect")
def test_the_limit_is_for_all_of_it(serve: Callable[..., int]) -> None:
    """The original would wait 15 s for the greeting."""
    with pytest.raises(ours.SSHException, match="banner"):
        ours.SSHClient().connect("127.0.0.1", serve(b""), "u", password="x", timeout=0.3, allow_agent=False)
