"""`openssh-compat check`, as a person types it, on a program that is then run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openssh_compat.check import Status, verdict_on
from openssh_compat.check.differences import DIFFERENCES
from openssh_core.testing import LoopbackServer

PROGRAM = """\
import sys
import paramiko   # the transport


class Remote:
    def __init__(self, host, port, user, key, known_hosts):
        self.client = paramiko.SSHClient()
        self.client.load_host_keys(known_hosts)
        self.client.connect(host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False)

    def say(self, words):
        _in, out, _err = self.client.exec_command(f"echo {words}")
        return out.read().decode(), out.channel.recv_exit_status()


if __name__ == "__main__":
    remote = Remote(*sys.argv[1:])
    print(*remote.say("hello"), type(remote.client).__module__.split(".")[0])
    remote.client.close()
"""


def typed(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "openssh_core.cli", "check", *map(str, words)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_a_program_is_changed_by_this_alone(loopback_server: LoopbackServer, tmp_path: Path) -> None:
    path = tmp_path / "deploy.py"
    path.write_text(PROGRAM)
    path.chmod(0o750)
    report = typed(path)
    assert report.returncode == 0, report.stdout + report.stderr
    assert "0 absent" in report.stdout and path.read_text() == PROGRAM
    assert f"{path}: imports changed" in typed("--rewrite", path).stdout
    assert path.read_text() == PROGRAM.replace("import paramiko ", "from openssh_compat import paramiko ")
    assert path.stat().st_mode & 0o777 == 0o750 and list(tmp_path.iterdir()) == [path]
    server = loopback_server
    words = [server.host, str(server.port), server.user, str(server.key), str(server.known_hosts)]
    done = subprocess.run([sys.executable, path, *words], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("hello\n 0 openssh_compat\n", "")


def test_a_long_program_does_the_same_after_its_imports_were_changed(
    loopback_server: LoopbackServer, tmp_path: Path
) -> None:
    pytest.importorskip("paramiko", reason="paramiko is not installed: nothing to compare with")
    told = []
    path = tmp_path / "site_admin.py"
    shutil.copy(Path(__file__).parent / "programs" / "site_admin.py", path)
    server = loopback_server
    for turn in ("original", "ours"):
        if turn == "ours":
            report = typed("--rewrite", path)
            assert report.returncode == 0, report.stdout + report.stderr
            assert " 0 absent" in report.stdout and "\nimport paramiko" not in path.read_text()
        folder = tmp_path / "work"
        (folder / "src" / "img").mkdir(parents=True)
        (folder / "src" / "index.html").write_text("<p>hello</p>")
        (folder / "src" / "img" / "a dot.svg").write_text("<svg/>" * 10_000)
        words = [server.host, str(server.port), server.user, str(server.key), str(server.known_hosts), str(folder)]
        done = subprocess.run([sys.executable, path, *words], capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
        shutil.rmtree(folder)
    assert told[0] == told[1]
    assert "you said hello" in told[0] and "['42', '/', 'dumb']" in told[0]


def test_what_is_not_there_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import paramiko\n\nparamiko.NoSuchThing()\n")
    (tmp_path / "b.py").write_text("this is no python\n")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "c.py").write_text("import paramiko\nparamiko.AnotherThing()\n")
    report = typed(tmp_path)
    assert report.returncode == 1
    assert f"{tmp_path}/a.py:3: paramiko.NoSuchThing is absent" in report.stdout
    assert f"{tmp_path}/b.py:1: this is no Python" in report.stdout
    assert "AnotherThing" not in report.stdout
    assert "1 names used: 0 the same here, 0 different, 1 absent" in report.stdout


def test_names_that_are_the_same_are_shown_on_request(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from paramiko import SSHClient\n")
    assert "SSHClient" not in typed(tmp_path).stdout
    assert f"{tmp_path}/a.py:1: paramiko.SSHClient is same" in typed("--all", tmp_path).stdout


def test_subprocess_is_looked_at_when_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import subprocess\nsubprocess.run(['true'])\n")
    assert typed(tmp_path).stdout.startswith("0 names")
    assert "1 names used" in typed("--library", "subprocess", tmp_path).stdout


@pytest.mark.parametrize(("library", "name"), [(lib, name) for lib, names in DIFFERENCES.items() for name in names])
def test_what_differs_is_there(library: str, name: str) -> None:
    home = {"AgentRequestHandler": "agent."}.get(name.partition(".")[0], "")
    assert verdict_on(f"{library}.{home}{name}").status is Status.DIFFERENT


def test_attributes_that_only_objects_have_are_found() -> None:
    assert verdict_on("paramiko.ChannelFile.channel").status is Status.SAME
    assert verdict_on("paramiko.ChannelFile.no_such_attribute").status is Status.ABSENT
