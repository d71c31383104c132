"""The limits of a connection, each on a server that stops where it counts; over paramiko and over ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openssh_core.testing import LoopbackServer

from .conftest import login

VERSION = b"SSH-2.0-OpenSSH_9.9\r\n"
SHORT = 0.4


def connect(paramiko: Any, port: int, **limits: float) -> None:
    with paramiko.SSHClient() as client:
        client.connect("127.0.0.1", port, username="u", password="x", allow_agent=False, look_for_keys=False, **limits)


@pytest.mark.behaviour("limits")
@pytest.mark.parametrize("words", [b"", b"SSH-2.0-Open"])
def test_banner_timeout(paramiko: Any, serve: Callable[..., int], words: bytes) -> None:
    with pytest.raises(paramiko.SSHException, match=r"^Error reading SSH protocol banner"):
        connect(paramiko, serve(words), banner_timeout=SHORT)


def test_timeout_of_the_exchange_of_keys(paramiko: Any, serve: Callable[..., int]) -> None:
    with pytest.raises(paramiko.SSHException, match=r"^No existing session$"):
        connect(paramiko, serve(VERSION), timeout=SHORT)


@pytest.mark.behaviour("limits")
def test_limits_of_a_transport(paramiko: Any, serve: Callable[..., int]) -> None:
    with paramiko.Transport(("127.0.0.1", serve(b""))) as transport:
        transport.banner_timeout = SHORT
        with pytest.raises(paramiko.SSHException, match=r"^Error reading SSH protocol banner"):
            transport.start_client()


@pytest.mark.behaviour("limits")
def test_handshake_timeout(paramiko: Any, serve: Callable[..., int]) -> None:
    """The original raises EOFError."""
    with paramiko.Transport(("127.0.0.1", serve(VERSION))) as transport:
        transport.handshake_timeout = SHORT
        with pytest.raises((paramiko.SSHException, EOFError)):
            transport.start_client()


@pytest.mark.behaviour("limits")
@pytest.mark.parametrize("step", ["client", "transport"])
def test_auth_timeout(paramiko: Any, make_server: Callable[..., LoopbackServer], step: str) -> None:
    server = make_server()

    class Policy(paramiko.MissingHostKeyPolicy):  # type: ignore[misc,name-defined]
        def missing_host_key(self, *_: Any) -> None:
            server.freeze()

    if step == "client":
        with paramiko.SSHClient() as client:
            client.set_missing_host_key_policy(Policy)
            with pytest.raises(paramiko.AuthenticationException, match=r"^Authentication timeout\.$"):
                client.connect(**login(server, auth_timeout=SHORT))
        return
    key = paramiko.Ed25519Key.from_private_key_file(str(server.key))
    with paramiko.Transport((server.host, server.port)) as transport:
        transport.auth_timeout = transport.banner_timeout = SHORT
        transport.start_client()
        server.freeze(listener=True)
        # Ours connects anew for each step, and finds nobody who says a word.
        with pytest.raises(paramiko.SSHException, match=r"^Authentication timeout\.|protocol banner"):
            transport.auth_publickey(server.user, key)


@pytest.mark.behaviour("limits")
@pytest.mark.parametrize("limits", [{}, {"timeout": SHORT}])
def test_channel_timeout(
    paramiko: Any,
    make_server: Callable[..., LoopbackServer],
    log_in: Callable[..., Any],
    limits: dict[str, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Ours gives a server that was asked to start something 3 s at least.
    monkeypatch.setattr("openssh_core.running._LEAST_ANSWER", SHORT)
    server = make_server()
    client = log_in(server, channel_timeout=60 if limits else SHORT)
    assert client.exec_command("echo here")[1].read() == b"here\n"
    transport = client.get_transport()
    server.freeze()
    try:
        for _ in range(2):
            with pytest.raises(paramiko.SSHException, match=r"^Timeout opening channel\.$"):
                client.exec_command("true", **limits)
        with pytest.raises(paramiko.SSHException, match=r"^Timeout opening channel\.$"):
            transport.open_channel("direct-tcpip", ("127.0.0.1", 9), ("127.0.0.1", 9), **limits)
    finally:
        server.thaw()
