"""What to log in with, and how, in the words of the core.

paramiko reads no ssh_config, offers the keys it was given, then the agent's, then those in ~/.ssh, then the password.
ssh(1) is told to do the same, as near as it can.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from openssh_core import InvalidKey, PrivateKey, Prompt

from ._foreign import as_ours
from ._key_text import read_key_text
from ._temporary import private_directory
from .agent import AgentKey
from .pkey import PKey
from .ssh_exception import SSHException

__all__ = ["Credentials", "KeyFiles", "paths_of"]

KeyFiles = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None

_DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk")
_CERTIFICATE = "-cert.pub"


class Credentials:
    """What there is to log in with. Never shown.

    Args:
        password: the account's; also tried as passphrase when there is none.
        passphrase: of the key files.
        key_filename: key file(s), or their certificates.
        pkeys: key objects, of ours or of the original's.
        agent, defaults: whether the agent's keys and those in ~/.ssh are offered.
        answer: answers what else the server asks.
        methods: the only ways that are tried, in this order; None for all there is something for.
        ticket: whether a ticket (GSSAPI) may do.
    """

    def __init__(
        self,
        *,
        password: str | None = None,
        passphrase: str | None = None,
        key_filename: KeyFiles = None,
        pkeys: Iterable[PKey] = (),
        agent: bool = False,
        defaults: bool = False,
        answer: Callable[[Prompt], str | None] | None = None,
        methods: Iterable[str] | None = None,
        ticket: bool = False,
    ) -> None:
        self.password = _text(password)
        self.passphrase = _text(passphrase)
        self.key_filename = key_filename
        self.pkeys = tuple(map(as_ours, pkeys))
        self.agent = agent
        self.defaults = defaults
        self.answer = answer
        self.methods = None if methods is None else tuple(methods)
        self.ticket = ticket

    def __repr__(self) -> str:
        return "<Credentials>"

    def and_then(self, other: Credentials) -> Credentials:
        """What was accepted as a part, and what follows."""
        methods = dict.fromkeys([*(self.methods or ()), *(other.methods or ())])
        return Credentials(
            password=self.password if other.password is None else other.password,
            pkeys=[*self.pkeys, *other.pkeys],
            answer=other.answer or self.answer,
            methods=methods,
        )

    def without_keys_in_memory(self) -> Credentials | None:
        """What is left to try with the agent, which is not asked while a key in memory is offered; None for nothing."""
        if not self.pkeys or not self.agent or "SSH_AUTH_SOCK" not in os.environ:
            return None
        return Credentials(
            password=self.password,
            passphrase=self.passphrase,
            key_filename=self.key_filename,
            agent=True,
            defaults=self.defaults,
            answer=self.answer,
            ticket=self.ticket,
        )

    # ---- what there is

    def tried(self) -> frozenset[str]:
        """The methods there is something for."""
        if self.methods is not None:
            return frozenset(self.methods)
        methods = set()
        has_agent = self.agent and "SSH_AUTH_SOCK" in os.environ
        if self.pkeys or self.key_filename or has_agent or (self.defaults and self._found()):
            methods.add("publickey")
        if self.password is not None:
            methods.add("password")
        if self.ticket:
            methods.add("gssapi-with-mic")
        return frozenset(methods)

    def locked(self) -> bool:
        """Whether a key file that was given is encrypted and nothing was given that might open it."""
        if self.password is not None or self.passphrase is not None:
            return False
        return any(_is_encrypted(path) for path in self._given())

    def _given(self) -> list[str]:
        return [_existing(path.removesuffix(_CERTIFICATE)) for path in paths_of(self.key_filename)]

    def _found(self) -> list[str]:
        if not self.defaults:
            return []
        paths = [os.path.expanduser(f"~/.ssh/{name}") for name in _DEFAULT_KEYS]
        return [path for path in paths if os.path.isfile(path)]

    # ---- for ssh

    @contextmanager
    def arguments(self) -> Iterator[dict[str, Any]]:
        """Arguments for `openssh_core.connect`, good until the end of the block.

        Raises:
            FileNotFoundError: a key file is not there.
            SSHException: a key object has no private part.
        """
        with private_directory() if self.pkeys else nullcontext("") as directory:
            keys: list[str | PrivateKey] = []
            certificates: list[str] = []
            for number, pkey in enumerate(self.pkeys):
                keys.append(_offered(pkey, os.path.join(directory, f"{number}.pub")))
                if pkey.public_blob is not None:
                    certificates.append(_line(pkey.public_blob.key_type, pkey.public_blob.key_blob))
            keys += [_as_ssh_reads_it(path) for path in self._given()]
            in_memory = any(isinstance(key, PrivateKey) for key in keys)
            keys += self._found()
            yield {
                "key": keys or None,
                "certificate": certificates or None,
                "password": self.password,
                "passphrase": self._passphrase_source(),
                "answer": self.answer,
                "agent": in_memory or self.agent or any(isinstance(key, AgentKey) for key in self.pkeys),
                "options": self._options(bool(keys), in_memory),
            }

    def _passphrase_source(self) -> Callable[[str], str | None] | None:
        """A function, because a secret given as text answers one question only, and there may be several keys."""
        in_memory = [one.private.passphrase for one in self.pkeys if one.private and one.private.passphrase is not None]
        for_files = self.password if self.passphrase is None else self.passphrase
        if for_files is None and not in_memory:
            return None

        def answer(question: str) -> str | None:
            # ssh-add asks for keys in memory, one after the other, and calls each by the same name.
            return in_memory.pop(0) if "(stdin)" in question and in_memory else for_files

        return answer

    def _options(self, has_keys: bool, in_memory: bool) -> dict[str, Any]:
        # paramiko compares no addresses.
        options: dict[str, Any] = {"CheckHostIP": "no"}
        if has_keys and self.agent and not in_memory:
            options["IdentitiesOnly"] = "no"
        if not has_keys:
            # ssh looks into ~/.ssh unless it is told of a file, or that there is none.
            options["IdentityFile"] = "none"
            if not self.agent:
                options["PubkeyAuthentication"] = "no"
        if self.methods is not None:
            options["PreferredAuthentications"] = ",".join(self.methods) or "none"
        return options


def paths_of(given: KeyFiles) -> list[str]:
    """One file, several, or none, as a list of paths."""
    if not given:
        return []
    paths: Iterable[str | os.PathLike[str]] = [given] if isinstance(given, str | os.PathLike) else given
    return [os.path.expanduser(os.fspath(path)) for path in paths]


def _text(secret: str | bytes | None) -> str | None:
    return secret.decode("utf-8", "surrogateescape") if isinstance(secret, bytes) else secret


def _existing(path: str) -> str:
    with open(path, "rb"):
        return path


def _as_ssh_reads_it(path: str) -> str | PrivateKey:
    """A key file, or what is in it: ssh refuses files that others can read, and paramiko does not look."""
    status = os.stat(path)
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o077:
        with open(path, "rb") as file:
            try:
                return PrivateKey(file.read())
            except InvalidKey:
                pass  # a public key, perhaps, of one that the agent has
    return path


def _offered(pkey: PKey, path: str) -> str | PrivateKey:
    """A key object: its private part, or for a key of the agent, a file with the public one."""
    if isinstance(pkey, AgentKey):
        with open(path, "w", encoding="ascii") as file:
            file.write(_line(pkey.get_name(), pkey.blob))
        return path
    if pkey.private is None:
        raise SSHException(f"{pkey!r} has no private part, so it cannot log in")
    return PrivateKey(pkey.private.text)


def _line(kind: str, blob: bytes) -> str:
    return f"{kind} {base64.b64encode(blob).decode('ascii')}\n"


def _is_encrypted(path: str) -> bool:
    """Whether a private key file needs a passphrase, as far as it can be seen from outside."""
    with open(path, "rb") as file:
        try:
            shown = read_key_text(file.read(65_536))
        except ValueError:
            return False
    return shown is not None and shown.encrypted
