"""A master run with the ssh program alone, for the peers that have none of their own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from peers.base import Setup

__all__ = ["SSHMaster"]


class SSHMaster:
    """`ssh -M` with a control socket; `path` is where."""

    def __init__(self, setup: Setup, name: str) -> None:
        self._setup = setup
        self.path = str(Path(setup.scratch) / f"{name}-{setup.port}")
        self.destination = f"{setup.user}@{setup.host}"

    def start(self) -> None:
        """Return when the login is complete: ssh goes to the background at that moment."""
        setup = self._setup
        options = {
            "BatchMode": "yes",
            "ControlPersist": "300",
            "IdentityAgent": "none",
            "UserKnownHostsFile": setup.known_hosts,
            "StrictHostKeyChecking": "yes",
        }
        words = ["ssh", "-F", "none", "-M", "-N", "-T", "-S", self.path, "-p", str(setup.port), "-i", setup.key]
        words += [f"-o{name}={value}" for name, value in options.items()]
        # A file, not a pipe, takes its messages: the master keeps the descriptor for its whole life.
        with open(f"{self.path}.log", "wb") as log:
            ended = subprocess.run([*words, "--", self.destination], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if ended.returncode:
            raise RuntimeError(f"ssh -M failed: {Path(log.name).read_text().strip()}")

    def stop(self) -> None:
        self._tell("exit")

    def pid(self) -> int:
        found = re.search(r"pid=(\d+)", self._tell("check"))
        if found is None:
            raise RuntimeError("the master does not answer")
        return int(found[1])

    def _tell(self, what: str) -> str:
        words = ["ssh", "-F", "none", "-S", self.path, "-O", what, "--", self.destination]
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True).stderr
