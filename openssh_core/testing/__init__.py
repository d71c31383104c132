"""A laboratory for programs that use SSH: real servers on this machine, a network that misbehaves on demand, and a
look at what was left behind.

Everything is private to the program that makes it: no file of the user or the system is read or changed, everything
ends with it. `openssh_core.testing.plugin` has it as pytest fixtures.

    with LoopbackServer({"MaxSessions": 2}) as server, openssh_core.connect(**server.connect_options()) as host:
        assert host.capture("echo hello") == "hello\\n"
"""

from __future__ import annotations

from ._lab import Server, ServerFailed
from .accounts import Account, AccountServer
from .fake_master import FakeMaster, HangUp
from .fake_server import FakeChannel, FakeServer
from .inetd import InetdServer
from .keys import Key, KeyFailed, generate_key, known_hosts_line, known_hosts_name, shared_key
from .leaks import Snapshot, assert_nothing_left, snapshot, whats_left
from .relay import Relay
from .sshd import LoopbackServer

__all__ = [
    "Server",
    "LoopbackServer",
    "InetdServer",
    "AccountServer",
    "Account",
    "ServerFailed",
    "Relay",
    "Key",
    "KeyFailed",
    "generate_key",
    "shared_key",
    "known_hosts_line",
    "known_hosts_name",
    "Snapshot",
    "snapshot",
    "whats_left",
    "assert_nothing_left",
    "FakeMaster",
    "FakeServer",
    "FakeChannel",
    "HangUp",
]
