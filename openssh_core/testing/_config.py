"""Configuration files are text made from mappings; nothing here reads, writes or runs anything.

Each keyword stands once in sshd_config: for most of them sshd takes the first value, for some the last, for some all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import InvalidOption

Value = str | int | bool | None | Sequence[str]
"""A value of an option: True and False mean yes and no, several strings several lines, None leaves our default out."""

# What these say is known from elsewhere: the port is found, the log must tell about it, keys and names must agree.
_OURS = ("Port", "ListenAddress", "PidFile", "HostKey")
_TOO_QUIET = ("quiet", "fatal", "error")

_DEFAULTS: dict[str, Value] = {
    "StrictModes": False,  # the files are in a temporary directory, whose parents everybody may write to
    "UsePAM": False,  # no session modules of the machine: they cost time and write logs
    "PidFile": "none",
    "PermitRootLogin": True,
    "PermitUserRC": False,  # ~/.ssh/rc is found by the password file's home, not by HOME
    "PrintMotd": False,
    "PrintLastLog": False,
    "MaxStartups": 1000,  # the default refuses logins at random from the tenth at a time on
    "Subsystem": "sftp internal-sftp",
    # What 9.0 to 9.9 would choose takes 0.1 s of processor time on either side of every login. Left are curve25519, and
    # from 9.9 on the other exchange that is safe from quantum computers, without which later clients print a warning.
    "KexAlgorithms": "-sntrup761x25519*",
}


def defaults(version: tuple[int, int]) -> dict[str, Value]:
    """What every server of ours has, unless it is told otherwise. `version` is sshd's, as (9, 8)."""
    known: dict[str, Value] = dict(_DEFAULTS)
    if version >= (9, 8):
        known["PerSourcePenalties"] = False  # a test of wrong passwords would lock out the next one
    return known


def merged(base: Mapping[str, Value], chosen: Mapping[str, Value]) -> dict[str, Value]:
    """`base` with the caller's options put over it; keywords compare as sshd does, without case.

    Raises:
        InvalidOption: an option that the server sets itself, or a LogLevel that hides what it must read.
    """
    options = dict(base)
    for name, value in chosen.items():
        _check(name, value)
        same = next((known for known in options if known.lower() == name.lower()), name)
        if same.lower() == "setenv":
            # Only the first SetEnv line counts, and in it the first value of a name.
            value = " ".join(filter(None, [_joined(value), _joined(options.get(same))]))
        options[same] = value
    return options


def _check(name: str, value: Value) -> None:
    if not name.isalnum():
        raise InvalidOption(f"{name!r} is not the name of an sshd_config option")
    if name.lower() in (ours.lower() for ours in _OURS):
        raise InvalidOption(f"{name} is set by the server itself")
    if name.lower() == "loglevel" and str(value).lower() in _TOO_QUIET:
        raise InvalidOption(f"LogLevel {value} hides what the server must read in its log", advice="INFO is the least")
    if any(set(line) & set("\r\n\0") for line in _lines(value)):
        raise InvalidOption(f"a line end or NUL in the value of {name}")


def _lines(value: Value) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, (str, int)):
        return [str(value)]
    return list(value)


def _joined(value: Value) -> str:
    return " ".join(_lines(value))


def rendered(options: Mapping[str, Value]) -> str:
    """The text of the file."""
    return "".join(f"{name} {line}\n" for name, value in options.items() for line in _lines(value))


def client_config(alias: str, options: Mapping[str, Value]) -> str:
    """An ssh_config of one host: `ssh -F file alias` needs nothing else, and asks no agent and no file of the user."""
    common: dict[str, Value] = {
        "IdentitiesOnly": True,
        "IdentityAgent": "none",
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": True,
    }
    return f"Host {alias}\n" + "".join(f"  {line}" for line in rendered({**options, **common}).splitlines(True))
