"""Each stage of a login has a limit of its own, and a server may stop in any of them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import ConnectTimeout, InvalidInput, StageTimeouts
from openssh_core.testing import LoopbackServer

VERSION = b"SSH-2.0-OpenSSH_9.9\r\n"
NEVER = 1000.0
ALL = {"connection": NEVER, "greeting": NEVER, "handshake": NEVER, "login": NEVER}


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose queue is full: nobody is let in, and nobody is told."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for one in waiting:
            one.close()


def too_slow(port: int, control_dir: Path, stage: str, **more: Any) -> ConnectTimeout:
    """What a login raises whose one stage has a short limit."""
    limits = StageTimeouts(**{**ALL, stage: 0.3})
    with pytest.raises(ConnectTimeout, match="after 0.3 s") as caught:
        openssh_core.connect(
            f"127.0.0.1:{port}",
            stage_timeouts=limits,
            connect_timeout=None,
            control_dir=control_dir,
            config_file="none",
            **more,
        )
    assert caught.value.stage == stage
    return caught.value


def test_no_connection(full: int, control_dir: Path) -> None:
    too_slow(full, control_dir, "connection")


@pytest.mark.parametrize("words", [b"", b"SSH-2.0-Open", b"hello\r\n"])
def test_no_greeting(serve: Callable[[bytes], int], control_dir: Path, words: bytes) -> None:
    assert too_slow(serve(words), control_dir, "greeting").handshake is None


def test_no_greeting_on_a_connection_that_was_given(serve: Callable[[bytes], int], control_dir: Path) -> None:
    port = serve(b"")
    too_slow(port, control_dir, "greeting", sock=socket.create_connection(("127.0.0.1", port)))


def test_no_exchange_of_keys(serve: Callable[[bytes], int], control_dir: Path) -> None:
    error = too_slow(serve(VERSION), control_dir, "handshake")
    assert error.handshake is not None and error.handshake.server_version == "OpenSSH_9.9"


def test_no_login(make_server: Callable[..., LoopbackServer], control_dir: Path) -> None:
    server = make_server()

    def look(_key: openssh_core.HostKey) -> bool:
        server.freeze()
        time.sleep(0.4)  # who has to think about it may take longer than the limits
        return True

    too_slow(server.port, control_dir, "login", host_keys=look, known_hosts=b"", user=server.user)


def test_a_login_within_its_limits(loopback_server: LoopbackServer) -> None:
    limits = StageTimeouts(60, 60, 60, 60)
    with openssh_core.connect(**loopback_server.connect_options(), stage_timeouts=limits) as host:
        assert host.capture("echo there") == "there\n"


def test_all_together_have_a_limit(serve: Callable[[bytes], int], control_dir: Path) -> None:
    with pytest.raises(ConnectTimeout) as caught:
        openssh_core.connect(
            f"127.0.0.1:{serve(b'')}",
            stage_timeouts=StageTimeouts(**ALL),
            connect_timeout=0.3,
            control_dir=control_dir,
            config_file="none",
        )
    assert caught.value.stage == "greeting"


def test_an_ssh_that_does_not_tell_them(
    serve: Callable[[bytes], int], control_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then all may take as long as their sum."""
    monkeypatch.setattr("openssh_core.starting.login.ssh_version", lambda _ssh: (8, 4))
    with pytest.raises(ConnectTimeout):
        openssh_core.connect(
            f"127.0.0.1:{serve(b'')}",
            stage_timeouts=StageTimeouts(0.1, 0.1, 0.1, 0.1),
            connect_timeout=None,
            control_dir=control_dir,
            config_file="none",
        )


@pytest.mark.parametrize("wrong", [0, -1, "1", True, float("nan")])
def test_what_is_no_limit(wrong: Any) -> None:
    with pytest.raises(InvalidInput, match="greeting"):
        StageTimeouts(greeting=wrong)
    with pytest.raises(InvalidInput, match="stage_timeouts"):
        openssh_core.connect("host", ssh="/no/such/ssh", stage_timeouts=wrong)
