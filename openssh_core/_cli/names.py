"""Names of files as other programs take them: what could be read as an option, a host or a pattern is spelled so that
it cannot.

A name is text, with bytes that are no UTF-8 carried by "surrogateescape"; bytes and path objects are taken too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from ..errors import InvalidInput


class PathLike(Protocol):
    """A path object, such as pathlib's."""

    def __fspath__(self) -> str | bytes: ...


Name = str | bytes | PathLike
Names = Name | Iterable[Name]

_PATTERN = re.compile(r"[*?\[]")
_ESCAPED = re.compile(r"[*?\[\]\\]")


def name_of(given: Name, what: str) -> str:
    """One name, as text.

    Args:
        what: names it in the message.

    Raises:
        InvalidInput: it is empty, has a NUL in it, or is no name at all.
    """
    path = given if isinstance(given, str | bytes) else _path_of(given, what)
    name = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
    if not name:
        raise InvalidInput(f"{what} is empty", advice="'.' means the directory itself")
    if "\0" in name:
        raise InvalidInput(f"{what} contains a NUL byte")
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidInput(f"{what} contains half of a surrogate pair, which is no text") from None
    return name


def names_of(given: Names, what: str) -> list[str]:
    """One or several names.

    Raises:
        InvalidInput: there is none, or see `name_of`.
    """
    if isinstance(given, str | bytes) or hasattr(given, "__fspath__"):
        return [name_of(given, what)]  # type: ignore[arg-type]
    if not isinstance(given, Iterable):
        raise InvalidInput(f"{what} is {type(given).__name__}, not the name of a file or a list of names")
    names = [name_of(name, what) for name in given]
    if not names:
        raise InvalidInput(f"{what} is an empty list of names")
    return names


def local_operand(name: str) -> str:
    """A local name for a program that takes `host:file` for a remote one and `-x` for an option."""
    return name if name.startswith("/") else f"./{name}"


def remote_operand(host: str, path: str) -> str:
    """`host:path`. A name that begins with what the programs read as something else gets a `./` in front."""
    if path.startswith(("~", "-", ":")):
        path = f"./{path}"
    return f"[{host}]:{path}" if ":" in host else f"{host}:{path}"


def has_pattern(name: str) -> bool:
    """Whether a shell, or a program that does as shells do, would look for other names."""
    return _PATTERN.search(name) is not None


def escaped_pattern(name: str) -> str:
    """The pattern that only this name fits, where a backslash escapes."""
    return _ESCAPED.sub(r"\\\g<0>", name)


def bracketed_pattern(name: str) -> str:
    """The pattern that only this name fits, where a backslash is for patterns only (rsync's own)."""
    if not has_pattern(name):
        return name
    return "/".join(_bracketed(part) if has_pattern(part) else part for part in name.split("/"))


def _bracketed(part: str) -> str:
    return re.sub(r"[*?\[]", r"[\g<0>]", part.replace("\\", "\\\\"))


def _path_of(given: PathLike, what: str) -> str | bytes:
    path = getattr(type(given), "__fspath__", None)
    found = path(given) if callable(path) else None
    if isinstance(found, str | bytes):
        return found
    raise InvalidInput(f"{what} is {type(given).__name__}, not the name of a file")
