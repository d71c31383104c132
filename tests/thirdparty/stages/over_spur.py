"""spur: programs run, fed, asked and ended on the server. Its own tests are in none of its releases (its source has
one helper of theirs), so these are of what it promises.
"""

from __future__ import annotations

import io
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import spur
import spur.ssh

HOST, PORT, USER = os.environ["SERVER_HOST"], int(os.environ["SERVER_PORT"]), os.environ["SERVER_USER"]
TYPES = {"sh": spur.ssh.ShellTypes.sh, "minimal": spur.ssh.ShellTypes.minimal}


def new_shell(**named: Any) -> Any:
    named = {"port": PORT, "missing_host_key": spur.ssh.MissingHostKey.accept, **named}
    return spur.SshShell(HOST, USER, connect_timeout=30, **named)


@pytest.fixture(scope="module")
def shells() -> Iterator[dict[str, Any]]:
    with new_shell() as one, new_shell(shell_type=TYPES["minimal"]) as other:
        yield {"sh": one, "minimal": other}


@pytest.fixture(params=TYPES)
def either(request: pytest.FixtureRequest, shells: dict[str, Any]) -> Any:
    return shells[request.param]


@pytest.fixture
def shell(shells: dict[str, Any]) -> Any:
    return shells["sh"]


def test_what_a_program_says(either: Any) -> None:
    result = either.run(["sh", "-c", "echo out; echo err >&2"])
    assert (result.return_code, result.output, result.stderr_output) == (0, b"out\n", b"err\n")


def test_words_arrive_as_they_are(either: Any) -> None:
    words = ["a b", "'", '"', "$HOME", "*", "\\", "ä"]
    assert either.run(["printf", "%s|", *words], encoding="utf-8").output == "|".join(words) + "|"


def test_output_that_is_not_text(either: Any) -> None:
    assert either.run(["printf", r"\377\000\n"]).output == b"\xff\x00\n"
    assert either.run(["printf", "no line's end"]).output == b"no line's end"


def test_much_output(either: Any) -> None:
    assert len(either.run(["sh", "-c", "seq 200000; seq 200000 >&2"]).stderr_output) == 1_288_895


def test_a_status_is_an_error_unless_it_is_allowed(either: Any) -> None:
    with pytest.raises(spur.RunProcessError) as caught:
        either.run(["sh", "-c", "echo said; exit 3"])
    assert (caught.value.return_code, caught.value.output) == (3, b"said\n")
    assert either.run(["sh", "-c", "exit 3"], allow_error=True).return_code == 3


def test_output_goes_where_it_is_wanted_as_it_comes(either: Any) -> None:
    out, err = io.BytesIO(), io.BytesIO()
    assert either.run(["sh", "-c", "echo out; echo err >&2"], stdout=out, stderr=err).output == b"out\n"
    assert (out.getvalue(), err.getvalue()) == (b"out\n", b"err\n")


def test_a_program_is_fed(either: Any) -> None:
    process = either.spawn(["sh", "-c", "read one; read two; echo $two $one"])
    assert process.is_running()
    process.stdin_write(b"first\n")
    process.stdin_write(b"second\n")
    assert process.wait_for_result().output == b"second first\n"
    assert not process.is_running()


def test_a_program_on_a_terminal(either: Any) -> None:
    process = either.spawn(
        ["sh", "-c", "stty -echo; tty >/dev/null && read x; echo got $x; echo err >&2"], use_pty=True
    )
    process.stdin_write(b"this\n")
    result = process.wait_for_result()
    # With a terminal both streams are one.
    assert result.output.endswith(b"got this\r\nerr\r\n") and result.stderr_output == b""


def test_a_program_that_is_not_there(shell: Any) -> None:
    with pytest.raises(spur.NoSuchCommandError) as caught:
        shell.run(["no-such-program", "x"])
    assert caught.value.command == "no-such-program"


def test_a_directory_to_be_in(shell: Any) -> None:
    assert shell.run(["pwd"], cwd="/usr").output == b"/usr\n"
    with pytest.raises(spur.CouldNotChangeDirectoryError):
        shell.run(["pwd"], cwd="/no/such/directory")


def test_variables(shell: Any) -> None:
    assert shell.run(["sh", "-c", "echo $ONE $TWO"], update_env={"ONE": "a b", "TWO": "'"}).output == b"a b '\n"


def test_signals_by_the_number_of_the_process(shell: Any) -> None:
    process = shell.spawn(["cat"], store_pid=True, allow_error=True)
    assert process.pid > 1 and process.is_running()
    process.send_signal(signal.SIGTERM)
    # It was ended by a signal, for which there is no status.
    assert process.wait_for_result().return_code == -1


def test_what_a_minimal_shell_cannot(shells: dict[str, Any]) -> None:
    with pytest.raises(spur.ssh.UnsupportedArgumentError):
        shells["minimal"].run(["pwd"], cwd="/")


def test_files_are_written_and_read(either: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    with either.open(path, "w") as file:
        file.write("täxt\n")
    with either.open(path, "rb") as file:
        assert file.read() == "täxt\n".encode()
    with either.open(path, "r") as file:
        assert file.read() == "täxt\n"


def test_a_shell_that_was_left_runs_nothing() -> None:
    with new_shell() as shell:
        shell.run(["true"])
    with pytest.raises(Exception, match="."):
        shell.run(["true"])


def test_a_host_that_is_not_known() -> None:
    with new_shell(missing_host_key=spur.ssh.MissingHostKey.warn, load_system_host_keys=False) as shell:
        shell.run(["true"])
    strict = new_shell(missing_host_key=spur.ssh.MissingHostKey.raise_error, load_system_host_keys=False)
    with strict as shell, pytest.raises(spur.ssh.ConnectionError) as caught:
        shell.run(["true"])
    assert "not found in known_hosts" in str(caught.value)


def test_nobody_listens() -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(spur.ssh.ConnectionError) as caught:
        new_shell(port=port).run(["true"])
    assert isinstance(caught.value.original_error, OSError)
    assert "Traceback (most recent call last):" in caught.value.original_traceback


def test_over_a_socket_that_is_open() -> None:
    with socket.create_connection((HOST, PORT)) as sock, new_shell(port=1, sock=sock) as shell:
        assert shell.run(["echo", "hello"]).output == b"hello\n"
