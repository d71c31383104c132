"""What login shells make of the script that starts a program, shown with the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openssh_core import Program
from openssh_core._cli.script import LONGEST_COMMAND, PidLine
from openssh_core._cli.start import Start, StartReport, read_report
from openssh_core.errors import InvalidCommand, InvalidEnvironment

LINE = PidLine("TOKEN:")
POSIX_SHELLS = ("sh", "bash", "dash", "ksh", "mksh")
ANY_SHELL = (*POSIX_SHELLS, "zsh", "fish", "csh", "tcsh")
NASTY = [
    "",
    "-",
    "--",
    "-n",
    "~",
    "=ls",
    "A=b",
    "'",
    '"',
    "\\",
    "\\'",
    "!",
    "!!",
    "$HOME",
    "`id`",
    "*",
    "%",
    "%d",
    "a\nb",
    "\n",
]
NASTY_BYTES = [b"\xff", b"caf\xe9", bytes(range(1, 256)), "äöü €  𝄞".encode(), b"\r\n", b"\x1b[0m\x7f"]

words = st.lists(st.binary(max_size=30).map(lambda data: data.replace(b"\0", b"")), max_size=8)


def run(
    shell: str, start: Start, *, line: PidLine | None = LINE, **options: object
) -> subprocess.CompletedProcess[bytes]:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"there is no {shell}")
    command = start.command(
        line=line, directly=bool(options.pop("directly", False)), exports=options.pop("exports", ())
    )  # type: ignore[arg-type]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "SHELL": path}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [path, "-c", command], capture_output=True, stdin=subprocess.DEVNULL, env=environment, check=False, **options
    )


def report_of(done: subprocess.CompletedProcess[bytes]) -> StartReport:
    """What the first line says; there is exactly one, and it is the first."""
    first, _, rest = done.stdout.partition(b"\n")
    assert first.startswith(b"TOKEN:") and b"TOKEN:" not in rest
    number, _, text = first.removeprefix(b"TOKEN:").partition(b":")
    assert number.isdigit()
    return read_report(text.decode())


# ---- the words


@pytest.mark.parametrize("shell", ANY_SHELL)
def test_nasty_words_arrive_byte_for_byte(shell: str) -> None:
    sent = [os.fsencode(word) for word in NASTY] + NASTY_BYTES
    done = run(shell, Start(Program(("printf", "%s\\0", *sent))))
    assert done.stdout.split(b"\n", 1)[1] == b"".join(word + b"\0" for word in sent)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("shell", ANY_SHELL)
@settings(max_examples=8, deadline=None)
@given(sent=words)
@example(sent=[b"'" * 20, b"\\" * 20, b"\n" * 20])
def test_any_words_arrive_byte_for_byte(shell: str, sent: list[bytes]) -> None:
    done = run(shell, Start(Program(("printf", "<%s>", "first", *sent), env={"A": "\n'\udcff"})))
    assert done.stdout.split(b"\n", 1)[1] == b"<first>" + b"".join(b"<" + word + b">" for word in sent)


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_a_posix_shell_takes_them_directly(shell: str) -> None:
    sent = [os.fsencode(word) for word in NASTY] + NASTY_BYTES
    done = run(shell, Start(Program(("printf", "%s\\0", *sent))), directly=True)
    assert done.stdout.split(b"\n", 1)[1] == b"".join(word + b"\0" for word in sent)


def test_no_words_and_text_that_is_none() -> None:
    for bad in ((), "ls", ("a\0b",), ("a", b"\0")):
        with pytest.raises(InvalidCommand):
            Program(bad)  # type: ignore[arg-type]
    with pytest.raises(InvalidCommand, match="surrogate"):
        Start(Program(("echo", "\ud800"))).command()
    with pytest.raises(InvalidCommand, match="at most"):
        Start(Program(("echo", "x" * LONGEST_COMMAND))).command()


def test_what_is_in_an_environment_is_not_shown() -> None:
    assert "secret" not in repr(Program(("true",), env={"A": "secret"}))
    for bad in ({"A=B": "x"}, {"": "x"}, {"A": "\0"}):
        with pytest.raises(InvalidEnvironment):
            Program(("true",), env=bad)


# ---- the report


@pytest.mark.parametrize("shell", ANY_SHELL)
def test_the_report_tells_which_shell_takes_a_script(shell: str) -> None:
    assert report_of(run(shell, Start(Program(("true",))))) == StartReport(directly=shell in POSIX_SHELLS)


@pytest.mark.parametrize("shell", ["bash", "fish", "csh"])
def test_the_process_id_is_the_programs_own(shell: str) -> None:
    done = run(shell, Start(Program(("sh", "-c", "echo $$"))))
    first, second = done.stdout.splitlines()
    assert first.removeprefix(b"TOKEN:").split(b":")[0] == second


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with things in it that cannot be run, or entered."""
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "sub").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "tool").write_text("#!/bin/sh\necho the tool\n")
    (tmp_path / "tool").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no-such-program-anywhere", "ENOENT"),
        ("if", "ENOENT"),
        ("-x", "ENOENT"),
        ("", "EACCES"),
        ("./plain", "EACCES"),
        ("./sub", "EACCES"),
        ("./dangling", "ENOENT"),
        ("./nothing/there", "ENOENT"),
        ("./plain/there", "ENOTDIR"),
        ("./tool", None),
        ("sub/../tool", None),
    ],
)
@pytest.mark.parametrize("shell", ["dash", "bash", "fish"])
def test_a_program_that_cannot_be_started_is_reported(shell: str, place: Path, name: str, error: str | None) -> None:
    done = run(shell, Start(Program((name,), cwd=str(place))))
    report = report_of(done)
    assert (report.error, report.what) == ((error, "program") if error else (None, ""))
    assert done.stderr == b""
    if error is None:
        assert done.stdout.endswith(b"\nthe tool\n")


@pytest.mark.parametrize(
    ("cwd", "error"),
    [("nothing", "ENOENT"), ("plain", "ENOTDIR"), ("plain/x", "ENOTDIR"), ("", "ENOENT"), ("sub", None)],
)
@pytest.mark.parametrize("directly", [False, True])
def test_a_directory_that_cannot_be_entered_is_reported(
    place: Path, cwd: str, error: str | None, directly: bool
) -> None:
    done = run("bash", Start(Program(("pwd",), cwd=cwd)), cwd=place, directly=directly)
    report = report_of(done)
    assert (report.error, report.what) == ((error, "cwd") if error else (None, ""))
    if error is None:
        assert done.stdout.endswith(f"\n{place}/sub\n".encode())


@pytest.mark.parametrize("cwd", ["-", "--", "~", "+1", "a b", "$HOME", "it's", "!x"])
def test_directories_with_names_that_mean_something(tmp_path: Path, cwd: str) -> None:
    (tmp_path / cwd).mkdir()
    for shell in ("dash", "bash", "csh"):
        done = run(shell, Start(Program(("pwd",), cwd=cwd)), cwd=tmp_path)
        assert done.stdout.endswith(f"\n{tmp_path}/{cwd}\n".encode())


def test_the_path_of_a_whole_environment_is_the_one_to_look_in(place: Path) -> None:
    for env, error in (({"PATH": str(place)}, None), ({"PATH": "/nowhere"}, "ENOENT"), ({}, "ENOENT")):
        assert report_of(run("sh", Start(Program(("tool",), env=env)))).error == error
    # An empty entry is the directory one is in.
    assert report_of(run("sh", Start(Program(("tool",), env={"PATH": "/nowhere::/no"}, cwd=str(place))))).error is None


def test_nothing_is_reported_where_nobody_asked(place: Path) -> None:
    done = run("sh", Start(Program(("no-such-program-anywhere",), report=False)))
    assert (done.returncode, done.stdout.count(b"\n")) == (127, 1) and b"no-such-program" in done.stderr
    done = run("sh", Start(Program(("true",), cwd="/nowhere", report=False)), line=None)
    assert (done.returncode, done.stdout) == (127, b"")


@pytest.mark.parametrize("text", ["", ":", "sh", "nonsense", "ENOENT:", ":cwd", "\ufffd"])
def test_a_report_that_makes_no_sense_is_none(text: str) -> None:
    assert read_report(text).error is None


# ---- how it is started


def test_an_environment_is_the_whole_one() -> None:
    env = {"A": "1 '2'", "B.C": "$A", "PATH": "/usr/bin:/bin", "N": "a\nb"}
    for shell in ("bash", "csh"):
        done = run(shell, Start(Program(("env", "-0"), env=env)))
        variables = done.stdout.split(b"\n", 1)[1].split(b"\0")[:-1]
        assert sorted(variables) == sorted(f"{name}={value}".encode() for name, value in env.items())
    assert run("sh", Start(Program(("env",), env={"PATH": "/usr/bin", "-x": "y"}))).stdout.endswith(b"-x=y\n")


def test_variables_on_top_of_what_there_is() -> None:
    done = run("fish", Start(Program(("sh", "-c", 'echo "$A" $HOME'))), exports=[("A", "x  'y'")])
    assert done.stdout.endswith(b"\nx  'y' /nonexistent\n")


def test_a_program_with_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "a=b").write_text("#!/bin/sh\necho $X $1\n")
    (tmp_path / "a=b").chmod(0o755)
    done = run("sh", Start(Program((f"{tmp_path}/a=b", "arg"), env={"X": "x"})))
    assert done.stdout.endswith(b"\nx arg\n")


@pytest.mark.parametrize("env", [None, {"A": "a", "PATH": "/usr/bin:/bin"}])
def test_a_program_under_another_name(env: dict[str, str] | None) -> None:
    start = Start(Program(("another name", "-c", 'echo "$0" "$1"', "zero", "it's"), executable="/bin/sh", env=env))
    for shell in ("dash", "fish"):
        assert run(shell, start).stdout.endswith(b"\nzero it's\n")
    start = Start(Program(("another", "-c", "tr '\\0' ' ' </proc/$$/cmdline"), executable="/bin/sh", env=env))
    assert run("sh", start).stdout.split(b"\n")[1].startswith(b"another -c ")


def test_a_mask_for_files() -> None:
    assert run("sh", Start(Program(("sh", "-c", "umask"), umask=0o27))).stdout.endswith(b"\n0027\n")
    for bad in (-1, 0o10000):
        with pytest.raises(InvalidCommand):
            Program(("true",), umask=bad)


def test_signals_to_be_ignored() -> None:
    start = Start(Program(["sh", "-c", "kill -PIPE $$; kill -USR1 $$; echo alive"], ignored_signals=["SIGPIPE", 10]))
    for shell in ("dash", "bash", "fish"):
        assert run(shell, start).stdout.endswith(b"\nalive\n")


def test_stderr_goes_with_stdout() -> None:
    done = run("csh", Start(Program(("sh", "-c", "echo a >&2; echo b")), merge_stderr=True))
    assert (done.stdout.split(b"\n")[1:], done.stderr) == ([b"a", b"b", b""], b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another")
def test_another_user_and_other_groups() -> None:
    def ids(**named: object) -> str:
        return run("sh", Start(Program(("id",), **named))).stdout.decode().split("\n")[1]

    assert ids(user="nobody", group="nogroup", extra_groups=("daemon", 33)).endswith(
        "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup),1(daemon),33(www-data)"
    )
    assert ids(user=65534, env={"A": "b"}).startswith("uid=65534(nobody) gid=0(root)")
    assert ids(extra_groups=()) == "uid=0(root) gid=0(root) groups=0(root)"
    for named, step in (
        ({"user": "no-such-user"}, "user"),
        ({"group": "no.such"}, "group"),
        ({"extra_groups": ("x-",)}, "extra_groups"),
    ):
        report = report_of(run("sh", Start(Program(("id",), **named))))  # type: ignore[arg-type]
        assert (report.error, report.what) == ("EINVAL", step)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another")
def test_a_program_that_the_other_user_may_not_run(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o700)
    for words, env in (([str(tmp_path / "tool")], None), (["tool"], {"PATH": str(tmp_path)})):
        assert report_of(run("sh", Start(Program(words, env=env)))).error is None
        assert report_of(run("sh", Start(Program(words, env=env, user="nobody")))).error == "EACCES"


def test_the_same_user_needs_no_rights() -> None:
    done = run("sh", Start(Program(("id", "-u"), user=os.geteuid(), group=os.getegid())))
    assert done.stdout.endswith(f"\n{os.geteuid()}\n".encode())
