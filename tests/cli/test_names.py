"""Names of files on the command lines of other programs."""

from __future__ import annotations

import fnmatch
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._cli.names import (
    bracketed_pattern,
    escaped_pattern,
    has_pattern,
    local_operand,
    name_of,
    names_of,
    remote_operand,
)
from openssh_core.errors import InvalidInput


def test_a_name_is_text_bytes_or_a_path() -> None:
    assert name_of("a b", "x") == "a b"
    assert name_of(b"\xff", "x") == "\udcff"
    assert name_of(PurePosixPath("/a"), "x") == "/a"
    assert names_of("ab", "x") == ["ab"]
    assert names_of(["a", b"b", PurePosixPath("c")], "x") == ["a", "b", "c"]


@pytest.mark.parametrize("wrong", ["", "a\0b", b"", 7, None, "\ud800"])
def test_what_is_no_name(wrong: object) -> None:
    with pytest.raises(InvalidInput, match="local"):
        name_of(wrong, "local")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="local"):
        names_of(["fine", wrong], "local")  # type: ignore[list-item]


def test_no_names_at_all() -> None:
    for wrong in ([], 7):
        with pytest.raises(InvalidInput):
            names_of(wrong, "remote")  # type: ignore[arg-type]


def test_a_local_name_is_never_a_host_or_an_option() -> None:
    assert [local_operand(name) for name in ("h:f", "-r", "/h:f", "scp://h/f")] == [
        "./h:f",
        "./-r",
        "/h:f",
        "./scp://h/f",
    ]


def test_a_remote_name_is_never_an_option_or_somebodys_home() -> None:
    assert [remote_operand("h", name) for name in ("f", "-r", "~bob/f", ":m", "/a:b")] == [
        "h:f",
        "h:./-r",
        "h:./~bob/f",
        "h:./:m",
        "h:/a:b",
    ]
    assert remote_operand("fe80::1%lo", "f") == "[fe80::1%lo]:f"


@given(st.text(st.sampled_from("ab*?[]\\{}"), min_size=1))
def test_an_escaped_name_has_no_pattern_left(name: str) -> None:
    escaped = escaped_pattern(name)
    assert escaped.replace("\\\\", "").replace("\\*", "").replace("\\?", "").replace("\\[", "").strip("ab{}\\]") == ""
    assert "".join(escaped[at] for at in _meant(escaped)) == name


def _meant(escaped: str) -> list[int]:
    places, at = [], 0
    while at < len(escaped):
        at += escaped[at] == "\\"
        places.append(at)
        at += 1
    return places


@given(st.text(st.sampled_from("ab*?[]{}/"), min_size=1))
def test_a_bracketed_name_fits_itself(name: str) -> None:
    pattern = bracketed_pattern(name)
    # Python's patterns have no backslash, and are as rsync's in everything else that occurs here.
    assert fnmatch.fnmatchcase(name, pattern)
    assert has_pattern(pattern) == has_pattern(name)
