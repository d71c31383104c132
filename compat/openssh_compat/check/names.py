"""What becomes of one name: it is looked up in the adapter itself, so the answer cannot be out of date."""

from __future__ import annotations

import enum
import functools
import importlib
import inspect
from types import ModuleType
from typing import Any, NamedTuple

from .._shim import is_refused
from .differences import DIFFERENCES

# Module of the original -> module here.
LIBRARIES = {
    "paramiko": "openssh_compat.paramiko",
    "fabric": "openssh_compat.fabric",
    "subprocess": "openssh_compat.subprocess",
    "pexpect.pxssh": "openssh_compat.pxssh",
}


class Status(enum.Enum):
    """How a name behaves here."""

    SAME = "same"
    DIFFERENT = "different"
    ABSENT = "absent"


class Verdict(NamedTuple):
    """A name, and what becomes of it.

    Attributes:
        name: as it is written with the library in front: `paramiko.SSHClient.exec_command`.
        status: see `Status`.
        remark: how it differs, or why it is not there.
    """

    name: str
    status: Status
    remark: str = ""


def library_of(name: str) -> str | None:
    """Which of the libraries a dotted name belongs to, None for none of them."""
    return next((library for library in LIBRARIES if name == library or name.startswith(f"{library}.")), None)


@functools.cache
def verdict_on(name: str) -> Verdict:
    """What becomes of a dotted name of one of the libraries."""
    library = library_of(name)
    if library is None:
        raise ValueError(f"{name!r} is of none of {', '.join(LIBRARIES)}")
    words = name.removeprefix(library).strip(".").split(".") if name != library else []
    found, rest = _module(LIBRARIES[library], words)
    if found is None:
        return Verdict(name, Status.ABSENT, f"there is no {LIBRARIES[library]} in this version")
    place: Any = found
    for at, word in enumerate(rest):
        try:
            place = _member(place, word)
        except AttributeError as error:
            return Verdict(name, Status.ABSENT, "" if at else str(error))
        if is_refused(place):
            return Verdict(name, Status.ABSENT, "it raises NotImplementedError")
    remark = DIFFERENCES.get(library, {}).get(".".join(_short(words)))
    return Verdict(name, Status.DIFFERENT, remark) if remark else Verdict(name, Status.SAME)


def class_named(name: str) -> bool:
    """Whether a dotted name is a class here: what is called by it is an instance of it then."""
    library = library_of(name)
    if library is None or name == library:
        return False
    found, rest = _module(LIBRARIES[library], name.removeprefix(f"{library}.").split("."))
    place: Any = found
    for word in rest:
        place = getattr(place, word, None)
    return inspect.isclass(place)


def short(name: str) -> str:
    """The name without submodules: `paramiko.client.SSHClient` is `paramiko.SSHClient`."""
    library = library_of(name)
    if library is None or name == library:
        return name
    return ".".join([library, *_short(name.removeprefix(f"{library}.").split("."))])


def _short(words: list[str]) -> list[str]:
    # Submodules are in lower case, and what is looked for stands behind them. fabric.main.program is no class.
    if len(words) > 1 and words[0].islower() and words[1][:1].isupper():
        return words[1:]
    return words


def _module(top: str, words: list[str]) -> tuple[ModuleType | None, list[str]]:
    """The module that a dotted name begins with, and what is left of the name."""
    try:
        module = importlib.import_module(top)
    except ModuleNotFoundError:
        return None, words
    for at, word in enumerate(words):
        try:
            module = importlib.import_module(f"{module.__name__}.{word}")
        except (ModuleNotFoundError, AttributeError):
            return module, words[at:]
    return module, []


def _member(place: Any, word: str) -> Any:
    if not inspect.isclass(place):
        return getattr(place, word)
    try:
        return inspect.getattr_static(place, word)
    except AttributeError:
        # What __init__ sets is no member of the class; asked of the source it need not be made to be seen.
        if word in _set_by(place):
            return None
        raise


def _set_by(kind: type) -> frozenset[str]:
    """The names that a class and its bases set on `self`."""
    names: set[str] = set()
    for base in kind.__mro__:
        for member in vars(base).values():
            code = getattr(inspect.unwrap(member), "__code__", None) if inspect.isroutine(member) else None
            names.update(code.co_names if code else ())
        names.update(getattr(base, "__annotations__", ()))
    return frozenset(names)
