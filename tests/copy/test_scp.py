"""scp through the master: its options, its failures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import openssh_core
from openssh_core import Connection, CopyError
from openssh_core.copy._tool import ssh_failed
from openssh_core.testing import LoopbackServer

from .conftest import runs, script, until


def test_it_says_how_it_ended(shared: Connection, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    done = shared.scp_get(tmp_path / "a", tmp_path / "b", verbose=True)
    assert (done.returncode, done.host) == (0, shared.host)
    assert (tmp_path / "b").read_text() == "a"
    assert done.stderr


def test_a_tree_with_its_times(shared: Connection, tmp_path: Path) -> None:
    (tmp_path / "from" / "deep").mkdir(parents=True)
    (tmp_path / "from" / "deep" / "file").write_text("x")
    os.chmod(tmp_path / "from" / "deep" / "file", 0o751)
    os.utime(tmp_path / "from" / "deep" / "file", (1_000_000, 1_000_000))
    shared.scp_put(tmp_path / "from", tmp_path / "to", recursive=True, copy_attrs=True, quiet=True)
    status = (tmp_path / "to" / "deep" / "file").stat()
    assert (status.st_mtime, status.st_mode & 0o777) == (1_000_000, 0o751)


def test_patterns(shared: Connection, tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1", "a*"):
        (tmp_path / name).write_text(name)
    for number, copy in enumerate((shared.scp_get, shared.scp_put)):
        target = tmp_path / f"to{number}"
        target.mkdir()
        copy(tmp_path / "a[0-9]", target, glob=True)
        assert sorted(os.listdir(target)) == ["a1", "a2"]
    with pytest.raises(CopyError, match="no file fits") as caught:
        shared.scp_put(tmp_path / "z*", tmp_path, glob=True)
    assert caught.value.returncode is None and caught.value.program == "scp"


def test_a_missing_file(shared: Connection, tmp_path: Path) -> None:
    with pytest.raises(CopyError, match="No such file") as caught:
        shared.scp_get(tmp_path / "missing", tmp_path / "b")
    error = caught.value
    assert (error.program, error.returncode, error.host) == ("scp", 1, shared.host)
    assert "missing" in str(error.stderr) and "No such file" in error.reason
    assert shared.scp_get(tmp_path / "missing", tmp_path / "b", check=False).returncode == 1


@pytest.mark.parametrize("wrong", ["", "a\0b", [], 7])
def test_what_is_no_name(shared: Connection, wrong: object) -> None:
    for copy in (shared.scp_get, shared.scp_put, shared.rsync_get, shared.rsync_put):
        with pytest.raises(openssh_core.InvalidInput):
            copy(wrong)  # type: ignore[arg-type]


def test_no_scp(shared: Connection, tmp_path: Path) -> None:
    with pytest.raises(openssh_core.ProgramNotFound, match="Install scp") as caught:
        shared.scp_get("x", tmp_path, scp=str(tmp_path / "none"))
    assert isinstance(caught.value, CopyError)


def test_an_scp_that_runs_names_in_a_shell(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    old = script(
        tmp_path / "ssh", f'[ "$1" = -V ] && {{ echo OpenSSH_8.4p1 >&2; exit; }}\nexec {openssh_program()} "$@"'
    )
    with openssh_core.connect(**loopback_server.connect_options(), ssh=old) as host:
        with pytest.raises(openssh_core.SSHTooOld, match="old protocol"):
            host.scp_get("x", tmp_path)


def openssh_program() -> str:
    return next(path for path in (f"{d}/ssh" for d in os.environ["PATH"].split(":")) if os.access(path, os.X_OK))


def test_the_scp_beside_this_ssh_is_taken(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    os.symlink(openssh_program(), tmp_path / "ssh")
    script(tmp_path / "scp", "echo this one; exit 0")
    with openssh_core.connect(**loopback_server.connect_options(), ssh=str(tmp_path / "ssh")) as host:
        assert host.scp_get("x", tmp_path).stdout == "this one\n"


def test_it_is_killed_with_all_it_started(shared: Connection, tmp_path: Path, no_leaks: None) -> None:
    """What it started would hold the output open for ever."""
    stubborn = script(tmp_path / "stubborn", f"trap '' TERM; echo $$ > {tmp_path}/pid; sleep 1000")
    slow = script(tmp_path / "scp", f"{stubborn} & echo partial; wait")
    with pytest.raises(openssh_core.CopyTimeout, match="was killed") as caught:
        shared.scp_get("x", tmp_path, scp=slow, timeout=1)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.seconds, caught.value.stdout) == (1, "partial\n")
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not runs(pid))


def test_without_the_master_nobody_logs_in(make_server: Callable[..., LoopbackServer], tmp_path: Path) -> None:
    server = make_server()
    with openssh_core.connect(**server.connect_options()) as host:
        master = host.master_pid
        os.kill(master, 9)
        for copy in (host.scp_get, host.rsync_get):
            with pytest.raises(openssh_core.ConnectionLost, match="Connect again"):
                copy("/etc/hostname", tmp_path)
    assert server.log.count("Accepted") == 1


def test_without_a_free_session_nobody_logs_in(make_server: Callable[..., LoopbackServer], tmp_path: Path) -> None:
    server = make_server({"MaxSessions": 1})
    (tmp_path / "a").write_text("a")
    with openssh_core.connect(**server.connect_options()) as host:
        with host.popen("cat", stdin=openssh_core.PIPE) as cat:
            for copy in (host.scp_get, host.rsync_get):
                with pytest.raises(openssh_core.OpenRefused, match="MaxSessions"):
                    copy(tmp_path / "a", tmp_path / "b", timeout=2)
            assert cat.stdin is not None
            cat.stdin.close()
        # A session that comes free is waited for, and the one that is kept in advance is given back.
        host.run("true")
        host.scp_get(tmp_path / "a", tmp_path / "b")
        host.rsync_get(tmp_path / "a", tmp_path / "c")
        assert (tmp_path / "c").read_text() == "a"
        assert server.log.count("Accepted") == 1


def test_a_connection_of_somebody_else(shared: Connection, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with openssh_core.connect("another-name", control_path=shared.control_path) as guest:
        guest.scp_get(tmp_path / "a", tmp_path / "b")
        guest.rsync_get(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "b").read_text() == (tmp_path / "c").read_text() == "a"


@pytest.mark.parametrize(
    "said",
    [
        "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n",
        "banner exchange: Connection to UNKNOWN port 65535: Broken pipe\r\n",
        "kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by UNKNOWN port 65535\r\n",
        "Control socket connect(/run/c): Connection refused\r\n",
    ],
)
def test_ssh_meets_the_guard_in_several_ways(said: str) -> None:
    assert isinstance(ssh_failed("scp", said, "", "web1"), openssh_core.ConnectionLost)


def test_what_a_program_says_is_not_what_ssh_says() -> None:
    assert ssh_failed("rsync", "rsync: connection unexpectedly closed\nrsync error: code 12\n", "", "web1") is None
