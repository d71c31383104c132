"""The fixtures in a pytest of their own, as users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

PLUGIN = "openssh_core.testing.plugin"

USES = """
import subprocess

def login(server, *options):
    words = ["ssh", "-F", str(server.ssh_config), *options, "loopback", "echo ~"]
    return subprocess.check_output(words, text=True).strip()

def test_session_server(loopback_server):
    assert login(loopback_server) == str(loopback_server.directory / "home")
    print("SERVER", loopback_server.directory)

def test_made(no_leaks, make_server, relay):
    server = make_server({"MaxSessions": 1})
    between = relay(server)
    assert login(server, "-p", str(between.port)) == str(server.directory / "home")
    assert between.connections == 1

def test_inetd(inetd_server):
    assert login(inetd_server) == str(inetd_server.directory / "home")
"""

LEAKS = """
from openssh_core.testing import leaks

leaks.assert_nothing_left.__kwdefaults__["timeout"] = 0  # it will not go away by waiting

def test_leaks(no_leaks):
    global file
    file = open(__file__)
"""


def pytest_run(folder: Path, source: str, *options: str, expect: int = 0) -> str:
    (folder / "test_some.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "-rA", *options]
    words.append(str(folder))
    done = subprocess.run(words, env=env, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def test_the_fixtures_work_and_leave_nothing(tmp_path: Path) -> None:
    said = pytest_run(tmp_path, USES, "-p", PLUGIN)
    assert "3 passed" in said
    (directory,) = {line.split()[1] for line in said.splitlines() if line.startswith("SERVER")}
    assert not os.path.exists(directory)


def test_each_worker_has_a_server_of_its_own(tmp_path: Path) -> None:
    source = "import pytest\n\n@pytest.mark.parametrize('n', range(4))\ndef test_it(n, loopback_server):\n"
    source += "    print('SERVER', loopback_server.directory)\n"
    said = pytest_run(tmp_path, source, "-p", PLUGIN, "-n2", "--dist=load")
    assert "4 passed" in said
    assert len({line.split()[1] for line in said.splitlines() if line.startswith("SERVER")}) == 2


@pytest.mark.parametrize("twice", ["an argument and a conftest", "two arguments"])
def test_naming_the_plugin_twice_is_no_error(tmp_path: Path, twice: str) -> None:
    if twice == "an argument and a conftest":
        (tmp_path / "conftest.py").write_text(f"pytest_plugins = [{PLUGIN!r}]\n")
    more = [] if twice == "an argument and a conftest" else ["-p", PLUGIN]
    assert "1 passed" in pytest_run(tmp_path, "def test_it(no_leaks): pass\n", "-p", PLUGIN, *more)


def test_as_an_installed_package_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an entry point called `openssh_core`; where one also names it oneself, it is there once."""
    info = tmp_path / "installed" / "some-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\nopenssh_core = {PLUGIN}\n")
    monkeypatch.syspath_prepend(info.parent)
    source = "def test_it(no_leaks): pass\n"
    assert "1 passed" in pytest_run(tmp_path, source)
    assert "1 passed" in pytest_run(tmp_path, source, "-p", PLUGIN)
    assert "1 passed" in pytest_run(tmp_path, source, "-p", "openssh_core")


def test_a_leak_fails_the_test_and_is_named(tmp_path: Path) -> None:
    said = pytest_run(tmp_path, LEAKS, "-p", PLUGIN, expect=1)
    assert f"descriptors: {tmp_path}/test_some.py" in said
