"""What can be done with a master: kept for the next program, found again, stopped, disowned, made anew."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection, Reconnect, errors
from openssh_core.testing import LoopbackServer, assert_nothing_left, shared_key, snapshot

Connect = Callable[..., Connection]


@pytest.fixture
def connect(loopback_server: LoopbackServer, control_dir: Path) -> Connect:
    def attempt(**named: Any) -> Connection:
        return openssh_core.connect(**{**loopback_server.connect_options(), "control_dir": control_dir, **named})

    return attempt


@pytest.fixture
def persisting(loopback_server: LoopbackServer, control_dir: Path) -> Iterator[Connect]:
    """Connects with persist=; whatever masters there are at the end are ended."""
    ends: list[dict[str, Any]] = []

    def attempt(**named: Any) -> Connection:
        options = {**loopback_server.connect_options(), "control_dir": control_dir, "persist": 60, **named}
        ends.append(options)
        return openssh_core.connect(**options)

    yield attempt
    for options in ends:
        openssh_core.stop_persistent(**options)
    home = control_dir / f"osp-{os.geteuid()}"
    assert not home.exists() or os.listdir(home) == []
    if home.exists():
        home.rmdir()


def is_here(host: Connection) -> bool:
    return host.capture("echo here") == "here\n"


def lose(host: Connection) -> None:
    """Kill the master under something that runs, and wait until that is known."""
    with host.popen("cat", stdin=PIPE) as process:
        os.kill(host.master_pid, signal.SIGKILL)
        with pytest.raises(errors.ConnectionLost):
            process.wait()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


# ---- persist


def test_a_second_connection_finds_the_master(persisting: Connect, loopback_server: LoopbackServer) -> None:
    before = loopback_server.logins
    with persisting() as first:
        pid = first.master_pid
        assert is_here(first)
    assert is_alive(pid)
    with persisting() as second:
        assert second.master_pid == pid
        assert is_here(second)
        # What is known of the server comes from the log of the login.
        assert second.server_version is not None
        assert second.host_key is not None
        assert second.host_key.fingerprint == loopback_server.host_key.fingerprint
    assert loopback_server.logins == before + 1


def test_another_program_finds_it(persisting: Connect, loopback_server: LoopbackServer, control_dir: Path) -> None:
    options = {**loopback_server.connect_options(), "control_dir": str(control_dir), "persist": 60}
    program = """
        import sys, openssh_core
        with openssh_core.connect(**eval(sys.stdin.read())) as host:
            print(host.master_pid)
    """
    pids = set()
    for _ in range(2):
        words = [sys.executable, "-c", textwrap.dedent(program)]
        done = subprocess.run(words, input=repr(options), stdout=subprocess.PIPE, text=True, check=True)
        pids.add(int(done.stdout))
    with persisting() as host:
        pids.add(host.master_pid)
    assert len(pids) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"options": {"Compression": "yes"}},
        {"keepalive": 7},
        {"host_keys": "accept-new"},
        {"persist": 61},
        {"key": "memory"},
        {"known_hosts": "line"},
    ],
)
def test_options_that_differ_never_share(
    persisting: Connect, loopback_server: LoopbackServer, other: dict[str, Any]
) -> None:
    if other.get("key") == "memory":
        other = {"key": loopback_server.key.read_text()}
    if other.get("known_hosts") == "line":
        other = {"known_hosts": loopback_server.known_hosts.read_text()}
    with persisting() as host, persisting(**other) as different, persisting(**other) as same:
        assert host.master_pid != different.master_pid
        assert different.master_pid == same.master_pid


def test_a_changed_configuration_asks_for_another(
    persisting: Connect, loopback_server: LoopbackServer, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(loopback_server.ssh_config.read_text())
    named = {"target": "loopback", "config_file": config}
    with persisting(**named) as host:
        pid = host.master_pid
    with persisting(**named) as host:
        assert host.master_pid == pid
        host.close(end=True)
    config.write_text(config.read_text() + "  Compression yes\n")
    with persisting(**named) as host:
        assert host.master_pid != pid


def test_programs_that_start_at_the_same_time_share_one(persisting: Connect, loopback_server: LoopbackServer) -> None:
    before = loopback_server.logins

    def visit(_number: int) -> int:
        with persisting() as host:
            assert is_here(host)
            return host.master_pid

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(visit, range(6)))) == 1
    assert loopback_server.logins == before + 1


def test_a_master_that_was_killed_is_replaced(persisting: Connect) -> None:
    with persisting() as host:
        pid, path = host.master_pid, host.control_path
        os.kill(pid, signal.SIGKILL)
    assert stat.S_ISSOCK(os.lstat(path).st_mode)
    with persisting() as host:
        assert host.master_pid != pid
        assert host.control_path == path
        assert is_here(host)


def test_it_ends_by_itself_when_nobody_uses_it(persisting: Connect, until: Any) -> None:
    with persisting(persist=1) as host:
        pid = host.master_pid
        # While we hold it, its time does not pass.
        host.run("sleep 1.5")
        assert host.connected
        assert is_here(host)
    until(lambda: not is_alive(pid))
    with persisting(persist=1) as host:
        assert host.master_pid != pid


def test_ending_it_for_everybody(persisting: Connect, loopback_server: LoopbackServer, control_dir: Path) -> None:
    first, second = persisting(), persisting()
    pid = first.master_pid
    first.close(end=True)
    assert not is_alive(pid)
    with pytest.raises(errors.ConnectionLost):
        second.run("true")
    second.close()
    options = {**loopback_server.connect_options(), "control_dir": control_dir, "persist": 60}
    assert not openssh_core.stop_persistent(**options)
    persisting().close()
    assert openssh_core.stop_persistent(**options)
    assert not openssh_core.stop_persistent(**options)


def test_a_refused_login_leaves_nothing(persisting: Connect, control_dir: Path, tmp_path: Path) -> None:
    before = snapshot(control_dir)
    stranger = shared_key("stranger").write(tmp_path / "stranger")
    with pytest.raises(errors.AuthenticationError):
        persisting(key=stranger)
    (control_dir / f"osp-{os.geteuid()}").rmdir()
    assert_nothing_left(before, allow=("sshd",))


def test_a_directory_of_somebody_else_is_not_used(persisting: Connect, control_dir: Path) -> None:
    home = control_dir / f"osp-{os.geteuid()}"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    with pytest.raises(errors.InsecureControlDirectory):
        persisting()
    home.rmdir()
    home.symlink_to("/tmp")
    with pytest.raises(errors.InsecureControlDirectory):
        persisting()
    home.unlink()


@pytest.mark.parametrize("kind", ["file", "link", "listener"])
def test_what_else_may_be_at_the_path(persisting: Connect, kind: str) -> None:
    with persisting() as host:
        path = host.control_path
        directory = os.path.dirname(path)
        host.close(end=True)
    os.mkdir(directory, 0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "file":
            Path(path).write_text("")
        elif kind == "link":
            os.symlink("/dev/null", path)
        else:
            listener.bind(path)
            listener.listen()
            listener.close()
        if kind == "listener":
            with persisting() as host:
                assert is_here(host)
            return
        with pytest.raises(errors.InsecureControlSocket):
            persisting()
    os.unlink(path)
    os.rmdir(directory)


def test_directories_of_masters_that_ended_are_swept_up(persisting: Connect, control_dir: Path, until: Any) -> None:
    with persisting(persist=1) as host:
        pid, old = host.master_pid, os.path.dirname(host.control_path)
    until(lambda: not is_alive(pid))
    os.utime(old, (1, 1))
    with persisting():
        assert not os.path.exists(old)


@pytest.mark.parametrize(
    "named", [{"host_keys": lambda key: True}, {"control_path": "/tmp/none"}, {"persist": 0}, {"persist": True}]
)
def test_what_cannot_persist(persisting: Connect, named: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidInput):
        openssh_core.connect("host", **{"persist": 60, "ssh": "/no/such/ssh", **named})


def test_a_child_of_a_fork_goes_on_with_it(persisting: Connect) -> None:
    with persisting() as host:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if is_here(host) else 1
                host.close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert is_here(host)


# ---- lazy


def test_nothing_is_started_before_the_first_use(connect: Connect, control_dir: Path) -> None:
    before = snapshot(control_dir)
    with connect(lazy=True) as host:
        assert os.listdir(control_dir) == []
        assert_nothing_left(before)
        assert not host.connected
        assert "not connected yet" in repr(host)
        assert is_here(host)
        assert host.connected


def test_a_lazy_one_may_never_be_used(connect: Connect) -> None:
    with connect(lazy=True) as host:
        pass
    assert host.closed
    with pytest.raises(errors.ConnectionClosed):
        host.run("true")


def test_what_cannot_be_is_said_at_once(connect: Connect) -> None:
    with pytest.raises(errors.InvalidOption):
        connect(lazy=True, options={"ControlPath": "/x"})
    with pytest.raises(TypeError, match="no_such"):
        connect(lazy=True, no_such=1)


def test_threads_that_use_it_first_share_one_login(connect: Connect, loopback_server: LoopbackServer) -> None:
    before = loopback_server.logins
    with connect(lazy=True) as host, ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: is_here(host), range(4)))
    assert loopback_server.logins == before + 1


def test_a_login_that_fails_is_tried_again_by_the_next_use(
    connect: Connect, loopback_server: LoopbackServer, tmp_path: Path
) -> None:
    key = tmp_path / "later"
    with connect(lazy=True, key=key) as host:
        with pytest.raises(errors.AuthenticationError):
            host.run("true")
        key.write_bytes(loopback_server.key.read_bytes())
        key.chmod(0o600)
        assert is_here(host)


def test_its_own_login_cannot_use_it(password_server: Any, control_dir: Path) -> None:
    def answer(question: str) -> str:
        host.run("true")
        return ""

    options = {**password_server.connect_options(), "control_dir": control_dir, "password": answer}
    with openssh_core.connect(**options, lazy=True) as host:
        with pytest.raises(errors.ConnectionClosed, match="login"):
            host.run("true")


# ---- reconnect


def test_a_lost_connection_is_made_again(connect: Connect, until: Any) -> None:
    with connect(reconnect=True) as host:
        first = host.master_pid
        with host.popen("cat", stdin=PIPE) as process:
            os.kill(first, signal.SIGKILL)
            # What was running has failed.
            with pytest.raises(errors.ConnectionLost):
                process.wait()
        assert is_here(host)
        assert host.master_pid != first
        assert host.connected


def test_a_key_in_memory_serves_each_login(connect: Connect, loopback_server: LoopbackServer) -> None:
    with connect(key=loopback_server.key.read_text(), reconnect=True) as host:
        lose(host)
        assert is_here(host)


def test_a_shared_master_that_was_lost_is_made_again(persisting: Connect) -> None:
    with persisting(reconnect=True) as host:
        first = host.master_pid
        lose(host)
        assert is_here(host)
        assert host.master_pid != first


def test_without_the_policy_it_stays_lost(connect: Connect) -> None:
    with connect() as host:
        lose(host)
        with pytest.raises(errors.ConnectionLost):
            host.run("true")
        assert not host.connected


def test_no_command_is_run_twice(connect: Connect, until: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with connect(reconnect=True) as host:
        pid = host.master_pid
        killer = threading.Thread(target=lambda: (until(log.exists), os.kill(pid, signal.SIGKILL)))
        killer.start()
        with pytest.raises(errors.ConnectionLost):
            host.run(f"echo once >>{log}; sleep 60")
        killer.join()
        assert is_here(host)
    assert log.read_text() == "once\n"


SOMETIMES = """#!/bin/sh
case "$*" in *-M*) echo login >>{log} ;; esac
case $(wc -l <{log}) in 2 | 3) echo "ssh: connect to host there port 1: Connection refused" >&2; exit 255 ;; esac
exec ssh "$@"
"""


def test_a_server_that_is_away_for_a_while(connect: Connect, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("")
    ssh = tmp_path / "ssh"
    ssh.write_text(SOMETIMES.format(log=log))
    ssh.chmod(0o755)
    with connect(ssh=str(ssh), reconnect=Reconnect(attempts=3, delay=0)) as host:
        lose(host)
        assert is_here(host)
    assert log.read_text() == "login\n" * 4


def test_attempts_are_counted(make_server: Any, control_dir: Path) -> None:
    server = make_server()
    policy = Reconnect(attempts=2, delay=0)
    with openssh_core.connect(**server.connect_options(), control_dir=control_dir, reconnect=policy) as host:
        server.stop()
        with pytest.raises((errors.ConnectionLost, errors.ConnectionRefused)):
            host.run("true")
        with pytest.raises(errors.ConnectionRefused):
            host.run("true")


def test_a_rejected_login_is_not_tried_again(make_server: Any, control_dir: Path) -> None:
    server = make_server({"LogLevel": "VERBOSE"})
    with openssh_core.connect(
        **server.connect_options(), control_dir=control_dir, reconnect=Reconnect(attempts=5, delay=0)
    ) as host:
        (server.directory / "id.pub").write_text(shared_key("stranger").public)
        lose(host)
        with pytest.raises(errors.AuthenticationError):
            host.run("true")
        server.wait_for_log(r"Connection closed by authenticating user")
        assert server.log.count("Connection closed by authenticating user") == 1


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"attempts": True}, {"attempts": 1.5}, {"delay": -1}, {"longest": float("nan")}]
)
def test_a_policy_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidInput):
        Reconnect(**wrong)
    with pytest.raises(errors.InvalidInput):
        openssh_core.connect("host", reconnect=wrong, ssh="/no/such/ssh")  # type: ignore[arg-type]


def test_pauses_grow_up_to_a_limit() -> None:
    policy = Reconnect(delay=1, longest=10)
    for number, most in ((0, 1), (1, 2), (2, 4), (10, 10), (10_000, 10)):
        pause = policy.pause(number)
        assert most / 2 <= pause <= most


# ---- stop, restart, disown


def test_a_stopped_master_lets_run_what_runs(connect: Connect, until: Any) -> None:
    with connect() as host:
        pid, path = host.master_pid, host.control_path
        with host.popen("cat", stdin=PIPE, stdout=PIPE) as process:
            host.stop()
            assert not os.path.exists(path)
            with pytest.raises(errors.ConnectionClosed, match="stopped"):
                host.run("true")
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("still here\n")
            process.stdin.close()
            assert process.stdout.read() == "still here\n"
            assert process.wait() == 0
    assert not is_alive(pid)


def test_a_stopped_master_that_persists_is_found_by_nobody(persisting: Connect, until: Any) -> None:
    with persisting() as host:
        pid = host.master_pid
        process = host.popen("cat", stdin=PIPE)
        process_runs(process)
        host.stop()
        with persisting() as other:
            assert other.master_pid != pid
        assert process.poll() is None
        process.kill()
        process.wait()
        process.close()
    until(lambda: not is_alive(pid))


def process_runs(process: openssh_core.RemoteProcess) -> None:
    assert process.poll() is None


def test_a_restart_is_a_new_login(connect: Connect, loopback_server: LoopbackServer) -> None:
    with connect() as host:
        first, before = host.master_pid, loopback_server.logins
        host.restart()
        assert not is_alive(first)
        assert host.master_pid != first
        assert is_here(host)
        assert loopback_server.logins == before + 1
        host.stop()
        host.restart()
        assert is_here(host)


def test_a_restart_that_fails(make_server: Any, control_dir: Path) -> None:
    server = make_server()
    with openssh_core.connect(**server.connect_options(), control_dir=control_dir) as host:
        server.stop()
        with pytest.raises(errors.ConnectionRefused):
            host.restart()
        assert not host.connected


def test_a_disowned_master_lives_on(connect: Connect, control_dir: Path, until: Any) -> None:
    host = connect()
    pid = host.master_pid
    assert is_here(host)
    path = host.disown()
    assert host.closed
    with pytest.raises(errors.ConnectionClosed, match="disowned"):
        host.run("true")
    host.close()
    assert is_alive(pid)
    with openssh_core.connect("loopback", control_path=path) as guest:
        assert guest.master_pid == pid
        assert is_here(guest)
    subprocess.run(["ssh", "-F", "none", "-S", path, "-O", "exit", "x"], check=True, capture_output=True)
    until(lambda: not is_alive(pid))
    until(lambda: os.listdir(control_dir) == [])


DISOWNS = """
    import os, sys, openssh_core
    options = eval(sys.stdin.read())
    kept, given = openssh_core.connect(**options), openssh_core.connect(**options)
    print(given.master_pid, kept.master_pid, given.disown(), flush=True)
    if sys.argv[1] == "killed":
        os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["normal", "killed"])
def test_a_disowned_master_outlives_the_program(
    loopback_server: LoopbackServer, control_dir: Path, until: Any, end: str
) -> None:
    options = {**loopback_server.connect_options(), "control_dir": str(control_dir)}
    words = [sys.executable, "-c", textwrap.dedent(DISOWNS), end]
    done = subprocess.run(words, input=repr(options), stdout=subprocess.PIPE, text=True)
    given, kept, path = done.stdout.split()
    until(lambda: not is_alive(int(kept)))
    until(lambda: os.listdir(control_dir) == [os.path.basename(os.path.dirname(path))])
    with openssh_core.connect("loopback", control_path=path) as guest:
        assert guest.master_pid == int(given)
        assert is_here(guest)
    subprocess.run(["ssh", "-F", "none", "-S", path, "-O", "exit", "x"], check=True, capture_output=True)
    until(lambda: os.listdir(control_dir) == [])


def test_what_is_not_ours_is_not_ended(connect: Connect) -> None:
    with connect() as host, openssh_core.connect(host.host, control_path=host.control_path) as guest:
        for verb in (guest.stop, guest.restart, guest.disown, lambda: guest.close(end=True)):
            with pytest.raises(errors.InvalidInput, match="somebody else"):
                verb()
        assert is_here(host)


# ---- what is known


def test_what_is_known_of_the_server(connect: Connect, loopback_server: LoopbackServer) -> None:
    with connect() as host:
        assert host.user == loopback_server.user
        assert host.remote_address == (loopback_server.host, loopback_server.port)
        assert host.server_version is not None
        assert host.server_version.startswith("OpenSSH_")
        assert "Authenticated to" in host.log
        assert host.banner == ""
        with openssh_core.connect("root@loopback", control_path=host.control_path) as guest:
            assert (guest.user, guest.remote_address, guest.server_version) == ("root", None, None)
            assert (guest.log, guest.banner, guest.host_key) == ("", "", None)


def test_a_banner(make_server: Any, control_dir: Path, tmp_path: Path) -> None:
    banner = tmp_path / "banner"
    banner.write_text("Beware.\nAuthenticating to evil:1 as 'nobody'\n\x1b[31mred\n")
    server = make_server({"Banner": str(banner)})
    with openssh_core.connect(**server.connect_options(), control_dir=control_dir) as host:
        assert host.banner.startswith("Beware.\nAuthenticating to evil:1 as 'nobody'\n")
        assert "\x1b" not in host.banner
        assert host.user == server.user
