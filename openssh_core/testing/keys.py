"""Keys are values: made by ssh-keygen once, kept in memory, written wherever a test wants them.

A key pair costs one start of ssh-keygen (some 10 ms), so a program that starts fifty servers shares one (`shared_key`).
They are for tests: nothing protects them but the mode of the file.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InvalidSecret, OpenSSHError


class KeyFailed(OpenSSHError):
    """ssh-keygen did not make a key."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair, as text.

    Attributes:
        private: what belongs into the private key file, `-----BEGIN OPENSSH PRIVATE KEY-----` and so on.
        public: the line of the `.pub` file and of authorized_keys: type, base64, comment.
        passphrase: what opens the private key; None when nothing is needed.
    """

    private: str = field(repr=False)
    public: str
    passphrase: str | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """Such as `ssh-ed25519`."""
        return self.public.split()[0]

    @property
    def blob(self) -> str:
        """The public key in base64, without type and comment."""
        return self.public.split()[1]

    @property
    def fingerprint(self) -> str:
        """As OpenSSH prints it: `SHA256:` and base64 without padding."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the private key (mode 0600) and, beside it, `.pub`. Returns the private key's path."""
        target = Path(path)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(self.private)
        Path(f"{target}.pub").write_text(self.public + "\n", encoding="utf-8")
        return target


def generate_key(*, kind: str = "ed25519", passphrase: str | None = None, comment: str = "for tests") -> Key:
    """Make a new key pair.

    Args:
        kind: as for `ssh-keygen -t`: ed25519, ecdsa, rsa.
        passphrase: encrypts the private key. At least five characters, as ssh-keygen wants.
        comment: the last field of the public key.

    Raises:
        InvalidSecret: a passphrase with a line end or NUL.
        KeyFailed: no ssh-keygen, or it refused; its words are in the message.
    """
    if passphrase is not None and set(passphrase) & set("\r\n\0"):
        raise InvalidSecret("a passphrase cannot hold line ends or NUL")
    with tempfile.TemporaryDirectory(prefix="openssh-core-key-") as directory:
        path = Path(directory, "key")
        # One round of the function that makes a key of the passphrase: more would protect it, and cost at every login.
        words = ["ssh-keygen", "-q", "-t", kind, "-a", "1", "-C", comment, "-f", str(path)]
        # Without a terminal (a new session has none) and without askpass, ssh-keygen reads the passphrase from stdin;
        # `-N` would show it to everybody who can run ps.
        words += ["-N", ""] if passphrase is None else []
        env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "SSH_ASKPASS_REQUIRE")}
        try:
            done = subprocess.run(
                words,
                input=f"{passphrase}\n{passphrase}\n".encode(),
                capture_output=True,
                env=env,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise KeyFailed("there is no ssh-keygen", advice="Install the OpenSSH client") from error
        if done.returncode:
            raise KeyFailed(f"ssh-keygen ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
        return Key(path.read_text("ascii"), Path(f"{path}.pub").read_text("utf-8").strip(), passphrase)


@functools.cache
def shared_key(purpose: str = "user", *, passphrase: str | None = None) -> Key:
    """The same ed25519 pair at every call of this process with the same arguments.

    Args:
        purpose: any word; another word, another key. Servers use `user` and `host`.
        passphrase: as for `generate_key`.
    """
    return generate_key(passphrase=passphrase, comment=f"{purpose}, for tests")


def known_hosts_name(host: str, port: int = 22) -> str:
    """A host's name in known_hosts: `host`, or `[host]:port` when the port is another than 22 (sshd(8))."""
    return host if port == 22 else f"[{host}]:{port}"


def known_hosts_line(names: str | Iterable[str], public: str, *, marker: str = "", hashed: bool = False) -> str:
    """One line of a known_hosts file, without line end; sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.

    Args:
        names: one name or several, as `known_hosts_name` makes them; `*` and `?` are wildcards.
        public: the host's public key (`Key.public`).
        marker: `@revoked` or `@cert-authority`.
        hashed: write a salted hash in place of the name; there can be one name only then.
    """
    listed = [names] if isinstance(names, str) else list(names)
    if hashed:
        (name,) = listed
        listed = [_hashed(name)]
    words = [",".join(listed), *public.split()[:2]]
    return " ".join([marker, *words] if marker else words)


def _hashed(name: str) -> str:
    salt = os.urandom(20)
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
