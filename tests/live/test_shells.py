"""Accounts whose login shell is not a POSIX one, on a server that has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import openssh_core
from openssh_core import DEVNULL, STDOUT, Connection, Defaults, Glob, Raw
from openssh_core.errors import InvalidCommand, InvalidInput
from openssh_core.testing import Account, AccountServer

SHELLS = ["csh", "tcsh", "fish", "zsh"]
WORDS = ["a b", "", "$HOME", "`id`", "'", '"', "\\", "new\nline", "*", "~", "-n", "!x", "ü", "\udcff", "if"]


@pytest.fixture(scope="module")
def accounts() -> Iterator[AccountServer]:
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    there = [shell for shell in SHELLS if shutil.which(shell)]
    with AccountServer(*(Account(f"u{shell}", shell=shutil.which(shell) or "") for shell in there)) as server:
        yield server


@pytest.fixture(scope="module")
def hosts(accounts: AccountServer) -> Iterator[dict[str, Connection]]:
    """One connection for each shell, told which it is."""
    opened = {}
    for account in accounts.accounts:
        options = accounts.connect_options()
        options["target"] = options["target"].replace(f"{accounts.user}@", f"{account.name}@")
        shell = account.name.removeprefix("u")
        opened[shell] = openssh_core.connect(**options, defaults=Defaults(remote_shell=shell))
    yield opened
    for host in opened.values():
        host.close()


@pytest.fixture(params=SHELLS)
def told(request: pytest.FixtureRequest, hosts: dict[str, Connection]) -> Connection:
    if request.param not in hosts:
        pytest.skip(f"there is no {request.param}")
    return hosts[request.param]


@pytest.fixture(params=["proxy", "passenger"])
def either(request: pytest.FixtureRequest, told: Connection) -> Iterator[Connection]:
    if request.param == "proxy":
        yield told
        return
    with openssh_core.connect(told.host, control_path=told.control_path, defaults=told.defaults) as guest:
        yield guest


def test_words_arrive_as_they_are(either: Connection) -> None:
    assert either.run("printf", "%s|", *WORDS).stdout == "".join(f"{word}|" for word in WORDS)


def test_a_directory_and_variables_and_one_stream(either: Connection, tmp_path: Path) -> None:
    directory = "it's a\\ directory"
    either.run("mkdir", "-p", directory, check=True)
    done = either.run(
        "sh", "-c", 'pwd; echo "$NAME" >&2; exit 3', cwd=directory, env={"NAME": "a 'b'\n!c"}, stderr=STDOUT
    )
    assert done.returncode == 3
    assert done.stdout is not None
    assert str(done.stdout).endswith(f"/{directory}\na 'b'\n!c\n")


def test_a_string_is_for_the_accounts_own_shell(either: Connection) -> None:
    own = {"csh": "echo $shell", "tcsh": "echo $shell", "fish": "echo $FISH_VERSION", "zsh": "echo $ZSH_VERSION"}
    shell = either.defaults.remote_shell
    assert isinstance(shell, str)
    plain = either.run(own[shell], check=True).stdout
    assert plain != "\n"
    assert either.run(own[shell], cwd="/", stderr=STDOUT, check=True).stdout == plain


def test_without_its_directory_a_command_does_not_run(either: Connection) -> None:
    done = either.run("echo ran", cwd="/does not exist")
    assert done.returncode != 0
    assert done.stdout == ""
    assert "/does not exist" in str(done.stderr)


def test_output_that_nobody_wants_is_not_sent(told: Connection) -> None:
    program = 'ls -l /proc/self/fd/1 /proc/self/fd/2 | sed "s/.* //" >"$0"'
    told.run("sh", "-c", program, "fds", stdout=DEVNULL, stderr=DEVNULL, check=True)
    out, err = str(told.run("cat", "fds", check=True).stdout).split()
    # The first is ls's own, which goes to sed.
    assert out.startswith("pipe")
    assert err == "/dev/null"


def test_patterns_and_syntax(told: Connection) -> None:
    told.run("touch", "x 1.txt", "x 2.txt", check=True)
    done = told.run("ls", Glob("x *.txt"), Raw("&&"), "echo", "&&", check=True)
    assert done.stdout == "x 1.txt\nx 2.txt\n&&\n"


def test_the_account_is_asked_for_its_shell(either: Connection) -> None:
    assert either.detect_shell() == either.defaults.remote_shell


def test_one_call_may_know_better(told: Connection) -> None:
    done = told.run("printf", "%s", "a\nb!", remote_shell=told.defaults.remote_shell, check=True)
    assert done.stdout == "a\nb!"
    assert told.run("echo one", remote_shell=told.defaults.remote_shell, check=True).stdout == "one\n"
    with pytest.raises(InvalidInput, match="no quoter"):
        told.run("true", remote_shell="nonsense")


def test_not_told_it_is_refused_aloud(hosts: dict[str, Connection]) -> None:
    host = hosts.get("csh") or pytest.skip("there is no csh")
    host.defaults, told = Defaults(), host.defaults
    try:
        done = host.run("echo", "ran", stderr=STDOUT)
        assert done.returncode != 0
        assert "ran" not in str(done.stdout)
    finally:
        host.defaults = told


def test_windows_has_no_steps(told: Connection) -> None:
    for named in ({"cwd": "/"}, {"stderr": STDOUT}):
        with pytest.raises(InvalidCommand, match="cannot be done for cmd"):
            told.run("dir; ls", remote_shell="cmd", **named)  # type: ignore[arg-type]
    with pytest.raises(InvalidCommand, match="env="):
        told.run("dir", remote_shell="powershell", env={"NOT_ACCEPTED": "x"})
