"""What the remote login shell makes of the composed string, shown with the shells themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._cli.script import LONGEST_COMMAND, PidLine, check_environment, compose
from openssh_core.errors import InvalidCommand, InvalidEnvironment, OpenSSHError

POSIX_SHELLS = ("sh", "bash", "dash", "ksh", "mksh", "zsh")
DIRECTORIES = ["-", "-P", "--", "+1", "~", "a b", "it's", "$HOME", "*", "ä", "sub", "-/deeper", "!x", "\\b", " ", "..."]


def run(shell: str, command: str, **named: object) -> subprocess.CompletedProcess[str]:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"there is no {shell}")
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    environment.update(named.pop("env", {}))  # type: ignore[call-overload]
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [path, "-c", command],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        check=False,
        **named,
    )


@pytest.mark.parametrize("command", ["", "ls | wc -l", "a=1\nb=2 # c", "'open"])
def test_a_string_without_steps_is_untouched(command: str) -> None:
    assert compose(command) == command
    assert compose(command.encode()) == command


def test_words_are_quoted() -> None:
    assert compose(["echo", "a b", b"c\xff"]) == "echo 'a b' 'c\udcff'"


@pytest.mark.parametrize("shell", [*POSIX_SHELLS, "fish", "csh", "tcsh"])
def test_the_directory_is_found_whatever_its_name(shell: str, tmp_path: Path) -> None:
    """Neither CDPATH nor a meaning that the shell gives to the name gets in between, and nothing is printed."""
    (tmp_path / "elsewhere" / "sub").mkdir(parents=True)
    for name in DIRECTORIES:
        if shell == "csh" and not name.isascii():
            continue
        start = tmp_path / "start"
        (start / name).mkdir(parents=True)
        for directory in (name, start / name):
            done = run(shell, compose("pwd", cwd=directory), cwd=start, env={"CDPATH": str(tmp_path / "elsewhere")})
            assert (done.stdout, done.stderr) == (f"{start}/{name}\n", ""), name


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_cdpath_is_still_there_for_the_command(shell: str, tmp_path: Path) -> None:
    done = run(shell, compose('echo "$CDPATH"', cwd=tmp_path), env={"CDPATH": "/some/where"})
    assert done.stdout == "/some/where\n"


@pytest.mark.parametrize("shell", [*POSIX_SHELLS, "fish", "csh", "tcsh"])
def test_without_its_directory_a_command_does_not_run(shell: str) -> None:
    done = run(shell, compose("echo ran", cwd="/does not exist"))
    assert done.returncode != 0
    assert done.stdout == ""
    assert "/does not exist" in done.stderr


@pytest.mark.parametrize("shell", [*POSIX_SHELLS, "fish"])
def test_variables_arrive(shell: str) -> None:
    variables = {"A": 'x\'y  "z" $HOME `id` \\ ! * ', "B": "", "_c1": "ä\nö", "D": "~", "E": "a=b:~/c"}
    command = "; ".join(f'printf "%s|" "${name}"' for name in variables)
    done = run(shell, compose(command, exports=variables.items()))
    assert (done.stdout, done.stderr) == ("".join(f"{value}|" for value in variables.values()), "")
    done = run(shell, compose(["env"], exports=[("SEEN_BY", "programs")]))
    assert "SEEN_BY=programs\n" in done.stdout


@pytest.mark.parametrize("shell", ["csh", "tcsh"])
def test_csh_runs_nothing_without_the_variables(shell: str) -> None:
    done = run(shell, compose("echo ran", exports=[("A", "b")]))
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs_a_POSIX_shell" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_variable_that_cannot_be_set_ends_it(shell: str) -> None:
    done = run(shell, compose("echo ran", exports=[("PPID", "x")]))
    assert (done.returncode, done.stdout) == (1, "")
    assert "PPID" in done.stderr


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_stderr_goes_where_stdout_goes(shell: str) -> None:
    done = run(shell, compose("echo out; echo err >&2; nonsense_command", merge_stderr=True))
    assert done.stderr == ""
    assert done.stdout.startswith("out\nerr\n")
    assert "nonsense_command" in done.stdout
    assert done.returncode == 127
    assert run(shell, compose("echo ran", merge_stderr=True, cwd="/does not exist")).stderr == ""


@pytest.mark.parametrize("shell", ["fish", "csh", "tcsh"])
def test_other_shells_run_nothing_when_they_cannot_merge(shell: str, tmp_path: Path) -> None:
    done = run(shell, compose("echo ran", merge_stderr=True), cwd=tmp_path)
    assert done.stdout == ""
    assert done.stderr
    assert list(tmp_path.iterdir()) == []


def test_fish_tells_its_pid_too() -> None:
    done = run("fish", compose("echo $fish_pid", pid_line=PidLine("T:", any_shell=True)))
    first, second = done.stdout.splitlines()
    assert first == f"T:{second}"


@pytest.mark.parametrize("any_shell", [False, True])
@pytest.mark.parametrize("shell", [*POSIX_SHELLS, "csh", "tcsh"])
def test_the_first_line_is_the_token_and_the_shells_own_pid(shell: str, any_shell: bool) -> None:
    done = run(shell, compose("echo $$", pid_line=PidLine("TOKEN-1_a:", any_shell)))
    first, second = done.stdout.splitlines()
    assert first == f"TOKEN-1_a:{second}"


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_all_steps_together_keep_line_numbers(shell: str, tmp_path: Path) -> None:
    steps = compose(
        "true\nnonsense_command", cwd=tmp_path, exports=[("A", "b")], merge_stderr=True, pid_line=PidLine("TOKEN")
    )
    with_steps = run(shell, steps).stdout.split("\n", 1)[1]
    assert with_steps == run(shell, "true\nnonsense_command").stderr


@pytest.mark.parametrize("shell", POSIX_SHELLS)
@pytest.mark.parametrize("command", ["# only a comment", "cat <<E\nhere\nE", "false", "", "\n", "a() { return 7; }; a"])
def test_a_command_means_the_same_after_steps(shell: str, command: str, tmp_path: Path) -> None:
    plain, after = run(shell, command), run(shell, compose(command, cwd=tmp_path, exports=[("A", "b")]))
    assert (after.returncode, after.stdout, after.stderr) == (plain.returncode, plain.stdout, plain.stderr)


@pytest.mark.parametrize("shell", POSIX_SHELLS)
def test_the_longest_command_still_runs(shell: str) -> None:
    command = "true #" + "x" * (LONGEST_COMMAND - 6)
    assert run(shell, compose(command)).returncode == 0
    with pytest.raises(OSError, match="Argument list too long"):
        run(shell, command + "x")


def test_longer_is_refused() -> None:
    assert len(compose("x" * LONGEST_COMMAND)) == LONGEST_COMMAND
    for command in ("x" * (LONGEST_COMMAND + 1), "ä" * (LONGEST_COMMAND // 2 + 1), ["x" * LONGEST_COMMAND, "y"]):
        with pytest.raises(InvalidCommand, match="bytes"):
            compose(command)
    with pytest.raises(InvalidCommand, match="bytes"):
        compose("x" * LONGEST_COMMAND, exports=[("A", "b")])


@pytest.mark.parametrize("command", ["a\0b", b"a\0b", ["a", "\0"], [], "\ud800", ["\ud800"], [5]])
def test_commands_that_cannot_be(command: object) -> None:
    with pytest.raises(InvalidCommand):
        compose(command)  # type: ignore[arg-type]


@pytest.mark.parametrize("cwd", ["", "a\0b", b"", "\ud800"])
def test_directories_that_cannot_be(cwd: str) -> None:
    with pytest.raises(InvalidCommand):
        compose("pwd", cwd=cwd)


@pytest.mark.parametrize("token", ["", "a b", "$x", "a\n", "a-", "ä", "a;b"])
def test_tokens_that_are_no_plain_words(token: str) -> None:
    with pytest.raises(InvalidCommand):
        PidLine(token)


@pytest.mark.parametrize("name", ["", "A=B", "1A", "A B", "A\n", "A\0", "ä", "A-B", "A;x", 5, None])
def test_names_of_variables_that_cannot_be(name: object) -> None:
    with pytest.raises(InvalidEnvironment):
        check_environment([(name, "x")])  # type: ignore[list-item]


@pytest.mark.parametrize("value", ["a\0b", "\ud800secret", b"x", 5, None])
def test_values_of_variables_that_cannot_be(value: object) -> None:
    with pytest.raises(InvalidEnvironment, match="NAME") as caught:
        check_environment({"NAME": value})  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_an_environment_is_a_mapping_or_pairs() -> None:
    assert check_environment({"A": "b", "_": ""}) == (("A", "b"), ("_", ""))
    assert check_environment([("A", "b"), ("A", "c")]) == (("A", "b"), ("A", "c"))


@given(
    st.text() | st.binary() | st.lists(st.text()),
    st.none() | st.text(),
    st.lists(st.tuples(st.text(), st.text())),
    st.booleans(),
    st.none() | st.text(),
)
def test_anything_is_composed_or_refused(
    command: str | bytes | list[str], cwd: str | None, exports: list[tuple[str, str]], merge: bool, token: str | None
) -> None:
    try:
        line = None if token is None else PidLine(token)
        text = compose(command, cwd=cwd, exports=exports, merge_stderr=merge, pid_line=line)
    except OpenSSHError:
        return
    assert "\0" not in text
    assert len(text.encode("utf-8", "surrogateescape")) <= LONGEST_COMMAND
