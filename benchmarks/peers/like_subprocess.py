"""The subprocess adapter, and what it is measured against: an ssh process for each command, and no ssh at all.

All three run the same lines; only the module, and the words in front of each command, differ.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from peers.base import SMALL, Setup, bulk_command, check_size, drain, one_by_one
from peers.ssh_master import SSHMaster

__all__ = ["Adapter", "Local", "SSHCommands"]


class _Runs:
    """What is done with a module like subprocess."""

    def __init__(self, setup: Setup) -> None:
        # Any: the adapter stands in for the module.
        self._module: Any = subprocess
        self._words: list[str] = []
        self._file = Path(setup.scratch, f"{type(self).__name__}.out")

    def login(self) -> None:
        pass

    def logout(self) -> None:
        pass

    def commands(self, count: int) -> list[float]:
        """`run(["true"])`."""
        words = [*self._words, SMALL]
        return one_by_one(lambda: self._module.run(words, check=True), count)

    def bulk(self, size: int) -> float:
        """Much output through a PIPE."""
        start = time.perf_counter()
        words = [*self._words, *bulk_command(size).split()]
        with self._module.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            drain(process.stdout, size)
        return time.perf_counter() - start

    def to_file(self, size: int) -> float:
        """Much output to a file of this machine."""
        start = time.perf_counter()
        with open(self._file, "wb") as file:
            words = [*self._words, *bulk_command(size).split()]
            self._module.run(words, stdin=subprocess.DEVNULL, stdout=file, check=True)
        taken = time.perf_counter() - start
        check_size(self._file.stat().st_size, size)
        return taken

    def helpers(self) -> list[int]:
        return []


class Adapter(_Runs):
    """`openssh_compat.subprocess`, the report of each start included."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        from openssh_compat import subprocess as adapter

        self._adapter = adapter
        self._setup = setup

    def login(self) -> None:
        setup = self._setup
        self._module = self._adapter.on(
            f"{setup.user}@{setup.host}:{setup.port}",
            key=setup.key,
            known_hosts=setup.known_hosts,
            agent=False,
            config_file="none",
        )

    def logout(self) -> None:
        self._module.close()

    def helpers(self) -> list[int]:
        return [self._module.connection.master_pid]


class SSHCommands(_Runs):
    """`subprocess.run(["ssh", "-S", PATH, HOST, COMMAND])`."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._master = SSHMaster(setup, "p")
        # A refused session must fail: without these two ssh would log in anew and run the command there.
        guard = ["-oControlMaster=no", "-oProxyCommand=false"]
        self._words = ["ssh", "-F", "none", "-S", self._master.path, *guard, "--", self._master.destination]

    def login(self) -> None:
        self._master.start()

    def logout(self) -> None:
        self._master.stop()

    def helpers(self) -> list[int]:
        return [self._master.pid()]


class Local(_Runs):
    """`subprocess` on this machine."""
