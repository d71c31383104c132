"""The C client of mux_floor.c as a peer: it takes its own times, so starting it costs it nothing."""

from __future__ import annotations

import subprocess

from peers.base import SMALL, Setup, bulk_command, check_size
from peers.ssh_master import SSHMaster

__all__ = ["CFloor"]

NANOSECONDS = 1e9


class CFloor:
    """mux_floor in one of its two modes, over a master of its own."""

    def __init__(self, setup: Setup, mode: str) -> None:
        self._program = setup.floor
        self._mode = mode
        self._master = SSHMaster(setup, f"f-{mode}")

    def login(self) -> None:
        self._master.start()

    def logout(self) -> None:
        self._master.stop()

    def _run(self, count: int, width: int, command: str) -> tuple[list[float], float, int]:
        """Seconds of each command, seconds for all, bytes of output."""
        words = [self._program, self._mode, self._master.path, str(count), str(width), command]
        ended = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if ended.returncode:
            raise RuntimeError(ended.stderr.strip())
        *each, total = (line.split() for line in ended.stdout.splitlines())
        return [int(one[1]) / NANOSECONDS for one in each], int(total[1]) / NANOSECONDS, int(total[2])

    def commands(self, count: int) -> list[float]:
        return self._run(count, 1, SMALL)[0]

    def in_flight(self, count: int, width: int) -> float:
        return self._run(count, width, SMALL)[1]

    def bulk(self, size: int) -> float:
        _, taken, received = self._run(1, 1, bulk_command(size))
        check_size(received, size)
        return taken

    def helpers(self) -> list[int]:
        return [self._master.pid()]
