"""The three example programs, and the demo that runs them, do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openssh_core.testing import LoopbackServer

pytest.importorskip("invoke", reason="invoke is not installed: the fabric example stands on it")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=EXAMPLES, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=os.environ
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_demo() -> None:
    said = run("demo.py")
    for words in (
        "a private sshd listens on 127.0.0.1",
        "sorted over there: ['apple', 'fig', 'pear']",
        "errors in the log: 2",
        "the watch ended with -15",
        "release 1.2",
        "as paramiko: exec_command",
        "Nothing is left behind",
    ):
        assert words in said


@pytest.mark.parametrize("program", ["paramiko_style.py", "subprocess_style.py"])
def test_a_program_by_itself(program: str, loopback_server: LoopbackServer) -> None:
    key, known_hosts = str(loopback_server.key), str(loopback_server.known_hosts)
    assert run(program, loopback_server.target, "--key", key, "--known-hosts", known_hosts)


@pytest.mark.parametrize("name", ["paramiko_style.py", "subprocess_style.py", "fabfile.py"])
def test_only_the_import_has_changed(name: str) -> None:
    """Each tells what its import was, and is a program for the original once that stands there again."""
    source = (EXAMPLES / name).read_text(encoding="utf-8")
    (line,) = [line for line in source.splitlines() if "# was: " in line]
    assert "openssh_compat" in line.split("#")[0] and "openssh_compat" not in line.split("# was: ")[1]
    compile(source.replace(line, line.split("# was: ")[1]), name, "exec")
