"""sshfs(1), only ever over its standard input and output: the way to the server is not its business."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..errors import InvalidOption
from .names import remote_operand

OptionValue = str | int | bool

_WAY = "the connection is the way"
_PROCESS = "this library starts and ends the program"
# What cannot be given, and why. ssh's own options are refused by sshfs itself in this form.
_FORBIDDEN = {
    "auto_unmount": _PROCESS,
    "delay_connect": _WAY,
    "directport": _WAY,
    "max_conns": _WAY,
    "passive": _WAY,
    "password_stdin": _WAY,
    "port": _WAY,
    "reconnect": _WAY,
    "sftp_server": _WAY,
    "slave": _WAY,
    "ssh_command": _WAY,
    "ssh_protocol": _WAY,
    "vsock": _WAY,
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# The release that calls it `passive`; `slave` before.
_PASSIVE_SINCE = (3, 7)


def option_words(options: Mapping[str, OptionValue]) -> tuple[str, ...]:
    """The words after `-o`, each with the commas in it escaped.

    Args:
        options: mount options of sshfs(1) and mount.fuse(8). True gives the name alone, False leaves it out.

    Raises:
        InvalidOption: a name that is none or cannot be given here, or a value that cannot be written.
    """
    return tuple(_words(options))


def _words(options: Mapping[str, OptionValue]) -> Iterator[str]:
    for name, value in options.items():
        if not _NAME.fullmatch(name):
            raise InvalidOption(f"{name!r} is no mount option")
        if name in _FORBIDDEN:
            raise InvalidOption(f"the mount option {name} cannot be given here: {_FORBIDDEN[name]}")
        if value is True:
            yield name
        elif value is not False:
            yield f"{name}={_escaped(name, value)}"


def _escaped(name: str, value: OptionValue) -> str:
    if not isinstance(value, str | int) or not str(value).isprintable() or not str(value):
        raise InvalidOption(f"the value of the mount option {name} is empty, no text or cannot be printed")
    return re.sub(r"[\\,]", r"\\\g<0>", str(value))


def parse_version(said: str) -> tuple[int, int] | None:
    """The version, from `sshfs --version`; None when it does not say."""
    found = re.search(r"SSHFS version (\d+)\.(\d+)", said, re.IGNORECASE)
    return (int(found[1]), int(found[2])) if found else None


def argv(
    program: str,
    version: tuple[int, int] | None,
    source: str,
    mountpoint: str,
    options: tuple[str, ...],
    *,
    host: str = "server",
) -> list[str]:
    """The command line.

    Args:
        version: of that program; None takes the name that old and new ones know.
        source: the directory to be seen.
        mountpoint: an absolute path.
        options: `option_words` makes them.
        host: stands in the list of mounts.
    """
    new = version is not None and version >= _PASSIVE_SINCE
    words = [program, remote_operand(host, source), mountpoint, "-f", "-o", "passive" if new else "slave"]
    for option in options:
        words += ["-o", option]
    return words
