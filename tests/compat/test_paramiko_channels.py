"""Channels and their files, call by call: what is given, what is raised; the same over paramiko and over ours."""

from __future__ import annotations

import io
import select
import socket
from collections.abc import Callable
from typing import Any

import pytest


def start(client: Any, command: Any) -> Any:
    """The channel of a command, and no files: whoever lets go of stdin ends the input."""
    channel = client.get_transport().open_session()
    channel.exec_command(command)
    return channel


# ---- states


@pytest.mark.behaviour("new-session")
@pytest.mark.shows("Channel.recv_stderr_ready", "Channel.send_ready")
def test_a_session_before_anything_runs(channel: Any) -> None:
    assert not channel.closed and channel.active and not channel.eof_received and not channel.eof_sent
    assert channel.exit_status == -1 and not channel.exit_status_ready()
    assert not channel.recv_ready() and not channel.recv_stderr_ready() and not channel.send_ready()
    assert channel.gettimeout() is None and not channel.combine_stderr
    channel.settimeout(0.01)
    with pytest.raises(socket.timeout):
        channel.recv(1)


def not_open(paramiko: Any, channel: Any) -> None:
    for call in (
        lambda: channel.exec_command("true"),
        channel.invoke_shell,
        lambda: channel.invoke_subsystem("sftp"),
        channel.get_pty,
        channel.resize_pty,
        lambda: channel.update_environment({"A": "b"}),
        lambda: channel.set_environment_variable("A", "b"),
    ):
        with pytest.raises(paramiko.SSHException, match=r"^Channel is not open$"):
            call()


@pytest.mark.behaviour("closed")
def test_a_channel_that_was_closed(paramiko: Any, channel: Any) -> None:
    channel.close()
    channel.close()
    not_open(paramiko, channel)
    for send in (channel.send, channel.sendall):
        with pytest.raises(OSError, match=r"^Socket is closed$") as caught:
            send(b"x")
        assert caught.value.args == ("Socket is closed",)
    assert (channel.recv(1), channel.recv_stderr(1), channel.recv_exit_status()) == (b"", b"", -1)
    assert channel.closed and channel.exit_status_ready() and channel.send_ready() and not channel.recv_ready()
    for after in (channel.shutdown_write, channel.shutdown_read, lambda: channel.shutdown(2)):
        assert after() is None


@pytest.mark.behaviour("after-exit")
def test_a_channel_whose_command_has_ended(paramiko: Any, shared: Any, until: Callable[..., Any]) -> None:
    channel = start(shared, "exit 3")
    assert channel.recv_exit_status() == 3
    until(lambda: channel.closed)
    not_open(paramiko, channel)
    assert channel.recv_exit_status() == 3 == channel.exit_status
    with pytest.raises(OSError, match=r"^Socket is closed$"):
        channel.send(b"x")


@pytest.mark.behaviour("one-command")
def test_a_channel_where_something_runs(paramiko: Any, shared: Any) -> None:
    channel = start(shared, "cat")
    with pytest.raises(paramiko.SSHException, match=r"^Channel closed\.$"):
        channel.exec_command("true")
    channel.close()


@pytest.mark.behaviour("refused-request")
@pytest.mark.shows("Channel.invoke_shell")
def test_what_was_refused_is_closed(paramiko: Any, channel: Any) -> None:
    with pytest.raises(paramiko.SSHException, match=r"^Channel closed\.$"):
        channel.invoke_subsystem("unheard-of")
    assert channel.closed
    not_open(paramiko, channel)


@pytest.mark.behaviour("identity")
@pytest.mark.shows(
    "Channel.get_id", "Channel.get_name", "Channel.getpeername", "Channel.set_name", "Transport.getpeername"
)
def test_a_channel_says_where_it_belongs(shared: Any, channel: Any) -> None:
    transport = shared.get_transport()
    assert channel.get_transport() is transport is channel.transport
    assert channel.getpeername() == transport.getpeername()
    assert isinstance(channel.get_id(), int) and channel.get_name() == str(channel.get_id()) == str(channel.chanid)
    channel.set_name("mine")
    assert channel.get_name() == "mine"


@pytest.mark.behaviour("new-session")
def test_arguments_of_a_session(shared: Any) -> None:
    with shared.get_transport().open_session(window_size=65536, max_packet_size=4096, timeout=30) as channel:
        assert channel.exec_command("echo hi") is None
        assert channel.recv(10) == b"hi\n"
    assert channel.closed


# ---- time limits


@pytest.mark.behaviour("timeout")
def test_ways_to_say_how_long(shared: Any) -> None:
    channel = start(shared, "cat")
    for timeout in (None, 0, 0.0, 1, 2.5):
        channel.settimeout(timeout)
        assert channel.gettimeout() == timeout
    channel.setblocking(1)
    assert channel.gettimeout() is None
    channel.setblocking(0)
    assert channel.gettimeout() == 0.0
    for receive in (channel.recv, channel.recv_stderr):
        with pytest.raises(socket.timeout) as caught:
            receive(1)
        assert caught.value.args == () and isinstance(caught.value, TimeoutError)
    channel.close()


@pytest.mark.behaviour("timeout")
def test_the_limit_is_of_each_wait(shared: Any) -> None:
    """Not of the command, and not of waiting for its status."""
    stdin, stdout, _ = shared.exec_command("read x; exit 4", timeout=0.05)
    for read in (stdout.read, stdout.readline, lambda: stdout.read(1), stdout.readlines):
        with pytest.raises(socket.timeout):
            read()
    stdin.write("go\n")
    assert stdout.channel.recv_exit_status() == 4


# ---- sending


@pytest.mark.behaviour("sending")
def test_what_can_be_sent(shared: Any) -> None:
    channel = start(shared, "cat")
    assert [channel.send(piece) for piece in (b"a", "b", bytearray(b"c"), memoryview(b"d"), b"", "")] == [
        1, 1, 1, 1, 0, 0,
    ]  # fmt: skip
    assert channel.sendall("e") is None
    with pytest.raises(TypeError):
        channel.send(5)
    channel.shutdown_write()
    assert channel.makefile("rb").read() == b"abcde"


@pytest.mark.behaviour("sending")
def test_how_much_of_a_text_was_sent(shared: Any) -> None:
    """Counted in characters: programs go on with `text[sent:]`."""
    channel = start(shared, "cat")
    assert channel.send("äöü€") == 4
    text = "€" * 10
    while text:
        text = text[channel.send(text) :]
    channel.shutdown_write()
    assert channel.makefile("rb").read() == ("äöü€" + "€" * 10).encode()


@pytest.mark.behaviour("stdin-ends")
@pytest.mark.shows("Channel.shutdown_read")
def test_shutdown(shared: Any) -> None:
    for end in (lambda one: one.shutdown(1), lambda one: one.shutdown(2), lambda one: one.shutdown_write()):
        channel = start(shared, "cat; exit 5")
        end(channel)
        assert channel.eof_sent and channel.recv_exit_status() == 5
    channel = start(shared, "cat")
    channel.shutdown_read()
    channel.shutdown(0)
    channel.send(b"still")
    assert channel.recv(10) == b"still"
    channel.close()


# ---- receiving


@pytest.mark.behaviour("receiving")
def test_pieces(shared: Any, until: Callable[..., Any]) -> None:
    channel = start(shared, "printf abcdef; printf xy >&2")
    channel.recv_exit_status()
    # A server may tell the exit status before the last of the output.
    until(lambda: (len(channel.in_buffer), len(channel.in_stderr_buffer)) == (6, 2))
    assert [channel.recv(0), channel.recv(2), channel.recv(len(channel.in_buffer)), channel.recv(1)] == [
        b"", b"ab", b"cdef", b"",
    ]  # fmt: skip
    assert channel.recv_stderr(100) == b"xy" and channel.recv_stderr(1) == b""


@pytest.mark.behaviour("after-the-end")
def test_reading_after_the_end(shared: Any) -> None:
    _, stdout, _ = shared.exec_command("echo x")
    assert stdout.read() == b"x\n"
    assert [stdout.read(), stdout.read(5), stdout.readline(), stdout.readlines(), list(stdout)] == [
        b"",
        b"",
        "",
        [],
        [],
    ]
    assert not stdout.closed


@pytest.mark.behaviour("combine")
@pytest.mark.shows("Channel.set_combine_stderr")
def test_stderr_joins_stdout_even_late(shared: Any, until: Callable[..., Any]) -> None:
    _, stdout, stderr = shared.exec_command("echo a; echo b >&2")
    channel = stdout.channel
    channel.recv_exit_status()
    until(lambda: channel.closed)
    assert [channel.set_combine_stderr(True), channel.set_combine_stderr(True), channel.combine_stderr] == [
        False, True, True,
    ]  # fmt: skip
    assert sorted(stdout.read().split()) == [b"a", b"b"] and stderr.read() == b""


@pytest.mark.behaviour("streams")
@pytest.mark.shows("Channel.fileno")
def test_select_tells_of_stderr_and_of_the_end(shared: Any) -> None:
    channel = start(shared, "cat >&2")
    assert isinstance(channel.fileno(), int)
    assert select.select([channel], [], [], 0)[0] == []
    channel.send(b"x")
    assert select.select([channel], [], [], 60)[0] == [channel]
    assert not channel.recv_ready() and channel.recv_stderr(5) == b"x"
    assert select.select([channel], [], [], 0)[0] == []
    channel.shutdown_write()
    assert select.select([channel], [], [], 60)[0] == [channel]
    assert channel.recv(1) == b""


# ---- the files of a command


@pytest.mark.behaviour("triple")
@pytest.mark.shows("BufferedFile.seek", "BufferedFile.tell")
def test_the_three_files(paramiko: Any, shared: Any) -> None:
    files = shared.exec_command("true")
    assert [type(file).__name__ for file in files] == ["ChannelStdinFile", "ChannelFile", "ChannelStderrFile"]
    assert all(isinstance(file, paramiko.ChannelFile) and isinstance(file, paramiko.BufferedFile) for file in files)
    assert len({file.channel for file in files}) == 1
    assert not any(isinstance(file, io.IOBase) or hasattr(file, "fileno") or hasattr(file, "name") for file in files)
    assert files[1].newlines is None and files[1].tell() == 0
    with pytest.raises(OSError, match="seek"):
        files[1].seek(0)


@pytest.mark.behaviour("modes")
@pytest.mark.shows("Channel.makefile_stderr", "Channel.makefile_stdin")
@pytest.mark.parametrize("mode", ["r", "rb", "w", "wb", "rw", "r+", "U", "rU", "a", ""])
def test_modes(paramiko: Any, channel: Any, mode: str) -> None:
    for make in (channel.makefile, channel.makefile_stderr, channel.makefile_stdin):
        file = make(mode)
        assert (file.readable(), file.writable(), file.seekable()) == (
            bool(set("r+") & set(mode)), bool(set("wa+") & set(mode)), False,
        )  # fmt: skip


@pytest.mark.behaviour("closed-file")
def test_a_file_that_is_closed(shared: Any) -> None:
    _, stdout, _ = shared.exec_command("echo x")
    with stdout as same:
        assert same is stdout
    assert stdout.closed and stdout.readable()
    with pytest.raises(ValueError, match=r"^I/O operation on closed file$"):
        iter(stdout)
    for use in (stdout.read, stdout.readline, stdout.readlines, lambda: next(stdout), lambda: stdout.write("x")):
        with pytest.raises(OSError, match=r"^File is closed$"):
            use()
    assert stdout.flush() is None
    assert stdout.channel.recv_exit_status() == 0, "the channel goes on"


@pytest.mark.behaviour("stdin-ends")
def test_closing_stdin_ends_the_input(shared: Any) -> None:
    stdin, stdout, _ = shared.exec_command("cat; exit 6")
    stdin.write("x")
    assert not stdin.channel.eof_sent
    stdin.close()
    stdin.close()
    assert stdin.closed and stdin.channel.eof_sent
    with pytest.raises(OSError, match=r"^File is closed$"):
        stdin.write("y")
    assert stdout.read() == b"x" and stdout.channel.recv_exit_status() == 6


@pytest.mark.behaviour("sizes")
def test_sizes_of_reading(shared: Any) -> None:
    _, stdout, _ = shared.exec_command("printf 'abc\\ndef\\nghi'")
    assert [stdout.read(0), stdout.readline(0), stdout.readline(2), stdout.readline(100)] == [b"", "", "ab", "c\n"]
    assert [stdout.readline(-1), stdout.read(-1)] == ["def\n", b"ghi"]


@pytest.mark.behaviour("line-ends")
def test_ends_of_lines_stay(shared: Any) -> None:
    _, stdout, _ = shared.exec_command("printf 'a\\r\\nb\\rc\\n'")
    assert list(stdout) == ["a\r\n", "b\rc\n"]
    file = start(shared, "printf 'a\\r\\nb\\n'").makefile("rU")
    assert file.readlines() == ["a\n", "b\n"] and set(file.newlines) == {b"\r\n", b"\n"}


@pytest.mark.behaviour("no-text")
def test_bytes_that_are_no_text(shared: Any) -> None:
    _, stdout, _ = shared.exec_command("printf '\\377\\nok\\n'")
    with pytest.raises(UnicodeDecodeError):
        stdout.readline()
    assert stdout.readline() == "ok\n"
    assert shared.exec_command("printf '\\377'")[1].read() == b"\xff"


@pytest.mark.behaviour("bufsize")
@pytest.mark.parametrize("bufsize", [-1, 0, 1, 2, 100])
def test_buffer_sizes(shared: Any, bufsize: int) -> None:
    stdin, stdout, _ = shared.exec_command("cat", bufsize=bufsize)
    stdin.write("ab")
    stdin.write(b"c\nd")
    stdin.flush()
    stdin.channel.shutdown_write()
    assert (stdout.readline(), stdout.read()) == ("abc\n", b"d")


@pytest.mark.behaviour("stdin")
def test_what_can_be_written(shared: Any) -> None:
    stdin, stdout, _ = shared.exec_command("cat")
    assert [stdin.write(piece) for piece in ("ä", b"b", bytearray(b"c"), memoryview(b"d"))] == [None] * 4
    assert stdin.writelines(["e", b"f"]) is None and stdin.tell() == 7
    with pytest.raises(TypeError):
        stdin.write(5)
    stdin.close()
    assert stdout.read() == "äbcdef".encode()


# ---- what a command is


@pytest.mark.behaviour("not-a-command")
@pytest.mark.parametrize("command", [None, 5, ["ls"]])
def test_what_is_no_command(shared: Any, command: Any) -> None:
    with pytest.raises(TypeError):
        shared.exec_command(command)


@pytest.mark.behaviour("not-a-command")
@pytest.mark.parametrize("command", ["echo ä", "echo ä".encode(), bytearray("echo ä".encode())])
def test_what_is_a_command(shared: Any, command: Any) -> None:
    assert shared.exec_command(command)[1].read() == "ä\n".encode()


@pytest.mark.behaviour("exit-status")
def test_commands_that_say_little(shared: Any) -> None:
    for command, status in (("", 0), ("   ", 0), ("exit 300", 44), ("no-such-command", 127), ("kill -TERM $$", -1)):
        assert start(shared, command).recv_exit_status() == status, command
    assert b"not found" in shared.exec_command("no-such-command")[2].read()


@pytest.mark.behaviour("not-a-command")
@pytest.mark.shows("SSHClient.exec_command")
def test_a_variable_that_is_no_text(shared: Any) -> None:
    with pytest.raises(TypeError):
        shared.exec_command("true", environment={"A": 1})


@pytest.mark.behaviour("returns-at-once")
def test_it_does_not_wait_for_the_command(shared: Any) -> None:
    stdin, stdout, stderr = shared.exec_command("read x; echo out; echo err >&2; exit 7")
    assert not stdout.channel.exit_status_ready() and not stdout.channel.recv_ready()
    stdin.write("go\n")
    # In whatever order they are read.
    assert stderr.read() == b"err\n" and stdout.channel.recv_exit_status() == 7 and stdout.read() == b"out\n"


@pytest.mark.behaviour("pty")
def test_a_terminal_echoes(shared: Any) -> None:
    stdin, stdout, stderr = shared.exec_command("read x; echo got $x; echo err >&2", get_pty=True)
    stdin.write("hi\n")
    assert stdout.read() == b"hi\r\ngot hi\r\nerr\r\n" and stderr.read() == b""


@pytest.mark.behaviour("shell")
def test_a_shell_that_is_polled(shared: Any, until: Callable[..., Any]) -> None:
    channel = shared.invoke_shell()
    seen = b""

    def answer() -> bool:
        nonlocal seen
        if channel.recv_ready():
            seen += channel.recv(9999)
        return b"A2B" in seen

    channel.send("echo A$((1+1))B\n")
    until(answer)
    assert not channel.exit_status_ready() and not channel.closed
    channel.close()
    assert channel.closed
