"""pxssh from pexpect and over a multiplexed connection: the same calls, the same answers; and where they differ."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import pytest
from pexpect import pxssh as original

import openssh_core
from openssh_compat import pxssh as ours
from openssh_core.testing import AccountServer, LoopbackServer

# Where shells do not talk to a terminal about pasting.
DUMB = {**os.environ, "TERM": "dumb"}


@pytest.fixture(params=["original", "ours"])
def pxssh(request: pytest.FixtureRequest) -> Any:
    """pexpect's module, or the adapter."""
    return original if request.param == "original" else ours


@pytest.fixture
def place(loopback_server: LoopbackServer) -> dict[str, Any]:
    """Arguments for login that lead to the server."""
    lines = loopback_server.ssh_config.read_text().splitlines()
    (alias,) = [line.split()[1] for line in lines if line.startswith("Host ")]
    return {"server": alias, "ssh_config": str(loopback_server.ssh_config)}


@pytest.fixture
def make(pxssh: Any) -> Iterator[Callable[..., Any]]:
    """Make sessions, which are closed with the test."""
    sessions = []

    def new(**named: Any) -> Any:
        sessions.append(session := pxssh.pxssh(**{"timeout": 60, "encoding": "utf-8", "env": DUMB, **named}))
        return session

    yield new
    for session in sessions:
        if not session.closed:
            session.close()


def ask(session: Any, command: str) -> list[str]:
    """What a command puts out, line by line; the first line is the echo of what was typed."""
    session.sendline(command)
    assert session.prompt()
    return session.before.splitlines()[1:]  # type: ignore[no-any-return]


# ---- the same


def test_a_session(make: Callable[..., Any], place: dict[str, Any]) -> None:
    session = make()
    assert session.login(**place) is True
    assert ask(session, "echo 'a  b'; echo $((6*7))") == ["a  b", "42"]
    assert session.isalive()
    session.logout()
    assert (session.isalive(), session.closed, session.exitstatus) == (False, True, 0)


def test_as_spawn_objects_are_used(make: Callable[..., Any], pxssh: Any, place: dict[str, Any]) -> None:
    log = io.StringIO()
    session = make(logfile=log)
    session.login(**place)
    assert isinstance(session, pexpect.spawn) and isinstance(session, original.pxssh)
    session.sendline('read x; echo "<$x>"; stty size; tty')
    session.send("word\n")
    assert session.expect([pexpect.TIMEOUT, r"<(\w+)>", pexpect.EOF]) == 1
    assert session.match.group(1) == "word"
    session.expect("24 80")
    assert session.prompt(timeout=60)
    assert "/dev/" in session.before
    assert session.prompt(timeout=0.05) is False
    # One process says that it is there and then waits: between two of them the shell could lose the Ctrl-C.
    session.sendline("sh -c 'echo read\"\"y; exec cat'")
    session.expect("ready")
    session.sendcontrol("c")
    assert session.prompt(timeout=60)
    assert "<word>" in log.getvalue()
    with pytest.raises(pxssh.ExceptionPxssh):
        make().login(**{**place, "ssh_config": "/no/such/file"})


def test_bytes(make: Callable[..., Any], place: dict[str, Any]) -> None:
    session = make(encoding=None)
    session.login(**place)
    session.sendline(b"printf '\\377'")
    assert session.prompt()
    assert session.before.endswith(b"\xff")


def test_a_prompt_of_ones_own(make: Callable[..., Any], place: dict[str, Any]) -> None:
    session = make()
    session.login(**place, original_prompt="# $", auto_prompt_reset=False, sync_original_prompt=False)
    session.PROMPT = "READY> "
    session.sendline("PS1='READ''Y> '")
    assert session.prompt()
    assert ask(session, "echo x")[0] == "x"
    session.PROMPT = session.UNIQUE_PROMPT
    assert session.set_unique_prompt()
    assert ask(session, "echo y") == ["y"]


def test_without_an_echo(make: Callable[..., Any], place: dict[str, Any]) -> None:
    session = make(echo=False)
    session.login(**place)
    session.sendline("cat")
    session.sendline("said once")
    session.sendeof()
    assert session.prompt()
    assert session.before.count("said once") == 1


def test_the_line_for_a_shell(make: Callable[..., Any], place: dict[str, Any]) -> None:
    options = {"StrictHostKeyChecking": "no"}
    lines = [
        make(debug_command_string=True, options=options).login("host", "user", port=7, ssh_tunnels={"local": ["1:a:2"]})
        for make in (original.pxssh, ours.pxssh)
    ]
    assert lines[0] == lines[1] and "-L 1:a:2" in lines[1]


def test_a_password(make: Callable[..., Any], password_server: AccountServer, pxssh: Any) -> None:
    server = password_server
    options = {"UserKnownHostsFile": str(server.known_hosts), "StrictHostKeyChecking": "yes", "IdentityAgent": "none"}
    where = {"server": server.host, "username": server.user, "port": server.port, "login_timeout": 60}
    session = make(options=options)
    session.force_password = True
    session.login(password=server.password, **where)
    assert server.user in ask(session, "whoami")
    session.logout()
    session = make(options=options)
    session.force_password = True
    with pytest.raises(pxssh.ExceptionPxssh, match="password refused|permission denied"):
        session.login(password="wrong", **where)


def test_nobody_there(make: Callable[..., Any], pxssh: Any, place: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(pxssh.ExceptionPxssh, match="Could not establish connection to host"):
        make().login("127.0.0.1", "root", port=port, ssh_config=place["ssh_config"])
    with pytest.raises(TypeError, match="username or an ssh_config"):
        make().login("host")
    with pytest.raises(pxssh.ExceptionPxssh, match="private ssh key does not exist"):
        make().login("host", "user", ssh_key="/no/such/key")


# ---- only here


def test_over_a_connection_of_ones_own(loopback_server: LoopbackServer) -> None:
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        sessions = [ours.pxssh(timeout=60, encoding="utf-8", env=DUMB) for _ in range(3)]
        for session in sessions:
            session.login(host)
        assert [ask(session, f"echo {number}") for number, session in enumerate(sessions)] == [["0"], ["1"], ["2"]]
        for session in sessions:
            session.logout()
        assert host.run("true").returncode == 0


def test_nothing_is_left(loopback_server: LoopbackServer, until: Callable[..., Any], no_leaks: None) -> None:
    options = {"UserKnownHostsFile": str(loopback_server.known_hosts), "StrictHostKeyChecking": "no"}
    session = ours.pxssh(timeout=60, encoding="utf-8", options=options)
    session.login(
        loopback_server.host, loopback_server.user, port=loopback_server.port, ssh_key=str(loopback_server.key)
    )
    assert session.connection is not None
    pid = session.connection.master_pid
    session.close()
    assert session.connection.closed
    until(lambda: not os.path.exists(f"/proc/{pid}"))
    session.close()


def test_tunnels(place: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer, args=(listener,), daemon=True).start()
        session = ours.pxssh(timeout=60, encoding="utf-8")
        session.login(**place, ssh_tunnels={"local": [f"{port}:127.0.0.1:{listener.getsockname()[1]}"]})
        try:
            with socket.create_connection(("127.0.0.1", port), 60) as client:
                assert client.recv(100) == b"through"
        finally:
            session.logout()


def _answer(listener: socket.socket) -> None:
    client, _ = listener.accept()
    client.sendall(b"through")
    client.close()


@pytest.mark.parametrize("tunnel", ["", "x", "1:2", "a:b:c", "1:host:x", "1:2:3:4:5"])
def test_a_tunnel_that_is_none(tunnel: str, loopback_server: LoopbackServer) -> None:
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        with pytest.raises(ours.ExceptionPxssh, match="no tunnel"):
            ours.pxssh().login(host, ssh_tunnels={"local": [tunnel]})


def test_before_the_login_there_is_nothing() -> None:
    session = ours.pxssh()
    assert not session.isalive()
    session.close()
    with pytest.raises(TypeError, match="username or an ssh_config"):
        session.login("host")


def test_the_agent_for_the_shell(
    make: Callable[..., Any], place: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/tmp/oc-agent-{os.urandom(6).hex()}"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) as agent:
        try:
            while not os.path.exists(path):
                time.sleep(0.01)
            monkeypatch.setenv("SSH_AUTH_SOCK", path)
            with open(place["ssh_config"], encoding="utf-8") as file:
                lines = [line for line in file if "Agent" not in line]
            config = tmp_path / "config"
            config.write_text("".join(lines))
            session = make(env={**DUMB, "SSH_AUTH_SOCK": path})
            session.login(place["server"], ssh_config=str(config), ssh_key=True)
            assert ask(session, "ssh-add -l") == ["The agent has no identities."]
            session.logout()
        finally:
            agent.kill()
            os.unlink(path)


def test_a_changed_host_key_is_never_accepted(loopback_server: LoopbackServer, tmp_path: Any) -> None:
    other = tmp_path / "known_hosts"
    line = loopback_server.known_hosts.read_text().split()
    key = "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
    other.write_text(f"{line[0]} ssh-ed25519 {key}\n")
    session = ours.pxssh(options={"UserKnownHostsFile": str(other), "StrictHostKeyChecking": "no"})
    with pytest.raises(ours.ExceptionPxssh, match="Could not establish") as caught:
        session.login(
            loopback_server.host, loopback_server.user, port=loopback_server.port, ssh_key=str(loopback_server.key)
        )
    assert isinstance(caught.value.__cause__, openssh_core.HostKeyError)
