"""Private and public keys as text: what can be read of them without knowing a secret (PROTOCOL.key in OpenSSH's source,
RFC 4253 section 6.6). This parses; it computes nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from .message import Message

__all__ = ["KeyText", "blob_bits", "blob_type", "read_key_text"]

_FRAME = re.compile(rb"^-{5}BEGIN ([A-Z ]*?) ?PRIVATE KEY-{5}\s*$(.*?)^-{5}END \1 ?PRIVATE KEY-{5}\s*$", re.M | re.S)
_MAGIC = b"openssh-key-v1\x00"

# Bits of the curves, by the names the types end in.
_CURVE_BITS = {"nistp256": 256, "nistp384": 384, "nistp521": 521}


class KeyText(NamedTuple):
    """What the text of a private key shows.

    Attributes:
        tag: the word in its first line: RSA, EC, DSA, OPENSSH, ENCRYPTED, or none (PKCS#8).
        encrypted: whether it takes a passphrase.
        public: its public part; None where the format does not show it.
        comment: the comment in it.
    """

    tag: str
    encrypted: bool
    public: bytes | None = None
    comment: str = ""


def read_key_text(text: bytes) -> KeyText | None:
    """What a file with a private key shows; None when it is none.

    Raises:
        ValueError: it begins as one, and is broken.
    """
    frame = _FRAME.search(text)
    if frame is None:
        return None
    tag = frame[1].decode("ascii")
    if tag != "OPENSSH":
        encrypted = tag == "ENCRYPTED" or b"Proc-Type: 4,ENCRYPTED" in frame[2]
        return KeyText(tag, encrypted)
    try:
        data = base64.b64decode(frame[2], validate=False)
    except binascii.Error as error:
        raise ValueError(f"base64 decoding error: {error}") from error
    if not data.startswith(_MAGIC):
        raise ValueError("unexpected OpenSSH key header encountered")
    return _read_openssh(Message(data[len(_MAGIC) :]))


def _read_openssh(message: Message) -> KeyText:
    cipher = message.get_string()
    message.get_string(), message.get_string()
    keys = message.get_int()
    if keys != 1:
        raise ValueError("unsupported: private keyfile has multiple keys")
    public, private = message.get_string(), message.get_string()
    if not blob_type(public):
        raise ValueError("there is no public key in it")
    if cipher != b"none":
        return KeyText("OPENSSH", True, public)
    return KeyText("OPENSSH", False, public, _comment(blob_type(public), private))


def _comment(kind: str, private: bytes) -> str:
    """The last string before the padding, which is 1, 2, 3 and so on up to a multiple of eight."""
    for length in range(8):
        end = len(private) - length
        if private[end:] != bytes(range(1, length + 1)):
            continue
        comment = _last_string(kind, private[:end])
        if comment is not None:
            return comment.decode("utf-8", "replace")
    return ""


def _last_string(kind: str, data: bytes) -> bytes | None:
    """Two check numbers, the type, the fields of the key, the comment: strings to the end, or it is no such thing."""
    at, last = 8, None
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4 + size
        last = data[at - size : at]
    return last if at == len(data) and last is not None and kind else None


def blob_type(blob: bytes) -> str:
    """The type that a public key names, such as `ssh-ed25519`; empty when it is none."""
    size = int.from_bytes(blob[:4], "big")
    name = blob[4 : 4 + size]
    if not 0 < size <= 100 or len(name) != size:
        return ""
    text = name.decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else ""


def blob_bits(blob: bytes) -> int:
    """The size of a public key in bits; 0 where it is not known."""
    message = Message(blob)
    kind = message.get_string().decode("ascii", "replace")
    if kind.startswith("ecdsa-sha2-"):
        return _CURVE_BITS.get(kind.removeprefix("ecdsa-sha2-"), 0)
    if "ed25519" in kind:
        return 256
    if kind == "ssh-rsa":
        message.get_mpint()
        return message.get_mpint().bit_length()
    if kind == "ssh-dss":
        return message.get_mpint().bit_length()
    return 0
