"""Where a command's streams can come from and go to, and the shapes it can have."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import openssh_core
from openssh_core import DEVNULL, KEEP_OPEN, PIPE, SOCKET, STDOUT, Connection, Defaults
from openssh_core.errors import CommandFailed, InvalidInput, UndecodableOutput


def test_paths_are_opened(either: Connection, tmp_path: Path) -> None:
    source, out, err = tmp_path / "source", tmp_path / "out", tmp_path / "err"
    source.write_text("hello\n")
    out.write_text("something longer that was there before\n")
    done = either.run("cat; echo wrong >&2", stdin=source, stdout=out, stderr=err, check=True)
    assert (done.stdout, done.stderr) == (None, None)
    assert (out.read_text(), err.read_text()) == ("hello\n", "wrong\n")
    with either.popen("echo again", stdout=out) as process:
        assert process.wait() == 0
    assert out.read_text() == "again\n"


def test_a_path_that_cannot_be_opened(either: Connection, tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError, match="nothing"):
        either.run("cat", stdin=tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        either.run("echo", stdout=PIPE, stderr=tmp_path)
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_one_socket_for_both_directions(either: Connection) -> None:
    with either.popen("while read line; do echo got $line; done; exec >&-; sleep 0.1; exit 4", **both()) as process:
        sock = process.socket
        assert isinstance(sock, socket.socket)
        assert process.stdin is None
        assert process.stdout is None
        sock.sendall(b"one\n")
        assert sock.recv(100) == b"got one\n"
        sock.sendall(b"two\n")
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as rest:
            assert rest.read() == b"got two\n"
        assert process.wait() == 4


def both() -> dict[str, int]:
    return {"stdin": SOCKET, "stdout": SOCKET}


def test_the_end_of_output_comes_before_the_end_of_the_command(host: Connection) -> None:
    with host.popen("exec 1>&- 2>&-; read line; exit 5", **both()) as process:
        assert process.socket is not None
        assert process.socket.recv(10) == b""
        process.socket.sendall(b"go\n")
        assert process.wait() == 5


def test_a_socket_carries_more_than_it_holds(either: Connection) -> None:
    data = os.urandom(3_000_000)
    with either.popen("cat", **both()) as process:
        sock = process.socket
        assert sock is not None
        sender = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        with sock.makefile("rb") as file:
            assert file.read() == data
        sender.join()
        assert process.wait() == 0


@pytest.mark.parametrize(
    "streams", [{"stdin": SOCKET}, {"stdout": SOCKET}, {"stderr": SOCKET}, {"stdout": KEEP_OPEN}, {"stderr": KEEP_OPEN}]
)
def test_streams_that_make_no_sense(host: Connection, streams: dict[str, int]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(InvalidInput):
        host.popen("true", **streams)  # type: ignore[arg-type]
    assert len(os.listdir("/proc/self/fd")) == before


# Tells when its input ends: within a second that a program which waits for input would not.
ENDS = (
    "if read -t 1 line; then echo $line; fi; if read -t 1 more; then echo more; elif [ $? -gt 128 ]; then echo open; fi"
)


def test_input_can_be_kept_open(either: Connection) -> None:
    assert either.run("bash", "-c", ENDS, input="x\n", stdin=KEEP_OPEN).stdout == "x\nopen\n"
    assert either.run("bash", "-c", ENDS, input="x\n").stdout == "x\n"


def test_default_streams(host: Connection, tmp_path: Path) -> None:
    host.defaults = Defaults(stdin=tmp_path / "in", stdout=tmp_path / "out", stderr=DEVNULL)
    (tmp_path / "in").write_text("from the file")
    with host.popen("cat; echo err >&2") as process:
        assert process.wait() == 0
    assert (tmp_path / "out").read_text() == "from the file"
    with host.popen("cat", stdin=DEVNULL, stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert host.run("echo captured").stdout == "captured\n"


def test_a_test_is_yes_or_no(either: Connection, capfd: pytest.CaptureFixture[str]) -> None:
    assert either.test("test", "-d", "/") is True
    assert either.test("echo loud; echo louder >&2; exit 1") is False
    assert either.test("exit 255") is False
    assert capfd.readouterr() == ("", "")


def test_what_was_spawned_need_not_be_waited_for(either: Connection, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    either.spawn(f"echo noise; echo ran >{fifo}")
    gc.collect()  # no ResourceWarning, which would be an error
    assert fifo.read_text() == "ran\n"
    handle = either.spawn("exit 6")
    assert handle.wait() == 6


def test_a_file_that_is_a_commands_input(either: Connection, tmp_path: Path) -> None:
    with either.pipe_in("cat >" + str(tmp_path / "file")) as file:
        file.write("one\n")
        print("twö", file=file)
    assert (tmp_path / "file").read_text() == "one\ntwö\n"
    with either.pipe_in(f"cat >{tmp_path}/file", encoding=None) as file:
        file.write(b"\xff")
    assert (tmp_path / "file").read_bytes() == b"\xff"


def test_closing_raises_when_the_command_failed(either: Connection) -> None:
    file = either.pipe_in("cat >/dev/null; exit 3")
    file.write("x")
    with pytest.raises(CommandFailed, match="status 3") as caught:
        file.close()
    assert caught.value.returncode == 3
    assert file.closed
    file.close()  # the second time there is nothing to say
    with pytest.raises(CommandFailed, match="status 4"), either.pipe_out("echo line; exit 4") as file:
        assert file.read() == "line\n"


def test_a_command_that_does_not_read_its_file(either: Connection) -> None:
    with pytest.raises(CommandFailed, match="status 5"), either.pipe_in("exec <&-; exit 5") as file:
        try:
            for _ in range(100):
                file.write("x" * 100_000)
        except BrokenPipeError:
            pass


def test_a_file_that_is_a_commands_output(either: Connection) -> None:
    with either.pipe_out("printf", "a\\nb\\n") as file:
        assert list(file) == ["a\n", "b\n"]
    with either.pipe_out("head -c 1000000 /dev/zero", encoding=None) as file:
        assert len(file.read()) == 1_000_000


def test_a_file_that_nobody_closes_is_told_of_and_waits_for_nobody(host: Connection) -> None:
    file = host.pipe_in("sleep 1000")
    file.write("x")
    held = [file]
    del file
    with pytest.warns(ResourceWarning, match="never closed"):
        held.clear()


def test_a_local_process_wired_to_a_command(either: Connection, tmp_path: Path) -> None:
    script = "import sys; print('question', flush=True); open(sys.argv[1], 'w').write(sys.stdin.readline())"
    with either.dpipe([sys.executable, "-c", script, tmp_path / "answer"], "read x; echo answer to $x; exit 3") as pair:
        assert pair.wait() == (0, 3)
    assert (tmp_path / "answer").read_text() == "answer to question\n"


def test_a_megabyte_through_a_local_process(either: Connection) -> None:
    with either.dpipe(["head", "-c", "1000000", "/dev/zero"], "wc -c >&2", stderr=PIPE) as pair:
        assert pair.remote.stderr is not None
        assert pair.remote.stderr.read().strip() == b"1000000"


def test_a_local_program_that_is_not_there(either: Connection) -> None:
    with pytest.raises(FileNotFoundError):
        either.dpipe(["/does/not/exist"], "cat")
    for nothing in ("ls", []):
        with pytest.raises(InvalidInput):
            either.dpipe(nothing, "cat")


def test_leaving_a_wired_pair_early_ends_the_local_process(either: Connection) -> None:
    with pytest.raises(RuntimeError, match="mine"), either.dpipe(["sleep", "1000"], "cat") as pair:
        raise RuntimeError("mine")
    assert pair.local.returncode == -9
    assert isinstance(pair.local, subprocess.Popen)


def test_output_that_is_no_text(either: Connection) -> None:
    with pytest.raises(UndecodableOutput, match="utf-8") as caught:
        either.run(r"printf 'caf\351'; echo fine >&2; exit 3", errors="strict")
    error = caught.value
    assert (error.stdout, error.stderr, error.returncode, error.encoding) == (b"caf\xe9", b"fine\n", 3, "utf-8")
    with either.popen(r"printf '\377'", stdout=PIPE, errors="strict") as process:
        with pytest.raises(UndecodableOutput) as caught:
            process.communicate()
    assert caught.value.stdout == b"\xff"


def test_other_encodings(either: Connection) -> None:
    assert either.run(r"printf 'caf\351'", encoding="latin-1").stdout == "café"
    assert either.run("od -An -tx1", input="é", encoding="latin-1").stdout.split() == ["e9"]  # type: ignore[union-attr]
    either.defaults = Defaults(argument_encoding="latin-1")
    assert either.run("printf", "%s", "é", "ü", b"\xc3", encoding=None).stdout == b"\xe9\xfc\xc3"
    assert either.run("printf é", encoding=None).stdout == b"\xe9"
    with pytest.raises(InvalidInput, match="latin-1"):
        either.run("printf", "€")


@pytest.mark.parametrize("named", [{"encoding": "nonsense"}, {"errors": "nonsense"}, {"encoding": "base64"}])
def test_codings_that_there_are_not(host: Connection, named: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="nonsense|base64"):
        host.run("echo", **named)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="argument_encoding"):
        Defaults(argument_encoding="nonsense")


def test_input_that_cannot_be_written_in_the_encoding(host: Connection) -> None:
    with pytest.raises(InvalidInput, match="ascii"):
        host.run("cat", input="é", encoding="ascii", errors="strict")


def test_stderr_beside_a_socket(either: Connection) -> None:
    with either.popen("cat; echo err >&2", **both(), stderr=STDOUT) as process:
        assert process.socket is not None
        process.socket.shutdown(socket.SHUT_WR)
        with process.socket.makefile() as file:
            assert file.read() == "err\n"


def test_defaults_are_given_to_connect(loopback_server: openssh_core.testing.LoopbackServer) -> None:  # type: ignore[name-defined]
    given = Defaults(remote_shell="sh")
    with openssh_core.connect(**loopback_server.connect_options(), defaults=given) as host:
        assert host.defaults is given


def test_variables_in_commands(either: Connection) -> None:
    assert either.run("printf", "%s", "%HOST%").stdout == "%HOST%"  # off unless asked for
    either.defaults = Defaults(variables={"what": "a'b"})
    host, port = either.host.rpartition("@")[2].split(":")
    done = either.run("printf", "%s|", "%HOST%:%PORT%", "%USER%", "%what%", "100%%", check=True)
    assert done.stdout == f"{host}:{port}|{either.host.partition('@')[0]}|a'b|100%|"
    assert either.run("echo '%PORT%'").stdout == f"{port}\n"
    assert either.make_remote_command("echo", "%PORT%")[-1].endswith(f"echo {port}")
    with pytest.raises(InvalidInput, match="nobody"):
        either.run("echo", "%nobody%")


def test_the_end_of_a_socket_is_seen_though_a_forked_child_lives(host: Connection) -> None:
    with host.popen("cat", **both()) as process:
        assert process.socket is not None
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(write_end)
            os.read(read_end, 1)  # lives until the parent has seen what it wants
            os._exit(0)
        os.close(read_end)
        try:
            process.socket.shutdown(socket.SHUT_WR)
            assert process.socket.recv(10) == b""
            assert process.wait() == 0
            process.close()
        finally:
            os.close(write_end)
            os.waitpid(child, 0)
