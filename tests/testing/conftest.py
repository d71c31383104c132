"""How these tests reach a server: by the real ssh, told nothing but the file that the server wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Ssh = Callable[..., Any]


@pytest.fixture
def ssh() -> Ssh:
    """Run a command on a server: `ssh(server, "uname")`; words that begin with `-` are ssh's."""

    def run(server: Any, *words: str, **named: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(server, *words), **{"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, **named}
        )

    return run


def command(server: Any, *words: str) -> list[str]:
    options = [word for word in words if word.startswith("-")]
    return ["ssh", "-F", str(server.ssh_config), *options, "--", "loopback", *words[len(options) :]]


@pytest.fixture
def ssh_start() -> Iterator[Ssh]:
    """Start a command on a server, with pipes; whoever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(server: Any, *words: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        process = subprocess.Popen(command(server, *words), stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def python() -> Callable[..., subprocess.Popen[str]]:
    """Start a Python program that finds the packages this process has found; its stdout is a pipe."""

    def start(source: str, *arguments: str | Path) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        words = [sys.executable, "-c", source, *map(str, arguments)]
        return subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    return start
