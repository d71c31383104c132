"""What is taken for a private key, and what is said to everything else."""

from __future__ import annotations

import base64
import pickle

import pytest

from openssh_core import HostKey, InvalidKey, PrivateKey
from openssh_core.testing import generate_key, shared_key


def block(start: bytes) -> str:
    """Something that looks like a private key, as far as one looks."""
    body = base64.b64encode(b"openssh-key-v1\0" + start + bytes(range(200))).decode()
    lines = [body[at : at + 70] for at in range(0, len(body), 70)]
    return "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----", ""])


PRIVATE = block(b"\0\0\0\4none\0\0\0\4none")
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE46mOnQJtPGJIxHN2X7Bn8VMXlsla5ahbAPWpnk8pvP for tests"


@pytest.mark.parametrize(
    "spoiled",
    [
        PRIVATE,
        PRIVATE.encode(),
        PRIVATE.rstrip("\n"),
        PRIVATE.replace("\n", "\r\n"),
        PRIVATE.replace("\n", "\r"),
        "\n\n" + PRIVATE + "\n\n",
        "\ufeff" + PRIVATE,
        "a comment\n" + PRIVATE,
    ],
)
def test_how_lines_end_does_not_matter(spoiled: str | bytes) -> None:
    assert PrivateKey(spoiled).data.decode() == PRIVATE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "PuTTY"),
        (PUBLIC, "public key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "public key"),
        ("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n", "public key"),
        (PRIVATE.rpartition("-----END")[0], "incomplete"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "incomplete"),
        ("-----BEGIN PGP PRIVATE KEY-----\nMIIB\n-----END PGP PRIVATE KEY-----\n", "PGP"),
        ("-----BEGIN RSA PRIVATE KEY-----\nno base 64!\n-----END RSA PRIVATE KEY-----\n", "damaged"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "damaged"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMé==\n-----END RSA PRIVATE KEY-----\n", "no ASCII"),
        ("garbage", "no private key"),
        (b"\0\xff" * 20, "no private key"),
        ("", "no private key"),
        ("x" * 10_000_000, "more than"),
        (7, "not int"),
    ],
)
def test_what_is_no_private_key(text: str | bytes, words: str) -> None:
    with pytest.raises(InvalidKey, match=words) as caught:
        PrivateKey(text)
    assert "garbage" not in str(caught.value)


def test_whether_it_is_encrypted_can_be_seen() -> None:
    assert not PrivateKey(PRIVATE).encrypted
    assert PrivateKey(block(b"\0\0\0\nxes256-ctr")).encrypted
    body = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIB"
    assert PrivateKey(f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----").encrypted


def test_it_is_shown_nowhere() -> None:
    key = PrivateKey(PRIVATE)
    line = PRIVATE.splitlines()[1]
    assert line not in repr(key)
    assert line not in str(key)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(key)


@pytest.mark.parametrize(
    ("text", "is_key"),
    [(PRIVATE, True), ("PuTTY-User-Key-File-2: ssh-rsa", True), (PUBLIC, True), ("~/.ssh/id", False)],
)
def test_a_key_is_told_from_a_path(text: str, is_key: bool) -> None:
    assert PrivateKey.looks_like_one(text) is is_key


@pytest.mark.live
def test_what_ssh_keygen_makes_is_one() -> None:
    assert not PrivateKey(shared_key().private).encrypted
    assert PrivateKey(generate_key(passphrase="open sesame").private).encrypted


@pytest.mark.live
@pytest.mark.parametrize(
    ("name", "host", "port"), [("web1", "web1", 22), ("[web1]:2222", "web1", 2222), ("[::1]:7", "::1", 7)]
)
def test_a_host_key_from_known_hosts(name: str, host: str, port: int) -> None:
    pair = shared_key("host")
    kind, text = pair.public.split()[:2]
    key = HostKey.read(name, kind, text)
    assert (key.host, key.port, key.type, key.base64) == (host, port, kind, text)
    assert key.fingerprint == pair.fingerprint
    assert key.known_hosts_line == f"{name} {kind} {text}"
