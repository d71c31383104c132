"""Other programs on our way: what they are told works, and never logs in."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable

import pytest

import openssh_core
from openssh_core import Connection
from openssh_core.testing import LoopbackServer


def run(argv: list[str], **named: object) -> subprocess.CompletedProcess[bytes]:
    named.setdefault("stdin", subprocess.DEVNULL)
    if "input" in named:
        del named["stdin"]
    return subprocess.run(argv, capture_output=True, timeout=60, check=False, **named)  # type: ignore[call-overload,no-any-return]


def test_words_arrive_as_they_are(either: Connection) -> None:
    words = ["printf", "%s\\0", "a b", "$HOME", "it's", "-x", "", "line\nend", "\udcff", "*"]
    done = run(either.make_remote_command(*words))
    assert done.stdout == b"a b\0$HOME\0it's\0-x\0\0line\nend\0\xff\0*\0"
    assert (done.returncode, done.stderr) == (0, b"")


def test_one_string_is_for_the_remote_shell(either: Connection) -> None:
    done = run(either.make_remote_command('read x; echo "<$x>"; exit 7', tty=False), input=b"word\n")
    assert (done.returncode, done.stdout) == (7, b"<word>\n")
    assert run(either.make_remote_command("")).returncode == 0


def test_a_login_shell_and_a_subsystem(host: Connection) -> None:
    assert b"shell 42" in run(host.make_remote_command(), input=b"echo shell $((6*7))\n").stdout
    argv = host.make_remote_command(subsystem="sftp")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as sftp:
        assert sftp.stdin is not None and sftp.stdout is not None
        sftp.stdin.write(b"\x00\x00\x00\x05\x01\x00\x00\x00\x03")  # SSH_FXP_INIT, version 3
        assert sftp.stdout.read(5)[4:5] == b"\x02"  # SSH_FXP_VERSION


def test_a_terminal_on_demand(host: Connection) -> None:
    assert run(host.make_remote_command("tty; stty size", tty=True)).stdout.startswith(b"/dev/pts/")


def test_a_tunnel(host: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        argv = host.make_remote_command(tunnel=("127.0.0.1", listener.getsockname()[1]))
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ssh:
            peer, _where = listener.accept()
            with peer:
                peer.sendall(b"through")
            assert ssh.communicate(timeout=60)[0] == b"through"


def test_options_are_for_this_command(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server({"AcceptEnv": "WORD"})
    with openssh_core.connect(**{**server.connect_options(), "options": {"SendEnv": "WORD"}}) as host:
        argv = host.make_remote_command("echo $WORD", options={"SendEnv": "WORD"})
        assert run(argv, env={**os.environ, "WORD": "this"}).stdout == b"this\n"
        with pytest.raises(openssh_core.InvalidOption):
            host.make_remote_command("ls", options={"ControlPath": "none"})


def test_a_command_that_cannot_be(host: Connection) -> None:
    with pytest.raises(openssh_core.InvalidCommand):
        host.make_remote_command("echo \0")
    with pytest.raises(openssh_core.InvalidInput, match="tunnel="):
        host.make_remote_command(tunnel=("only",))  # type: ignore[arg-type]


def test_without_the_master_nobody_logs_in(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server()
    with openssh_core.connect(**server.connect_options()) as host:
        argv = host.make_remote_command("true")
        assert run(argv).returncode == 0
    done = run(argv)
    assert done.returncode == 255 and done.stderr
    # A login would have come to the port that the host's name leads to, too: the way there is `false`.
    assert server.log.count("Accepted") == 1


def test_without_a_free_session_nobody_logs_in(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server({"MaxSessions": 1})
    config = f"-F{server.ssh_config}"
    with openssh_core.connect(**server.connect_options(), spare=False) as host:
        with host.popen("cat", stdin=openssh_core.PIPE) as cat:
            argv = host.make_remote_command("true")
            done = run(argv)
            assert done.returncode == 255 and b"refused" in done.stderr
            # The same without the guard does log in: what was shown is the guard's doing.
            bare = ["ssh", config, "-S", host.control_path, "loopback", "true"]
            assert run(bare).returncode == 0
            assert server.log.count("Accepted") == 2
            assert cat.stdin is not None
            cat.stdin.close()
        assert server.log.count("Accepted") == 2


def test_a_closed_connection_has_no_command_line(host: Connection) -> None:
    host.close()
    with pytest.raises(openssh_core.ConnectionClosed):
        host.make_remote_command("true")
