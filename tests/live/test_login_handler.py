"""A function that talks with ssh on a terminal, for logins that no list of answers fits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pexpect
import pytest

import openssh_core
from openssh_core import errors
from openssh_core.testing import AccountServer, LoopbackServer, assert_nothing_left, snapshot


@pytest.fixture
def options(password_server: AccountServer, control_dir: Path) -> dict[str, Any]:
    given = password_server.connect_options()
    del given["password"]
    return {**given, "control_dir": control_dir}


def test_it_talks_with_ssh(options: dict[str, Any], password_server: AccountServer, control_dir: Path) -> None:
    before = snapshot(control_dir)
    seen: list[str] = []

    def handler(child: Any) -> None:
        assert isinstance(child, pexpect.spawn)
        child.expect("assword: ")
        child.sendline(password_server.password)
        child.expect(pexpect.EOF)
        seen.append(child.before)

    with openssh_core.connect(**options, login_handler=handler) as host:
        assert host.capture("id -un") == f"{password_server.user}\n"
        assert seen
        assert str(password_server.password) not in seen[0]
        assert str(password_server.password) not in host.log + host.banner
    assert_nothing_left(before, allow=("sshd",))


def test_it_may_wait_for_what_is_never_asked(loopback_server: LoopbackServer, control_dir: Path) -> None:
    options = {**loopback_server.connect_options(), "control_dir": control_dir}
    with openssh_core.connect(**options, login_handler=lambda child: child.expect("a question")) as host:
        assert host.capture("echo here") == "here\n"
    with openssh_core.connect(**options, login_handler=lambda child: None) as host:
        assert host.capture("echo here") == "here\n"


def test_a_refused_login(options: dict[str, Any], password_server: AccountServer, control_dir: Path) -> None:
    before = snapshot(control_dir)

    def handler(child: Any) -> None:
        while True:
            child.expect("assword: ")
            child.sendline("wrong")

    with pytest.raises(errors.AuthenticationError) as caught:
        openssh_core.connect(**options, login_handler=handler)
    assert "password" in caught.value.methods
    assert_nothing_left(before, allow=("sshd",))


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, pexpect.TIMEOUT])
def test_what_it_raises_comes_out(options: dict[str, Any], control_dir: Path, kind: type[BaseException]) -> None:
    before = snapshot(control_dir)

    def handler(child: Any) -> None:
        child.expect("assword: ")
        raise kind("of the handler")

    with pytest.raises(kind, match="of the handler"):
        openssh_core.connect(**options, login_handler=handler)
    assert os.listdir(control_dir) == []
    assert_nothing_left(before, allow=("sshd",))


def test_it_has_as_much_time_as_the_login(options: dict[str, Any], control_dir: Path) -> None:
    before = snapshot(control_dir)
    with pytest.raises(errors.ConnectTimeout):
        openssh_core.connect(**options, connect_timeout=0.7, login_handler=lambda child: child.expect("never"))
    with pytest.raises(errors.ConnectTimeout):
        openssh_core.connect(**options, connect_timeout=0.7, login_handler=lambda child: None)
    assert_nothing_left(before, allow=("sshd",))


def test_no_ssh(options: dict[str, Any]) -> None:
    with pytest.raises(errors.SSHNotFound):
        openssh_core.connect(**{**options, "ssh": "/no/such/ssh"}, login_handler=lambda child: None)


@pytest.mark.parametrize(
    "other", [{"password": "x"}, {"passphrase": "x"}, {"answer": lambda prompt: None}, {"host_keys": lambda key: True}]
)
def test_it_answers_everything_or_nothing(other: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidInput, match="login_handler"):
        openssh_core.connect("host", ssh="/no/such/ssh", login_handler=lambda child: None, **other)


def test_a_device_that_talks_first(make_server: Any, control_dir: Path, tmp_path: Path) -> None:
    banner = tmp_path / "banner"
    banner.write_text("Press any key to acknowledge.\n")
    server = make_server({"Banner": str(banner)})
    heard: list[str] = []

    def handler(child: Any) -> None:
        child.expect("acknowledge")
        heard.append(child.after)

    with openssh_core.connect(**server.connect_options(), control_dir=control_dir, login_handler=handler) as host:
        assert host.capture("echo here") == "here\n"
    assert heard == ["acknowledge"]
