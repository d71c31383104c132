"""Keys are what ssh-keygen takes for keys, and nobody sees their passphrases."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from openssh_core.errors import InvalidSecret
from openssh_core.testing import (
    Key,
    KeyFailed,
    generate_key,
    known_hosts_line,
    known_hosts_name,
    shared_key,
)

pytestmark = pytest.mark.live


def public_part(path: Path, passphrase: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ssh-keygen", "-y", "-f", path],
        input=passphrase + "\n",
        env={name: value for name, value in os.environ.items() if name not in ("DISPLAY", "SSH_ASKPASS")},
        start_new_session=True,
        capture_output=True,
        text=True,
    )


def test_a_written_key_is_private_and_whole(tmp_path: Path) -> None:
    key = shared_key()
    path = key.write(tmp_path / "id")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_part(path, "").stdout.split()[:2] == key.public.split()[:2] == [key.kind, key.blob]
    assert Path(f"{path}.pub").read_text() == key.public + "\n"


def test_a_passphrase_is_needed_to_open_the_key(tmp_path: Path) -> None:
    key = generate_key(passphrase="correct horse")
    path = key.write(tmp_path / "id")
    assert public_part(path, "correct horse").stdout.split()[1] == key.blob
    wrong = public_part(path, "battery staple")
    assert wrong.returncode != 0
    assert not wrong.stdout


def test_a_passphrase_is_in_no_command_line_and_no_repr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shutil.which("ssh-keygen")
    spy = tmp_path / "ssh-keygen"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0" "$@" >{tmp_path}/seen\nenv >>{tmp_path}/seen\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    key = generate_key(passphrase="correct horse")
    assert "-q" in (tmp_path / "seen").read_text()
    assert "correct horse" not in (tmp_path / "seen").read_text()
    assert "correct horse" not in repr(key)
    assert "PRIVATE" not in repr(key)


def test_other_kinds(tmp_path: Path) -> None:
    assert generate_key(kind="ecdsa").kind == "ecdsa-sha2-nistp256"


def test_a_shared_key_is_made_once_for_each_purpose() -> None:
    assert shared_key("one purpose") is shared_key("one purpose")
    assert shared_key("one purpose").blob != shared_key("another").blob


def test_the_fingerprint_is_the_one_that_openssh_prints(tmp_path: Path) -> None:
    path = shared_key().write(tmp_path / "id")
    printed = subprocess.run(["ssh-keygen", "-l", "-f", path], capture_output=True, text=True, check=True).stdout
    assert printed.split()[1] == shared_key().fingerprint


@pytest.mark.parametrize("passphrase", ["two\nlines", "nul\0"])
def test_a_passphrase_that_cannot_be_typed_is_refused(passphrase: str) -> None:
    with pytest.raises(InvalidSecret) as caught:
        generate_key(passphrase=passphrase)
    assert passphrase not in str(caught.value)


def test_a_refusal_has_the_words_of_ssh_keygen() -> None:
    with pytest.raises(KeyFailed, match="unknown key type"):
        generate_key(kind="enigma")


def test_without_ssh_keygen_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KeyFailed, match="Install"):
        generate_key()


def found(tmp_path: Path, line: str, name: str) -> str:
    file = tmp_path / "known_hosts"
    file.write_text(line + "\n")
    return subprocess.run(["ssh-keygen", "-F", name, "-f", file], capture_output=True, text=True).stdout


@pytest.mark.parametrize("hashed", [False, True])
def test_ssh_keygen_finds_a_host_in_its_line(tmp_path: Path, hashed: bool) -> None:
    line = known_hosts_line(known_hosts_name("h.example", 2222), shared_key("host").public, hashed=hashed)
    assert ("h.example" in line) is not hashed
    assert shared_key("host").blob in found(tmp_path, line, "[h.example]:2222")
    assert not found(tmp_path, line, "[h.example]:2223")


def test_several_names_a_wildcard_and_a_marker(tmp_path: Path) -> None:
    key: Key = shared_key("host")
    line = known_hosts_line(["a", "[b]:*"], key.public, marker="@revoked")
    assert line == f"@revoked a,[b]:* {key.kind} {key.blob}"
    assert "REVOKED" in found(tmp_path, line, "[b]:99").upper()


def test_port_22_is_not_written() -> None:
    assert known_hosts_name("h") == "h"
