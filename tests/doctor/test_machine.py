"""What the doctor says of a machine, well and in several ways ill."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from openssh_core.doctor import Finding, State, examine_machine, machine
from openssh_core.testing import generate_key, known_hosts_line


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with an empty ~/.ssh; the doctor finds it where ssh would find the real one."""
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setattr(machine, "_home", lambda: str(tmp_path))
    return tmp_path


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Make a program that stands in for ssh; `$SSH` in its text is the real one."""

    def make(text: str) -> str:
        path = tmp_path / "ssh"
        path.write_text(f"#!/bin/sh\nSSH=/usr/bin/ssh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return make


def found(topic: str, ssh: str = "ssh") -> list[Finding]:
    return [finding for finding in examine_machine(ssh) if finding.topic == topic]


@pytest.mark.usefixtures("home", "no_leaks")
def test_a_machine_that_is_well() -> None:
    findings = list(examine_machine())
    assert not [finding for finding in findings if finding.state is State.BAD]
    topics = {finding.topic for finding in findings}
    assert topics >= {"ssh", "configuration", "control directory", "secrets", "agent", "known hosts", "descriptors"}


def test_without_ssh_nothing_else_is_said(tmp_path: Path) -> None:
    (finding,) = examine_machine(str(tmp_path / "ssh"))
    assert finding.state is State.BAD and "Install" in finding.advice


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ("OpenSSH_10.2p1", None, ""),
        ("OpenSSH_9.2p1", State.NOTE, "before OpenSSH 9.6"),
        ("OpenSSH_8.9p1", State.WARNING, "before OpenSSH 9.0"),
        ("OpenSSH_8.2p1", State.WARNING, "before OpenSSH 8.4"),
        ("OpenSSH_7.2p2", State.BAD, "before OpenSSH 7.4"),
        ("dropbear", State.WARNING, "does not say that it is OpenSSH"),
    ],
)
@pytest.mark.usefixtures("home")
def test_old_versions(program: Callable[[str], str], version: str, state: State | None, words: str) -> None:
    ssh = program(f'[ "$1" = -V ] && {{ echo {version} >&2; exit; }}; exec $SSH "$@"')
    last = found("ssh", ssh)[-1]
    assert last.state is (state or State.OK) and words in last.what


@pytest.mark.usefixtures("home")
def test_a_configuration_that_ssh_refuses(program: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "config").write_text("NoSuchKeyword yes\n")
    (finding,) = found("configuration", program(f'exec $SSH -F {tmp_path}/config "$@"'))
    assert finding.state is State.BAD
    assert "NoSuchKeyword" in finding.what.lower() or "nosuchkeyword" in finding.what.lower()


@pytest.mark.usefixtures("home")
def test_a_control_directory_that_others_can_write_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(_parent: str | None) -> str:
        return real(str(tmp_path / "open"))

    real = machine.choose_parent
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setattr(machine, "choose_parent", choose)
    (finding,) = found("control directory")
    assert finding.state is State.BAD and "others" in finding.what


@pytest.mark.usefixtures("home")
def test_a_directory_where_nothing_can_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, mode: int) -> bool:
        return not path.endswith("askpass") and real(path, mode)

    real = os.access
    monkeypatch.setattr(os, "access", refuse)
    (finding,) = found("secrets")
    assert finding.state is State.BAD and "noexec" in finding.what


@pytest.mark.usefixtures("home")
def test_an_agent_with_and_without_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/tmp/oc-agent-{os.getpid()}"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        agent.stdout.readline()  # it listens once it has told its address
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        (finding,) = found("agent")
        assert finding.state is State.NOTE and "no keys" in finding.what
        key = generate_key().write(tmp_path / "key")
        subprocess.run(["ssh-add", "-q", key], check=True, stderr=subprocess.DEVNULL)
        (finding,) = found("agent")
        assert finding.state is State.OK and "1 key" in finding.what
        agent.terminate()
    (finding,) = found("agent")
    assert finding.state is State.WARNING and path in finding.what


def test_known_hosts(home: Path) -> None:
    key = generate_key()
    lines = [known_hosts_line("web1", key.public), "", "# a remark", known_hosts_line("web2", key.public, hashed=True)]
    path = home / ".ssh" / "known_hosts"
    path.write_text("\n".join([*lines, "web3 ssh-ed25519 AAAA"]) + "\n")
    broken, counted = found("known hosts")
    assert broken.state is State.WARNING and f"{path}:5" in broken.what
    assert counted.state is State.OK and counted.what.startswith("2 ")


def test_a_key_that_others_can_read(home: Path) -> None:
    key = generate_key().write(home / ".ssh" / "id_ed25519")
    assert not found("keys")
    key.chmod(0o644)
    (finding,) = found("keys")
    assert finding.state is State.WARNING and finding.advice == f"chmod 600 {key}"
    assert stat.S_IMODE(key.stat().st_mode) == 0o644, "the doctor changes nothing"
