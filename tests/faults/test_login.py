"""What breaks in the middle of a login: the error comes in time, has a type, and nothing is left."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import errors
from openssh_core.testing import AccountServer, LoopbackServer, assert_nothing_left, snapshot


@pytest.fixture
def attempt(control_dir: Path) -> Callable[..., Any]:
    """Connects, expecting an error, and sees that nothing is left."""

    def connect(kind: type[BaseException], **options: Any) -> Any:
        before = snapshot(control_dir)
        with pytest.raises(kind) as caught:
            openssh_core.connect(**{**options, "control_dir": control_dir})
        assert os.listdir(control_dir) == []
        assert_nothing_left(before, allow=("sshd",))
        return caught.value

    return connect


def processes(word: str, *words: str) -> list[int]:
    """The processes that have all of these in their arguments."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if all(each.encode() in text for each in (word, *words)):
            found.append(int(pid))
    return found


def test_the_askpass_helper_is_killed_while_we_think(
    password_server: AccountServer, attempt: Callable[..., Any], control_dir: Path
) -> None:
    before = password_server.log.count("Failed password")

    def answer(_question: str) -> str:
        for pid in processes(str(control_dir), "socket.AF_UNIX"):
            os.kill(pid, signal.SIGKILL)
        return str(password_server.password)

    error = attempt(errors.ConnectError, **{**password_server.connect_options(), "password": answer})
    assert not isinstance(error, errors.ConnectTimeout)
    assert password_server.log.count("Failed password") <= before + 1


def test_somebody_connects_to_the_askpass_socket_and_says_nothing(
    password_server: AccountServer, control_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openssh_core._io.askpass._PATIENCE", 0.2)
    silent: list[socket.socket] = []

    def answer(_question: str) -> str:
        (path,) = control_dir.glob("*/a")
        silent.append(socket.socket(socket.AF_UNIX))
        silent[-1].connect(str(path))
        return "wrong"

    options = {**password_server.connect_options(), "password": answer, "control_dir": control_dir}
    with pytest.raises(errors.ConnectError) as caught:
        openssh_core.connect(**options)
    # Whichever of the two came first: ssh's end, or the end of our patience.
    assert isinstance(caught.value, errors.AuthenticationError) or "says nothing" in str(caught.value)
    for one in silent:
        one.close()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_the_agent_of_a_key_in_memory_stops_or_ends(
    loopback_server: LoopbackServer, attempt: Callable[..., Any], control_dir: Path, number: signal.Signals
) -> None:
    def hit(_key: openssh_core.HostKey) -> bool:
        (pid,) = (pid for pid in processes("ssh-agent", str(control_dir), "-D") if b"/bin/sh" not in _argv(pid))
        os.kill(pid, number)
        return True

    options = {**loopback_server.connect_options(), "key": loopback_server.key.read_text()}
    kind = errors.ConnectTimeout if number == signal.SIGSTOP else errors.AuthenticationError
    attempt(kind, **{**options, "known_hosts": b"", "host_keys": hit, "connect_timeout": 2})


def _argv(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_program_for_the_agent_is_missing(
    loopback_server: LoopbackServer, attempt: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ssh", "cat"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path))
    options = {**loopback_server.connect_options(), "key": loopback_server.key.read_text()}
    error = attempt(errors.SSHNotFound, **options)
    assert "ssh-agent" in str(error)
