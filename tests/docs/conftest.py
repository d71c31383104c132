"""The host that the examples name: `web1`, a Host of the reader's ~/.ssh/config.

OpenSSH finds that file by the password database and not by HOME, so a test cannot put another one there. What can be
put in front is the program: an `ssh` on the PATH that is the real one with another file for the user's configuration.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from openssh_core.testing import LoopbackServer


@pytest.fixture
def web1(loopback_server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text(re.sub(r"(?m)^Host .*$", "Host web1", loopback_server.ssh_config.read_text()))
    programs = tmp_path / "bin"
    programs.mkdir()
    ssh = programs / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
