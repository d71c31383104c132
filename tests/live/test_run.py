"""What holds for a command that is run to its end, whichever way it takes."""

from __future__ import annotations

import io
import os
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import openssh_core
from openssh_core import DEVNULL, PIPE, STDOUT, Connection


def test_the_result_has_output_and_status(either: Connection) -> None:
    done = either.run("echo out; echo err >&2; exit 3")
    assert (done.stdout, done.stderr, done.returncode, done.signal) == ("out\n", "err\n", 3, None)


def test_words_arrive_as_they_are(either: Connection) -> None:
    words = ["a b", "", "$HOME", "`id`", "'", '"', "\\", "new\nline", "*", "~", "-n", "!x", "ü", "\udcff"]
    done = either.run("printf", "%s|", *words)
    assert done.stdout == "".join(f"{word}|" for word in words)


def test_a_list_is_words_too(either: Connection) -> None:
    assert either.run(["printf", "%s", "a  b"]).stdout == "a  b"


def test_one_string_is_for_the_shell(either: Connection) -> None:
    assert either.run("echo a | tr a b").stdout == "b\n"


def test_input_arrives_whole_and_ends(either: Connection) -> None:
    data = os.urandom(3_000_000)
    done = either.run("cat", input=data, encoding=None)
    assert done.stdout == data


def test_without_input_it_is_empty(either: Connection) -> None:
    assert either.run("cat").stdout == ""


@pytest.mark.usefixtures("no_leaks")
def test_a_pipe_that_nobody_could_write_into_is_an_empty_input(either: Connection) -> None:
    assert either.run("cat; echo over", stdin=PIPE).stdout == "over\n"


def test_empty_input_ends_too(either: Connection) -> None:
    assert either.run("cat", input="").stdout == ""


def test_both_streams_may_be_larger_than_any_window(either: Connection) -> None:
    script = "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2; head -c 10 /dev/zero"
    done = either.run(script, encoding=None)
    assert done.stdout is not None
    assert done.stderr is not None
    assert (len(done.stdout), len(done.stderr)) == (5_000_010, 5_000_000)


def test_stderr_can_go_where_stdout_goes_in_order(either: Connection) -> None:
    done = either.run("for i in 1 2 3; do echo o$i; echo e$i >&2; done", stderr=STDOUT)
    assert done.stdout == "o1\ne1\no2\ne2\no3\ne3\n"
    assert done.stderr is None or done.stderr == ""


def test_output_can_be_discarded(either: Connection) -> None:
    done = either.run("echo out; echo err >&2", stdout=DEVNULL, stderr=DEVNULL)
    assert (done.stdout, done.stderr) == (None, None)


def test_output_can_go_to_a_file_of_ours(either: Connection, tmp_path: Path) -> None:
    with open(tmp_path / "out", "wb") as out:
        either.run("head -c 300000 /dev/zero", stdout=out)
        out.write(b"after")
    assert (tmp_path / "out").read_bytes() == bytes(300_000) + b"after"


def test_output_can_go_to_a_pipe_of_ours_and_leaves_its_flags_alone(either: Connection) -> None:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as reader, open(write_end, "wb") as writer:
        either.run("echo through", stdout=writer)
        assert os.get_blocking(writer.fileno())
        writer.close()
        assert reader.read() == b"through\n"


def test_input_can_come_from_a_file_or_a_pipe(either: Connection, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x" * 200_000)
    with open(tmp_path / "in", "rb") as file:
        assert len(either.run("cat", stdin=file).stdout or "") == 200_000
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as reader, open(write_end, "wb") as writer:
        writer.write(b"piped")
        writer.close()
        assert either.run("cat", stdin=reader).stdout == "piped"


def test_a_file_that_does_not_take_the_output_is_an_error(either: Connection) -> None:
    with open("/dev/full", "wb", buffering=0) as full, tempfile.TemporaryFile() as fine:
        either.run("echo fine", stdout=fine)
        done = either.run("echo lost", stdout=full)
    # A device is written to by a thread; that it refuses is what the remote command sees as a closed pipe.
    assert done.stdout is None


def test_what_has_no_descriptor_is_refused(either: Connection) -> None:
    with pytest.raises(openssh_core.InvalidInput, match="descriptor"):
        either.run("true", stdout=io.StringIO())


def test_variables_arrive_whether_the_server_takes_them_or_not(either: Connection) -> None:
    env = {"FIRST": "it's $HOME", "LC_SECOND": "two\nlines", "THIRD": ""}
    for _ in range(2):
        done = either.run('printf "%s|" "$FIRST" "$LC_SECOND" "${THIRD-unset}"', env=env)
        assert done.stdout == "it's $HOME|two\nlines||"


def test_the_directory_can_be_chosen(either: Connection, tmp_path: Path) -> None:
    odd = tmp_path / "-a 'b"
    odd.mkdir()
    assert either.run("pwd", cwd=str(odd)).stdout == f"{odd}\n"


def test_a_missing_directory_means_the_command_does_not_run(either: Connection, tmp_path: Path) -> None:
    done = either.run("echo ran", cwd=str(tmp_path / "missing"))
    assert done.stdout == ""
    assert done.returncode != 0


def test_death_by_a_signal_is_told_from_a_status(host: Connection) -> None:
    done = host.run("kill -KILL $$")
    assert (done.returncode, done.signal) == (-signal.SIGKILL, "KILL")
    assert host.run("exit 137").returncode == 137
    assert host.run("exit 255").returncode == 255


def test_a_missing_program_is_127(either: Connection) -> None:
    done = either.run("/no/such/program")
    assert done.returncode == 127
    assert "/no/such/program" in str(done.stderr)


def test_check_raises_with_everything_in_it(either: Connection) -> None:
    with pytest.raises(openssh_core.CommandFailed, match="status 4.*'sorry'") as caught:
        either.run("echo out; echo sorry >&2; exit 4", check=True)
    error = caught.value
    assert (error.returncode, error.stdout, error.stderr) == (4, "out\n", "sorry\n")
    assert error.host == either.host


def test_capture_gives_stdout_or_raises(either: Connection) -> None:
    assert either.capture("echo", "hello") == "hello\n"
    with pytest.raises(openssh_core.CommandFailed):
        either.capture("false")


def test_bytes_that_are_no_text_are_kept(either: Connection) -> None:
    done = either.run(r"printf '\377\n'")
    assert str(done.stdout).encode("utf-8", "surrogateescape") == b"\xff\n"
    with pytest.raises(openssh_core.UndecodableOutput):
        either.run(r"printf '\377\n'", errors="strict")


def test_a_background_process_that_keeps_the_output_open_is_waited_for(either: Connection) -> None:
    # As subprocess.run does: the output is not over before it.
    done = either.run("{ sleep 0.2; echo late; } & echo early")
    assert done.stdout == "early\nlate\n"


def test_ten_threads_share_a_connection(either: Connection) -> None:
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda n: either.run("echo", str(n)).stdout, range(50)))
    assert results == [f"{n}\n" for n in range(50)]


def test_a_command_is_checked_before_anything_is_sent(either: Connection) -> None:
    with pytest.raises(openssh_core.InvalidCommand, match="NUL"):
        either.run("echo \0")
    with pytest.raises(openssh_core.InvalidCommand):
        either.run("x" * 131_072)
    with pytest.raises(openssh_core.InvalidCommand, match="no command"):
        either.run()
    with pytest.raises(openssh_core.InvalidEnvironment):
        either.run("true", env={"A=B": "c"})
    with pytest.raises(openssh_core.InvalidInput, match="stdin= and input="):
        either.run("true", stdin=0, input="x")


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "5"])
def test_a_limit_that_is_no_time_is_refused(either: Connection, seconds: float) -> None:
    with pytest.raises(openssh_core.InvalidInput, match="timeout"):
        either.run("true", timeout=seconds)


def test_the_words_of_subprocess_are_ours() -> None:
    import subprocess

    assert (PIPE, STDOUT, DEVNULL) == (subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL)
