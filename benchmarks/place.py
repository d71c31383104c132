"""Where the measuring takes place: a private sshd on loopback, and a relay to it that makes the way long."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from floor import compile_floor
from peers import Setup

from openssh_core.testing import LoopbackServer, Relay, known_hosts_line, known_hosts_name

__all__ = ["ROUND_TRIP", "open_place"]

ROUND_TRIP = 0.040
"""Seconds there and back through the relay: half a continent."""

OPTIONS = {
    "MaxSessions": 64,  # room for 32 commands in flight at any pace: a slot comes free only a moment after its command
    "KexAlgorithms": None,  # a login costs what it costs on a server that nobody made faster
}
"""What the server has beside the defaults of one for tests."""


@contextmanager
def open_place() -> Iterator[tuple[Setup, Setup]]:
    """Log in here: straight, and by the long way."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as directory,
        LoopbackServer(OPTIONS) as server,
        Relay(server.host, server.port, delay=ROUND_TRIP / 2) as relay,
    ):
        # Both names in full: paramiko does not know the wildcards of known_hosts.
        names = [known_hosts_name(server.host, port) for port in (server.port, relay.port)]
        known_hosts = Path(directory, "known_hosts")
        known_hosts.write_text("".join(known_hosts_line(name, server.host_key.public) + "\n" for name in names))
        near = Setup(
            host=server.host,
            port=server.port,
            user=server.user,
            key=str(server.key),
            known_hosts=str(known_hosts),
            scratch=directory,
            floor=compile_floor(Path(directory)),
        )
        yield near, replace(near, port=relay.port)
