"""`forward_local` and `forward_remote` of a connection, as context managers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._host import Host

__all__ = ["forward_local", "forward_remote"]


@contextlib.contextmanager
def forward_local(
    connection: Host, local_port: int, remote_port: int | None, remote_host: str, local_host: str
) -> Iterator[None]:
    target = (remote_host, local_port if remote_port is None else remote_port)
    with connection.core.forward_local((local_host, local_port), target):
        yield


@contextlib.contextmanager
def forward_remote(
    connection: Host, remote_port: int, local_port: int | None, remote_host: str, local_host: str
) -> Iterator[None]:
    target = (local_host, remote_port if local_port is None else local_port)
    with connection.core.forward_remote((remote_host, remote_port), target):
        yield
