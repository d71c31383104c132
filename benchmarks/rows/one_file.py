"""One large file over SFTP: how fast it comes and goes, what that takes of CPU, and that every byte is right."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from bench import Bench
from figures import Figure, Rounds, Target
from worker import Worker

from rows.common import with_cpu

__all__ = ["ROWS", "TARGETS"]

TARGETS = [
    Target("get", "a file fetched, times the rate of scp on the same kind of master", against="ssh", at_least=0.95),
    Target("put", "a file sent, times the rate of scp on the same kind of master", against="ssh", at_least=0.95),
    Target("get", "a file fetched, times paramiko's rate", against="paramiko", at_least=2.5),
    Target("put", "a file sent, times paramiko's rate", against="paramiko", at_least=2.5),
    Target("get", "a file fetched, times asyncssh's rate", against="asyncssh", at_least=1.2),
    Target("put", "a file sent, times asyncssh's rate", against="asyncssh", at_least=1.2),
]

_PEERS = ["ours", "ssh", "paramiko", "asyncssh"]


def one_file(bench: Bench) -> list[Figure]:
    """A file of 200 MiB each way; `scp` for OpenSSH. A wrong digest is no measurement."""
    size = bench.pick(200 << 20, 50 << 20)
    source, target = Path(bench.near.scratch, "sent"), Path(bench.near.scratch, "received")
    # Random, so that nothing is gained by leaving anything out.
    source.write_bytes(os.urandom(1 << 20) * (size >> 20))
    digest = _digest(source)
    figures = []
    try:
        with bench.team(bench.near, only=_PEERS) as team:
            for verb, title in (("get", "fetched"), ("put", "sent")):
                cpu: Rounds = {}

                def transfer(worker: Worker, verb: str = verb, cpu: Rounds = cpu) -> list[float]:
                    target.unlink(missing_ok=True)
                    seconds, used = with_cpu(worker, verb)
                    if _digest(target) != digest:
                        raise RuntimeError(f"{worker.name}: the file is not what was {verb}")
                    cpu.setdefault(worker.name, []).append([used])
                    return [size / seconds / 1e6]

                rounds = team.in_turn(bench.pick(3, 1), transfer)
                title = f"{size >> 20} MiB {title}"
                figures.append(Figure(verb, title, "MB/s", rounds, more_is_better=True, notes=dict(team.notes)))
                figures.append(
                    Figure(f"{verb}-cpu", f"{title}, CPU of the client side", "s", cpu, notes=dict(team.notes))
                )
    finally:
        source.unlink()
        target.unlink(missing_ok=True)
    return figures


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        hasher = hashlib.blake2b()
        while piece := file.read(1 << 20):
            hasher.update(piece)
    return hasher.hexdigest()


ROWS = {"file": one_file}
