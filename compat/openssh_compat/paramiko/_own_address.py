"""This side's address of a connection that ssh has made: the system knows it, where it is Linux."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys

__all__ = ["own_address"]

_ESTABLISHED = "01"
_FAMILIES = (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))


def own_address(pid: int | None) -> tuple[str, int] | None:
    """The address and port from which a process has made its first connection; None where that cannot be told."""
    if pid is None:
        return None
    with contextlib.suppress(OSError, ValueError):
        connections = dict(_connections(pid))
        for descriptor in sorted(os.listdir(f"/proc/{pid}/fd"), key=int):
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{descriptor}"))
            if found and found[1] in connections:
                return connections[found[1]]
    return None


def _connections(pid: int) -> list[tuple[str, tuple[str, int]]]:
    """Pairs of a socket's inode and its address."""
    pairs = []
    for name, family in _FAMILIES:
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if fields[3] == _ESTABLISHED:
                    pairs.append((fields[9], _address(fields[1], family)))
    return pairs


def _address(text: str, family: socket.AddressFamily) -> tuple[str, int]:
    """An address as the kernel writes it: words of 32 bits in this machine's order."""
    host, _, port = text.partition(":")
    raw = bytes.fromhex(host)
    words = b"".join(int.from_bytes(raw[at : at + 4], "big").to_bytes(4, sys.byteorder) for at in range(0, len(raw), 4))
    return socket.inet_ntop(family, words), int(port, 16)
