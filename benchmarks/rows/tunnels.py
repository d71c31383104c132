"""Tunnels: how fast data comes through one, and goes."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

from bench import Bench
from figures import Figure, Rounds, Target
from worker import Worker

from rows.common import with_cpu

__all__ = ["ROWS", "TARGETS"]

TARGETS = [
    Target("tunnel-direct", "a tunnel handed to the master, times the rate of ssh -W", against="ssh", at_least=0.95),
    Target("tunnel", "a tunnel, times the rate of ssh -W", against="ssh", at_least=0.7),
]

_PIECE = bytes(1 << 20)
_PEERS = ["ours", "ssh", "paramiko", "asyncssh"]


def tunnel(bench: Bench) -> list[Figure]:
    """Much data through a tunnel to something beside the server, and the CPU time that takes on our side.

    Ours twice: as it comes, and with the socket handed to the master, as `ssh -W` does it.
    """
    size = bench.pick(200_000_000, 100_000_000)
    figures = []
    with _target() as port, bench.team(bench.near, only=_PEERS) as team:
        for verb, name, title in (
            ("tunnel", "tunnel", "received through a tunnel"),
            ("tunnel_direct", "tunnel-direct", "received through a tunnel, handed to the master"),
            ("tunnel_up", "tunnel-up", "sent through a tunnel"),
        ):
            cpu: Rounds = {}

            def transfer(worker: Worker, verb: str = verb, cpu: Rounds = cpu) -> list[float]:
                # Only ours can be told which way to take; the others have one.
                asked = "tunnel" if verb == "tunnel_direct" and worker.name != "ours" else verb
                seconds, used = with_cpu(worker, asked, port, size)
                cpu.setdefault(worker.name, []).append([used])
                return [size / seconds / 1e6]

            rounds = team.in_turn(bench.pick(3, 1), transfer)
            title = f"{size // 1_000_000} MB {title}"
            figures.append(Figure(name, title, "MB/s", rounds, more_is_better=True, notes=dict(team.notes)))
            figures.append(Figure(f"{name}-cpu", f"{title}, CPU of the client side", "s", cpu, notes=dict(team.notes)))
    return figures


@contextlib.contextmanager
def _target() -> Iterator[int]:
    """The port of a process that reads a line: `down SIZE` is answered with so many bytes, `up` with a byte when
    everything has come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        pid = os.fork()
        if not pid:
            try:
                _serve(listener)
            finally:
                os._exit(1)
    try:
        yield port
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _serve(listener: socket.socket) -> None:
    while True:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            line = b""
            while not line.endswith(b"\n"):
                line += peer.recv(1)
            if line.startswith(b"down"):
                left = int(line.split()[1])
                while left:
                    left -= peer.send(_PIECE[:left])
                peer.shutdown(socket.SHUT_WR)
                peer.recv(1)
            else:
                while peer.recv(1 << 20):
                    pass
                peer.sendall(b".")


ROWS = {"tunnel": tunnel}
