"""A pattern, taken apart: what is alive in it, and what stands for itself.

The meaning is the same whatever shell the parts are put together for. Braces, which not all shells know, are gone
afterwards: several patterns come out of one.
"""

from __future__ import annotations

import itertools
import re

from ..._value import Value
from ...errors import InvalidCommand


class Text(Value):
    """Characters that stand for themselves."""

    text: str


class Home(Value):
    """`~` or `~name` in front, with the slash behind it, which must not be quoted."""

    text: str


class Wild(Value):
    """`*` or `?`."""

    text: str


class Set(Value):
    """One character of a set, or of none.

    Attributes:
        negated: any character but these.
        singles: characters.
        ranges: as `a-z`.
        classes: as `[:alpha:]`.
    """

    negated: bool
    singles: str
    ranges: tuple[str, ...]
    classes: tuple[str, ...]


Part = Text | Home | Wild | Set

_HOME = re.compile(r"~[A-Za-z0-9_.-]*(?:/|\Z)")
# The inside of brackets: a class, a range, or a character, which a backslash takes the meaning of.
_ONE = r"(?:\\.|[^\\\]])"
_SET = re.compile(rf"\[(?P<not>[!^]?)(?P<body>\]?(?:\[:[a-z]+:\]|{_ONE})*)\]", re.DOTALL)
_ITEM = re.compile(r"(?P<klass>\[:[a-z]+:\])|(?P<first>\\.|[^\\])-(?P<last>\\.|[^\\\]])|(?P<one>\\.|.)", re.DOTALL)


# More than anybody means; each pair of braces may double their number.
_MOST = 4096


def parse(pattern: str) -> list[list[Part]]:
    """The patterns that one with braces means, each as its parts.

    Raises:
        InvalidCommand: that would be thousands.
    """
    return [_parts(one) for one in _without_braces(pattern)]


def _parts(pattern: str) -> list[Part]:
    parts: list[Part] = []
    text = ""
    at = 0
    if home := _HOME.match(pattern):
        parts.append(Home(home[0]))
        at = home.end()
    while at < len(pattern):
        char = pattern[at]
        found: Part | None = None
        length = 1
        if char == "\\" and at + 1 < len(pattern):
            text += pattern[at + 1]
            length = 2
        elif char in "*?":
            found = Wild(char)
        elif char == "[" and (match := _SET.match(pattern, at)) and match["body"]:
            found, length = _set(match), len(match[0])
        else:
            text += char
        if isinstance(found, Text):
            text += found.text
        elif found is not None:
            parts += [Text(text), found] if text else [found]
            text = ""
        at += length
    return [*parts, Text(text)] if text else parts


def _set(match: re.Match[str]) -> Part:
    singles, ranges, classes = "", [], []
    for item in _ITEM.finditer(match["body"]):
        if item["klass"]:
            classes.append(item["klass"])
        elif item["first"]:
            ranges.append(f"{item['first'][-1]}-{item['last'][-1]}")
        else:
            singles += item["one"][-1]
    if len(singles) == 1 and not (match["not"] or ranges or classes):
        return Text(singles)
    return Set(bool(match["not"]), singles, tuple(ranges), tuple(classes))


def _without_braces(pattern: str) -> list[str]:
    """`a{b,c}` as `ab` and `ac`. Braces without a comma between them are no such thing."""
    start = 0
    while (start := _next(pattern, start, "{")) >= 0:
        commas, end = _inside(pattern, start)
        if end >= 0 and commas:
            edges = [start, *commas, end]
            middles = [pattern[one + 1 : other] for one, other in itertools.pairwise(edges)]
            found: list[str] = []
            for middle in middles:
                found += _without_braces(pattern[:start] + middle + pattern[end + 1 :])
                if len(found) > _MOST:
                    raise InvalidCommand(f"the braces of a Glob() make more than {_MOST} patterns")
            return found
        start += 1
    return [pattern]


def _inside(pattern: str, start: int) -> tuple[list[int], int]:
    """Where the commas of the brace at `start` are, and its end; -1 when it has none."""
    commas: list[int] = []
    depth, at = 0, start
    while (at := _next(pattern, at, "{,}")) >= 0:
        if pattern[at] == "{":
            depth += 1
        elif pattern[at] == "}":
            depth -= 1
            if depth == 0:
                return commas, at
        elif depth == 1:
            commas.append(at)
        at += 1
    return [], -1


def _next(pattern: str, start: int, wanted: str) -> int:
    """The next of the wanted characters that has its meaning, from `start` on."""
    at = start
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] in wanted:
            return at
        at += 1
    return -1
