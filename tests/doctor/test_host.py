"""What the doctor says of a host, well and in several ways ill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openssh_core.doctor import Finding, State, examine_host
from openssh_core.testing import (
    Account,
    AccountServer,
    LoopbackServer,
    Server,
    generate_key,
    known_hosts_line,
    shared_key,
)


def examined(server: Server, **changes: Any) -> dict[str, Finding]:
    """The last finding of each topic."""
    options = {**server.connect_options(), **changes}
    return {finding.topic: finding for finding in examine_host(options.pop("target"), **options)}


@pytest.mark.usefixtures("no_leaks")
def test_a_host_that_is_well(loopback_server: LoopbackServer) -> None:
    found = examined(loopback_server)
    assert {finding.state for finding in found.values()} <= {State.OK, State.NOTE}
    assert {"name", "login", "server", "master", "commands", "shell", "signals", "sessions", "sftp"} == set(found)
    assert f"port {loopback_server.port}" in found["name"].what
    assert found["sessions"].what.startswith("10 ")


def test_a_host_with_few_sessions_and_no_sftp(make_server: Callable[..., LoopbackServer]) -> None:
    found = examined(make_server({"MaxSessions": 2, "Subsystem": None}))
    assert found["sessions"].what.startswith("2 ")
    assert found["sftp"].state is State.BAD and "Subsystem" in found["sftp"].advice


def test_a_port_where_nobody_listens(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server()
    server.stop()
    found = examined(server)
    assert list(found) == ["name", "login"]
    assert found["login"].state is State.BAD and found["login"].what.startswith("ConnectionRefused")


def test_a_host_with_a_changed_key(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server(host_key=generate_key())
    server.known_hosts.write_text(known_hosts_line(f"[{server.host}]:{server.port}", shared_key("host").public) + "\n")
    login = examined(server)["login"]
    assert login.state is State.BAD and "known_hosts:1" in login.what
    assert "reinstalled" in login.advice


def test_a_key_that_is_not_accepted(loopback_server: LoopbackServer, tmp_path: Any) -> None:
    login = examined(loopback_server, key=str(generate_key().write(tmp_path / "other")))["login"]
    assert login.state is State.BAD and login.what.startswith("AuthenticationError")


def test_junk_is_told_before_anything_is_tried() -> None:
    (finding,) = examine_host("-oProxyCommand=x")
    assert finding.state is State.BAD and finding.what.startswith("InvalidTarget")


def test_a_shell_that_talks_too_much(make_server: Callable[..., LoopbackServer]) -> None:
    found = examined(make_server({"ForceCommand": 'echo hello; eval "$SSH_ORIGINAL_COMMAND"'}))
    assert found["commands"].state is State.OK  # the time of a command is said all the same
    options = make_server({"ForceCommand": 'echo hello; eval "$SSH_ORIGINAL_COMMAND"'}).connect_options()
    noisy = [finding for finding in examine_host(options.pop("target"), **options) if finding.topic == "commands"]
    assert noisy[0].state is State.WARNING and "6 bytes" in noisy[0].what


def test_a_host_that_runs_something_else(make_server: Callable[..., LoopbackServer]) -> None:
    found = examined(make_server({"ForceCommand": "echo no shell for you >&2; exit 7"}))
    assert found["commands"].state is State.BAD and "no shell for you" in found["commands"].what


@pytest.mark.skipif(bool(AccountServer.unavailable()), reason=AccountServer.unavailable() or "")
def test_an_account_with_another_shell() -> None:
    with AccountServer(Account("fishy", shell="/usr/bin/fish")) as server:
        found = examined(server)
    assert found["shell"].state is State.WARNING
    assert found["signals"].state is State.OK


def test_a_shared_master(loopback_server: LoopbackServer) -> None:
    import openssh_core

    with openssh_core.connect(**loopback_server.connect_options()) as owner:
        found = {f.topic: f for f in examine_host(owner.host, control_path=owner.control_path)}
        assert found["master"].state is State.NOTE
        owner.check()
