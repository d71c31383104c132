"""A function that decides about host keys: asked about unknown ones only, and refusing unless it clearly accepts."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import HostKey, errors
from openssh_core.testing import (
    LoopbackServer,
    assert_nothing_left,
    generate_key,
    known_hosts_line,
    known_hosts_name,
    shared_key,
    snapshot,
)


class Judge:
    """Remembers what it was asked about."""

    def __init__(self, verdict: Any) -> None:
        self.verdict = verdict
        self.asked: list[HostKey] = []

    def __call__(self, key: HostKey) -> Any:
        self.asked.append(key)
        if isinstance(self.verdict, BaseException):
            raise self.verdict
        return self.verdict


Connect = Callable[..., openssh_core.Connection]


@pytest.fixture
def connect(loopback_server: LoopbackServer, control_dir: Path) -> Connect:
    def attempt(**named: Any) -> openssh_core.Connection:
        options = {**loopback_server.connect_options(), "control_dir": control_dir, **named}
        return openssh_core.connect(**options)

    return attempt


@pytest.fixture
def refused(connect: Connect, control_dir: Path) -> Callable[..., Any]:
    def attempt(kind: type[BaseException], **named: Any) -> Any:
        before = snapshot(control_dir)
        with pytest.raises(kind) as caught:
            connect(**named)
        assert os.listdir(control_dir) == []
        assert_nothing_left(before, allow=("sshd",))
        return caught.value

    return attempt


def line(server: LoopbackServer, public: str, marker: str = "") -> str:
    return known_hosts_line(known_hosts_name(server.host, server.port), public, marker=marker)


def test_it_is_given_the_key(loopback_server: LoopbackServer, connect: Connect) -> None:
    judge = Judge(True)
    with connect(known_hosts=b"", host_keys=judge) as host:
        assert host.capture("echo here") == "here\n"
        assert host.host_key == judge.asked[0]
    kind, text = loopback_server.host_key.public.split()[:2]
    assert judge.asked == [
        HostKey(loopback_server.host, loopback_server.port, kind, text, loopback_server.host_key.fingerprint)
    ]


def test_a_known_key_is_no_question(connect: Connect, loopback_server: LoopbackServer) -> None:
    judge = Judge(None)
    with connect(host_keys=judge) as host:
        assert host.host_key is not None
        assert host.host_key.base64 == loopback_server.host_key.public.split()[1]
    assert judge.asked == []


@pytest.mark.parametrize("verdict", [False, None, 1, "yes", "accept", [], ValueError("of the function")])
def test_everything_else_refuses(refused: Callable[..., Any], verdict: Any) -> None:
    judge = Judge(verdict)
    error = refused(errors.HostKeyUnknown, known_hosts=b"", host_keys=judge)
    assert error.key == judge.asked[0]
    assert error.key.fingerprint in str(error)
    assert len(judge.asked) == 1
    assert error.__cause__ is (verdict if isinstance(verdict, ValueError) else None)


def test_an_interrupt_is_no_verdict(refused: Callable[..., Any]) -> None:
    refused(KeyboardInterrupt, known_hosts=b"", host_keys=Judge(KeyboardInterrupt()))


def test_a_verdict_that_comes_too_late_is_none(refused: Callable[..., Any]) -> None:
    gone = threading.Event()

    def slow(key: HostKey) -> bool:
        gone.wait(0.6)
        return True

    refused(errors.ConnectTimeout, known_hosts=b"", host_keys=slow, connect_timeout=0.5)


@pytest.mark.parametrize("where", ["file", "lines"])
@pytest.mark.parametrize(("marker", "kind"), [("", errors.HostKeyChanged), ("@revoked", errors.HostKeyRevoked)])
def test_a_changed_or_revoked_key_is_refused_whatever_it_says(
    loopback_server: LoopbackServer,
    refused: Callable[..., Any],
    tmp_path: Path,
    where: str,
    marker: str,
    kind: type[errors.HostKeyError],
) -> None:
    public = loopback_server.host_key.public if marker else generate_key().public
    text = line(loopback_server, public, marker)
    path = tmp_path / "known"
    path.write_text(text + "\n")
    judge = Judge("record")
    error = refused(kind, known_hosts=path if where == "file" else text, host_keys=judge)
    assert judge.asked == []
    assert path.read_text() == text + "\n"
    assert error.key.base64 == loopback_server.host_key.public.split()[1]


def test_a_changed_key_in_the_file_of_a_configuration(
    loopback_server: LoopbackServer, refused: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "with a blank"
    path.write_text(line(loopback_server, generate_key().public) + "\n")
    config = tmp_path / "config"
    config.write_text(f'UserKnownHostsFile "{path}"\n')
    for policy in (Judge(True), "warn"):
        refused(errors.HostKeyChanged, known_hosts=None, config_file=config, host_keys=policy)


def test_accepted_without_being_recorded(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "known"
    judge = Judge(True)
    connect(known_hosts=path, host_keys=judge).close()
    connect(known_hosts=path, host_keys=judge).close()
    assert len(judge.asked) == 2
    assert not path.exists()


@pytest.mark.parametrize("there", [None, "# no end of the line", "# a line\n"])
def test_recorded(connect: Connect, loopback_server: LoopbackServer, tmp_path: Path, there: str | None) -> None:
    path = tmp_path / "new" / "known"
    if there is not None:
        path.parent.mkdir()
        path.write_text(there)
    judge = Judge("record")
    connect(known_hosts=path, host_keys=judge).close()
    connect(known_hosts=path, host_keys=judge).close()
    connect(known_hosts=path).close()
    assert len(judge.asked) == 1
    lines = path.read_text().splitlines()
    assert lines[1 if there else 0 :] == [judge.asked[0].known_hosts_line]


def test_recorded_although_the_login_is_refused_later(connect: Connect, tmp_path: Path) -> None:
    stranger = shared_key("stranger").write(tmp_path / "stranger")
    with pytest.raises(errors.AuthenticationError):
        connect(known_hosts=tmp_path / "known", host_keys=Judge("record"), key=stranger)
    assert (tmp_path / "known").read_text()


def test_nowhere_to_record(refused: Callable[..., Any]) -> None:
    error = refused(errors.OpenSSHError, known_hosts=b"", host_keys=Judge("record"))
    assert "recorded" in str(error)


def test_logins_at_the_same_time_record_one_line(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "known"
    threads = [
        threading.Thread(target=lambda: connect(known_hosts=path, host_keys=lambda key: "record").close())
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(path.read_text().splitlines()) == 1


def test_a_jump_host_is_not_vouched_for(
    loopback_server: LoopbackServer, make_server: Any, refused: Callable[..., Any], tmp_path: Path
) -> None:
    near = make_server()
    config = tmp_path / "config"
    text = near.ssh_config.read_text().replace("Host loopback", "Host near")
    text = "".join(line for line in text.splitlines(True) if "Known" not in line and "Strict" not in line)
    far = loopback_server.ssh_config.read_text().replace("Host loopback", "Host far")
    config.write_text(f"{text}  UserKnownHostsFile {tmp_path}/none\n{far}  ProxyJump near\n")
    judge = Judge(True)
    error = refused(errors.HostKeyUnknown, target="far", config_file=config, known_hosts=None, host_keys=judge)
    assert "another host" in str(error)
    assert judge.asked == []


def test_a_password_is_asked_for_as_well(password_server: Any, connect: Connect, control_dir: Path) -> None:
    judge = Judge(True)
    options = {**password_server.connect_options(), "known_hosts": b"", "host_keys": judge, "control_dir": control_dir}
    with openssh_core.connect(**options) as host:
        assert host.capture("echo here") == "here\n"
    assert len(judge.asked) == 1


def test_without_any_secret_nobody_is_asked(password_server: Any, refused: Callable[..., Any]) -> None:
    options = {**password_server.connect_options(), "known_hosts": b"", "host_keys": Judge(True)}
    error = refused(errors.AuthenticationError, **{**options, "password": None, "key": "/no/such/key"})
    assert "password" in error.methods


def test_an_ssh_that_cannot_tell_the_key(refused: Callable[..., Any], tmp_path: Path) -> None:
    old = tmp_path / "ssh"
    old.write_text("#!/bin/sh\necho OpenSSH_8.4p1 >&2\n")
    old.chmod(0o755)
    refused(errors.SSHTooOld, ssh=str(old), known_hosts=b"", host_keys=Judge(True))


def test_a_known_hosts_command_of_ones_own_cannot_be_kept(refused: Callable[..., Any]) -> None:
    refused(errors.InvalidOption, host_keys=Judge(True), options={"KnownHostsCommand": "/bin/true"})


# ---- known_hosts without a file


def test_lines_in_memory(loopback_server: LoopbackServer, connect: Connect) -> None:
    text = line(loopback_server, loopback_server.host_key.public)
    for given in (text, text.encode(), f"# comment\r\n{text}\r\n", ["/no/such/file", text]):
        with connect(known_hosts=given) as host:
            assert host.capture("echo here") == "here\n"


def test_several_files(loopback_server: LoopbackServer, connect: Connect, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    with connect(known_hosts=[other, loopback_server.known_hosts]) as host:
        assert host.capture("echo here") == "here\n"


def test_a_new_key_is_recorded_in_the_first(connect: Connect, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with connect(known_hosts=[first, second, b""], host_keys="accept-new") as host:
        assert host.capture("echo here") == "here\n"
    assert first.read_text()
    assert not second.exists()
