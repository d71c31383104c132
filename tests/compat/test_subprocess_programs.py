"""Programs written for subprocess run on a host with one line changed, and print what they print at home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import LoopbackServer

PROGRAMS = Path(__file__).with_name("programs")
LINE, CHANGED = "import subprocess\n", "from openssh_compat import subprocess\n"


def run(how: list[str], *words: Path, env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", *how, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )
    # A signal reaches the whole group there, and the shells of the supervisor tell of what they lose by it.
    assert set(done.stderr.splitlines()) <= {"Terminated"}
    return done.returncode, done.stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with things to build and to pack."""
    folder = tmp_path / "source it's"
    folder.mkdir()
    (folder / "hello.c").write_text(
        "#include <stdio.h>\n#include <stdlib.h>\nint main(int n, char **w)"
        '{ printf("%s|%s|%s", getenv("GREETING"), w[1], w[2]); return n; }\n'
    )
    (folder / "broken.c").write_text("int main(void) { return nothing; }\n")
    (folder / "notes.txt").write_text("a note, ä\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "big").write_bytes(os.urandom(300_000))
    return folder


@pytest.fixture
def place(loopback_server: LoopbackServer) -> dict[str, str]:
    """The environment that says which host."""
    lines = loopback_server.ssh_config.read_text().splitlines()
    (alias,) = [line.split()[1] for line in lines if line.startswith("Host ")]
    return {"OPENSSH_COMPAT_HOST": alias, "OPENSSH_COMPAT_CONFIG": str(loopback_server.ssh_config)}


@pytest.mark.parametrize("name", ["build", "backup", "supervise"])
def test_one_line_is_changed(name: str, source: Path, tmp_path: Path, place: dict[str, str]) -> None:
    program = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    assert program.count(LINE) == 1
    words: Any = [] if name == "supervise" else [source, tmp_path / "target"]
    at_home = run(["-c", program], *words, env={})
    for path in sorted((tmp_path / "target").glob("*")):
        path.unlink()
    there = run(["-c", program.replace(LINE, CHANGED)], *words, env=place)
    assert there == at_home
    assert len(there[1].splitlines()) > 4


def test_no_line_is_changed(tmp_path: Path, place: dict[str, str]) -> None:
    (tmp_path / "part.py").write_text("from subprocess import check_output\n")
    (tmp_path / "script.py").write_text(
        "import part, subprocess, sys, webbrowser\n"
        "print(sys.argv[1:], 'SSH_CONNECTION' in part.check_output(['env'], text=True))\n"
        "print('SSH_CONNECTION' in subprocess.getoutput('env'), webbrowser.subprocess.__name__)\n"
    )
    how = ["-m", "openssh_compat.subprocess", str(tmp_path / "script.py"), "-x"]
    assert run(how, env=place) == (0, "['-x'] True\nTrue subprocess\n")
    done = subprocess.run(
        [sys.executable, *how], capture_output=True, text=True, env={**os.environ, **place, "OPENSSH_COMPAT_HOST": ""}
    )
    assert done.returncode == 1 and done.stderr.startswith("usage: OPENSSH_COMPAT_HOST=host ")
