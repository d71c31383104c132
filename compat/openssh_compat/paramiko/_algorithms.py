"""Choices of algorithms in the words of ssh_config(5)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from functools import cache

from .ssh_exception import SSHException

__all__ = ["disabled", "preferred"]

# paramiko's words for them, and the options.
_OPTIONS = {
    "ciphers": "Ciphers",
    "macs": "MACs",
    "keys": "HostKeyAlgorithms",
    "pubkeys": "PubkeyAcceptedAlgorithms",
    "kex": "KexAlgorithms",
}

# Before OpenSSH 8.5 that one had another name, which newer ones still take.
_OLD_NAMES = {"pubkeyacceptedalgorithms": "pubkeyacceptedkeytypes"}

# RSA's signatures.
_SHA2 = frozenset({"rsa-sha2-256", "rsa-sha2-512"})
_SHA1 = "ssh-rsa"

# Seconds.
_PATIENCE = 30.0


def option_of(kind: str) -> str:
    """The option for one of paramiko's kinds."""
    return _OPTIONS[kind]


def disabled(algorithms: Mapping[str, Iterable[str]] | None) -> dict[str, str]:
    """Options that leave algorithms out.

    Args:
        algorithms: by kind (`ciphers`, `macs`, `keys`, `pubkeys`, `kex`). paramiko ignores other kinds; so does this.
    """
    options = {}
    for kind, names in (algorithms or {}).items():
        names = list(names)
        if kind in _OPTIONS and names:
            options[_OPTIONS[kind]] = "-" + ",".join(names)
            if _wants_sha1(kind, names):
                options[_OPTIONS[kind]] = ",".join([*(one for one in preferred(kind) if one not in names), _SHA1])
    return options


def _wants_sha1(kind: str, names: list[str]) -> bool:
    """Whether RSA is left with SHA-1 only, which ssh does not offer by itself since 8.8: that is how programs for
    paramiko 2.9 to 3 ask for it, where a server knows nothing else.
    """
    return kind in ("keys", "pubkeys") and _SHA2.issubset(names) and _SHA1 not in names


@cache
def preferred(kind: str) -> tuple[str, ...]:
    """What this ssh offers, the best first.

    Raises:
        SSHException: it does not say.
    """
    wanted = _OPTIONS[kind].lower()
    for line in _defaults():
        name, _, value = line.partition(" ")
        if name in (wanted, _OLD_NAMES.get(wanted)):
            return tuple(value.split(","))
    raise SSHException(f"ssh -G does not tell {_OPTIONS[kind]}")


@cache
def _defaults() -> tuple[str, ...]:
    argv = ["ssh", "-G", "-F", "none", "--", "localhost"]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SSHException(f"ssh -G does not answer: {error}") from error
    return tuple(done.stdout.splitlines())


@cache
def ssh_version() -> str:
    """As ssh introduces itself to servers: `OpenSSH_9.2p1 ...`; empty where it does not say."""
    try:
        done = subprocess.run(
            ["ssh", "-V"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stderr.strip().split(",")[0]
