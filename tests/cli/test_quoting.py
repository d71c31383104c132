"""Quoted words arrive byte for byte, shown with the shells themselves."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openssh_core._cli.quoting import join, quote
from openssh_core.errors import InvalidCommand

POSIX_SHELLS = ("sh", "bash", "dash", "ksh", "mksh", "zsh")
OTHER_SHELLS = ("fish", "csh", "tcsh")

NASTY = [
    b"",
    b" ",
    b"  two  blanks ",
    b"'",
    b"''",
    b"it's",
    b"'quoted'",
    b'"',
    b"\\",
    b"\\\\",
    b"\\'",
    b"'\\",
    b"\\n",
    b"end\\",
    b"!",
    b"!!",
    b"!$",
    b"a!b",
    b"'!'",
    b"\\!",
    b"$HOME",
    b"${HOME}",
    b"$(echo x)",
    b"`echo x`",
    b"$$",
    b"~",
    b"~root",
    b"a=~",
    b"=ls",
    b"A=b",
    b"-n",
    b"--",
    b"-",
    b"*",
    b"?",
    b"[a-z]",
    b"{a,b}",
    b"a;b",
    b"a|b",
    b"a&b",
    b"a&&b",
    b"<in",
    b">out",
    b"2>&1",
    b"#comment",
    b"a#b",
    b"(sub)",
    b"%self",
    b"%1",
    b"^a^b",
    b"@",
    b"+1",
    b"\t",
    b"a\tb",
    b"\x07\x08\x1b[0m\x7f",
    "äöü €  𝄞".encode(),
]
NEWLINES = [b"\n", b"a\nb", b"\n\n", b"'\n'", b"\\\n", b"\r\n", b"!\n"]
NO_TEXT = [b"\xff", b"\x80\xfe", b"caf\xe9", b"\xc3", b"\xed\xa0\x80", bytes(range(1, 256))]


def program(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"there is no {shell}")
    return path


def round_trip(shell: str, words: list[bytes]) -> list[bytes]:
    """What a program gets that the shell starts with these words, quoted by us, as arguments."""
    command = "printf '%s\\0' " + " ".join(quote(word) for word in words)
    done = subprocess.run(
        [program(shell), "-c", command.encode("utf-8", "surrogateescape")],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
        check=False,
    )
    assert not done.stderr
    return done.stdout.split(b"\0")[:-1]


def in_batches(words: list[bytes], size: int = 200) -> list[list[bytes]]:
    return [words[start : start + size] for start in range(0, len(words), size)]


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_nasty_words_in_posix_shells(shell: str) -> None:
    words = NASTY + NEWLINES + NO_TEXT
    assert round_trip(shell, words) == words


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_every_pair_with_a_special_byte_in_posix_shells(shell: str) -> None:
    special = b"'\"\\!$`~=*?[]{}()<>|&;#%^@- \t\n\x80\xc3\xff"
    words = [bytes(pair) for one in special for other in range(1, 256) for pair in ((one, other), (other, one))]
    for batch in in_batches(random.Random(1).sample(words, 3000), 1500):
        assert round_trip(shell, batch) == batch


@pytest.mark.parametrize("shell", POSIX_SHELLS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"")), min_size=1, max_size=60))
def test_any_bytes_in_posix_shells(shell: str, words: list[bytes]) -> None:
    assert round_trip(shell, words) == words


@pytest.mark.parametrize("shell", OTHER_SHELLS)
def test_nasty_words_in_other_shells(shell: str) -> None:
    words = [*NASTY, *(NEWLINES if shell == "fish" else [])]
    words = [word for word in words if shell != "csh" or word.isascii()]
    assert round_trip(shell, words) == words


@pytest.mark.parametrize("shell", OTHER_SHELLS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(words=st.lists(st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=20), min_size=1, max_size=20))
def test_any_ascii_in_other_shells(shell: str, words: list[str]) -> None:
    sent = [word.replace("\n", "").encode() for word in words]
    assert round_trip(shell, sent) == sent


@pytest.mark.parametrize("shell", ["csh", "tcsh"])
def test_csh_refuses_a_newline_aloud(shell: str) -> None:
    done = subprocess.run([program(shell), "-c", "echo " + quote("a\nb")], capture_output=True, check=False)
    assert done.returncode != 0
    assert b"Unmatched" in done.stderr


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_words_of_the_shell_are_programs_in_a_list(shell: str, tmp_path: Path) -> None:
    """A list names a program: `time` is one, whatever the shell does with that word."""
    for name in ("time", "if", "function", "{", "!", "[[", "A=b", "select"):
        script = tmp_path / name
        script.write_text('#!/bin/sh\necho ran "$1"\n', encoding="ascii")
        script.chmod(0o755)
        done = subprocess.run(
            [program(shell), "-c", join([name, "it's"])], capture_output=True, env={"PATH": str(tmp_path)}, check=False
        )
        assert (done.stdout, done.stderr) == (b"ran it's\n", b""), name


def test_what_needs_no_quotes_gets_none() -> None:
    assert (
        join(["ls", "-l", "--color", "/tmp/a_b-c.d", "user@host:x,y+z"]) == "ls -l --color /tmp/a_b-c.d user@host:x,y+z"
    )
    assert join(["echo", ""]) == "echo ''"
    assert join(["echo", "it's"]) == r"echo 'it'\''s'"


def test_kinds_of_words() -> None:
    assert quote(b"caf\xe9") == "'caf\udce9'"
    assert quote("caf\udce9") == "'caf\udce9'"
    assert quote(PurePosixPath("/a b")) == "'/a b'"


@pytest.mark.parametrize("word", ["a\0b", b"\0", "\ud800", 5, None, ["a"], PurePosixPath])
def test_what_cannot_be_a_word(word: object) -> None:
    with pytest.raises(InvalidCommand):
        quote(word)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [[], (), "ls -l", b"ls"])
def test_what_is_no_list_of_words(words: object) -> None:
    with pytest.raises(InvalidCommand):
        join(words)  # type: ignore[arg-type]


@given(st.text() | st.text(st.characters(categories=["Cs", "Cc"])))
def test_any_text_is_quoted_or_refused(text: str) -> None:
    try:
        quoted = quote(text)
    except InvalidCommand:
        assert "\0" in text or re.search("[\ud800-\udfff]", text)
    else:
        quoted.encode("utf-8", "surrogateescape")
