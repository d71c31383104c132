"""Sessions that a server allows, and channels that nobody wants any more: over paramiko and over ours."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openssh_core._io.opener import SessionOpener
from openssh_core.testing import LoopbackServer

SESSIONS = 3


@pytest.fixture
def client(
    make_server: Callable[..., LoopbackServer], log_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Any:
    # What nobody here can end is waited for 10 s otherwise; the original does not wait.
    monkeypatch.setattr("openssh_core._io.patience.PATIENCE", 0.3)
    return log_in(make_server({"MaxSessions": SESSIONS}))


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[str]:
    """A command that goes on without its channel; what is left of it ends with the test."""
    pids = tmp_path / "pids"
    yield f"echo $$ >> {pids}; exec sleep 1000"
    for pid in pids.read_text().split():
        os.kill(int(pid), signal.SIGTERM)


def forgotten(client: Any, command: str) -> None:
    client.exec_command(command)
    gc.collect()


def closed(client: Any, command: str) -> None:
    client.exec_command(command)[1].channel.close()


@pytest.mark.parametrize("leave", [closed, forgotten])
def test_what_ends_with_its_channel_takes_no_session(client: Any, leave: Callable[..., None]) -> None:
    for _ in range(2 * SESSIONS):
        leave(client, "cat")
    assert client.exec_command("echo here", timeout=30)[1].read() == b"here\n"


@pytest.mark.parametrize("timeout", [None, 0.1])
@pytest.mark.parametrize("leave", [closed, forgotten])
def test_what_goes_on_takes_one(
    paramiko: Any, client: Any, sleeper: str, leave: Callable[..., None], timeout: float | None
) -> None:
    with pytest.raises(paramiko.ChannelException) as caught:
        for _ in range(SESSIONS + 1):
            leave(client, sleeper)
            client.exec_command("true", timeout=timeout)[1].read()
    assert caught.value.code == 2


def test_who_waits_gets_the_session_of_a_forgotten_channel(
    client: Any, paramiko: Any, in_thread: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The original does not wait for it, so the program has to."""
    refused = threading.Event()
    as_it_is = SessionOpener.refused
    monkeypatch.setattr(SessionOpener, "refused", lambda *given: (as_it_is(*given), refused.set()))
    held = [client.exec_command("cat") for _ in range(SESSIONS - 1)]

    def wait() -> bytes:
        while True:
            try:
                both = [client.exec_command("echo here; read line", timeout=30) for _ in range(2)]
            except paramiko.ChannelException:
                refused.set()
                continue
            return b"".join(stdout.readline().encode() for _stdin, stdout, _stderr in both)

    result = in_thread(wait)
    assert refused.wait(60)
    held.clear()
    gc.collect()
    assert result() == b"here\nhere\n"


def test_a_server_that_says_nothing(
    paramiko: Any, make_server: Callable[..., LoopbackServer], log_in: Callable[..., Any]
) -> None:
    server = make_server()
    client = log_in(server)
    server.freeze()
    try:
        with pytest.raises(paramiko.SSHException, match=r"^Timeout opening channel\.$"):
            client.exec_command("true", timeout=0.2)
    finally:
        server.thaw()
    assert client.exec_command("echo again", timeout=30)[1].read() == b"again\n"
