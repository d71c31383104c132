"""What a peer is: the verbs every row uses, and the few things all peers share.

To add a verb (for a new row), add it here and to every peer that can do it; a peer that cannot leaves it out and its
column stays empty.
"""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

__all__ = [
    "SMALL",
    "Peer",
    "Setup",
    "bulk_command",
    "check_size",
    "cpu_seconds",
    "drain",
    "files",
    "one_by_one",
    "peak_memory",
    "through",
    "timed",
    "wide",
]

SMALL = "true"
"""The small command: what it costs is the transport and the server's fork, nothing else."""

CHUNK = 1 << 20


@dataclass(frozen=True)
class Setup:
    """Where to log in, and what is there to do it with."""

    host: str
    port: int
    user: str
    key: str
    known_hosts: str
    scratch: str
    """A private directory with a short name: control sockets go there."""
    floor: str = ""
    """The compiled mux_floor, empty where there is no C compiler."""


class Peer(Protocol):
    """One client. All times are seconds of wall clock, taken where they distort least."""

    def login(self) -> None:
        """Make the connection everything else goes over."""

    def logout(self) -> None:
        """End it, and everything that was started for it."""

    def again(self, count: int) -> list[float]:
        """Log in as the next program would, `count` times, whatever an earlier one may have left; seconds of each."""

    def at_once(self, count: int) -> float:
        """Log in `count` times at the same time; seconds until all are in."""

    def hold(self, count: int) -> list[float]:
        """Have `count` connections at the same time; what `peers/holding.py` tells of them."""

    def commands(self, count: int) -> list[float]:
        """Run the small command `count` times one after another, collect status and output; seconds of each."""

    def in_flight(self, count: int, width: int) -> float:
        """Run the small command `count` times, `width` at a time; seconds for all."""

    def bulk(self, size: int) -> float:
        """Receive `size` bytes of output of one command, piece by piece; seconds."""

    def tunnel(self, port: int, size: int) -> float:
        """Receive `size` bytes through a tunnel to a port beside the server, as `rows/tunnels.py` has it; seconds.

        `tunnel_direct` is the same by another way, where a peer has two.
        """

    def tunnel_up(self, port: int, size: int) -> float:
        """Send `size` bytes through one, until all have arrived; seconds."""

    def tree_get(self, count: int, size: int) -> float:
        """Fetch a tree of `count` files of `size` bytes (`peers/trees.py`); seconds. `tree_put`: send it."""

    def file_get(self, count: int) -> list[float]:
        """Fetch one small file `count` times; seconds of each. `file_put`: send it.

        `file_put_in_place` writes into the file itself, where `file_put` does not.
        """

    def get(self) -> float:
        """Fetch the file `sent` of the scratch directory and make it `received`; seconds."""

    def put(self) -> float:
        """Send the same file to the same name; seconds.

        `file_read` and `file_write` are the same by loops over an open file, for those who are asked about that.
        """

    def helpers(self) -> list[int]:
        """Process ids of what works for this client and is not counted with its ended children."""


def one_by_one(command: Callable[[], None], count: int) -> list[float]:
    """Seconds of each of `count` calls."""
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        command()
        taken.append(time.perf_counter() - start)
    return taken


def wide(command: Callable[[], None], count: int, width: int) -> float:
    """Seconds of `count` calls from `width` threads. The threads exist before the clock starts."""
    with ThreadPoolExecutor(width) as pool:
        everybody = threading.Barrier(width)
        list(pool.map(lambda _: everybody.wait(), range(width)))
        start = time.perf_counter()
        for done in [pool.submit(command) for _ in range(count)]:
            done.result()
        return time.perf_counter() - start


def bulk_command(size: int) -> str:
    """A command that prints `size` bytes and costs the server next to nothing."""
    return f"head -c {size} /dev/zero"


def drain(stream: IO[bytes], size: int) -> None:
    """Read a binary stream to its end, which must come after `size` bytes."""
    received = 0
    while piece := stream.read(CHUNK):
        received += len(piece)
    check_size(received, size)


def through(sock: Any, size: int, *, up: bool = False) -> float:
    """Talk to the target of the tunnel row over a connected socket, or something like one, and close it; seconds."""
    start = time.perf_counter()
    sock.sendall(b"up\n" if up else b"down %d\n" % size)
    if up:
        piece = bytes(CHUNK)
        for at in range(0, size, CHUNK):
            sock.sendall(piece[: size - at])
        sock.shutdown(socket.SHUT_WR)
        if sock.recv(1) != b".":
            raise RuntimeError("not everything arrived")
    else:
        received = 0
        while piece := sock.recv(CHUNK):
            received += len(piece)
        check_size(received, size)
    taken = time.perf_counter() - start
    sock.close()
    return taken


def files(setup: Setup) -> tuple[str, str]:
    """Where the file of the row about one file is, and where it is to be; both on both machines."""
    return f"{setup.scratch}/sent", f"{setup.scratch}/received"


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def check_size(received: int, size: int) -> None:
    """A transfer that lost something is no measurement."""
    if received != size:
        raise RuntimeError(f"received {received} bytes of {size}")


def cpu_seconds(helpers: list[int]) -> float:
    """CPU time used so far by this process, by its ended children and by `helpers`."""
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used + sum(_cpu_of(pid) for pid in helpers)


def peak_memory() -> int:
    """Bytes that this process had at most in memory at any one time."""
    # proc(5). What getrusage says can be the parent's, from before the program began.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this kernel does not say how much memory a process had")


def _cpu_of(pid: int) -> float:
    # proc(5): utime and stime are fields 14 and 15; the name before them may hold blanks and brackets.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
