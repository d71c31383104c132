"""Keys as values: private ones that exist only in memory, and those that servers show.

Nothing here does cryptography. A private key is looked at just enough to say what it is instead, when it is none.
"""

from __future__ import annotations

import base64
import binascii
import re

from ._value import Value
from .errors import InvalidKey

__all__ = ["HostKey", "PrivateKey"]

# The largest RSA key that ssh takes (16,384 bits) has 13,000 bytes in this form.
_LONGEST = 60_000

_BLOCK = re.compile(
    r"-----BEGIN (?P<kind>(?:[A-Z0-9]+ )*)PRIVATE KEY-----\n(?P<body>.*?)\n-----END (?P=kind)PRIVATE KEY-----",
    re.DOTALL,
)
_PUBLIC = re.compile(r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ AAAA")
_PUBLIC_BLOCK = re.compile(r"----[- ]?BEGIN (?:[A-Z0-9]+ )*PUBLIC KEY")
_PUTTY = "PuTTY-User-Key-File-"
# PROTOCOL.key of OpenSSH: these bytes come first.
_MAGIC = b"openssh-key-v1\0"
_KINDS = ("", "OPENSSH ", "RSA ", "DSA ", "EC ", "ENCRYPTED ")


class PrivateKey(Value):
    """A private key that is in no file. It is handed to an agent of its own and never written to the disk.

    Args:
        text: the key as in a file of OpenSSH's (or PEM, or PKCS#8), as str or bytes. Line ends and the missing end of
            the last line do not matter. It may be encrypted: `passphrase=` of `connect` opens it. Never shown.

    Raises:
        InvalidKey: it is something else; the message says what.
    """

    text: str | bytes

    _hidden = frozenset({"text"})

    def __post_init__(self) -> None:
        self._set(text=_checked(self.text))

    def __reduce__(self) -> str:
        raise TypeError("private keys are not pickled")

    @property
    def data(self) -> bytes:
        """What `ssh-add -` reads."""
        assert isinstance(self.text, bytes)
        return self.text

    @property
    def encrypted(self) -> bool:
        """Whether it takes a passphrase, as far as it can be seen from outside."""
        if b"BEGIN OPENSSH " not in self.data:
            return b"ENCRYPTED" in self.data
        body = b"".join(self.data.split(b"\n")[1:-2])
        return not base64.b64decode(body).startswith(_MAGIC + b"\0\0\0\4none")

    @staticmethod
    def looks_like_one(text: str) -> bool:
        """Whether a str is meant as a key (of whatever kind) rather than as the path of a file."""
        return "-----BEGIN " in text or "\n" in text or text.startswith(_PUTTY) or bool(_PUBLIC.match(text))


def _checked(given: object) -> bytes:
    if isinstance(given, bytes):
        text = given[: _LONGEST + 1].decode("latin-1")
    elif isinstance(given, str):
        text = given
    else:
        raise InvalidKey(f"a private key is text or bytes, not {type(given).__name__}")
    if len(text) > _LONGEST:
        raise InvalidKey(f"the private key has more than {_LONGEST} bytes, so it is none")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n \t\ufeff") + "\n"
    block = _BLOCK.search(text)
    if block is None:
        raise _instead(text)
    if block["kind"] not in _KINDS:
        raise InvalidKey(f"ssh knows no private key of the kind {block['kind'].strip()}")
    _check_body(block["kind"], block["body"])
    return block[0].encode("ascii") + b"\n"


def _instead(text: str) -> InvalidKey:
    """What the text is, as it is no private key."""
    if text.startswith(_PUTTY):
        return InvalidKey(
            "the private key is in PuTTY's format",
            advice="Convert it: puttygen key.ppk -O private-openssh -o key",
        )
    if _PUBLIC_BLOCK.search(text) or _PUBLIC.match(text.lstrip()):
        return InvalidKey("this is a public key; the private one is needed", advice="It is in the file without .pub")
    if "-----BEGIN " in text:
        return InvalidKey("the private key is incomplete: its last line (-----END ...) is missing or another one")
    return InvalidKey("this is no private key")


def _check_body(kind: str, body: str) -> None:
    if not body.isascii():
        raise InvalidKey("the private key has a character in it that is no ASCII")
    # An encrypted one of the old kind begins with headers and a blank line (RFC 1421 section 4.6).
    head, blank, rest = body.partition("\n\n")
    lines = (rest if blank and ":" in head else body).split()
    try:
        data = base64.b64decode("".join(lines), validate=True)
    except binascii.Error:
        raise InvalidKey("the private key is damaged: it is no Base64") from None
    if kind == "OPENSSH " and not data.startswith(_MAGIC):
        raise InvalidKey("the private key is damaged: it does not begin like one of OpenSSH's")


class HostKey(Value):
    """A key that a server showed.

    Attributes:
        host: the name it is looked for under in known_hosts: the address or name, or HostKeyAlias.
        port: the server's port.
        type: as in known_hosts, such as `ssh-ed25519` (RFC 4253 section 6.6).
        base64: the key itself, as in known_hosts; empty where ssh told only its fingerprint.
        fingerprint: `SHA256:` and the hash, as ssh shows it.
    """

    host: str
    port: int
    type: str
    base64: str
    fingerprint: str

    @classmethod
    def read(cls, name: str, type: str, base64_text: str) -> HostKey:
        """From a line of known_hosts: `name` is `host`, or `[host]:port` where the port is not 22.

        Raises:
            ValueError: that is no key.
        """
        import hashlib

        host, port = name, 22
        if name.startswith("[") and "]:" in name:
            host, _, digits = name[1:].rpartition("]:")
            port = int(digits)

        digest = hashlib.sha256(base64.b64decode(base64_text, validate=True)).digest()
        return cls(host, port, type, base64_text, "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("="))

    @property
    def known_hosts_line(self) -> str:
        """As a line of a known_hosts file, without its end."""
        name = self.host if self.port == 22 else f"[{self.host}]:{self.port}"
        return f"{name} {self.type} {self.base64}"
