"""Every way to run a command that is measured, behind the same verbs: a name and how to make it.

A peer's library is imported only in the process that measures it, so one that is missing costs its own column and
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.base import Peer, Setup

__all__ = ["PEERS", "Peer", "Setup"]


def _ours(setup: Setup) -> Peer:
    from peers.ours import Ours

    return Ours(setup)


def _adapter(setup: Setup) -> Peer:
    from peers.like_paramiko import LikeParamiko

    return LikeParamiko(setup, "openssh_compat.paramiko")


def _paramiko(setup: Setup) -> Peer:
    from peers.like_paramiko import LikeParamiko

    return LikeParamiko(setup, "paramiko")


def _fabric(setup: Setup) -> Any:
    from peers.like_fabric import LikeFabric

    return LikeFabric(setup, "fabric")


def _fabric_adapter(setup: Setup) -> Any:
    from peers.like_fabric import LikeFabric

    return LikeFabric(setup, "openssh_compat.fabric")


def _subprocess_adapter(setup: Setup) -> Any:
    from peers.like_subprocess import Adapter

    return Adapter(setup)


def _subprocess_ssh(setup: Setup) -> Any:
    from peers.like_subprocess import SSHCommands

    return SSHCommands(setup)


def _subprocess_local(setup: Setup) -> Any:
    from peers.like_subprocess import Local

    return Local(setup)


def _asyncssh(setup: Setup) -> Peer:
    from peers.with_asyncssh import WithAsyncSSH

    return WithAsyncSSH(setup)


def _ssh(setup: Setup) -> Peer:
    from peers.ssh_process import SSHProcess

    return SSHProcess(setup)


def _passenger(setup: Setup) -> Peer:
    from peers.c_floor import CFloor

    return CFloor(setup, "passenger")


def _proxy(setup: Setup) -> Peer:
    from peers.c_floor import CFloor

    return CFloor(setup, "proxy")


PEERS: dict[str, Callable[[Setup], Peer]] = {
    "ours": _ours,
    "adapter": _adapter,
    "paramiko": _paramiko,
    "fabric": _fabric,
    "fabric-adapter": _fabric_adapter,
    "subprocess-adapter": _subprocess_adapter,
    "subprocess-ssh": _subprocess_ssh,
    "subprocess-local": _subprocess_local,
    "asyncssh": _asyncssh,
    "ssh": _ssh,
    "floor-passenger": _passenger,
    "floor-proxy": _proxy,
}
