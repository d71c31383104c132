"""What a quoter writes, its shell reads back as the same words, shown with the shells themselves."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core import quoting
from openssh_core.errors import InvalidCommand, InvalidInput
from openssh_core.quoting import Glob, Quoter, Raw, quoter, shell_quote, shell_quote_glob

POSIX_SHELLS = ["sh", "bash", "dash", "ksh", "mksh", "zsh"]
SHELLS = [*POSIX_SHELLS, "csh", "tcsh", "fish"]
LOCALES = ["C", "C.UTF-8"]
SPECIAL = b"'\"\\!$`~=*?[]{}()<>|&;#%^@- \t\n\r\x80\xc3\xe9\xff"


def program(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"there is no {shell}")
    return path


def run(shell: str, script: str, directory: Path | None = None, *, locale: str = "C.UTF-8") -> tuple[bytes, bytes]:
    """What a shell puts out."""
    done = subprocess.run(
        [program(shell), "-c", script.encode("utf-8", "surrogateescape")],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": locale, "HOME": "/nonexistent"},
        cwd=directory,
        check=False,
    )
    return done.stdout, done.stderr


def round_trip(shell: str, words: list[bytes], locale: str) -> list[bytes]:
    """What a program gets that the shell starts with these words as arguments."""
    line = quoter(shell).join(["printf", r"%s\0", *words])
    out, err = run(shell, line, locale=locale)
    assert err == b""
    return out.split(b"\0")[:-1]


def random_words(seed: int, count: int) -> list[bytes]:
    """Random bytes, random text, and words in which what shells look for stands next to what they do not."""
    dice = random.Random(seed)
    text = "aä€𝄞 '\"\\!\n"
    return [
        *(dice.randbytes(dice.randrange(20)).replace(b"\0", b"\1") for _ in range(count)),
        *(bytes(dice.choices(SPECIAL + b"abc", k=dice.randrange(12))) for _ in range(count)),
        *("".join(dice.choices(text, k=dice.randrange(12))).encode() for _ in range(count // 2)),
        dice.randbytes(500).replace(b"\0", b"\1"),
    ]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("shell", SHELLS)
def test_thousands_of_random_words(shell: str, locale: str) -> None:
    for seed in range(4):
        words = random_words(seed, 400)
        assert round_trip(shell, words, locale) == words


@pytest.mark.parametrize("shell", SHELLS)
def test_every_byte_beside_every_special_one(shell: str) -> None:
    words = [bytes(pair) for one in SPECIAL for other in range(1, 256) for pair in ((one, other), (other, one))]
    for start in range(0, len(words), 2500):
        batch = words[start : start + 2500]
        assert round_trip(shell, batch, "C.UTF-8") == batch


@pytest.mark.parametrize("shell", SHELLS)
def test_words_of_the_shell_are_programs_in_a_list(shell: str, tmp_path: Path) -> None:
    for name in ("time", "if", "function", "{", "!", "[[", "A=b", "select", "@"):
        script = tmp_path / name
        script.write_text('#!/bin/sh\necho ran "$1"\n', encoding="ascii")
        script.chmod(0o755)
        line = quoter(shell).join([name, "it's"])
        done = subprocess.run(
            [program(shell), "-c", line], capture_output=True, env={"PATH": str(tmp_path), "HOME": "/"}, check=False
        )
        assert (done.stdout, done.stderr) == (b"ran it's\n", b""), name


# ---- patterns


# A wildcard stands for one byte here, whatever the locale says.
BYTEWISE = {"csh", "dash", "mksh", "sh"}


def nasty_names(shell: str) -> list[str]:
    dice = random.Random(7)
    made = {"".join(dice.choices("ab'\\!*?[]{}$~ ^-=\näé", k=dice.randrange(1, 6))) for _ in range(150)}
    if shell in BYTEWISE:
        made = {name for name in made if name.isascii()}
    return sorted(name for name in made | {"a.c", "b.c", "a b.h", "]x", "-x", "!x", "^x"} if name not in (".", ".."))


class Pattern:
    """A random pattern, with a regular expression that means the same."""

    def __init__(self, dice: random.Random, kinds: str, escape: bool = True) -> None:
        self.text, self.regex = "", ""
        for _ in range(dice.randrange(1, 5)):
            self._grow(dice, dice.choice(kinds), escape)

    def _grow(self, dice: random.Random, kind: str, escape: bool) -> None:
        if kind == "*":
            # Two of them are a different thing in some shells.
            if not self.text.endswith("*"):
                self.text, self.regex = self.text + "*", self.regex + ".*"
        elif kind == "?":
            self.text, self.regex = self.text + "?", self.regex + "."
        elif kind == "[":
            inside = dice.sample("ab'\\!^-] $~", dice.randrange(1, 5))
            no = dice.choice(["", "!", "^"])
            self.text += f"[{no}{''.join(f'{chr(92)}{char}' for char in inside)}]"
            self.regex += f"[{'^' if no else ''}{''.join(map(re.escape, inside))}]"
        else:
            char = dice.choice("ab'\\!*?[]{}$~ ^-=\näé")
            self.text, self.regex = self.text + f"\\{char}", self.regex + re.escape(char)

    def matches(self, names: list[str]) -> list[str]:
        """Names that do not begin with a dot."""
        found = (name for name in names if re.fullmatch(self.regex, name, re.DOTALL) and not name.startswith("."))
        return sorted(found)


@pytest.mark.parametrize("shell", SHELLS)
def test_random_patterns_match_what_they_mean(shell: str, tmp_path: Path) -> None:
    names = nasty_names(shell)
    for name in names:
        (tmp_path / name).touch()
    dice = random.Random(11)
    wanted: list[Pattern] = []
    while len(wanted) < 120:
        pattern = Pattern(dice, "**t" if shell == "fish" else "*?[tt")
        if pattern.matches(names) and set(pattern.text) & set("*?["):
            wanted.append(pattern)
    script = "\n".join(quoter(shell).join(["printf", r"%s\0", Glob(one.text)]) + r";printf '/\0'" for one in wanted)
    out, err = run(shell, script, tmp_path)
    assert err == b""
    answers = [sorted(part.split("\0")[:-1]) for part in out.decode().split("/\0")[:-1]]
    for pattern, answer in zip(wanted, answers, strict=True):
        assert answer == pattern.matches(names), pattern.text


@pytest.mark.parametrize("shell", SHELLS)
def test_ranges_braces_and_homes(shell: str, tmp_path: Path) -> None:
    for name in ("a1", "b2", "c3", "x y.txt", "z.txt", "{k,l}", "~", "a,b"):
        (tmp_path / name).touch()
    cases = {
        "{x y,z}.txt": ["x y.txt", "z.txt"],
        r"\{k,l}": ["{k,l}"],
        "{a,b*}": ["a", "b2"],  # without a wildcard it is a word
        r"\~": ["~"],
        "~root/*nothing*": None,
        "{}": ["{}"],
    }
    if shell != "fish":
        cases |= {"[a-b]?": ["a1", "b2"], "[!a-b]?": ["c3"]}
    for pattern, names in cases.items():
        out, _err = run(shell, quoter(shell).join(["printf", r"%s\0", Glob(pattern)]), tmp_path)
        if names is not None:
            assert sorted(out.decode().split("\0")[:-1]) == names, pattern
    home = run(shell, quoter(shell).join(["printf", "%s", Glob("~root/a b")]))[0].decode()
    assert home == os.path.expanduser("~root") + "/a b"


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_classes(shell: str, tmp_path: Path) -> None:
    for name in ("a1", "bb", "7"):
        (tmp_path / name).touch()
    line = quoter(shell).join(["echo", Glob("[[:digit:]]"), Glob("[!x][[:alpha:]]")])
    assert run(shell, line, tmp_path)[0] == b"7 bb\n"


@pytest.mark.parametrize("word", ["a\\", "\\", "my \\", "[", "[a", "a]", "{", "{a,", "a}", "[]", "[!]", "[^]"])
@pytest.mark.parametrize("shell", SHELLS)
def test_what_only_looks_like_a_pattern_is_text(shell: str, word: str) -> None:
    """A lone backslash at the end, and brackets and braces that nobody closed."""
    out, err = run(shell, quoter(shell).join(["printf", "%s", Glob(word)]))
    assert (out.decode(), err) == (word, b"")


@pytest.mark.parametrize(("shell", "pattern"), [("fish", "a?"), ("fish", "[ab]"), ("csh", "[[:alpha:]]")])
def test_patterns_that_a_shell_does_not_have_are_refused(shell: str, pattern: str) -> None:
    with pytest.raises(InvalidCommand, match="in a Glob"):
        quoter(shell).quote_glob(pattern)


def test_thousands_of_patterns_in_one_are_refused() -> None:
    with pytest.raises(InvalidCommand, match="braces"):
        quoter("sh").quote_glob("{a,b}" * 40)


def test_what_needs_no_quotes_gets_none_in_a_pattern() -> None:
    assert shell_quote_glob("my files/*.[ch]") == "'my files/'*.[ch]"
    assert shell_quote_glob("/foo/", "./foo*/bar&biz;") == "/foo/ ./foo*'/bar&biz;'"
    assert shell_quote("/foo/", "./foo*/bar&biz;") == "/foo/ './foo*/bar&biz;'"


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_a_pattern(pattern: str) -> None:
    if "\0" in pattern:
        with pytest.raises(InvalidCommand):
            quoter("sh").quote_glob(pattern)
    else:
        quoter("sh").quote_glob(pattern)


# ---- shell syntax among words


@pytest.mark.parametrize("shell", SHELLS)
def test_raw_is_for_the_shell(shell: str) -> None:
    line = quoter(shell).join(["echo", "&&", Raw("&&"), "echo", "$HOME", Raw("$HOME")])
    assert run(shell, line)[0] == b"&&\n$HOME /nonexistent\n"


def test_what_is_made_from_raw_is_plain_text_again() -> None:
    assert quoter("sh").join(["echo", Raw("&&") + " rm"]) == "echo '&& rm'"
    assert quoter("sh").join(["echo", f"{Glob('*')}"]) == "echo '*'"
    assert (repr(Raw("&&")), repr(Glob("*"))) == ("Raw('&&')", "Glob('*')")


@pytest.mark.parametrize("word", [Raw("a\0"), Glob("a\0"), Raw("\ud800"), Glob("\ud800")])
def test_what_can_be_no_part_of_a_command(word: str) -> None:
    with pytest.raises(InvalidCommand):
        quoter("sh").join(["echo", word])


@pytest.mark.parametrize("shell", SHELLS)
def test_redirections_do_what_they_say(shell: str, tmp_path: Path) -> None:
    program(shell)
    writer = tmp_path / "w"
    writer.write_text("#!/bin/sh\necho out\necho err >&2\n", encoding="ascii")
    writer.chmod(0o755)
    expected = [(b"", b"err\n"), (b"out\n", b""), (b"", b""), (b"out\nerr\n", b"")]
    for fragment, streams in zip(quoter(shell).redirections, expected, strict=True):
        if fragment is not None:
            assert run(shell, f"{writer} {fragment}") == streams
    assert os.listdir(tmp_path) == ["w"]


# ---- names


@pytest.mark.parametrize("name", ["", "elvish", "sh,", "sh,nonsense", 5, None])
def test_names_of_shells_that_are_none(name: object) -> None:
    with pytest.raises(InvalidInput, match="no quoter"):
        quoter(name)  # type: ignore[arg-type]


def test_names_of_shells() -> None:
    assert quoter("tcsh") is quoter("CSH")
    assert quoter(quoter("fish")) is quoter("fish")
    assert quoter(" cmd , createprocess ").name == "cmd,createprocess"
    assert "fish" in repr(quoter("fish"))


def test_a_quoter_of_your_own() -> None:
    class Upper(Quoter):
        name = "upper"

        def quote_text(self, text: str) -> str:
            return f"<{text.upper()}>"

    assert shell_quote("plain", "a b", shell=Upper()) == "plain <A B>"


# ---- Windows; there is none here, so its rules are written down once more, the other way round


def command_line_to_argv(line: str) -> list[str]:
    """As CommandLineToArgvW's documentation has it: backslashes mean something only before a quotation mark."""
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
            continue
        word, quoted = "", False
        while at < len(line) and (quoted or line[at] not in " \t"):
            slashes = len(line) - at - len(line[at:].lstrip("\\"))
            at += slashes
            if at < len(line) and line[at] == '"':
                word += "\\" * (slashes // 2)
                if slashes % 2:
                    word += '"'
                else:
                    quoted = not quoted
                at += 1
            else:
                word += "\\" * slashes
                if not slashes:
                    word += line[at]
                    at += 1
        words.append(word)
    return words


def cmd_reads(line: str) -> str:
    """What `cmd /c LINE` gives to a program: carets gone; nothing special without one, but between quotation marks.

    A %NAME% in it would have been replaced before; a name that ends in a caret is nobody's.
    """
    assert not re.search(r"%[^%^]+%", line)
    out, quoted, at = "", False, 0
    while at < len(line):
        if line[at] == "^" and not quoted:
            at += 1
        elif line[at] == '"':
            quoted = not quoted
        else:
            assert quoted or line[at] not in "&|<>()", line
        out += line[at]
        at += 1
    return out


any_character = st.characters(codec="utf-8", exclude_characters="\0")
windows_text = st.text(st.sampled_from(" \t\"\\'a%^&|<>()!=,;*") | any_character)


@given(st.lists(windows_text, min_size=1))
def test_programs_on_windows_get_their_words(words: list[str]) -> None:
    line = quoter("createprocess").join(["program", *words])
    assert command_line_to_argv(line) == ["program", *words]


@given(st.lists(windows_text.map(lambda text: text.replace("\n", "").replace("\r", "")), min_size=1))
def test_programs_that_cmd_starts_get_their_words(words: list[str]) -> None:
    line = quoter("cmd,createprocess").join(["program", *words])
    assert command_line_to_argv(cmd_reads(line)) == ["program", *words]


@given(windows_text)
def test_words_for_cmd_itself(word: str) -> None:
    """Blanks stay together, and an empty word is one; what it cannot be given is refused."""
    try:
        quoted = quoter("cmd").quote(word)
    except InvalidCommand:
        assert set(word) & set('"\n\r')
        return
    read = cmd_reads(quoted)
    assert read == (f'"{word}"' if not word or set(word) & set(" \t,;=") else word)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8") | st.sampled_from("'\u2018\u2019\u201a\u201b$`")))
def test_words_for_powershell(word: str) -> None:
    quoted = quoter("powershell").quote(word)
    if quoted != word:
        assert (quoted[0], quoted[-1]) == ("'", "'")
        inside = quoted[1:-1]
        # In a literal, each apostrophe of any kind has to be doubled, and means itself once.
        assert re.sub("(['\u2018\u2019\u201a\u201b])\\1", r"\1", inside) == word
        assert not re.search("['\u2018\u2019\u201a\u201b]", re.sub("(['\u2018\u2019\u201a\u201b])\\1", "", inside))
    else:
        assert re.fullmatch(r"[A-Za-z0-9_./-]+", word)


def test_a_command_for_powershell_is_called() -> None:
    assert quoter("pwsh").join(["if", "-Path", "a b", "1kb"]) == "& if -Path 'a b' '1kb'"
    assert quoter("pwsh").join([Raw("dir"), "x"]) == "dir x"


def test_two_shells_one_after_the_other() -> None:
    words = ["a b", "it's", "$x", "", "\\", "!"]
    inner = quoter("sh").join(["printf", "%s|", *words])
    chain = quoter("fish,sh")
    line = " ".join(["sh -c", quoter("fish").quote(inner)])
    assert run("fish", line)[0] == "".join(f"{word}|" for word in words).encode()
    # Each word by itself: what `eval` in the second shell gets.
    assert run("sh", "eval printf %s%s " + " ".join(quoter("sh,sh").quote(word) for word in words[:2]))[0] == b"a bit's"
    assert chain.quote("plain") == "plain"


def test_the_module_says_what_is_public() -> None:
    assert all(hasattr(quoting, name) for name in quoting.__all__)
