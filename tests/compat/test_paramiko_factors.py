"""Logins that take more than one step, and what is known of the server meanwhile; over paramiko and over ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from openssh_compat import paramiko as ours
from openssh_core.testing import Account, AccountServer, shared_key

USER = "careful"
PASSWORD = "pw-of-phases-7713"
KEX = "curve25519-sha256@libssh.org"

Make = Callable[..., Any]


METHODS = (
    "publickey,password",
    "publickey,keyboard-interactive",
    "password,keyboard-interactive",
    "keyboard-interactive",
    "publickey,publickey",
)


class Place:
    """An account that wants such methods (AuthenticationMethods in sshd_config(5)), in the words of a server."""

    def __init__(self, server: AccountServer, user: str) -> None:
        self.host, self.port, self.user = server.host, server.port, user
        self.key, self.known_hosts = server.key, server.known_hosts


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """The account of one server that wants such methods."""
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    users = {methods: f"careful{number}" for number, methods in enumerate(METHODS)}
    lines = []
    for methods, user in users.items():
        by_password, by_questions = ("no" if name not in methods else "yes" for name in ("password", "keyboard"))
        lines += [f"Match User {user}", f"AuthenticationMethods {methods}"]
        lines += [f"PasswordAuthentication {by_password}", f"KbdInteractiveAuthentication {by_questions}"]
    rules = tmp_path_factory.mktemp("factors") / "rules"
    rules.write_text("\n".join([*lines, ""]))
    accounts = [Account(user, PASSWORD) for user in users.values()]
    with AccountServer(*accounts, keyboard_interactive=True, options={"Include": str(rules)}) as server:
        yield lambda methods: Place(server, users[methods])


@pytest.fixture
def start(paramiko: Any) -> Iterator[Make]:
    """Transports that have been greeted; they are closed with the test."""
    with ExitStack() as stack:

        def make(server: Place) -> Any:
            transport = stack.enter_context(paramiko.Transport((server.host, server.port)))
            transport.start_client(timeout=60)
            return transport

        yield make


def key_of(paramiko: Any, server: Place) -> Any:
    return paramiko.Ed25519Key.from_private_key_file(str(server.key))


def says_yes(transport: Any) -> bool:
    channel = transport.open_session()
    channel.exec_command("echo yes")
    return bool(channel.makefile("rb").read() == b"yes\n")


class Handler:
    """Answers every question; remembers those that were any."""

    def __init__(self, reply: str = PASSWORD) -> None:
        self.reply = reply
        self.asked: list[list[tuple[str, bool]]] = []

    def __call__(self, title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        if prompts:
            self.asked.append(list(prompts))
        return [self.reply] * len(prompts)


def allowed(paramiko: Any, call: Callable[..., Any], *args: Any, **named: Any) -> list[str]:
    """What BadAuthenticationType says it must be."""
    with pytest.raises(paramiko.BadAuthenticationType) as caught:
        call(*args, **named)
    return list(caught.value.allowed_types)


@pytest.mark.behaviour("factors")
def test_a_key_then_a_password(paramiko: Any, servers: Make, start: Make) -> None:
    server = servers("publickey,password")
    transport, key = start(server), key_of(paramiko, server)
    assert allowed(paramiko, transport.auth_none, server.user) == ["publickey"]
    assert allowed(paramiko, transport.auth_password, server.user, PASSWORD) == ["publickey"]
    assert transport.auth_publickey(server.user, key) == ["password"]
    assert transport.is_active() and not transport.is_authenticated()
    assert allowed(paramiko, transport.auth_publickey, server.user, key) == ["password"]
    with pytest.raises(paramiko.AuthenticationException, match="^Authentication failed.$"):
        transport.auth_password(server.user, "wrong")
    assert transport.auth_password(server.user, PASSWORD) == []
    assert transport.is_authenticated() and says_yes(transport)


@pytest.mark.behaviour("factors")
@pytest.mark.shows("Transport.auth_interactive")
def test_a_key_then_questions(paramiko: Any, servers: Make, start: Make) -> None:
    server = servers("publickey,keyboard-interactive")
    transport, handler = start(server), Handler()
    assert transport.auth_publickey(server.user, key_of(paramiko, server)) == ["keyboard-interactive"]
    assert allowed(paramiko, transport.auth_password, server.user, PASSWORD, fallback=False) == ["keyboard-interactive"]
    assert transport.auth_interactive(server.user, handler) == []
    assert handler.asked == [[("Password: ", False)]]
    assert says_yes(transport)


@pytest.mark.behaviour("factors")
def test_a_key_then_a_password_that_answers_a_question(paramiko: Any, servers: Make, start: Make) -> None:
    server = servers("publickey,keyboard-interactive")
    transport = start(server)
    assert transport.auth_publickey(server.user, key_of(paramiko, server)) == ["keyboard-interactive"]
    assert transport.auth_password(server.user, PASSWORD) == []
    assert says_yes(transport)


@pytest.mark.behaviour("factors")
@pytest.mark.shows("Transport.auth_interactive_dumb")
def test_a_password_then_questions(servers: Make, start: Make) -> None:
    server, handler = servers("password,keyboard-interactive"), Handler()
    transport = start(server)
    assert transport.auth_password(server.user, PASSWORD) == ["keyboard-interactive"]
    assert transport.auth_interactive_dumb(server.user, handler) == []
    assert handler.asked and says_yes(transport)


@pytest.mark.behaviour("factors")
def test_one_key_then_another(paramiko: Any, servers: Make, start: Make, tmp_path: Path) -> None:
    server = servers("publickey,publickey")
    transport, key = start(server), key_of(paramiko, server)
    stranger = paramiko.Ed25519Key.from_private_key_file(str(shared_key("stranger").write(tmp_path / "stranger")))
    assert transport.auth_publickey(server.user, key) == ["publickey"]
    for again in (key, stranger):
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_publickey(server.user, again)


@pytest.mark.behaviour("factors")
def test_what_is_not_offered(paramiko: Any, servers: Make, start: Make) -> None:
    server = servers("publickey,password")
    transport = start(server)
    assert allowed(paramiko, transport.auth_interactive, server.user, Handler()) == ["publickey"]


@pytest.mark.behaviour("factors")
def test_a_wrong_answer(paramiko: Any, servers: Make, start: Make) -> None:
    server = servers("keyboard-interactive")
    with pytest.raises(paramiko.AuthenticationException, match="^Authentication failed.$"):
        start(server).auth_interactive(server.user, Handler("wrong"))


@pytest.mark.behaviour("factors")
def test_a_handler_that_raises(servers: Make, start: Make) -> None:
    def handler(*_question: Any) -> list[str]:
        raise LookupError("nobody told me")

    server = servers("keyboard-interactive")
    with pytest.raises(LookupError, match="nobody told me"):
        start(server).auth_interactive(server.user, handler)


# ---- clients


@pytest.mark.behaviour("factors")
@pytest.mark.parametrize("methods", ["publickey,password", "publickey,keyboard-interactive", "keyboard-interactive"])
@pytest.mark.parametrize("kind", ["file", "object"])
def test_a_client_with_key_and_password(paramiko: Any, servers: Make, log_in: Make, methods: str, kind: str) -> None:
    server = servers(methods)
    key = {"pkey": key_of(paramiko, server), "key_filename": None} if kind == "object" else {}
    client = log_in(server, password=PASSWORD, **key)
    assert client.exec_command("echo yes")[1].read() == b"yes\n"


@pytest.mark.behaviour("factors")
def test_a_client_that_lacks_one_of_them(paramiko: Any, servers: Make, log_in: Make) -> None:
    server = servers("publickey,password")
    assert allowed(paramiko, log_in, server) == ["password"]
    assert allowed(paramiko, log_in, server, key_filename=None, password=PASSWORD) == ["publickey"]
    with pytest.raises(paramiko.AuthenticationException, match="^Authentication failed.$"):
        log_in(server, password="wrong")
    with pytest.raises(paramiko.SSHException, match="^No authentication methods available$"):
        log_in(server, key_filename=None)
    # The password answers the questions, and its own method is not offered.
    assert allowed(paramiko, log_in, servers("keyboard-interactive"), password="wrong", key_filename=None) == [
        "keyboard-interactive"
    ]


# ---- tickets, which paramiko has dropped


@pytest.mark.shows("Transport.auth_gssapi_keyex", "Transport.auth_gssapi_with_mic", "Transport.set_gss_host")
def test_a_ticket_that_nobody_takes(servers: Make) -> None:
    server = servers("publickey,password")
    client = ours.SSHClient()
    client.load_host_keys(str(server.known_hosts))
    with ours.Transport((server.host, server.port)) as transport:
        transport.start_client()
        transport.set_gss_host("another.name")
        assert allowed(ours, transport.auth_gssapi_with_mic, server.user, "another.name", True) == ["publickey"]
        assert allowed(ours, transport.auth_gssapi_keyex, server.user) == ["publickey"]
        assert transport.auth_publickey(server.user, key_of(ours, server)) == ["password"]
    with ours.Transport((server.host, server.port)) as transport:
        assert allowed(ours, transport.connect, username=server.user, gss_auth=True) == ["publickey"]
    with client:
        common = {"allow_agent": False, "look_for_keys": False, "gss_auth": True, "gss_kex": True}
        address = (server.host, server.port, server.user)
        assert allowed(ours, client.connect, *address, **common) == ["publickey"]
        client.connect(*address, key_filename=str(server.key), password=PASSWORD, **common)
        assert client.exec_command("echo yes")[1].read() == b"yes\n"


# ---- what is known


@pytest.mark.behaviour("agreed")
def test_what_was_agreed_on(paramiko: Any, servers: Make, start: Make) -> None:
    server = servers("publickey,password")
    # So that both have something to choose that the other knows.
    with paramiko.Transport((server.host, server.port)) as transport:
        assert transport.remote_version == "" and transport.host_key_type is None and transport.kex_engine is None
        options = transport.get_security_options()
        options.ciphers, options.digests, options.kex = ["aes256-ctr"], ["hmac-sha2-512"], [KEX]
        transport.use_compression(False)
        transport.start_client(timeout=60)
        for _ in range(2):
            assert transport.remote_version.startswith("SSH-2.0-OpenSSH_")
            assert transport.local_version.startswith("SSH-2.0-")
            assert (transport.local_cipher, transport.remote_cipher) == ("aes256-ctr", "aes256-ctr")
            assert (transport.local_mac, transport.remote_mac) == ("hmac-sha2-512", "hmac-sha2-512")
            assert (transport.local_compression, transport.remote_compression) == ("none", "none")
            assert transport.host_key_type == "ssh-ed25519"
            assert transport.kex_engine is None
            if not transport.is_authenticated():
                transport.auth_publickey(server.user, key_of(paramiko, server))
                transport.auth_password(server.user, PASSWORD)


@pytest.mark.behaviour("agreed")
@pytest.mark.shows("Transport.get_banner")
def test_the_banner(paramiko: Any, tmp_path: Path) -> None:
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    text = "Only for those who may.\nGo away!\n"
    banner = tmp_path / "banner"
    banner.write_text(text)
    with AccountServer(Account(USER, PASSWORD), options={"Banner": str(banner)}) as server:
        with paramiko.Transport((server.host, server.port)) as transport:
            transport.start_client(timeout=60)
            assert transport.get_banner() is None
            with pytest.raises(paramiko.BadAuthenticationType):
                transport.auth_none(USER)
            assert transport.get_banner().replace(b"\r\n", b"\n") == text.encode()
        with paramiko.SSHClient() as client:
            client.load_host_keys(str(server.known_hosts))
            client.connect(server.host, server.port, USER, PASSWORD, allow_agent=False, look_for_keys=False)
            assert client.get_transport().get_banner().replace(b"\r\n", b"\n") == text.encode()
