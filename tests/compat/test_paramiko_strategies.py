"""Ways to log in as objects; over paramiko and over ours."""

from __future__ import annotations

from typing import Any

import pytest

from openssh_core.testing import LoopbackServer


class Recorder:
    """In the place of a transport: says what it was asked."""

    def __init__(self, paramiko: Any) -> None:
        self.refused = paramiko.AuthenticationException("no")

    def auth_none(self, username: str) -> list[str]:
        raise self.refused

    def auth_password(self, username: str, password: str) -> list[str]:
        return [] if password == "right" else ["publickey"]

    def auth_publickey(self, username: str, key: Any) -> list[str]:
        raise ValueError(str(key))


def strategy(paramiko: Any, *sources: Any) -> Any:
    class Strategy(paramiko.AuthStrategy):  # type: ignore[misc,name-defined]
        def get_sources(self) -> Any:
            yield from sources

    return Strategy(None)


@pytest.mark.behaviour("strategies")
@pytest.mark.shows("InMemoryPrivateKey", "Password")
def test_the_first_that_works(paramiko: Any) -> None:
    sources = [
        paramiko.NoneAuth("me"),
        paramiko.InMemoryPrivateKey("me", "a key"),
        paramiko.Password("me", lambda: "right"),
        paramiko.Password("me", lambda: pytest.fail("was tried")),
    ]
    recorder = Recorder(paramiko)
    tried = strategy(paramiko, *sources)
    result = tried.authenticate(transport=recorder)
    assert isinstance(result, paramiko.AuthResult) and result.strategy is tried
    assert [one.source for one in result] == sources[:3]
    assert result[0].result is recorder.refused and result[2].result == []
    assert str(result) == (
        "NoneAuth() -> no\nInMemoryPrivateKey(pkey='a key') -> a key\nPassword(user='me') -> success"
    )


@pytest.mark.behaviour("strategies")
@pytest.mark.shows("AuthFailure", "NoneAuth")
def test_none_works(paramiko: Any) -> None:
    with pytest.raises(paramiko.AuthFailure) as caught:
        strategy(paramiko, paramiko.NoneAuth("me")).authenticate(Recorder(paramiko))
    assert isinstance(caught.value, paramiko.AuthenticationException)
    assert str(caught.value) == "\nNoneAuth() -> no"
    assert len(caught.value.result) == 1


@pytest.mark.behaviour("strategies")
@pytest.mark.shows("OnDiskPrivateKey")
def test_a_key_and_where_it_came_from(paramiko: Any) -> None:
    source = paramiko.OnDiskPrivateKey("me", "ssh-config", "/a/path", "key")
    assert repr(source) == "OnDiskPrivateKey(key='key', source='ssh-config', path='/a/path')"
    with pytest.raises(ValueError, match="source argument must be one of"):
        paramiko.OnDiskPrivateKey("me", "hearsay", "/a/path", "key")


@pytest.mark.behaviour("strategies")
def test_connecting_by_a_strategy(paramiko: Any, loopback_server: LoopbackServer) -> None:
    server = loopback_server
    key = paramiko.Ed25519Key.from_private_key_file(str(server.key))
    sources = [paramiko.NoneAuth(server.user), paramiko.InMemoryPrivateKey(server.user, key)]
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(server.known_hosts))
        result = client.connect(server.host, server.port, auth_strategy=strategy(paramiko, *sources))
        assert client.exec_command("echo in")[1].read() == b"in\n"
        assert [one.source for one in result or sources] == sources
