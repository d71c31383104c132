"""The command line of an ssh that goes through a master and never logs in."""

from __future__ import annotations

from typing import Any

import pytest

from openssh_core._cli.slave import GUARD, Slave, slave_argv, tunnel_to
from openssh_core.errors import InvalidControlPath, InvalidInput, InvalidTarget, SSHTooOld

SLAVE = Slave("/run/c/master", "web1")


def test_the_guard_stands_before_everything_a_caller_chose() -> None:
    argv = Slave("/run/c/master", "web1", "/opt/ssh", (("ProxyCommand", "nc %h %p"),)).program()
    assert argv[:5] == ["/opt/ssh", "-F", "none", "-S", "/run/c/master"]
    named = [argv[at + 1] for at, word in enumerate(argv) if word == "-o"]
    assert named == [*(f"{name}={value}" for name, value in GUARD), "ProxyCommand=nc %h %p"]
    assert ("ControlMaster", "no") in GUARD and ("ProxyCommand", "false") in GUARD


def test_agent_and_x11_are_for_those_who_ask() -> None:
    assert SLAVE.program()[-2:] == ["-a", "-x"]
    assert SLAVE.replace(options=(("ForwardAgent", "yes"),)).program()[-2:] == ["ForwardAgent=yes", "-x"]


@pytest.mark.parametrize(
    ("named", "end"),
    [
        ({}, ["-x", "--", "web1"]),
        ({"command": "ls -l"}, ["-x", "--", "web1", "ls -l"]),
        ({"command": ""}, ["-x", "--", "web1", ":"]),
        ({"command": "-x"}, ["-x", "--", "web1", "-x"]),
        ({"command": "top", "tty": True}, ["-x", "-tt", "--", "web1", "top"]),
        ({"command": "top", "tty": False}, ["-x", "-T", "--", "web1", "top"]),
        ({"subsystem": "sftp"}, ["-x", "-s", "--", "web1", "sftp"]),
        ({"tunnel": "[::1]:80"}, ["-x", "-W", "[::1]:80", "--", "web1"]),
    ],
)
def test_what_stands_last(named: dict[str, Any], end: list[str]) -> None:
    assert slave_argv(SLAVE, **named)[-len(end) :] == end


def test_only_one_of_them() -> None:
    with pytest.raises(InvalidInput, match="more than one"):
        slave_argv(SLAVE, "ls", subsystem="sftp")


@pytest.mark.parametrize("path", ["relative", "/run/%h/c", "/run/c\n"])
def test_a_control_path_that_ssh_would_read_otherwise(path: str) -> None:
    with pytest.raises(InvalidControlPath):
        slave_argv(SLAVE.replace(control_path=path), "ls")


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "a b", ""])
def test_a_host_that_is_none(host: str) -> None:
    with pytest.raises(InvalidTarget):
        slave_argv(SLAVE.replace(host=host), "ls")


@pytest.mark.parametrize("name", ["", "sf\ntp"])
def test_a_subsystem_that_is_none(name: str) -> None:
    with pytest.raises(InvalidInput, match="subsystem="):
        slave_argv(SLAVE, subsystem=name)


@pytest.mark.parametrize(
    ("host", "port", "word"),
    [("db", 5432, "db:5432"), ("::1", 80, "[::1]:80"), ("/run/x:y", None, "/run/x\\:y"), ("sock", None, "./sock")],
)
def test_where_a_tunnel_goes(host: str, port: int | None, word: str) -> None:
    assert tunnel_to(host, port, version=(10, 0)) == word


def test_a_tunnel_that_cannot_be() -> None:
    with pytest.raises(InvalidTarget):
        tunnel_to("db", 0, version=None)
    with pytest.raises(InvalidTarget):
        tunnel_to("-x", 22, version=None)
    with pytest.raises(InvalidInput):
        tunnel_to("", None, version=None)
    with pytest.raises(SSHTooOld, match=r"9\.4"):
        tunnel_to("/run/x", None, version=(9, 2))
