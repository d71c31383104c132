"""One large file over SFTP: how fast it comes and goes, what that takes of CPU and memory; and all bytes are right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import Bench, Team
from figures import Figure, Rounds, Target
from worker import Worker

from rows.common import as_ours, with_cpu

__all__ = ["ROWS", "TARGETS"]

TARGETS = [
    Target("get", "a file fetched, times the rate of scp on the same kind of master", against="ssh", at_least=0.95),
    Target("put", "a file sent, times the rate of scp on the same kind of master", against="ssh", at_least=0.95),
    Target("get", "a file fetched, times paramiko's rate", against="paramiko", at_least=2.5),
    Target("put", "a file sent, times paramiko's rate", against="paramiko", at_least=2.5),
    Target("get", "a file fetched, times asyncssh's rate", against="asyncssh", at_least=1.2),
    Target("put", "a file sent, times asyncssh's rate", against="asyncssh", at_least=1.2),
    Target("file-memory", "peak memory of a process that fetched and sent a large file, MiB", at_most=64.0),
    Target("adapter-get", "paramiko: SFTPClient.get, times its rate", against="paramiko", at_least=2.0),
    Target("adapter-put", "paramiko: SFTPClient.put, times its rate", against="paramiko", at_least=2.0),
    Target("adapter-read", "paramiko: a loop over SFTPFile.read, times its rate", against="paramiko", at_least=2.0),
    Target("adapter-write", "paramiko: a loop over SFTPFile.write, times its rate", against="paramiko", at_least=2.0),
]

_PEERS = ["ours", "ssh", "paramiko", "asyncssh"]
_BOTH_WAYS = {"get": "fetched", "put": "sent"}
_AS_PARAMIKO = {
    "get": "SFTPClient.get()",
    "put": "SFTPClient.put()",
    "file_read": "32 kB at a time, prefetch()",
    "file_write": "32 kB at a time, set_pipelined()",
}


class _Files:
    """The file that is moved, and where it comes to."""

    def __init__(self, bench: Bench, mebibytes: int) -> None:
        self.size = mebibytes << 20
        self.title = f"{mebibytes} MiB"
        self.source, self.target = Path(bench.near.scratch, "sent"), Path(bench.near.scratch, "received")
        # Random, so that nothing is gained by leaving anything out.
        piece = os.urandom(1 << 20)
        with open(self.source, "wb") as file:
            for _ in range(mebibytes):
                file.write(piece)
        self._digest = _digest(self.source)

    def move(self, worker: Worker, verb: str) -> tuple[float, float]:
        """Seconds it took, and CPU seconds of the client side. A wrong digest is no measurement."""
        self.target.unlink(missing_ok=True)
        seconds, used = with_cpu(worker, verb)
        if _digest(self.target) != self._digest:
            raise RuntimeError(f"{worker.name}: the file is not what was moved by {verb}")
        return seconds, used

    def rates(self, team: Team, verb: str, rounds: int) -> tuple[Rounds, Rounds]:
        """MB/s, and CPU seconds for each GB."""
        cpu: Rounds = {}

        def transfer(worker: Worker) -> list[float]:
            seconds, used = self.move(worker, verb)
            cpu.setdefault(worker.name, []).append([used / self.size * 1e9])
            return [self.size / seconds / 1e6]

        return team.in_turn(rounds, transfer), cpu


@contextmanager
def _moving(bench: Bench, peers: Sequence[str], mebibytes: int) -> Iterator[tuple[_Files, Team]]:
    files = _Files(bench, mebibytes)
    try:
        with bench.team(bench.near, only=peers) as team:
            yield files, team
    finally:
        files.source.unlink()
        files.target.unlink(missing_ok=True)


def one_file(bench: Bench) -> list[Figure]:
    """A file of 200 MiB each way; `scp` for OpenSSH."""
    figures = []
    with _moving(bench, _PEERS, bench.pick(200, 50)) as (files, team):
        for verb, done in _BOTH_WAYS.items():
            rounds, cpu = files.rates(team, verb, bench.pick(3, 1))
            title, notes = f"{files.title} {done}", dict(team.notes)
            figures.append(Figure(verb, title, "MB/s", rounds, more_is_better=True, notes=notes))
            figures.append(Figure(f"{verb}-cpu", f"{title}, CPU of the client side", "s/GB", cpu, notes=notes))
    return figures


def memory(bench: Bench) -> list[Figure]:
    """How large a process gets that moves a file larger than all it could keep."""
    with _moving(bench, ["ours"], bench.pick(1024, 128)) as (files, team):

        def there_and_back(worker: Worker) -> list[float]:
            for verb in _BOTH_WAYS:
                files.move(worker, verb)
            return [worker.ask("peak") / (1 << 20)]

        rounds = team.in_turn(1, there_and_back)
        title = f"{files.title} fetched and sent, peak memory"
        return [Figure("file-memory", title, "MiB", rounds, notes=team.notes)]


def adapter(bench: Bench) -> list[Figure]:
    """The paramiko adapter against paramiko, as people use it."""
    figures = []
    with _moving(bench, ["adapter", "paramiko"], bench.pick(64, 16)) as (files, team):
        for verb, how in _AS_PARAMIKO.items():
            rounds, _ = files.rates(team, verb, bench.pick(3, 1))
            name = f"adapter-{verb.removeprefix('file_')}"
            title = f"paramiko: {files.title}, {how}"
            notes = dict(team.notes)
            figures.append(as_ours(Figure(name, title, "MB/s", rounds, more_is_better=True, notes=notes)))
    return figures


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        hasher = hashlib.blake2b()
        while piece := file.read(1 << 20):
            hasher.update(piece)
    return hasher.hexdigest()


ROWS = {"file": one_file, "file-memory": memory, "adapter-file": adapter}
