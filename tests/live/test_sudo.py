"""Commands that sudo runs, with the password on its own prompt. The accounts and sudoers exist on one server only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import openssh_core
from openssh_core import DEVNULL, PIPE, STDOUT, Connection, Defaults, Sudo
from openssh_core.errors import CommandTimeout, InvalidInput, InvalidSecret, SudoRefused
from openssh_core.testing import Account, AccountServer

PASSWORD = "correct' horse \\ $x"
SUDOERS = """
Defaults lecture=always
asked ALL=(ALL) ALL
free ALL=(ALL) NOPASSWD: ALL
"""


@pytest.fixture(scope="module")
def accounts() -> Iterator[AccountServer]:
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    if not shutil.which("sudo"):
        pytest.skip("there is no sudo")
    there = [Account("asked", PASSWORD), Account("free"), Account("nobody2")]
    if fish := shutil.which("fish"):
        there.append(Account("fisher", shell=fish))
    with AccountServer(*there) as server:
        sudoers = server.directory / "etc" / "sudoers.d" / "test"
        sudoers.write_text(SUDOERS + "fisher ALL=(ALL) NOPASSWD: ALL\n", encoding="ascii")
        sudoers.chmod(0o440)
        yield server


def login(server: AccountServer, name: str, **named: object) -> Connection:
    options = openssh_core.testing.LoopbackServer.connect_options(server)
    options["target"] = options["target"].replace(f"{server.user}@", f"{name}@")
    return openssh_core.connect(**options, **named)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def private(accounts: AccountServer) -> Iterator[Connection]:
    with login(accounts, "asked") as host:
        yield host


@pytest.fixture(params=["proxy", "passenger"])
def asked(request: pytest.FixtureRequest, private: Connection) -> Iterator[Connection]:
    """An account of which sudo asks the password, each time."""
    private.run("sudo", "-K")
    if request.param == "proxy":
        yield private
        return
    with openssh_core.connect(private.host, control_path=private.control_path) as guest:
        yield guest


def test_the_password_is_for_sudo_and_the_input_for_the_command(asked: Connection) -> None:
    data = os.urandom(200_000)
    done = asked.run("cat; id -u >&2", input=data, sudo=Sudo(PASSWORD), encoding=None, check=True)
    assert done.stdout == data
    assert done.stderr == b"0\n"  # neither the lecture nor the prompt


def test_without_input_it_is_empty(asked: Connection) -> None:
    assert asked.run("cat; whoami", sudo=Sudo(PASSWORD, user="free"), check=True).stdout == "free\n"


def test_a_password_that_sudo_remembers_is_not_taken_for_input(asked: Connection) -> None:
    asked.run("sh", "-c", "sudo -S -v 2>/dev/null", input=PASSWORD + "\n", check=True)
    for _ in range(2):
        assert asked.run("cat", input="mine", sudo=Sudo(PASSWORD), check=True).stdout == "mine"


def test_a_wrong_password_is_given_once_and_told_of(asked: Connection) -> None:
    with pytest.raises(SudoRefused, match="did not take the password") as caught:
        asked.run("cat >/dev/null; echo ran", input="secret input\n" * 5, sudo=Sudo("wrong"))
    assert caught.value.password_refused
    assert "wrong" not in repr(caught.value)


def test_no_password_where_one_is_needed(asked: Connection) -> None:
    with pytest.raises(SudoRefused) as caught:
        asked.run("echo ran", sudo=True)
    assert caught.value.password_refused


def test_directory_variables_and_streams(asked: Connection) -> None:
    done = asked.run(
        "pwd; echo $NAME >&2; exit 3", sudo=Sudo(PASSWORD), cwd="/proc", env={"NAME": "it's"}, stderr=STDOUT
    )
    assert (done.stdout, done.returncode) == ("/proc\nit's\n", 3)
    assert asked.run("echo out; echo err >&2", sudo=Sudo(PASSWORD), stderr=DEVNULL).stdout == "out\n"


def test_words_arrive_as_they_are(asked: Connection) -> None:
    words = ["a b", "", "$HOME", "`id`", "'", '"', "\\", "new\nline", "*", "~", "!x", "ü", "\udcff"]
    done = asked.run("printf", "%s|", *words, sudo=Sudo(PASSWORD), check=True)
    assert done.stdout == "".join(f"{word}|" for word in words)


def test_a_running_command(asked: Connection) -> None:
    with asked.popen("read x; echo got $x; exit 4", stdin=PIPE, stdout=PIPE, sudo=Sudo(PASSWORD)) as process:
        assert process.communicate("hello\n") == ("got hello\n", None)
        assert process.wait() == 4
    with asked.popen("true", stdin=PIPE, sudo=Sudo("wrong")) as process, pytest.raises(SudoRefused):
        process.wait()
    # Two streams have no order between them.
    lines = sorted(asked.iter_lines("echo a; echo b >&2", sudo=Sudo(PASSWORD)), reverse=True)
    assert lines == [("stdout", "a"), ("stderr", "b")]


def test_the_password_is_nowhere(asked: Connection, tmp_path: Path) -> None:
    secret = Sudo(PASSWORD)
    assert PASSWORD not in repr(secret)
    look = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | cat"
    assert "horse" not in str(asked.run(look, sudo=secret, check=True).stdout)
    with pytest.raises(CommandTimeout) as caught:
        asked.run("echo begun; sleep 5", sudo=secret, timeout=1)
    assert "horse" not in str(caught.value) + repr(caught.value.__dict__)
    assert caught.value.killed is not True  # it is another user's


def test_nobody_has_to_ask(accounts: AccountServer) -> None:
    with login(accounts, "free") as host:
        assert host.run("id", "-un", sudo=True, check=True).stdout == "root\n"
        assert host.test("false", sudo=True) is False


def test_who_may_not_is_told_in_sudos_words(accounts: AccountServer) -> None:
    with login(accounts, "nobody2") as host, pytest.raises(SudoRefused, match="nobody2") as caught:
        host.run("true", sudo=Sudo("anything"))
    assert caught.value.said


def test_the_accounts_shell_need_not_be_posix(accounts: AccountServer) -> None:
    if "fisher" not in [account.name for account in accounts.accounts]:
        pytest.skip("there is no fish")
    with login(accounts, "fisher", defaults=Defaults(remote_shell="fish")) as host:
        done = host.run("printf", "%s", "it's \\ a\nb", sudo=True, cwd="/", env={"A": "b"}, check=True)
        assert done.stdout == "it's \\ a\nb"


def test_what_cannot_be_asked_for(private: Connection) -> None:
    for password in ("two\nlines", "nul\0", 5):
        with pytest.raises(InvalidSecret):
            Sudo(password)  # type: ignore[arg-type]
    for user in ("", "-u", "a\nb", 0):
        with pytest.raises(InvalidInput):
            Sudo(user=user)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="terminal"):
        private.run("true", sudo=True, pty=True)
    with pytest.raises(InvalidInput, match="terminal"):
        private.popen(sudo=True)
