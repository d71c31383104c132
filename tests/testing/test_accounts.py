"""Users that exist on one server only. The system's own files are compared before and after."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import Account, AccountServer, ServerFailed, _processes

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def _system_untouched() -> Iterator[None]:
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    files = [Path("/etc", name) for name in ("passwd", "shadow", "group")]
    before = [(file.read_bytes(), file.stat().st_ino) for file in files]
    mounts = Path("/proc/self/mountinfo").read_text().count("openssh-core-server-")
    yield
    assert [(file.read_bytes(), file.stat().st_ino) for file in files] == before
    assert Path("/proc/self/mountinfo").read_text().count("openssh-core-server-") == mounts


def answering(tmp_path: Path, answer: str) -> dict[str, str]:
    """An environment in which ssh's questions get this answer; they are kept in `asked`."""
    script = tmp_path / "askpass"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{tmp_path}/asked\ncat {tmp_path}/answer\n')
    (tmp_path / "answer").write_text(answer + "\n")
    script.chmod(0o700)
    return {**os.environ, "SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}


def test_an_ordinary_user_logs_in_with_the_key(ordinary_user_server: AccountServer, ssh: Any) -> None:
    done = ssh(ordinary_user_server, "id -u; id -un; pwd; echo ~; touch ~/file && ls ~/file")
    uid, name, *rest = done.stdout.split()
    home = str(ordinary_user_server.home())
    assert int(uid) >= 1000
    assert (name, rest) == ("ordinary", [home, home, f"{home}/file"])
    assert ordinary_user_server.connect_options()["key"]


def test_the_users_may_not_look_into_what_is_the_servers(ordinary_user_server: AccountServer, ssh: Any) -> None:
    directory = ordinary_user_server.directory
    assert ssh(ordinary_user_server, f"ls {directory} || cat {directory}/id || cat {directory}/etc/shadow").stdout == ""


def test_login_with_a_password(password_server: AccountServer, ssh: Any, tmp_path: Path) -> None:
    env = answering(tmp_path, password_server.password or "")
    done = ssh(password_server, "-oPubkeyAuthentication=no", "id -un", env=env)
    assert done.stdout == "typist\n"
    assert (tmp_path / "asked").read_text() == "typist@127.0.0.1's password: \n"
    options = password_server.connect_options()
    assert options["password"] == password_server.password
    assert "key" not in options
    assert (password_server.password or "") not in repr(password_server.accounts)


def test_a_wrong_password_does_not_let_in(password_server: AccountServer, ssh: Any, tmp_path: Path) -> None:
    options = ("-oPubkeyAuthentication=no", "-oNumberOfPasswordPrompts=1")
    done = ssh(password_server, *options, "true", env=answering(tmp_path, "guess"))
    assert done.returncode == 255
    assert "Permission denied (publickey,password)" in done.stderr


def test_login_by_keyboard_interactive(ssh: Any, tmp_path: Path) -> None:
    try:
        made = AccountServer(Account("typist", "pass word"), keyboard_interactive=True)
    except ServerFailed as error:
        if "without PAM" not in str(error):
            raise
        pytest.skip(error.what)
    with made as server:
        env = answering(tmp_path, "pass word")
        assert ssh(server, "-oPubkeyAuthentication=no", "id -un", env=env).stdout == "typist\n"
        assert (tmp_path / "asked").read_text() == "(typist@127.0.0.1) Password: \n"
        assert "Accepted keyboard-interactive/pam for typist" in server.log


def test_two_factors_and_two_users(ssh: Any, tmp_path: Path) -> None:
    users = Account("first", "one"), Account("second", "two")
    with AccountServer(*users, options={"AuthenticationMethods": "publickey,password"}) as server:
        assert "Permission denied (password)" in ssh(server, "-oBatchMode=yes", "true").stderr
        assert ssh(server, "-lsecond", "id -un", env=answering(tmp_path, "two")).stdout == "second\n"
        assert server.user == "first"


def test_the_start_up_file_of_a_shell_is_not_found_by_another_home(ssh: Any) -> None:
    """Why HOME is set for the sessions of other servers: this is what keeps bash from ~/.bashrc."""
    user = Account("user", shell="/bin/bash")
    for options, ran in (({}, True), ({"SetEnv": "HOME=/nonexistent"}, False)):
        with AccountServer(user, options=options) as server:
            (server.home() / ".bashrc").write_text("echo started up\n")
            said = ssh(server, "echo command").stdout
            # Not every bash is built to read it for a command that sshd runs.
            assert said == "command\n" or (ran and said == "started up\ncommand\n")


def test_stop_ends_what_the_users_run(no_leaks: None, ssh: Any) -> None:
    with AccountServer(Account("ordinary")) as server:
        pid = int(ssh(server, "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!").stdout)
        assert _processes.table()[pid].name in ("setsid", "sleep", "sh")
    left = _processes.table().get(pid)
    assert left is None or left.gone
    assert not server.directory.exists()


def test_the_killed_owners_mounts_and_files_go(python: Any, until: Any) -> None:
    program = (
        "import sys\nfrom openssh_core.testing import AccountServer\n"
        "server = AccountServer()\nprint(server.directory, flush=True)\nsys.stdin.read()\n"
    )
    with python(program) as owner:
        directory = owner.stdout.readline().strip()
        assert _processes.belonging(directory)
        owner.kill()
    until(lambda: not os.path.exists(directory))
    assert not _processes.belonging(directory)
    assert os.path.exists("/etc/passwd")
