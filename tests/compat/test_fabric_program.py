"""`fab-openssh`, as a person types it: many hosts at once, roles, logs, mistakes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openssh_core.testing import LoopbackServer

FABFILE = """\
import os, sys
from invoke.exceptions import Exit
from openssh_compat.fabric import SerialGroup, task

@task
def say(c, words="hello"):
    c.run(f"echo {words}; echo to stderr >&2; printf unfinished")

@task
def meet(c, folder, count):
    # Ends only when all hosts are in here at the same time.
    c.run(f"touch {folder}/at-$$; while [ $(ls {folder} | grep -c at-) -lt {count} ]; do sleep 0.05; done")

@task
def some_fail(c):
    c.run("true")
    if c.original_host == "h1":
        raise ValueError("not on this one")
    if c.original_host == "h2":
        c.run("exit 7", hide=True)

@task
def stop(c):
    raise Exit("enough", code=3)

@task
def nap(c, seconds):
    c.run(f"echo asleep; sleep {seconds}")

@task
def fail(c):
    c.run("exit 5")

@task
def forgotten(c):
    open("nowhere")

@task
def late(c):
    c.run("exec sleep 600", timeout=0.5)

@task
def several(c):
    SerialGroup("h1", "dead", config=c.config).run("true")

@task
def wrong(c):
    {}["nothing"]
"""


@pytest.fixture
def folder(loopback_server: LoopbackServer, tmp_path: Path) -> Path:
    """A folder with a fabfile, a configuration, and an ssh_config in which h0 to h3 are the server."""
    text = loopback_server.ssh_config.read_text().splitlines()
    lines = ["Host h0 h1 h2 h3" if line.startswith("Host ") else line for line in text]
    (tmp_path / "ssh_config").write_text("\n".join([*lines, "Host dead", "  HostName 127.0.0.1", "  Port 1", ""]))
    (tmp_path / "fabfile.py").write_text(FABFILE)
    (tmp_path / "fabric.yaml").write_text(
        f"ssh_config_path: {tmp_path}/ssh_config\nroles:\n  web: [h0, h1]\n  db: h2\nrun:\n  in_stream: false\n"
    )
    return tmp_path


def words(*given: str) -> list[str]:
    return [sys.executable, "-m", "openssh_compat.fabric", *given]


def typed(folder: Path, *given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(*given), cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_on_several_hosts_each_line_says_which(folder: Path) -> None:
    done = typed(folder, "-H", "h0,h1", "--parallel", "0", "say")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [
        "[h0] hello",
        "[h0] unfinished",
        "[h1] hello",
        "[h1] unfinished",
    ]
    told = done.stderr.splitlines()
    assert {"[h0] to stderr", "[h1] to stderr"} <= set(told)
    assert [line.split()[:2] for line in told if not line.startswith("[")] == [["h0", "ok"], ["h1", "ok"]]


def test_they_run_at_the_same_time(folder: Path) -> None:
    (folder / "place").mkdir()
    done = typed(folder, "-H", "h0,h1,h2,h3", "-P", "4", "meet", f"--folder={folder}/place", "--count=4")
    assert done.returncode == 0, done.stderr


def test_who_failed_and_why(folder: Path) -> None:
    done = typed(folder, "-H", "h0,h1,h2,dead", "-P", "0", "some-fail")
    assert done.returncode == 1
    table = {line.split()[0]: line for line in done.stderr.splitlines() if line and not line.startswith("[")}
    assert table["h0"].split()[1] == "ok"
    assert "ValueError: not on this one" in table["h1"]
    assert "'exit 7' ended with 7" in table["h2"]
    assert "127.0.0.1 port 1 refuses the connection" in table["dead"]
    assert "3 of 4 hosts failed" in done.stderr


def test_one_after_the_other_the_first_failure_ends_it(folder: Path) -> None:
    done = typed(folder, "-H", "dead,h0", "say")
    assert done.returncode != 0
    assert "hello" not in done.stdout


def test_a_task_that_ends_it(folder: Path) -> None:
    assert typed(folder, "-H", "h0", "stop").returncode == 3


def test_roles(folder: Path) -> None:
    done = typed(folder, "--role", "web", "--role", "db", "-P", "0", "say", "--words=x")
    assert sorted(line for line in done.stdout.splitlines() if line.endswith("x")) == ["[h0] x", "[h1] x", "[h2] x"]
    done = typed(folder, "--role", "cache", "say")
    assert done.returncode == 1 and "no role 'cache'" in done.stderr and "db, web" in done.stderr


def test_a_log_for_each_host(folder: Path) -> None:
    done = typed(folder, "-H", "h0,h1", "-P", "0", "--log-dir", "logs", "say")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (folder / "logs").iterdir()) == ["h0.log", "h1.log"]
    lines = (folder / "logs" / "h0.log").read_text()
    assert lines.startswith("$ echo hello;") and "hello\n" in lines and "to stderr\n" in lines


def test_a_command_without_a_task(folder: Path) -> None:
    done = typed(folder, "-S", "ssh_config", "-H", "h0,h1", "-P", "2", "--", "echo plain")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["[h0] plain", "[h1] plain"]


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("-oProxyCommand=touch x", "begins with a dash"),
        ("a b", "Hosts are separated by commas"),
        ("h0\nh1", "there is a blank in it"),
        ("h0:ssh", "'ssh' in 'h0:ssh' is no port"),
        (" , ", "without one the task would run on this machine"),
    ],
)
def test_a_host_that_is_none(folder: Path, host: str, told: str) -> None:
    done = typed(folder, f"--hosts=h0,{host}" if host.strip(" ,") else f"--hosts={host}", "say")
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr and "Traceback" not in done.stderr
    assert not (folder / "x").exists()


# ---- what a person is told


@pytest.mark.parametrize(
    ("host", "task", "lines"),
    [
        ("dead,h0", "say", ["dead: 127.0.0.1 port 1 refuses the connection. Check the port, and that sshd runs there",
                            "    fabfile.py:7: c.run(f\"echo {words}; echo to stderr >&2; printf unfinished\")",
                            "Not tried: h0"]),
        ("h2", "some-fail", ["h2: 'exit 7' ended with 7", "    fabfile.py:20: c.run(\"exit 7\", hide=True)"]),
        ("h3", "fail", ["h3: 'exit 5' ended with 5", "    fabfile.py:32: c.run(\"exit 5\")"]),
        ("h0", "forgotten", ["h0: FileNotFoundError: [Errno 2] No such file or directory: 'nowhere'",
                             "    fabfile.py:36: open(\"nowhere\")"]),
        ("h0", "late", ["h0: 'exec sleep 600' took longer than 0.5 s, and was killed",
                        "    fabfile.py:40: c.run(\"exec sleep 600\", timeout=0.5)"]),
        ("h0", "several", ["h0: 1 of 2 hosts failed", "dead: 127.0.0.1 port 1 refuses the connection."
                           " Check the port, and that sshd runs there",
                           "    fabfile.py:44: SerialGroup(\"h1\", \"dead\", config=c.config).run(\"true\")"]),
        ("h1", "some-fail", ["h1: the task failed", "  File \"FOLDER/fabfile.py\", line 18, in some_fail",
                             "    raise ValueError(\"not on this one\")", "ValueError: not on this one"]),
    ],
)  # fmt: skip
def test_a_failure_in_a_line_or_two(folder: Path, host: str, task: str, lines: list[str]) -> None:
    done = typed(folder, "-H", host, task)
    assert done.returncode == {"h2": 7, "h3": 5}.get(host, 1)
    told = done.stderr.replace(str(folder), "FOLDER").splitlines()
    assert told[: len(lines)] == lines


def test_a_login_that_fails_in_a_line(folder: Path) -> None:
    config = (folder / "ssh_config").read_text()
    (folder / "ssh_config").write_text(config.replace("IdentityFile ", "IdentityFile nowhere\n  #"))
    done = typed(folder, "-H", "h0", "say")
    assert done.returncode == 1
    assert done.stderr.startswith("h0: the server refused the login as ")
    assert "Traceback" not in done.stderr


def test_the_whole_way_to_a_failure(folder: Path) -> None:
    done = typed(folder, "-d", "-H", "dead", "say")
    assert done.returncode == 1 and "Traceback" in done.stderr and "NoValidConnectionsError" in done.stderr


def test_a_mistake_that_all_hosts_share_is_shown_once(folder: Path) -> None:
    done = typed(folder, "-H", "h0,h1", "-P", "2", "wrong")
    assert done.returncode == 1
    assert done.stderr.count("KeyError: 'nothing'\n  ") == 0 and done.stderr.count("line 48, in wrong") == 1


def test_keys_of_the_agent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(folder / "nobody"))
    assert typed(folder, "--list-agent-keys").returncode == 2


def test_ctrl_c_ends_all(folder: Path, until: Callable[..., object]) -> None:
    seconds = 10**6 + int.from_bytes(os.urandom(3), "big")
    program = subprocess.Popen(
        words("-H", "h0,h1", "-P", "0", "nap", f"--seconds={seconds}"),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    with program:
        assert program.stdout is not None
        assert {program.stdout.readline(), program.stdout.readline()} == {"[h0] asleep\n", "[h1] asleep\n"}
        os.kill(program.pid, signal.SIGINT)
        program.communicate(timeout=60)
    assert program.returncode != 0
    until(lambda: subprocess.run(["pgrep", "-f", f"^sleep {seconds}$"], capture_output=True).returncode == 1)
