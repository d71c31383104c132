"""Logins that take more than one answer, and who is asked for which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Prompt, PromptKind, errors
from openssh_core.testing import Account, AccountServer, LoopbackServer, generate_key

PASSWORD = "pw-of-many-5520"
PASSPHRASE = "phrase-of-many-8841"


@pytest.fixture(scope="module")
def strict_server() -> Iterator[AccountServer]:
    """Wants an encrypted key, then the password, then something by keyboard-interactive."""
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    methods = {"PasswordAuthentication": True, "AuthenticationMethods": "publickey,password,keyboard-interactive"}
    with AccountServer(
        Account("careful", PASSWORD),
        keyboard_interactive=True,
        options=methods,
        key=generate_key(passphrase=PASSPHRASE),
    ) as server:
        yield server


class Answers:
    """Remembers the questions."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.asked: list[Prompt] = []

    def __call__(self, prompt: Prompt) -> Any:
        self.asked.append(prompt)
        return self.reply(prompt) if callable(self.reply) else self.reply


@pytest.fixture
def options(strict_server: AccountServer, control_dir: Path) -> dict[str, Any]:
    given = strict_server.connect_options()
    return {**given, "key": strict_server.key, "passphrase": PASSPHRASE, "control_dir": control_dir}


def is_here(host: openssh_core.Connection) -> bool:
    return host.capture("echo here") == "here\n"


@pytest.mark.parametrize("key", ["file", "memory"])
def test_key_password_and_a_third_thing(options: dict[str, Any], strict_server: AccountServer, key: str) -> None:
    answers = Answers(PASSWORD)
    if key == "memory":
        options["key"] = strict_server.key.read_text()
    with openssh_core.connect(**options, answer=answers) as host:
        assert is_here(host)
    # The password went by its own method; the third question is nobody's but the function's.
    assert [(prompt.kind, prompt.user, prompt.words) for prompt in answers.asked] == [
        (PromptKind.INTERACTIVE, "careful", "Password: ")
    ]
    assert answers.asked[0].host == strict_server.host
    assert answers.asked[0].echo is None


def test_everything_by_one_function(options: dict[str, Any]) -> None:
    del options["password"], options["passphrase"]
    answers = Answers(lambda prompt: PASSPHRASE if prompt.kind is PromptKind.PASSPHRASE else PASSWORD)
    with openssh_core.connect(**options, answer=answers) as host:
        assert is_here(host)
    assert [prompt.kind for prompt in answers.asked] == [
        PromptKind.PASSPHRASE,
        PromptKind.PASSWORD,
        PromptKind.INTERACTIVE,
    ]


def test_a_third_thing_that_nobody_knows(options: dict[str, Any]) -> None:
    for answer in (None, Answers(None)):
        with pytest.raises(errors.AuthenticationError):
            openssh_core.connect(**options, answer=answer)


def test_a_wrong_third_thing_is_given_once(options: dict[str, Any], strict_server: AccountServer) -> None:
    answers = Answers("wrong")
    with pytest.raises(errors.AuthenticationError):
        openssh_core.connect(**options, answer=answers)
    assert len(answers.asked) == 1


@pytest.mark.parametrize("reply", [7, b"bytes", "two\nlines", "x" * 1024])
def test_an_answer_that_is_none(options: dict[str, Any], reply: Any) -> None:
    with pytest.raises(errors.InvalidSecret):
        openssh_core.connect(**options, answer=Answers(reply))


def test_what_is_no_function_starts_nothing() -> None:
    with pytest.raises(errors.InvalidInput, match="answer"):
        openssh_core.connect("host", ssh="/no/such/ssh", answer="secret")  # type: ignore[arg-type]


def test_a_password_that_has_to_be_changed(control_dir: Path) -> None:
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    with AccountServer(Account("dated", PASSWORD), keyboard_interactive=True) as server:
        etc = server.directory / "etc"
        (etc / "pam.d" / "sshd").write_text(
            "auth required pam_unix.so\naccount required pam_unix.so\npassword required pam_unix.so\n"
        )
        shadow = (etc / "shadow").read_text()
        (etc / "shadow").write_text(shadow.replace(":19000:", ":0:", 1))
        new = "Quite-another-1907"
        answers = Answers(lambda prompt: new if "ew password" in prompt.words else PASSWORD)
        options = {**server.connect_options(), "control_dir": control_dir, "answer": answers}
        # The change is the server's business; what counts is that each question came to the function.
        with openssh_core.connect(**options) as host:
            assert is_here(host)
        words = [prompt.words for prompt in answers.asked]
        assert any("New password" in text for text in words)
        assert any("Retype" in text for text in words)
        with openssh_core.connect(**{**options, "password": new, "answer": None}) as host:
            assert is_here(host)


@pytest.fixture
def behind(
    strict_server: AccountServer, loopback_server: LoopbackServer, tmp_path: Path
) -> Callable[..., dict[str, Any]]:
    """A host behind one that asks questions, as arguments of `connect`."""
    near = strict_server.ssh_config.read_text().replace("Host loopback", "Host near")
    far = loopback_server.ssh_config.read_text().replace("Host loopback", "Host far")
    config = tmp_path / "config"
    config.write_text(f"{near}\n{far}  ProxyJump near\n")
    return lambda: {"target": "far", "config_file": config, "agent": False}


def test_a_jump_host_asks_the_function(behind: Any, strict_server: AccountServer, control_dir: Path) -> None:
    answers = Answers(lambda prompt: PASSPHRASE if prompt.kind is PromptKind.PASSPHRASE else PASSWORD)
    with openssh_core.connect(**behind(), answer=answers, control_dir=control_dir) as host:
        assert is_here(host)
    asked = [prompt for prompt in answers.asked if prompt.kind is not PromptKind.PASSPHRASE]
    assert {(prompt.user, prompt.host) for prompt in asked} == {("careful", strict_server.host)}


def test_a_password_for_the_host_behind_is_not_told_to_the_jump_host(
    behind: Any, strict_server: AccountServer, control_dir: Path
) -> None:
    answers = Answers(lambda prompt: PASSPHRASE if prompt.kind is PromptKind.PASSPHRASE else None)
    before = strict_server.log.count("Failed")
    with pytest.raises(errors.UnexpectedPrompt) as caught:
        openssh_core.connect(**behind(), answer=answers, password="for the far one", control_dir=control_dir)
    assert caught.value.prompt.startswith("careful@")
    assert strict_server.log.count("Failed") == before
