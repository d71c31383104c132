"""What holds for passwords and passphrases: each goes to who may ask for it, once, and shows up nowhere."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import errors
from openssh_core.testing import (
    Account,
    AccountServer,
    LoopbackServer,
    assert_nothing_left,
    generate_key,
    shared_key,
    snapshot,
)

Attempt = Callable[..., Any]


@pytest.fixture(scope="session")
def interactive_server() -> Iterator[AccountServer]:
    """A server that asks for the password by keyboard-interactive only."""
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    with AccountServer(Account("talker", "kbd-secret-6141"), keyboard_interactive=True) as server:
        yield server


@pytest.fixture(scope="session")
def locked_key_server() -> Iterator[LoopbackServer]:
    """A server whose client key is encrypted."""
    with LoopbackServer(key=generate_key(passphrase="open sesame 7302")) as server:
        yield server


@pytest.fixture
def refused(control_dir: Path) -> Attempt:
    """Connects, expecting an error, and sees that nothing is left of the attempt."""

    def attempt(kind: type[BaseException], **options: Any) -> Any:
        before = snapshot(control_dir)
        with pytest.raises(kind) as caught:
            openssh_core.connect(**{"control_dir": control_dir, **options})
        assert os.listdir(control_dir) == []
        assert_nothing_left(before, allow=("sshd",))
        return caught.value

    return attempt


def failures(server: LoopbackServer) -> int:
    """How often a wrong password was given, by the server's log."""
    return server.log.count("Failed password")


# ---- the password


def test_a_password(password_server: AccountServer, control_dir: Path) -> None:
    with openssh_core.connect(**password_server.connect_options(), control_dir=control_dir) as host:
        assert host.capture("id -un") == f"{password_server.user}\n"


def test_a_password_in_the_target(password_server: AccountServer, control_dir: Path) -> None:
    options = password_server.connect_options()
    user, _, where = options.pop("target").partition("@")
    target = f"{user}:{options.pop('password')}@{where}"
    with openssh_core.connect(target, **options, control_dir=control_dir) as host:
        assert host.capture("echo here") == "here\n"
        assert host.host == f"{user}@{where}"


def test_a_function_is_given_the_question(password_server: AccountServer, control_dir: Path) -> None:
    questions: list[str] = []

    def answer(question: str) -> str | None:
        questions.append(question)
        return password_server.password

    options = {**password_server.connect_options(), "password": answer}
    with openssh_core.connect(**options, control_dir=control_dir) as host:
        assert host.capture("echo here") == "here\n"
    assert questions == [f"{password_server.user}@{password_server.host}'s password: "]


def test_a_wrong_password_is_given_once(password_server: AccountServer, refused: Attempt) -> None:
    before = failures(password_server)
    error = refused(errors.AuthenticationError, **{**password_server.connect_options(), "password": "wrong"})
    assert "password" in error.methods
    password_server.wait_for_log(r"(?s)Failed password.*Connection closed by authenticating")
    assert failures(password_server) == before + 1


def test_a_function_that_has_no_answer(password_server: AccountServer, refused: Attempt) -> None:
    before = failures(password_server)
    options = {**password_server.connect_options(), "password": lambda question: None}
    error = refused(errors.UnexpectedPrompt, **options)
    assert error.prompt.endswith("'s password: ")
    # ssh would have sent an empty one.
    assert failures(password_server) == before


class Trouble(Exception):
    """What a caller's function raises."""


@pytest.mark.parametrize("kind", [Trouble, KeyboardInterrupt, errors.ConnectionLost])
def test_what_a_function_raises_comes_out(
    password_server: AccountServer, refused: Attempt, kind: type[BaseException]
) -> None:
    def answer(question: str) -> str:
        raise kind("of the caller")

    error = refused(kind, **{**password_server.connect_options(), "password": answer})
    assert "of the caller" in str(error)


@pytest.mark.parametrize("answer", [b"bytes", 7, "two\nlines", "x" * 1024, "nul\0"])
def test_an_answer_that_is_none(password_server: AccountServer, refused: Attempt, answer: Any) -> None:
    options = {**password_server.connect_options(), "password": lambda question: answer}
    refused(errors.InvalidSecret, **options)


@pytest.mark.parametrize("name", ["password", "passphrase"])
@pytest.mark.parametrize("secret", ["two\nlines", "carriage\rreturn", "nul\0", "x" * 1024, "é" * 512])
def test_a_secret_that_cannot_be_typed_starts_nothing(refused: Attempt, name: str, secret: str) -> None:
    error = refused(errors.InvalidSecret, target="host", ssh="/no/such/ssh", **{name: secret})
    assert secret not in str(error)


PASSWORDS = ["", "a b'c\"d$(e)\\f`g`", "pässwörd €", "x" * 200, "-n", "%s%h"]


@pytest.fixture(scope="module")
def typists() -> Iterator[AccountServer]:
    """A server with an account for each password, in their order."""
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    with AccountServer(
        *(Account(f"typist{number}", password or "not empty") for number, password in enumerate(PASSWORDS))
    ) as server:
        yield server


@pytest.mark.parametrize("number", range(len(PASSWORDS)))
def test_any_password_arrives_as_it_is(
    typists: AccountServer, refused: Attempt, control_dir: Path, number: int
) -> None:
    password = PASSWORDS[number]
    target = f"typist{number}@{typists.host}:{typists.port}"
    options = {**typists.connect_options(), "target": target, "password": password, "control_dir": control_dir}
    if password:
        with openssh_core.connect(**options) as host:
            assert host.capture("echo here") == "here\n"
    else:
        refused(errors.AuthenticationError, **options)


def test_keyboard_interactive_asks_for_the_password_too(interactive_server: AccountServer, control_dir: Path) -> None:
    with openssh_core.connect(**interactive_server.connect_options(), control_dir=control_dir) as host:
        assert host.capture("echo here") == "here\n"


def test_keyboard_interactive_with_a_wrong_password(interactive_server: AccountServer, refused: Attempt) -> None:
    options = {**interactive_server.connect_options(), "password": "wrong"}
    refused(errors.AuthenticationError, **options)


def test_keyboard_interactive_gives_the_question_to_a_function(
    interactive_server: AccountServer, control_dir: Path
) -> None:
    questions: list[str] = []

    def answer(question: str) -> str | None:
        questions.append(question)
        return interactive_server.password

    options = {**interactive_server.connect_options(), "password": answer}
    openssh_core.connect(**options, control_dir=control_dir).close()
    assert questions == [f"({interactive_server.user}@{interactive_server.host}) Password: "]


# ---- the passphrase


def test_a_passphrase(locked_key_server: LoopbackServer, control_dir: Path) -> None:
    options = {**locked_key_server.connect_options(), "passphrase": "open sesame 7302", "control_dir": control_dir}
    with openssh_core.connect(**options) as host:
        assert host.capture("echo here") == "here\n"


def test_a_function_for_the_passphrase(locked_key_server: LoopbackServer, control_dir: Path) -> None:
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return "open sesame 7302"

    options = {**locked_key_server.connect_options(), "passphrase": answer, "control_dir": control_dir}
    openssh_core.connect(**options).close()
    assert len(questions) == 1
    assert str(locked_key_server.key) in questions[0]


def test_a_wrong_passphrase(locked_key_server: LoopbackServer, refused: Attempt) -> None:
    refused(errors.AuthenticationError, **locked_key_server.connect_options(), passphrase="wrong one")


def test_a_password_is_no_passphrase(locked_key_server: LoopbackServer, refused: Attempt) -> None:
    error = refused(errors.UnexpectedPrompt, **locked_key_server.connect_options(), password="open sesame 7302")
    assert "passphrase" in error.prompt


def test_a_passphrase_is_no_password(password_server: AccountServer, refused: Attempt) -> None:
    options = password_server.connect_options()
    options["passphrase"] = options.pop("password")
    before = failures(password_server)
    error = refused(errors.UnexpectedPrompt, **options)
    assert error.prompt.endswith("'s password: ")
    assert failures(password_server) == before


# ---- who else might ask


def test_a_jump_host_does_not_get_the_password(
    password_server: AccountServer, loopback_server: LoopbackServer, refused: Attempt, tmp_path: Path
) -> None:
    # The jump host asks for a password, the host behind it is the one the password is for.
    text = password_server.ssh_config.read_text().replace("Host loopback", "Host near")
    without_key = "".join(line for line in text.splitlines(True) if "IdentityFile" not in line)
    far = loopback_server.ssh_config.read_text().replace("Host loopback", "Host far")
    config = tmp_path / "config"
    config.write_text(f"{without_key}{far}  ProxyJump near\n")
    before = failures(password_server), password_server.logins
    error = refused(
        errors.UnexpectedPrompt, target="far", config_file=config, password=password_server.password, agent=False
    )
    assert error.prompt.startswith(f"{password_server.user}@")
    assert (failures(password_server), password_server.logins) == before


def test_a_host_key_question_is_never_answered(
    password_server: AccountServer, refused: Attempt, tmp_path: Path
) -> None:
    options = {**password_server.connect_options(), "known_hosts": tmp_path / "empty", "host_keys": "config"}
    options["password"] = lambda question: "yes"
    error = refused(errors.OpenSSHError, **options)
    assert isinstance(error, errors.UnexpectedPrompt)
    assert "authenticity" in error.prompt
    assert not (tmp_path / "empty").exists()


# ---- an agent


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A private ssh-agent; its process id."""
    path = f"/tmp/oc-agent-{os.getpid()}-{os.urandom(4).hex()}"
    with subprocess.Popen(
        ["ssh-agent", "-D", "-a", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        try:
            yield process.pid
        finally:
            process.kill()
    if os.path.exists(path):
        os.unlink(path)


def add(path: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(path)], stdin=subprocess.DEVNULL, check=True)


def with_agent(server: LoopbackServer) -> dict[str, Any]:
    options = {**server.connect_options(), "agent": True}
    del options["key"]
    return options


def test_a_key_that_only_the_agent_has(loopback_server: LoopbackServer, control_dir: Path, agent: int) -> None:
    add(loopback_server.key)
    with openssh_core.connect(**with_agent(loopback_server), control_dir=control_dir) as host:
        assert host.capture("echo here") == "here\n"


def test_an_agent_that_is_left_out(loopback_server: LoopbackServer, refused: Attempt, agent: int) -> None:
    add(loopback_server.key)
    options = {**with_agent(loopback_server), "agent": False, "options": {"IdentityFile": "/no/such/key"}}
    refused(errors.AuthenticationError, **options)


def test_an_agent_with_too_many_keys(make_server: Any, refused: Attempt, tmp_path: Path, agent: int) -> None:
    server = make_server({"MaxAuthTries": 2})
    for number in range(4):
        add(shared_key(f"stranger {number}").write(tmp_path / f"id{number}"))
    add(server.key)
    refused(errors.TooManyAuthenticationFailures, **with_agent(server))
    # Naming the key keeps the others out.
    with openssh_core.connect(**{**with_agent(server), "key": server.key}) as host:
        assert host.capture("echo here") == "here\n"


def test_an_agent_that_hangs_is_bounded_by_the_timeout(
    loopback_server: LoopbackServer, refused: Attempt, agent: int
) -> None:
    os.kill(agent, signal.SIGSTOP)
    try:
        refused(errors.ConnectTimeout, **with_agent(loopback_server), connect_timeout=1)
    finally:
        os.kill(agent, signal.SIGCONT)


# ---- where a secret must not be


def everywhere_visible() -> bytes:
    """Arguments and environment of every process."""
    texts = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("cmdline", "environ"):
            try:
                texts.append(Path(f"/proc/{pid}/{name}").read_bytes())
            except OSError:
                pass
    return b"\0".join(texts)


@pytest.mark.parametrize("name", ["password", "answer"])
@pytest.mark.parametrize("persist", [None, 60])
def test_no_secret_is_in_arguments_environment_or_files(
    password_server: AccountServer,
    control_dir: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    persist: int | None,
) -> None:
    secret = str(password_server.password)
    seen: list[bytes] = []

    def answer(question: object) -> str:
        # The moment at which ssh and its helper are both there.
        seen.append(everywhere_visible())
        return secret

    options = {**password_server.connect_options(), "control_dir": control_dir, "persist": persist}
    del options["password"]
    with caplog.at_level(logging.DEBUG), openssh_core.connect(**options, **{name: answer}) as host:
        seen.append(everywhere_visible())
        for directory, _names, files in os.walk(control_dir):
            for name in files:
                path = Path(directory, name)
                if path.is_file():
                    seen.append(path.read_bytes())
        seen.append(repr((host, host.__dict__)).encode())
        host.close(end=True)
    if persist is not None:
        (control_dir / f"osp-{os.geteuid()}").rmdir()
    assert len(seen) >= 4
    assert not any(secret.encode() in text for text in seen)
    assert secret not in caplog.text


@pytest.mark.parametrize("where", ["password", "passphrase", "target", "answer", "key"])
def test_no_secret_is_in_an_error(password_server: AccountServer, refused: Attempt, where: str) -> None:
    secret = "s3cr3t-5519"
    options = {**password_server.connect_options(), "password": None, "key": "/no/such/key"}
    if where == "target":
        options["target"] = options["target"].replace("@", f":{secret}@")
    elif where == "answer":
        options[where] = lambda prompt: secret
    elif where == "key":
        options[where] = shared_key("a stranger").private
        secret = options[where].splitlines()[2]
    else:
        options[where] = secret
    error = refused(errors.ConnectError, **options)
    chain = "".join(traceback.format_exception(error))
    assert not any(secret in text for text in (str(error), repr(error), repr(error.__dict__), chain))
    assert secret.encode() not in pickle.dumps(error)


WITH_A_TERMINAL = """
    import os, sys
    import openssh_core
    # The first terminal that the leader of a session opens becomes its controlling one: /dev/tty, where ssh asks.
    terminal = os.open(sys.argv[1], os.O_RDWR)
    os.close(os.open("/dev/tty", os.O_RDWR))
    try:
        openssh_core.connect(**eval(sys.stdin.read()))
    except openssh_core.AuthenticationError as error:
        print(type(error).__name__)
"""


def test_the_terminal_is_never_asked(password_server: AccountServer, control_dir: Path) -> None:
    options = {**password_server.connect_options(), "control_dir": str(control_dir)}
    del options["password"]
    with ExitStack() as stack:
        main, terminal = os.openpty()
        stack.callback(os.close, main)
        stack.callback(os.close, terminal)
        os.set_blocking(main, False)
        words = [sys.executable, "-c", textwrap.dedent(WITH_A_TERMINAL), os.ttyname(terminal)]
        done = subprocess.run(words, input=repr(options), stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert done.stdout == "AuthenticationError\n"
        with pytest.raises(BlockingIOError):
            os.read(main, 1)


def test_many_logins_with_passwords_at_the_same_time(password_server: AccountServer, control_dir: Path) -> None:
    def visit(number: int) -> object:
        with openssh_core.connect(**password_server.connect_options(), control_dir=control_dir) as host:
            return host.capture("echo", str(number))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(visit, range(6))) == [f"{number}\n" for number in range(6)]
