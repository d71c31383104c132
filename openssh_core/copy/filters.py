"""Which files of a tree are wanted. Pure: paths in, a decision out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal

from .._value import Value
from ..errors import InvalidInput

Kind = Literal["file", "directory", "link", "other"]


class Entry(Value):
    """Something in a tree, before anything is done with it.

    Attributes:
        path: from the top of the tree, with slashes; bytes that are no UTF-8 as surrogates.
        kind: `file`, `directory`, `link` or `other`.
        size: bytes, as far as is known.
        mtime: seconds since 1970, as far as is known.
    """

    path: str
    kind: Kind
    size: int | None = None
    mtime: int | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


Wanted = Callable[[Entry], object]
Rules = str | Wanted | Iterable["str | Wanted"] | None
"""A pattern, a function that is given an `Entry`, or several of them.

A pattern without a slash is for the last part of a path (`*.o`); one with a slash for all of it, from the top of the
tree (`build/*.o`, `docs/**/*.png`). One with a slash at its end is for directories only (`__pycache__/`)."""


class Filter:
    """Decides what is wanted.

    Args:
        include: files that do not fit are left out; directories are looked into all the same.
        exclude: what fits is left out, a directory with all that is in it. It is asked first.

    Raises:
        InvalidInput: something that is neither a pattern nor a function.
    """

    def __init__(self, include: Rules = None, exclude: Rules = None) -> None:
        self._include = _tests(include, "include")
        self._exclude = _tests(exclude, "exclude")

    def wants(self, entry: Entry) -> bool:
        """Whether it, or what is in it, is wanted."""
        if any(test(entry) for test in self._exclude):
            return False
        if not self._include or entry.kind == "directory":
            return True
        return any(test(entry) for test in self._include)


def _tests(rules: Rules, what: str) -> list[Wanted]:
    if rules is None:
        return []
    if isinstance(rules, str) or callable(rules):
        rules = [rules]
    if not isinstance(rules, Iterable):
        raise InvalidInput(f"{what}={rules!r} is no pattern, function or list of those")
    return [_test(rule, what) for rule in rules]


def _test(rule: str | Wanted, what: str) -> Wanted:
    if callable(rule):
        return rule
    if not isinstance(rule, str) or not rule.strip("/"):
        raise InvalidInput(f"{what} has {rule!r} in it, which is no pattern and no function")
    only_directories = rule.endswith("/")
    pattern = rule.rstrip("/")
    whole = "/" in pattern
    fits = _compiled(pattern.lstrip("/")).fullmatch

    def test(entry: Entry) -> bool:
        if only_directories and entry.kind != "directory":
            return False
        return fits(entry.path if whole else entry.name) is not None

    return test


def _compiled(pattern: str) -> re.Pattern[str]:
    """Part by part, for `*` does not reach over a slash; `**` is any number of parts."""
    parts = ["(?:[^/]+/)*" if part == "**" else part_expression(part) + "/" for part in pattern.split("/")]
    # The last part has no slash behind it; after a final `**` anything may follow.
    last = parts.pop()
    last = last[:-1] if last.endswith("/") else last + "[^/]+"
    return re.compile("".join([*parts, last]), re.DOTALL)


_WILD = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


def part_expression(part: str) -> str:
    """The regular expression of a pattern for one part of a path."""
    return "".join(_of_piece(piece) for piece in _WILD.findall(part))


def _of_piece(piece: str) -> str:
    if piece.startswith("*"):
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 2 and piece.startswith("["):
        no, inner = ("^", piece[2:-1]) if piece[1] == "!" else ("", piece[1:-1])
        inner = re.sub(r"[\\\[\]^&~|]", r"\\\g<0>", inner)
        return f"(?!/)[{no}{inner}]"
    return re.escape(piece)
