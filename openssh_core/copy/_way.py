"""What a connection gives the programs that go through it."""

from __future__ import annotations

from collections.abc import Callable

from .._cli.slave import Slave


class Way:
    """The way through a connection's master.

    Args:
        slave: what every ssh through it is told.
        host: the destination as the caller named it.
        make_room: gives back what the connection keeps of the server's sessions without need.
    """

    def __init__(self, slave: Slave, host: str, make_room: Callable[[], None]) -> None:
        self.slave = slave
        self.host = host
        self.make_room = make_room
