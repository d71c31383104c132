"""exec_command, its three files and its channel: paramiko and the adapter do the same."""

from __future__ import annotations

import gc
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import LoopbackServer


def output(client: Any, command: Any, **named: Any) -> bytes:
    _, stdout, _ = client.exec_command(command, **named)
    data: bytes = stdout.read()
    return data


# ---- the three files


@pytest.mark.behaviour("bytes-and-text")
def test_streams_are_bytes_and_apart(client: Any) -> None:
    stdin, stdout, stderr = client.exec_command("echo out; echo err >&2; exit 3")
    assert (stdout.read(), stderr.read(), stdout.channel.recv_exit_status()) == (b"out\n", b"err\n", 3)
    assert stdin.channel is stdout.channel is stderr.channel


@pytest.mark.behaviour("bytes-and-text")
def test_lines_are_text(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("printf 'one\\ntwo\\nthree'")
    assert stdout.readline() == "one\n"
    assert list(stdout) == ["two\n", "three"]
    assert (stdout.readline(), stdout.read()) == ("", b"")


@pytest.mark.behaviour("bytes-and-text")
@pytest.mark.shows("Channel.makefile")
def test_lines_of_a_binary_file_are_bytes(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("printf 'a\\nb\\n'")
    assert stdout.channel.makefile("rb").readlines() == [b"a\n", b"b\n"]


@pytest.mark.behaviour("no-text")
def test_a_line_that_is_no_text(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("printf '\\377\\n'")
    with pytest.raises(UnicodeDecodeError):
        stdout.readline()


@pytest.mark.behaviour("sizes")
def test_reading_in_pieces(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("printf 'abcdefgh\\nij'")
    assert stdout.read(3) == b"abc"
    assert stdout.readline(2) == "de"
    assert stdout.readline() == "fgh\n"
    assert stdout.read(100) == b"ij"
    assert [stdout.read(1), stdout.read(), stdout.tell()] == [b"", b"", 11]


@pytest.mark.behaviour("sizes")
@pytest.mark.shows("BufferedFile.readinto")
def test_readlines_up_to_a_size(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("printf 'aaaa\\nbbbb\\ncccc\\n'")
    assert stdout.readlines(8) == ["aaaa\n", "bbbb\n"]
    buffer = bytearray(3)
    assert (stdout.readinto(buffer), buffer) == (3, b"ccc")


@pytest.mark.behaviour("stdin")
def test_what_is_written_arrives(client: Any) -> None:
    stdin, stdout, _ = client.exec_command("cat")
    stdin.write("täxt\n")
    stdin.write(b"\xff\n")
    stdin.writelines(["a", "b"])
    stdin.flush()
    stdin.close()
    assert stdout.read() == "täxt\n".encode() + b"\xff\nab"


@pytest.mark.behaviour("bufsize", "stdin")
def test_a_buffered_stdin_waits_for_flush(client: Any) -> None:
    stdin, stdout, _ = client.exec_command("head -n 1; cat", bufsize=1)
    stdin.write("begun")
    stdin.write(" here\n")
    assert stdout.readline() == "begun here\n"
    stdin.write("rest")
    stdin.flush()
    stdin.channel.shutdown_write()
    assert stdout.read() == b"rest"


@pytest.mark.behaviour("closed-file")
@pytest.mark.shows("BufferedFile.closed")
def test_a_closed_file_is_not_read(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("echo still here")
    channel = stdout.channel
    stdout.close()
    assert stdout.closed
    with pytest.raises(OSError, match="File is closed"):
        stdout.read()
    assert channel.makefile().read() == b"still here\n"


@pytest.mark.behaviour("modes")
@pytest.mark.shows("BufferedFile.readable", "BufferedFile.seekable", "BufferedFile.writable")
def test_files_are_for_one_direction(client: Any) -> None:
    stdin, stdout, _ = client.exec_command("true")
    assert (stdin.writable(), stdout.readable(), stdout.seekable()) == (True, True, False)
    with pytest.raises(OSError, match="not open for"):
        stdin.read()
    with pytest.raises(OSError, match="not open for"):
        stdout.write("x")


@pytest.mark.behaviour("stdin", "stdin-ends")
def test_letting_go_of_stdin_ends_the_input(client: Any) -> None:
    assert output(client, "cat; echo over") == b"over\n"


# ---- what the command gets


@pytest.mark.behaviour("not-a-command")
def test_a_command_of_bytes(client: Any) -> None:
    assert output(client, b"printf %s '\xc3\xa4'") == "ä".encode()


@pytest.mark.behaviour("variables")
def test_the_environment(client: Any) -> None:
    # Its name is one that every server takes, for paramiko drops what is refused.
    assert output(client, "echo $LC_SOME", environment={"LC_SOME": "a  b"}) in (b"a b\n", b"\n")


@pytest.mark.behaviour("pty")
def test_a_terminal(client: Any) -> None:
    data = output(client, "echo $TERM; stty size; echo to stderr >&2", get_pty=True)
    assert data == b"vt100\r\n24 80\r\nto stderr\r\n"


@pytest.mark.behaviour("pty")
@pytest.mark.shows("Channel.resize_pty")
def test_a_terminal_of_another_size(client: Any) -> None:
    stdin, stdout, _ = client.exec_command("read x; stty size", get_pty=True)
    stdout.channel.resize_pty(width=100, height=30)
    stdin.write("go\n")
    assert stdout.read().splitlines()[-1] == b"30 100"


# ---- the exit status


@pytest.mark.behaviour("exit-status")
@pytest.mark.shows("Channel.recv_exit_status")
def test_death_by_a_signal_is_minus_one(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("kill -9 $$")
    assert stdout.channel.recv_exit_status() == -1
    assert stdout.channel.exit_status == -1


@pytest.mark.behaviour("exit-status")
def test_polling_for_the_exit_status(client: Any, until: Callable[..., Any]) -> None:
    stdin, stdout, _ = client.exec_command("cat; exit 4")
    assert not stdout.channel.exit_status_ready()
    assert not stdout.channel.status_event.wait(0.01)
    stdin.close()
    until(stdout.channel.exit_status_ready)
    assert stdout.channel.status_event.wait(60)
    assert stdout.channel.recv_exit_status() == 4


def test_the_status_does_not_wait_for_what_runs_in_the_background(client: Any) -> None:
    stdin, stdout, _ = client.exec_command("cat <&0 & exit 5")
    assert stdout.channel.recv_exit_status() == 5
    stdin.close()
    assert stdout.read() == b""


@pytest.mark.behaviour("exit-status", "after-exit")
def test_after_the_end(client: Any, until: Callable[..., Any]) -> None:
    _stdin, stdout, _ = client.exec_command("echo x; exit 2")
    channel = stdout.channel
    assert channel.recv_exit_status() == 2
    until(lambda: channel.closed)
    assert (bool(channel.eof_received), channel.exit_status_ready(), bool(channel.active)) == (True, True, True)
    assert (channel.recv_ready(), len(channel.in_buffer)) == (True, 2)
    assert [channel.recv(10), channel.recv(10), channel.recv_stderr(10)] == [b"x\n", b"", b""]


# ---- the channel


@pytest.mark.behaviour("sending", "streams")
@pytest.mark.shows("Channel.shutdown")
def test_sending_and_receiving(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("cat; echo done >&2")
    channel = stdout.channel
    assert channel.send_ready()
    assert channel.send("abc") == 3
    channel.sendall(memoryview(b"def"))
    received = b""
    while len(received) < 6:
        received += channel.recv(2)
    assert received == b"abcdef"
    channel.shutdown(1)
    assert channel.eof_sent
    assert channel.makefile_stderr().read() == b"done\n"


@pytest.mark.behaviour("sending")
def test_more_than_any_buffer_holds(client: Any, in_thread: Callable[..., Any]) -> None:
    stdin, stdout, _ = client.exec_command("cat")
    data = bytes(range(256)) * 20_000
    received = in_thread(stdout.read)
    stdout.channel.sendall(data)
    stdin.close()
    assert received() == data


@pytest.mark.behaviour("timeout")
@pytest.mark.shows("Channel.gettimeout")
def test_a_read_that_takes_too_long(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("echo begun; cat", timeout=0.2)
    assert stdout.readline() == "begun\n"
    with pytest.raises(socket.timeout) as caught:
        stdout.read()
    assert caught.value.args == ()
    assert stdout.channel.gettimeout() == 0.2


@pytest.mark.behaviour("timeout", "non-blocking")
@pytest.mark.shows("Channel.recv_ready", "Channel.setblocking")
def test_not_waiting_at_all(client: Any, until: Callable[..., Any]) -> None:
    _stdin, stdout, _ = client.exec_command("cat")
    channel = stdout.channel
    channel.setblocking(False)
    assert not channel.recv_ready()
    with pytest.raises(socket.timeout):
        channel.recv(1)
    channel.send(b"x")
    until(channel.recv_ready)
    assert channel.recv(1) == b"x"


@pytest.mark.behaviour("streams")
@pytest.mark.shows("Channel.shutdown_write")
def test_waiting_with_select(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("cat; cat >&2")
    channel = stdout.channel
    assert select.select([channel], [], [], 0)[0] == []
    channel.send(b"x")
    assert select.select([channel], [], [], 60)[0] == [channel]
    assert channel.recv(10) == b"x"
    assert select.select([channel], [], [], 0)[0] == []
    channel.shutdown_write()
    assert select.select([channel], [], [], 60)[0] == [channel]
    assert channel.recv(10) == b""


@pytest.mark.behaviour("streams", "combine")
def test_stderr_on_stdout(client: Any, until: Callable[..., Any]) -> None:
    stdin, stdout, _ = client.exec_command("echo first >&2; cat >/dev/null; echo second >&2; echo third")
    channel = stdout.channel
    until(channel.recv_stderr_ready)
    assert channel.set_combine_stderr(True) is False
    stdin.close()
    assert sorted(stdout.read().splitlines()) == [b"first", b"second", b"third"]
    assert channel.set_combine_stderr(False) is True
    assert channel.recv_stderr(10) == b""


@pytest.mark.behaviour("closed")
@pytest.mark.shows("Channel.send")
def test_nothing_can_be_sent_to_a_closed_channel(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("cat")
    stdout.channel.close()
    stdout.channel.close()
    with pytest.raises(OSError, match="Socket is closed"):
        stdout.channel.send(b"x")


@pytest.mark.behaviour("closed", "closing")
@pytest.mark.shows("Channel.recv", "Channel.recv_stderr")
def test_a_channel_closed_here_waits_for_nothing(client: Any) -> None:
    _stdin, stdout, _ = client.exec_command("cat")
    with stdout.channel as channel:
        pass
    assert (channel.closed, channel.recv(1), channel.recv_stderr(1), channel.recv_exit_status()) == (True, b"", b"", -1)


# ---- the client


@pytest.mark.behaviour("collected")
def test_the_client_may_go_before_its_output(
    paramiko: Any, log_in: Callable[..., Any], loopback_server: LoopbackServer
) -> None:
    client = log_in(loopback_server)
    stdin, stdout, _ = client.exec_command("cat")
    transport = client.get_transport()
    client._transport = None
    del client
    gc.collect()
    stdin.write("hello")
    stdin.close()
    assert stdout.read() == b"hello"
    transport.close()


@pytest.mark.behaviour("closing")
def test_closing_the_client_ends_all_waiting(client: Any, in_thread: Callable[..., Any]) -> None:
    _stdin, stdout, _ = client.exec_command("cat")
    status, data = in_thread(stdout.channel.recv_exit_status), in_thread(stdout.channel.recv, 1)
    client.close()
    assert (status(), data()) == (-1, b"")


@pytest.mark.behaviour("closing")
@pytest.mark.shows("SSHClient.close")
def test_a_command_begins_though_the_client_is_closed_at_once(
    client: Any, tmp_path: Path, until: Callable[..., Any]
) -> None:
    done = tmp_path / "done"
    client.exec_command(f"sleep 0.1; touch {done}")
    client.close()
    until(done.exists)


@pytest.mark.behaviour("closing")
def test_closing_the_client_does_not_end_commands(client: Any, tmp_path: Path, until: Callable[..., Any]) -> None:
    begun, go, done = tmp_path / "begun", tmp_path / "go", tmp_path / "done"
    client.exec_command(f"touch {begun}; while ! test -e {go}; do sleep 0.02; done; touch {done}")
    until(begun.exists)
    client.close()
    go.touch()
    until(done.exists)


@pytest.mark.behaviour("client-close")
@pytest.mark.shows("Transport.is_active")
def test_a_client_that_was_closed(paramiko: Any, client: Any) -> None:
    transport = client.get_transport()
    assert transport.is_active() and transport.is_authenticated()
    client.close()
    client.close()
    assert client.get_transport() is None
    assert not transport.is_active()


@pytest.mark.behaviour("returns-at-once")
def test_commands_at_the_same_time(client: Any) -> None:
    files = [client.exec_command(f"read x; echo $x {number}") for number in range(8)]
    for stdin, _, _ in files:
        stdin.write("number\n")
    assert [stdout.read() for _, stdout, _ in files] == [f"number {number}\n".encode() for number in range(8)]
