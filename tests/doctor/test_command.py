"""`openssh-compat`, as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys

import openssh_core
from openssh_core.testing import LoopbackServer


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "openssh_core.cli", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_version() -> None:
    assert typed("--version").stdout == f"openssh-compat {openssh_core.__version__}\n"


def test_without_words_it_says_what_there_is() -> None:
    assert "doctor" in typed().stdout + typed().stderr


def test_doctor_of_a_host(loopback_server: LoopbackServer) -> None:
    words = [f"--identity={loopback_server.key}", f"--known-hosts={loopback_server.known_hosts}", "--config=none"]
    done = typed("doctor", *words, loopback_server.target)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "logged in within" in done.stdout and "\x1b" not in done.stdout
    lines = [json.loads(line) for line in typed("doctor", "--json", *words, loopback_server.target).stdout.splitlines()]
    assert {"topic", "state", "what", "advice"} == set(lines[0])


def test_doctor_of_a_host_that_is_not_there() -> None:
    done = typed("doctor", "--config=none", "nobody@127.0.0.1:1")
    assert done.returncode == 1
    assert "ConnectionRefused" in done.stdout and "-> Check the port" in done.stdout


def test_doctor_without_ssh() -> None:
    done = typed("doctor", "--ssh=/nowhere/ssh", "web1")
    assert done.returncode == 1
    assert "Install the OpenSSH client" in done.stdout and "login" not in done.stdout
