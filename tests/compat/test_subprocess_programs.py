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


def run(program: str, *words: Path, env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *map(str, words)],
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


@pytest.mark.parametrize("name", ["build", "backup", "supervise"])
def test_one_line_is_changed(name: str, source: Path, tmp_path: Path, loopback_server: LoopbackServer) -> None:
    program = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    assert program.count(LINE) == 1
    (alias,) = [
        line.split()[1] for line in loopback_server.ssh_config.read_text().splitlines() if line.startswith("Host ")
    ]
    place = {"OPENSSH_COMPAT_HOST": alias, "OPENSSH_COMPAT_CONFIG": str(loopback_server.ssh_config)}
    words: Any = [] if name == "supervise" else [source, tmp_path / "target"]
    at_home = run(program, *words, env={})
    for path in sorted((tmp_path / "target").glob("*")):
        path.unlink()
    there = run(program.replace(LINE, CHANGED), *words, env=place)
    assert there == at_home
    assert len(there[1].splitlines()) > 4
