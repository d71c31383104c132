"""Which files of a tree are wanted, and what becomes of them on the way."""

from __future__ import annotations

import importlib.util
import io
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core.copy.conversion import converter
from openssh_core.copy.filters import Entry, Filter
from openssh_core.copy.progress import Lines, printable, size, told
from openssh_core.errors import InvalidInput

from .conftest import until


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("*.o", ["a.o", "x/y/b.o", ".o"], ["a.oo", "o"]),
        ("build/*.o", ["build/a.o"], ["x/build/a.o", "build/x/a.o"]),
        ("/top", ["top"], ["a/top"]),
        ("**/*.png", ["a.png", "x/y.png", "x/y/z.png"], ["a.pn"]),
        ("docs/**", ["docs/a", "docs/a/b"], ["docs", "x/docs/a"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]),
        ("[!a]b", ["xb"], ["ab"]),
        ("[]x]", ["]", "x"], ["y"]),
        ("a[b-d]?", ["acx"], ["aex", "ac"]),
        ("[x", ["[x"], ["x"]),
        ("a\\b(c)$", ["a\\b(c)$"], ["ab(c)$"]),
        ("new\n*", ["new\nline"], ["new"]),
        ("x*z", ["x\udcffz"], ["x/z"]),
    ],
)
def test_patterns(pattern: str, fitting: list[str], others: list[str]) -> None:
    include, exclude = Filter(include=pattern), Filter(exclude=pattern)
    assert [path for path in fitting if not include.wants(Entry(path, "file"))] == []
    assert [path for path in others if include.wants(Entry(path, "file"))] == []
    assert [path for path in fitting if exclude.wants(Entry(path, "file"))] == []


@given(st.text(min_size=1).filter(lambda name: "/" not in name))
def test_a_name_without_a_pattern_fits_itself(name: str) -> None:
    literal = "".join(f"[{char}]" if char in "*?[" else char for char in name)
    assert Filter(include=literal).wants(Entry(f"d/{name}", "file"))
    assert not Filter(include=literal).wants(Entry(f"d/{name}x", "file"))


def test_directories() -> None:
    rules = Filter(include="*.py", exclude="cache/")
    assert rules.wants(Entry("src", "directory"))
    assert not rules.wants(Entry("a/cache", "directory"))
    assert not rules.wants(Entry("a/cache", "file"))
    assert Filter(exclude="cache/").wants(Entry("a/cache", "file"))


def test_functions() -> None:
    rules = Filter(include=[lambda entry: (entry.size or 0) > 10, "*.keep"])
    assert rules.wants(Entry("a", "file", 11))
    assert rules.wants(Entry("b.keep", "file", 1))
    assert not rules.wants(Entry("a", "file", 9))


@pytest.mark.parametrize("wrong", [7, [7], "", "/", [""]])
def test_what_is_no_rule(wrong: object) -> None:
    with pytest.raises(InvalidInput, match="exclude"):
        Filter(exclude=wrong)  # type: ignore[arg-type]


# ---- conversion ---------------------------------------------------------------------------------------------


def converted(convert: Callable[[bytes], bytes], pieces: list[bytes]) -> bytes:
    return b"".join(convert(piece) for piece in [*pieces, b""])


@given(st.lists(st.binary(min_size=1).map(lambda data: bytes(b"a\r\n"[byte % 3] for byte in data))))
def test_line_ends_in_any_pieces(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    assert converted(converter("dos2unix"), pieces) == text.replace(b"\r\n", b"\n")
    dos = converted(converter("unix2dos"), pieces)
    assert dos == text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def test_no_conversion() -> None:
    with pytest.raises(InvalidInput, match="dos2unix"):
        converter("utf8")  # type: ignore[arg-type]


# ---- progress -----------------------------------------------------------------------------------------------


class Out:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def test_a_line_a_second() -> None:
    now, out = [0.0], Out()
    lines = Lines("get web1", out, clock=lambda: now[0])  # type: ignore[arg-type]
    for done in range(30):
        now[0] = done / 10
        lines(done * 1024, 30 * 1024, "a\x1b[31m")
    lines.last()
    lines.last()
    said = out.text.splitlines()
    assert said[0] == "get web1: 10.0 KiB of 30.0 KiB (33%) a\\x1b[31m"
    assert len(said) == 3 and said[-1].startswith("get web1: 29.0 KiB")


class Terminal(io.StringIO):
    """Something that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("where", [io.StringIO, Terminal])
def test_what_is_shown(where: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar needs a terminal and rich; lines need nothing."""
    monkeypatch.setenv("TERM", "xterm")
    out = where()
    monkeypatch.setattr("sys.stderr", out)
    threads = set(threading.enumerate())
    with told(True, "get [web1]") as callback:
        assert callback is not None
        callback(512, 2048, "a\x1b[2J[bold]")
        callback(2048, 2048, "a\x1b[2J[bold]")
    said = out.getvalue()
    assert "get [web1]" in said and "\\x1b[2J" in said and "\x1b[2J" not in said
    if where is Terminal and importlib.util.find_spec("rich"):
        assert "2.0/2.0 kB" in said
    else:
        assert said == "get [web1]: 2.0 KiB of 2.0 KiB (100%) a\\x1b[2J[bold]\n"
    until(lambda: not set(threading.enumerate()) - threads)


def test_nothing_is_shown_unasked() -> None:
    for nothing in (None, False):
        with told(nothing, "get") as callback:
            assert callback is None


def test_numbers_and_names_for_people() -> None:
    assert [size(count) for count in (0, 1023, 1024, 5 << 20, 3 << 50)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "5.0 MiB",
        "3072.0 TiB",
    ]
    assert printable("ä \udcff\n\x9b") == "ä \\udcff\\n\\x9b"
