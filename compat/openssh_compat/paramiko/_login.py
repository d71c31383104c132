"""connect()'s arguments in the words of the core.

paramiko reads no ssh_config, offers what it was given, then the agent's keys, then those in ~/.ssh, then the password.
ssh(1) is told to do the same, as near as it can.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Login"]

KeyFiles = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None

_DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")

# Seconds that paramiko gives the server's greeting, and the authentication.
_BANNER_TIMEOUT = 15.0
_AUTH_TIMEOUT = 30.0
# Seconds for the TCP connection when nobody says otherwise. (paramiko leaves that to the kernel.)
_TCP_TIMEOUT = 30.0


@dataclass(frozen=True, kw_only=True)
class Login:
    """What connect() was given to log in with.

    Attributes:
        password: the account's; also tried as passphrase when there is none.
        passphrase: of the key files.
        key_filename: key file(s).
        allow_agent, look_for_keys: whether the agent's keys and those in ~/.ssh are offered.
        compress: whether ssh compresses.
        timeout, banner_timeout, auth_timeout: seconds, None for the usual.
    """

    password: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    key_filename: KeyFiles = None
    allow_agent: bool = True
    look_for_keys: bool = True
    compress: bool = False
    timeout: float | None = None
    banner_timeout: float | None = None
    auth_timeout: float | None = None

    def options(self) -> dict[str, Any]:
        """Arguments for `openssh_core.connect`.

        Raises:
            FileNotFoundError: a key file is not there.
        """
        keys = [*self._given_keys(), *self._found_keys()] if self.key_filename else []
        return {
            "key": keys or None,
            "password": self.password,
            "passphrase": self._passphrase_source(),
            "agent": self.allow_agent,
            "connect_timeout": self._limit(),
            "options": self._ssh_options(bool(keys)),
        }

    def tried(self) -> frozenset[str]:
        """The methods there is something for."""
        methods = set()
        has_agent = self.allow_agent and "SSH_AUTH_SOCK" in os.environ
        if self.key_filename or has_agent or (self.look_for_keys and self._found_keys()):
            methods.add("publickey")
        if self.password is not None:
            methods.add("password")
        return frozenset(methods)

    def locked(self) -> bool:
        """Whether a key that was given is encrypted and nothing was given that might open it."""
        return self.password is None and self.passphrase is None and any(map(_is_encrypted, self._given_keys()))

    def _given_keys(self) -> list[str]:
        given = self.key_filename
        if not given:
            return []
        paths = [given] if isinstance(given, str | os.PathLike) else given
        return [_existing(os.path.expanduser(os.fspath(path))) for path in paths]

    def _found_keys(self) -> list[str]:
        if not self.look_for_keys:
            return []
        paths = [os.path.expanduser(f"~/.ssh/{name}") for name in _DEFAULT_KEYS]
        return [path for path in paths if os.path.isfile(path)]

    def _passphrase_source(self) -> Any:
        """A function, because a secret given as text answers one question only, and there may be several keys."""
        secret = self.password if self.passphrase is None else self.passphrase
        return None if secret is None else lambda _question: secret

    def _limit(self) -> float:
        """One limit for all of it: ssh has no others."""
        given = [limit for limit in (self.timeout, self.banner_timeout, self.auth_timeout) if limit is not None]
        if self.timeout is not None:
            return max(sum(given), 0.001)
        banner = _BANNER_TIMEOUT if self.banner_timeout is None else self.banner_timeout
        return _TCP_TIMEOUT + banner + (_AUTH_TIMEOUT if self.auth_timeout is None else self.auth_timeout)

    def _ssh_options(self, has_keys: bool) -> dict[str, Any]:
        # paramiko compares no addresses.
        options: dict[str, Any] = {"CheckHostIP": "no"}
        if self.compress:
            options["Compression"] = "yes"
        if has_keys and self.allow_agent:
            options["IdentitiesOnly"] = "no"
        if not has_keys and not self.look_for_keys:
            # ssh looks into ~/.ssh unless it is told of a file, or that there is none.
            options["IdentityFile"] = "none"
            if not self.allow_agent:
                options["PubkeyAuthentication"] = "no"
        return options


def _existing(path: str) -> str:
    with open(path, "rb"):
        return path


def _is_encrypted(path: str) -> bool:
    """Whether a private key file needs a passphrase, as far as it can be seen from outside."""
    with open(path, "rb") as file:
        text = file.read(65_536)
    if b"ENCRYPTED" in text:
        return True
    head, _, rest = text.partition(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    if head.strip() or not rest:
        return False
    try:
        # PROTOCOL.key: a magic word, then the cipher's name.
        start = base64.b64decode(rest.split(b"-----END")[0].translate(None, b"\r\n "))
    except ValueError:
        return False
    return not start.startswith(b"openssh-key-v1\0\0\0\0\x04none")
