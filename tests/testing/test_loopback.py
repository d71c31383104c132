"""A real sshd of one's own: it does what sshd does, and what it is told."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from openssh_core.errors import InvalidOption
from openssh_core.testing import LoopbackServer, ServerFailed, _processes, _programs, generate_key, sshd

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], Any]], Any]


def states(pids: list[int]) -> set[str]:
    table = _processes.table()
    return {table[pid].state for pid in pids}


def test_a_command_runs(loopback_server: LoopbackServer, ssh: Any) -> None:
    done = ssh(loopback_server, "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_sftp_is_there(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    (tmp_path / "from").write_text("content")
    words = ["sftp", "-q", "-S", shutil.which("ssh") or "ssh", "-F", str(loopback_server.ssh_config)]
    words += [f"loopback:{tmp_path}/from", f"{tmp_path}/to"]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    assert (tmp_path / "to").read_text() == "content"


def test_a_session_finds_no_start_up_files(make_server: Any, ssh: Any) -> None:
    server = make_server()  # what other tests do in the home directory of the shared one is their affair
    home, files, tilde = ssh(server, 'echo "$HOME"; ls -A "$HOME" | wc -l; echo ~').stdout.split()
    assert home == tilde == str(server.directory / "home")
    assert files == "0"


def test_what_a_program_is_told_about_it(loopback_server: LoopbackServer) -> None:
    options = loopback_server.connect_options()
    assert options["target"] == loopback_server.target == f"{loopback_server.user}@127.0.0.1:{loopback_server.port}"
    assert Path(options["key"]).is_file()
    assert Path(options["known_hosts"]).is_file()
    assert loopback_server.connect_options(port=99)["target"].endswith(":99")
    assert LoopbackServer.unavailable() is None


def test_the_log_is_complete_as_soon_as_a_command_is_over(make_server: Any, ssh: Any) -> None:
    server = make_server()
    for number in range(1, 4):
        ssh(server, "true")
        assert server.logins == number
    assert server.wait_for_log(r"^Accepted (\w+) for")[1] == "publickey"
    with pytest.raises(TimeoutError, match="Accepted publickey"):
        server.wait_for_log("never said", timeout=0.01)


def test_the_log_of_a_talkative_server_is_always_read(make_server: Any, ssh: Any) -> None:
    server = make_server({"LogLevel": "DEBUG3"})
    while len(server.log) < 100_000:  # more than a pipe holds
        assert ssh(server, "true").returncode == 0


@pytest.mark.parametrize("options", [{}, {"KexAlgorithms": None}])
def test_a_login_is_cheap_unless_all_shall_be_as_the_server_has_it(make_server: Any, ssh: Any, options: Any) -> None:
    server = make_server(options)
    chosen = re.search(r"kex: algorithm: (\S+)", ssh(server, "-v", "true").stderr)
    assert chosen is not None
    wanted = re.search(r"^kexalgorithms (\S+)", ssh(server, "-G").stdout, re.MULTILINE)
    assert wanted is not None
    # Of those that the client names the first that the server has.
    assert chosen[1] == next(name for name in wanted[1].split(",") if options or not name.startswith("sntrup"))


def test_max_sessions_is_honoured(make_server: Any, ssh: Any, ssh_start: Any) -> None:
    server = make_server({"MaxSessions": 1})
    control = f"-oControlPath={server.directory}/c"
    first = ssh_start(server, control, "-oControlMaster=yes", "echo started; cat")
    assert first.stdout.readline() == "started\n"
    second = ssh(server, control, "-oProxyCommand=false", "true")
    assert second.returncode != 0
    assert "Session open refused by peer" in second.stderr
    assert server.logins == 1


def test_environment_and_other_options(make_server: Any, ssh: Any) -> None:
    server = make_server({"AcceptEnv": "WANTED", "SetEnv": "LANG=C GIVEN=yes", "PermitTTY": False})
    command = 'echo "$WANTED,$UNWANTED,$GIVEN,$LANG"; case $HOME in */home) echo ours;; esac'
    done = ssh(server, "-oSetEnv=WANTED=1 UNWANTED=1", command)
    assert done.stdout == "1,,yes,C\nours\n"
    assert "PTY allocation request failed" in ssh(server, "-tt", "true").stderr


def test_a_key_of_ones_own_and_another_host_key(make_server: Any, ssh: Any) -> None:
    server = make_server(key=generate_key(), host_key=generate_key())
    assert ssh(server, "echo in").stdout == "in\n"
    assert server.host_key.blob in server.known_hosts.read_text()
    other = make_server()
    refused = ssh(server, f"-p{other.port}", "true")
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in refused.stderr


def test_command_line_arguments_of_sshd(make_server: Any, ssh: Any) -> None:
    server = make_server(sshd_options=["-o", "ForceCommand=echo forced"])
    assert ssh(server, "echo asked for").stdout == "forced\n"


def test_ipv6(make_server: Any, ssh: Any, relay: Any) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    server = make_server(address="::1")
    assert server.target.endswith(f"@[::1]:{server.port}")
    assert ssh(server, "echo six").stdout == "six\n"
    assert ssh(server, f"-p{relay(server).port}", "echo through").stdout == "through\n"


# ---- freezing and killing --------------------------------------------------------------------------------


def test_a_frozen_server_is_silent_and_goes_on_when_thawed(make_server: Any, ssh_start: Any) -> None:
    server = make_server()
    session = ssh_start(server, "cat")
    session.stdin.write("before\n")
    assert session.stdout.readline() == "before\n"
    server.freeze()
    assert server.sessions_pids()
    assert states(server.sessions_pids()) == {"T"}
    session.stdin.write("while frozen\n")
    server.thaw()
    assert "T" not in states(server.sessions_pids())
    assert session.stdout.readline() == "while frozen\n"


def test_what_became_a_command_while_it_was_frozen_goes_on_too(make_server: Any, ssh_start: Any) -> None:
    server = make_server()
    session = ssh_start(server, "echo $$; exec cat")
    pid = int(session.stdout.readline())
    server.freeze()
    os.kill(pid, signal.SIGSTOP)
    server.thaw()
    session.stdin.write("goes on\n")
    assert session.stdout.readline() == "goes on\n"


def test_ssh_notices_a_frozen_server(make_server: Any, ssh_start: Any) -> None:
    server = make_server()
    session = ssh_start(server, "-oServerAliveInterval=1", "-oServerAliveCountMax=1", "echo up; cat")
    assert session.stdout.readline() == "up\n"
    server.freeze()
    assert "not responding" in session.stderr.read()
    assert session.wait(30) == 255


def test_new_connections_find_a_listener_unless_that_is_frozen_too(make_server: Any, ssh: Any) -> None:
    server = make_server()
    server.freeze()
    assert ssh(server, "echo in").stdout == "in\n"
    server.freeze(listener=True)
    with socket.create_connection((server.host, server.port), timeout=30) as silent:
        assert states([server.pid]) == {"T"}
        server.thaw()
        assert silent.recv(100).startswith(b"SSH-2.0-")


def test_killed_connections_end_but_the_server_does_not(make_server: Any, ssh: Any, ssh_start: Any) -> None:
    server = make_server()
    session = ssh_start(server, "echo up; exec sleep 1000")
    assert session.stdout.readline() == "up\n"
    server.kill_sessions()
    assert server.sessions_pids() == []
    assert session.wait(30) == 255
    assert ssh(server, "echo again").stdout == "again\n"


# ---- starting and stopping -------------------------------------------------------------------------------


def remote_orphans(server: LoopbackServer, ssh: Any) -> list[int]:
    """Leave processes behind in a server that no client and no sshd knows of; returns their numbers."""
    detached = "sleep 1000 </dev/null >/dev/null 2>&1 & echo $!"
    own_session = 'setsid sh -c "echo \\$\\$; exec sleep 1000 </dev/null >/dev/null 2>&1" &'
    done = ssh(server, f"{detached}; {own_session}")
    return [int(word) for word in done.stdout.split()]


def test_stop_leaves_nothing(no_leaks: None, make_server: Any, ssh: Any, ssh_start: Any) -> None:
    server = make_server()
    pids = remote_orphans(server, ssh)
    session = ssh_start(server, "echo up; trap '' HUP TERM PIPE; while :; do sleep 1; done")
    assert session.stdout.readline() == "up\n"
    assert len(pids) == 2
    assert set(pids) < _processes.belonging(str(server.directory))
    server.stop()
    assert not server.directory.exists()
    assert not _processes.belonging(str(server.directory))
    table = _processes.table()
    assert all(pid not in table or table[pid].gone for pid in [*pids, server.pid])
    assert session.wait(30) == 255
    server.stop()
    assert "Accepted" in server.log


def test_a_frozen_server_can_be_stopped(no_leaks: None, make_server: Any, ssh_start: Any) -> None:
    server = make_server()
    assert ssh_start(server, "echo up; cat").stdout.readline() == "up\n"
    server.freeze(listener=True)
    server.stop()


def test_sessions_of_a_killed_listener_are_found(no_leaks: None, make_server: Any, ssh_start: Any) -> None:
    server = make_server()
    assert ssh_start(server, "echo up; cat").stdout.readline() == "up\n"
    os.kill(server.pid, 9)
    server._process.wait()
    assert server.sessions_pids()
    server.stop()
    assert not _processes.belonging(str(server.directory))


OWNER = """
import sys
from openssh_core.testing import LoopbackServer
server = LoopbackServer()
print(server.directory, flush=True)
sys.stdin.read()
"""


def test_when_the_owner_is_killed_its_server_ends(python: Any, until: Until, ssh: Any, ssh_start: Any) -> None:
    with python(OWNER) as owner:
        directory = owner.stdout.readline().strip()

        class Other:
            ssh_config = f"{directory}/ssh_config"

        orphans = remote_orphans(Other, ssh)
        session = ssh_start(Other, "echo up; cat")
        assert session.stdout.readline() == "up\n"
        assert len(_processes.belonging(directory)) >= 2 + len(orphans)
        owner.kill()
    until(lambda: not os.path.exists(directory))
    assert not _processes.belonging(directory)
    assert session.wait(30) == 255


def test_when_the_owner_ends_without_stop_its_server_ends(
    python: Any, until: Callable[[Callable[[], Any]], Any]
) -> None:
    with python(OWNER) as owner:
        directory = owner.stdout.readline().strip()
        owner.stdin.close()
    until(lambda: not os.path.exists(directory))
    assert not _processes.belonging(directory)


def test_a_port_that_was_taken_meanwhile(no_leaks: None, ssh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        taken = foreign.getsockname()[1]
        real = sshd._free_port
        asked = []

        def first_taken(address: str, *, held: bool) -> Any:
            asked.append(held)
            return real(address, held=held) if len(asked) > 2 else Taken(taken)

        monkeypatch.setattr(sshd, "_free_port", first_taken)
        with LoopbackServer() as server:
            assert server.port != taken
            assert len(asked) == 3
            assert ssh(server, "echo in").stdout == "in\n"


class Taken:
    """Stands for a port that somebody took between our look and sshd's."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> int:
        return self.port

    def __exit__(self, *_: object) -> None:
        pass


def test_many_start_at_once_and_each_is_its_own(no_leaks: None, ssh: Any) -> None:
    with ExitStack() as ends, ThreadPoolExecutor(8) as threads:
        servers = list(threads.map(lambda _: ends.enter_context(LoopbackServer()), range(16)))
        assert len({server.port for server in servers}) == 16
        said = threads.map(lambda server: ssh(server, "echo ~").stdout.strip(), servers)
        assert list(said) == [str(server.directory / "home") for server in servers]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"NoSuchOption": 1}, "Bad configuration option: NoSuchOption"), ({"MaxSessions": "many"}, "sshd ended with 255")],
)
def test_sshd_that_does_not_start_says_why(no_leaks: None, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ServerFailed, match=words) as caught:
        LoopbackServer(options)
    assert "sshd_config" in caught.value.log


def test_an_sshd_that_says_nothing(no_leaks: None, tmp_path: Path) -> None:
    mute = tmp_path / "sshd"
    mute.write_text('#!/bin/sh\n[ "$1" = -V ] || exec sleep 1000\n')
    mute.chmod(0o755)
    with pytest.raises(ServerFailed, match="did not listen"):
        LoopbackServer(sshd=mute, timeout=0.05)


def test_no_sshd(no_leaks: None, tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="Install"):
        LoopbackServer(sshd=tmp_path / "sshd")


def test_a_reserved_option(no_leaks: None) -> None:
    with pytest.raises(InvalidOption):
        LoopbackServer({"Port": 22})


def test_a_locked_account_is_seen(tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text("root:!:1::\nother:*:1::\nopen:$6$x$y:1::\n")
    assert [_programs.is_locked(name, str(shadow)) for name in ("root", "other", "open", "nobody")] == [
        True,
        False,
        False,
        False,
    ]
    assert not _programs.is_locked("root", str(tmp_path / "missing"))


# ---- as an ordinary user ---------------------------------------------------------------------------------


def test_it_works_for_an_ordinary_user(ordinary_user_server: Any, ssh: Any, tmp_path_factory: Any) -> None:
    """Started by the ordinary user of another server, inside a session of that."""
    source = Path(sshd.__file__).parents[1]
    copy = ordinary_user_server.home() / "lib" / "openssh_core"
    parts = [file for folder in ("testing", "_wire", "errors") for file in source.joinpath(folder).glob("*.py")]
    for file in [*parts, source / "_value.py"]:
        target = copy / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    (copy / "__init__.py").touch()
    program = (
        "import os, subprocess\n"
        "from openssh_core.testing import LoopbackServer\n"
        "with LoopbackServer() as server:\n"
        "    words = ['ssh', '-F', str(server.ssh_config), 'loopback', 'id -un; echo $HOME']\n"
        "    print(os.geteuid() != 0, subprocess.check_output(words, text=True).split(), server.user)\n"
        "    words[-1] = 'echo up; exec sleep 1000'\n"
        "    session = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)\n"
        "    print(server.directory / 'home', session.stdout.readline().strip(), bool(server.sessions_pids()))\n"
        "print(os.path.exists(server.directory), session.wait())\n"
    )
    (ordinary_user_server.home() / "program.py").write_text(program)
    done = ssh(ordinary_user_server, "PYTHONPATH=lib python3 program.py")
    assert done.stderr == ""
    first, second, third = done.stdout.splitlines()
    home, _, rest = second.partition(" ")
    assert first == f"True ['ordinary', '{home}'] ordinary"
    assert rest == "up True"
    assert third == "False 255"
