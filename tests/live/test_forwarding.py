"""Our agent and our display on the server: never, for those that ask, or always."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import errors
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot


@pytest.fixture
def agent(loopback_server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An agent with one key; the key's line."""
    path = f"/tmp/oc-agent-{os.urandom(6).hex()}"
    words = ["ssh-agent", "-D", "-a", path]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        subprocess.run(["ssh-add", "-q", str(loopback_server.key)], stdin=subprocess.DEVNULL, check=True)
        try:
            yield " ".join(Path(f"{loopback_server.key}.pub").read_text().split()[:2])
        finally:
            process.kill()
    Path(path).unlink(missing_ok=True)


@pytest.fixture
def options(loopback_server: LoopbackServer, control_dir: Path, agent: str) -> dict[str, Any]:
    return {**loopback_server.connect_options(), "control_dir": control_dir, "agent": True}


LIST = "ssh-add -L; exit 0"
HAS_AGENT = 'test -n "$SSH_AUTH_SOCK" && echo yes || echo no'


@pytest.mark.parametrize("persist", [None, 60])
def test_an_agent_for_those_that_ask(
    options: dict[str, Any], agent: str, control_dir: Path, persist: int | None
) -> None:
    before = snapshot(control_dir)
    with openssh_core.connect(**options, forward_agent=True, persist=persist) as host:
        assert host.run(HAS_AGENT).stdout == "no\n"
        assert host.run(LIST, forward_agent=True).stdout.startswith(agent)
        with host.popen(LIST, stdout=openssh_core.PIPE, forward_agent=True) as process:
            assert process.stdout is not None
            assert process.stdout.read().startswith(agent)
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(lambda _: host.run(LIST, forward_agent=True).stdout, range(3)))
        assert all(text.startswith(agent) for text in found)
        host.close(end=True)
    if persist:
        (control_dir / f"osp-{os.geteuid()}").rmdir()
    assert_nothing_left(before, allow=("sshd",))


def test_an_agent_that_is_used_from_there(options: dict[str, Any], agent: str, loopback_server: LoopbackServer) -> None:
    """The key is only here, and the login goes from there to the next host."""
    onwards = (
        f"ssh -F none -o BatchMode=yes -o UserKnownHostsFile={loopback_server.known_hosts} "
        f"-p {loopback_server.port} {loopback_server.user}@{loopback_server.host} echo there"
    )
    with openssh_core.connect(**options, forward_agent=True) as host:
        assert host.run(onwards, forward_agent=True).stdout == "there\n"


def test_an_agent_for_all(options: dict[str, Any], agent: str) -> None:
    with openssh_core.connect(**options, forward_agent="always") as host:
        assert host.run(LIST).stdout.startswith(agent)
        assert host.run(HAS_AGENT, pty=True).stdout.strip() == "yes"


def test_the_first_that_ask_at_the_same_time(options: dict[str, Any], agent: str) -> None:
    with openssh_core.connect(**options, forward_agent=True) as host, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: host.run(LIST, forward_agent=True).stdout, range(4)))
    assert all(text.startswith(agent) for text in found)


def test_one_that_does_not_ask(options: dict[str, Any]) -> None:
    with openssh_core.connect(**options, forward_agent="always") as host:
        assert host.run(HAS_AGENT, forward_agent=False).stdout == "no\n"


def test_never_whatever_the_configuration_says(
    options: dict[str, Any], loopback_server: LoopbackServer, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(loopback_server.ssh_config.read_text() + "  ForwardAgent yes\n  ForwardX11 yes\n")
    with openssh_core.connect(**{**options, "target": "loopback", "config_file": config}) as host:
        assert host.run(HAS_AGENT).stdout == "no\n"
        for name in ("forward_agent", "forward_x11"):
            with pytest.raises(errors.InvalidInput, match=name):
                host.run("true", **{name: True})


@pytest.mark.parametrize("name", ["agent", "key"])
def test_the_agent_is_forwarded_where_the_login_goes_without_it(
    options: dict[str, Any], loopback_server: LoopbackServer, agent: str, name: str
) -> None:
    options[name] = {"agent": False, "key": loopback_server.key.read_text()}[name]
    with openssh_core.connect(**options, forward_agent=True) as host:
        assert host.run(HAS_AGENT).stdout == "no\n"
        assert host.run(LIST, forward_agent=True).stdout.startswith(agent)


def test_there_is_no_agent_to_forward(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK")
    with pytest.raises(errors.InvalidInput, match="no SSH_AUTH_SOCK"):
        openssh_core.connect(**{**options, "agent": False}, forward_agent=True)


def test_a_private_agent_is_not_there_any_more(
    options: dict[str, Any], loopback_server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in memory serves the login, and nothing else."""
    monkeypatch.delenv("SSH_AUTH_SOCK")
    options["key"] = loopback_server.key.read_text()
    with openssh_core.connect(**options, forward_agent=True) as host:
        done = host.run("ssh-add -L", forward_agent=True)
        assert done.returncode != 0
        assert "ssh-" not in done.stdout


def test_a_server_that_forwards_none(make_server: Any, control_dir: Path, agent: str) -> None:
    server = make_server({"AllowAgentForwarding": False})
    with openssh_core.connect(**server.connect_options(), control_dir=control_dir, forward_agent=True) as host:
        with pytest.raises(errors.RequestRefused, match="agent"):
            host.run("true", forward_agent=True)
        assert host.run("echo here").stdout == "here\n"


@pytest.mark.parametrize("name", ["forward_agent", "forward_x11"])
def test_what_is_none_of_the_three(name: str) -> None:
    with pytest.raises(errors.InvalidInput, match=name):
        openssh_core.connect("host", ssh="/no/such/ssh", **{name: "sometimes"})


def test_a_display(make_server: Any, control_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISPLAY", "127.0.0.1:99")
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / "xauth"))
    server = make_server({"X11Forwarding": True})
    # Trusted, because only a real display gives a ticket to those that are not.
    options = {**server.connect_options(), "options": {"ForwardX11Trusted": "yes"}, "control_dir": control_dir}
    before = snapshot(control_dir)
    with openssh_core.connect(**options, forward_x11=True) as host:
        assert host.run('echo "$DISPLAY"').stdout == "\n"
        display = host.run('echo "$DISPLAY"', forward_x11=True).stdout.strip()
        assert display.startswith("localhost:")
        with host.popen("cat", stdin=openssh_core.PIPE, forward_x11=True) as process:
            process.terminate()
            assert process.wait() == -15
    assert_nothing_left(before, allow=("sshd",))
