"""A destination is read by us and checked against what can be one, so that ssh never has to guess what was meant.

    alias    host    user@host    user@host:port    user:password@host    user@REALM@host
    ::1      user@::1             [::1]:22          fe80::1%eth0          ssh://user@host:port

Decided once, for every place a name goes to:

- A host consists of ASCII letters, digits, `.`, `-` and `_`, or is an IPv6 address (with a zone). Longer than 253
  bytes, or with a dash in front, is none.
- A user is anything printable without the characters a shell or a pattern gives a meaning to. A backslash
  (`DOM\\user`), an at-sign and single blanks inside are allowed: the name is passed by `-l`, never glued to the host.
- The last at-sign ends the user; the first colon before it ends the user's name and begins a password.
- No error repeats the text it is about: there may be a password in it.
"""

from __future__ import annotations

import re

from ..errors import InvalidTarget
from ..options import Target

__all__ = ["Target", "check_host", "check_port", "check_target", "check_user", "parse_target"]

_LONGEST_HOST = 253
_LONGEST_USER = 255

_HOST = re.compile(r"[A-Za-z0-9._-]+")
_NOT_IN_HOST = re.compile(r"[^A-Za-z0-9._-]")
_ZONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}")
_IPV4 = re.compile(r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}")

# ssh hands the user to the shell of a ProxyCommand (%r): what that shell, or ssh's own patterns, would act on.
_NOT_IN_USER = re.compile(r"""['"`;&<>|(){}\[\]$*?!^~]""")
_PORT = re.compile(r"[0-9]{1,5}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def parse_target(text: str, *, user: str | None = None, port: int | None = None) -> Target:
    """Read a destination.

    Args:
        text: see the top of this module.
        user, port: the same facts, given apart. They may repeat what `text` says, not contradict it.

    Raises:
        InvalidTarget: it is none; the reason is in the message, the text is not.
    """
    if not isinstance(text, str):
        raise InvalidTarget(f"a target is text, not {type(text).__name__}")
    if not text:
        raise InvalidTarget("the target is empty")
    if _has_control(text):
        raise InvalidTarget("the target contains a control character")
    scheme = _SCHEME.match(text)
    if scheme is None:
        given = _parse_plain(text)
    elif scheme[1].lower() == "ssh":
        given = _parse_url(text[scheme.end() :])
    else:
        raise InvalidTarget(f"the target is a {scheme[1]}:// URL; only ssh:// URLs are understood")
    if None not in (user, given.user) and user != given.user:
        raise InvalidTarget("the target names another user than user=")
    if None not in (port, given.port) and port != given.port:
        raise InvalidTarget("the target names another port than port=")
    target = Target(
        given.host,
        given.user if user is None else user,
        given.port if port is None else port,
        given.password,
    )
    check_target(target)
    return target


def check_target(target: Target) -> None:
    """See that every part of it can be what it says.

    Raises:
        InvalidTarget: one cannot.
    """
    check_host(target.host)
    if target.user is not None:
        check_user(target.user)
    if target.port is not None:
        check_port(target.port)


def check_host(host: str) -> None:
    """See that this is a host name, an alias or an address.

    Raises:
        InvalidTarget: it is none.
    """
    if not isinstance(host, str) or not host:
        raise InvalidTarget("the target has no host")
    if len(host) > _LONGEST_HOST:
        raise InvalidTarget(f"the host is longer than {_LONGEST_HOST} characters")
    if host.startswith("-"):
        raise InvalidTarget("the host begins with a dash")
    if ":" in host:
        if not _is_ipv6(host):
            raise InvalidTarget("the host has colons in it and is no IPv6 address")
    elif not _HOST.fullmatch(host):
        wrong = _NOT_IN_HOST.search(host)
        raise InvalidTarget(f"the host contains {_name_of(wrong[0] if wrong else '')}")


def check_user(user: str) -> None:
    """See that this is a user name that can safely be handed to ssh.

    Raises:
        InvalidTarget: it is none.
    """
    if not isinstance(user, str) or not user:
        raise InvalidTarget("the user name is empty")
    if len(user) > _LONGEST_USER:
        raise InvalidTarget(f"the user name is longer than {_LONGEST_USER} characters")
    if not user.isprintable():
        raise InvalidTarget("the user name contains a character that cannot be printed")
    if wrong := _NOT_IN_USER.search(user):
        raise InvalidTarget(f"the user name contains {_name_of(wrong[0])}")
    if user.endswith("\\"):
        raise InvalidTarget("the user name ends with a backslash")
    # After a blank these begin an option or a comment, should the name ever pass through a shell.
    if any(word.startswith(("-", "#")) or not word for word in user.split(" ")):
        raise InvalidTarget("the user name, or a word in it, begins with a dash, a number sign or a blank")


def check_port(port: int) -> None:
    """See that this is a TCP port.

    Raises:
        InvalidTarget: it is none.
    """
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 0xFFFF:
        raise InvalidTarget(f"port={port!r} is no number from 1 to 65535")


def _parse_plain(text: str) -> Target:
    left, at, right = text.rpartition("@")
    user, colon, password = left.partition(":")
    if at and not user:
        raise InvalidTarget("the target has no user before the at-sign")
    host, port = _split_host(right)
    return Target(host, user if at else None, port, password if colon else None)


def _parse_url(rest: str) -> Target:
    rest = rest.removesuffix("/")
    if re.search("[/?#]", rest):
        raise InvalidTarget("an ssh:// URL has no path, query or fragment")
    given = _parse_plain(rest)
    if given.user is not None and ";" in given.user:
        raise InvalidTarget("parameters in an ssh:// URL are not understood")
    decoded = Target(
        _decoded(given.host),
        None if given.user is None else _decoded(given.user),
        given.port,
        None if given.password is None else _decoded(given.password),
    )
    if any(_has_control(part) for part in (decoded.host, decoded.user or "", decoded.password or "")):
        raise InvalidTarget("the ssh:// URL contains an encoded control character")
    return decoded


def _split_host(text: str) -> tuple[str, int | None]:
    """Host and port. A bare IPv6 address has no port."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidTarget("the bracket around the host is not closed, or not followed by a colon and a port")
        if ":" not in host:
            raise InvalidTarget("only an IPv6 address stands in brackets")
        return host, _read_port(rest[1:]) if rest else None
    if text.count(":") != 1:
        return text, None
    host, _, port = text.partition(":")
    return host, _read_port(port)


def _read_port(text: str) -> int:
    if not _PORT.fullmatch(text):
        raise InvalidTarget("the port is no number from 1 to 65535")
    return int(text)


def _decoded(text: str) -> str:
    """RFC 3986 section 2.1."""
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise InvalidTarget("the ssh:// URL has a percent sign without two hexadecimal digits after it")
    try:
        raw = re.sub(rb"%(..)", lambda match: bytes.fromhex(match[1].decode("ascii")), text.encode())
        return raw.decode()
    except UnicodeError:
        raise InvalidTarget("the ssh:// URL is no UTF-8") from None


def _is_ipv6(text: str) -> bool:
    """RFC 4291 section 2.2, with the zone of RFC 4007 section 11."""
    address, percent, zone = text.partition("%")
    if percent and not _ZONE.fullmatch(zone):
        return False
    head, gap, tail = address.partition("::")
    groups = [*(head.split(":") if head else []), *(tail.split(":") if tail else [])]
    size = len(groups)
    if groups and "." in groups[-1]:
        if not _IPV4.fullmatch(groups.pop()) or (gap and not tail):
            return False
        size += 1
    return (size <= 7 if gap else size == 8) and all(_GROUP.fullmatch(group) for group in groups)


def _has_control(text: str) -> bool:
    return any(char < " " or "\x7f" <= char <= "\x9f" for char in text)


def _name_of(char: str) -> str:
    return {" ": "a blank", "'": "an apostrophe", "%": "a percent sign"}.get(char, ascii(char))
