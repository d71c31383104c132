"""The host that the examples name: `web1`, a Host of the reader's ~/.ssh/config, and a name of the reader's network.

OpenSSH finds that file by the password database and not by HOME, so a test cannot put another one there. What can be
put in front is the program: an `ssh` on the PATH that is the real one with another file for the user's configuration.
Where a program says that it wants none and the usual port, as paramiko would, the file stands for the network: it knows
where web1 is.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from openssh_core.testing import LoopbackServer

WRAPPER = """#!/bin/sh
left=$#
while [ $left -gt 0 ]; do
    case "$1 $2" in
        '-F none' | '-p 22') shift 2; left=$((left - 2)) ;;
        *) set -- "$@" "$1"; shift; left=$((left - 1)) ;;
    esac
done
exec SSH -F CONFIG "$@"
"""


@pytest.fixture
def web1(loopback_server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    config = tmp_path / "config"
    config.write_text(re.sub(r"(?m)^Host .*$", "Host web1", loopback_server.ssh_config.read_text()))
    programs = tmp_path / "bin"
    programs.mkdir()
    ssh = programs / "ssh"
    ssh.write_text(WRAPPER.replace("SSH", shutil.which("ssh") or "ssh").replace("CONFIG", str(config)))
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    # What `load_system_host_keys` reads.
    known_hosts = tmp_path / "home" / ".ssh" / "known_hosts"
    known_hosts.parent.mkdir(parents=True)
    shutil.copy(loopback_server.known_hosts, known_hosts)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    # What an example leaves in the directory for temporary files goes with the test.
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    # fabric hands the terminal's input on; a reader has one, a test has not.
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield
