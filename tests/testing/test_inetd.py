"""A server that the client starts: no port, no daemon, and for the rest like the other one."""

from __future__ import annotations

from typing import Any

import pytest

from openssh_core.testing import InetdServer, ServerFailed, _processes

pytestmark = pytest.mark.live


def test_a_command_runs_and_its_output_is_its_own(inetd_server: InetdServer, ssh: Any) -> None:
    done = ssh(inetd_server, "echo ~; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, f"{inetd_server.directory}/home\n", "err\n")


def test_nothing_runs_while_nobody_is_connected(ssh: Any) -> None:
    with InetdServer() as server:
        assert not _processes.belonging(str(server.directory))
        assert server.port is None
        ssh(server, "true")
        assert server.logins == 1


def test_what_a_program_is_told_about_it(inetd_server: InetdServer) -> None:
    options = inetd_server.connect_options()
    assert options["target"] == f"{inetd_server.user}@loopback"
    assert options["options"] == inetd_server.options
    assert "sshd -i" in options["options"]["ProxyCommand"]
    with pytest.raises(ValueError, match="no port"):
        inetd_server.connect_options(port=1)


def test_options_are_honoured(ssh: Any) -> None:
    with InetdServer({"ForceCommand": "echo forced"}) as server:
        assert ssh(server, "echo asked for").stdout == "forced\n"


def test_freezing_killing_and_stopping(no_leaks: None, ssh_start: Any) -> None:
    with InetdServer() as server:
        session, other = (ssh_start(server, "cat") for _ in range(2))
        for process in (session, other):
            process.stdin.write("hello\n")
            assert process.stdout.readline() == "hello\n"
        assert len(server.sessions_pids()) >= 2
        server.freeze()
        assert {_processes.table()[pid].state for pid in server.sessions_pids()} == {"T"}
        server.thaw()
        session.stdin.write("again\n")
        assert session.stdout.readline() == "again\n"
        server.kill_sessions()
        assert session.wait(30) == other.wait(30) == 255
        third = ssh_start(server, "echo up; exec sleep 1000")
        assert third.stdout.readline() == "up\n"
    assert third.wait(30) == 255
    assert not _processes.belonging(str(server.directory))
    assert not server.directory.exists()


def test_a_bad_option_is_known_before_anybody_connects(no_leaks: None) -> None:
    with pytest.raises(ServerFailed, match="NoSuchOption"):
        InetdServer({"NoSuchOption": 1})
