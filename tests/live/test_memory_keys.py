"""Private keys that are in no file: they log in, and are nowhere to be found."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import errors
from openssh_core.testing import Key, LoopbackServer, assert_nothing_left, generate_key, shared_key, snapshot

PASSPHRASE = "open sesame 4417"


@pytest.fixture(scope="module")
def locked() -> Any:
    """An encrypted key."""
    return generate_key(passphrase=PASSPHRASE)


@pytest.fixture(scope="module")
def two_keys_server(locked: Any) -> Iterator[LoopbackServer]:
    """A server that lets the encrypted key in."""
    with LoopbackServer(key=locked) as server:
        yield server


def in_memory(server: LoopbackServer, control_dir: Path) -> dict[str, Any]:
    return {**server.connect_options(), "key": server.key.read_text(), "control_dir": control_dir}


@functools.cache
def other_key(kind: str) -> Key:
    """One that no server knows. An RSA key may take seconds."""
    return generate_key(kind=kind)


def is_here(host: openssh_core.Connection) -> bool:
    return host.capture("echo here") == "here\n"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("spoil", [str, str.encode, lambda text: text.rstrip().replace("\n", "\r\n")])
def test_a_key_as_text(
    loopback_server: LoopbackServer, control_dir: Path, kind: str, spoil: Callable[[str], Any]
) -> None:
    if kind == "ed25519":
        options = in_memory(loopback_server, control_dir)
        before = snapshot(control_dir)
        with openssh_core.connect(**{**options, "key": spoil(options["key"])}) as host:
            assert is_here(host)
        assert_nothing_left(before, allow=("sshd",))
        return
    # Of other kinds it is enough that ssh-add takes them: the server then says no.
    with pytest.raises(errors.AuthenticationError):
        openssh_core.connect(**{**in_memory(loopback_server, control_dir), "key": spoil(other_key(kind).private)})


def test_the_key_is_on_no_disk_and_in_no_process(loopback_server: LoopbackServer, control_dir: Path) -> None:
    secret = loopback_server.key.read_text().splitlines()[2].encode()
    seen: list[bytes] = []

    def look(key: openssh_core.HostKey) -> bool:
        # In the middle of the login: the agent has it, ssh runs.
        seen.extend(path.read_bytes() for path in control_dir.rglob("*") if path.is_file())
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for name in ("cmdline", "environ"):
                try:
                    seen.append(Path(f"/proc/{pid}/{name}").read_bytes())
                except OSError:
                    pass
        return True

    options = {**in_memory(loopback_server, control_dir), "known_hosts": b"", "host_keys": look}
    with openssh_core.connect(**options) as host:
        assert is_here(host)
        assert secret.decode() not in repr((host, vars(host)))
    assert len(seen) > 5
    assert any(b"ssh-ed25519" in text for text in seen)
    assert not any(secret in text for text in seen)


def test_several_keys_in_memory_and_in_files(
    loopback_server: LoopbackServer, control_dir: Path, tmp_path: Path
) -> None:
    options = in_memory(loopback_server, control_dir)
    stranger = shared_key("stranger")
    other = stranger.write(tmp_path / "other")
    options["key"] = [stranger.private, other, options["key"], openssh_core.PrivateKey(options["key"])]
    with openssh_core.connect(**options) as host:
        assert is_here(host)
    options["key"] = [stranger.private, loopback_server.key]
    with openssh_core.connect(**options) as host:
        assert is_here(host)


def test_an_encrypted_key(two_keys_server: LoopbackServer, control_dir: Path) -> None:
    with openssh_core.connect(**in_memory(two_keys_server, control_dir), passphrase=PASSPHRASE) as host:
        assert is_here(host)


def test_an_encrypted_key_whose_passphrase_a_function_knows(two_keys_server: LoopbackServer, control_dir: Path) -> None:
    asked: list[openssh_core.Prompt] = []

    def answer(prompt: openssh_core.Prompt) -> str:
        asked.append(prompt)
        return PASSPHRASE

    with openssh_core.connect(**in_memory(two_keys_server, control_dir), answer=answer) as host:
        assert is_here(host)
    assert [prompt.kind for prompt in asked] == [openssh_core.PromptKind.PASSPHRASE]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, errors.UnexpectedPrompt),
        ({"passphrase": "wrong one"}, errors.AuthenticationError),
        ({"passphrase": lambda question: "wrong one"}, errors.AuthenticationError),
        ({"answer": lambda prompt: None}, errors.UnexpectedPrompt),
        ({"password": PASSPHRASE}, errors.UnexpectedPrompt),
    ],
)
def test_an_encrypted_key_without_its_passphrase(
    two_keys_server: LoopbackServer, control_dir: Path, given: dict[str, Any], kind: type[Exception]
) -> None:
    before = snapshot(control_dir)
    with pytest.raises(kind):
        openssh_core.connect(**in_memory(two_keys_server, control_dir), **given)
    assert_nothing_left(before, allow=("sshd",))


def test_a_damaged_key_that_only_ssh_can_tell(loopback_server: LoopbackServer, control_dir: Path) -> None:
    lines = shared_key().private.splitlines()
    lines[2] = lines[2][::-1]
    before = snapshot(control_dir)
    with pytest.raises(errors.InvalidKey, match="ssh-add") as caught:
        openssh_core.connect(**{**in_memory(loopback_server, control_dir), "key": "\n".join(lines)})
    assert lines[2] not in str(caught.value)
    assert_nothing_left(before, allow=("sshd",))


def test_what_is_no_key_starts_nothing(control_dir: Path) -> None:
    with pytest.raises(errors.InvalidKey, match="PuTTY"):
        openssh_core.connect("host", key="PuTTY-User-Key-File-3: x", ssh="/no/such/ssh", control_dir=control_dir)
    with pytest.raises(errors.InvalidKey, match="public"):
        openssh_core.connect("host", key=shared_key().public.encode(), ssh="/no/such/ssh", control_dir=control_dir)


def test_the_agent_is_gone_with_the_login(loopback_server: LoopbackServer, control_dir: Path, until: Any) -> None:
    with openssh_core.connect(**in_memory(loopback_server, control_dir)) as host:
        directory = os.path.dirname(host.control_path)
        assert agents_below(directory) == []
        assert not os.path.exists(os.path.join(directory, "agent"))


def agents_below(directory: str) -> list[int]:
    """The processes that have this directory in their arguments and are no ssh."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if directory.encode() in words and b"ssh-agent" in words:
            found.append(int(pid))
    return found


IN_THE_MIDDLE = """
    import os, sys, time
    import openssh_core
    def hang(key):
        print("asked", flush=True)
        time.sleep(1000)
    openssh_core.connect(**eval(sys.stdin.readline()), host_keys=hang)
"""


def test_the_agent_is_gone_with_a_program_that_is_killed(
    loopback_server: LoopbackServer, control_dir: Path, until: Any
) -> None:
    options = {**in_memory(loopback_server, control_dir), "control_dir": str(control_dir), "known_hosts": b""}
    words = [sys.executable, "-c", textwrap.dedent(IN_THE_MIDDLE)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(repr(options) + "\n")
        program.stdin.flush()
        assert program.stdout.readline() == "asked\n"
        assert len(agents_below(str(control_dir))) >= 1
        program.send_signal(signal.SIGKILL)
    until(lambda: agents_below(str(control_dir)) == [])
    until(lambda: os.listdir(control_dir) == [])


# ---- certificates


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LoopbackServer, Any, str]]:
    """A server that knows no key but trusts who signed one; that key, and its certificate."""
    folder = tmp_path_factory.mktemp("ca")
    authority = generate_key().write(folder / "ca")
    pair = generate_key()
    path = pair.write(folder / "id")
    with LoopbackServer({"TrustedUserCAKeys": f"{authority}.pub", "AuthorizedKeysFile": "none"}) as server:
        subprocess.run(
            ["ssh-keygen", "-q", "-s", str(authority), "-I", "test", "-n", server.user, f"{path}.pub"], check=True
        )
        yield server, pair, (folder / "id-cert.pub").read_text()


@pytest.mark.parametrize("key", ["memory", "file"])
@pytest.mark.parametrize("certificate", [str, str.encode, "file"])
def test_a_certificate(
    certified: tuple[LoopbackServer, Any, str], control_dir: Path, tmp_path: Path, key: str, certificate: Any
) -> None:
    server, pair, text = certified
    options = {**server.connect_options(), "control_dir": control_dir}
    options["key"] = pair.private if key == "memory" else pair.write(tmp_path / "id")
    if certificate == "file":
        (tmp_path / "elsewhere").write_text(text)
        options["certificate"] = tmp_path / "elsewhere"
    else:
        options["certificate"] = certificate(text)
    with openssh_core.connect(**options) as host:
        assert is_here(host)
    with pytest.raises(errors.AuthenticationError):
        openssh_core.connect(**{**options, "certificate": None})


def test_a_certificate_that_is_none(control_dir: Path) -> None:
    with pytest.raises(errors.InvalidInput, match="certificate"):
        openssh_core.connect("host", certificate=b"ssh-ed25519 AAAA", ssh="/no/such/ssh", control_dir=control_dir)
