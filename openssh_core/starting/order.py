"""What is to be logged in to, and with what: the order for one master."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Union

from .._io.login import Launcher
from .._io.secrets import Secrets
from .._io.socket_like import Transport
from .._value import Value
from ..keys import HostKey, PrivateKey
from ..options import MasterOptions, StageTimeouts

if TYPE_CHECKING:
    from .._io.dialogue import PtyLauncher

AnyLauncher = Union[Launcher, "PtyLauncher"]
HostKeyPolicy = Callable[[HostKey], "bool | Literal['record'] | None"]
"""Decides about a host key that is in no known_hosts file: True accepts it for this connection, `"record"` also records
it; everything else refuses it."""


class Order(Value):
    """A login.

    Attributes:
        options: for the command line.
        secrets: answers to what ssh asks.
        host: the destination as the caller named it, for messages.
        keys: what to offer, in this order: files, and keys that are in no file.
        certificates: likewise; what is no path is the text of one.
        known_hosts_lines: lines of known_hosts that are in no file.
        policy: decides about unknown host keys; None where `options.host_keys` does.
        control_dir: where the master's directory is made, None for the usual place.
        transport: makes the connection to the server, within a deadline; None where ssh makes it itself.
        spare: whether one channel is kept open in advance.
        login_handler: talks with ssh on a terminal, in place of all answers.
        launched: told of each ssh that is started for it, before it is waited for.
        persist: seconds it lives on without a user, to be found by others; None for one of our own.
        stage_timeouts: how long each stage may take.
    """

    options: MasterOptions
    secrets: Secrets
    host: str
    keys: tuple[str | PrivateKey, ...] = ()
    certificates: tuple[str | bytes, ...] = ()
    known_hosts_lines: tuple[str, ...] = ()
    policy: HostKeyPolicy | None = None
    control_dir: str | None = None
    transport: Transport | None = None
    spare: bool = True
    login_handler: Callable[[Any], object] | None = None
    launched: Callable[[AnyLauncher], None] | None = None
    persist: int | None = None
    stage_timeouts: StageTimeouts | None = None

    def digest(self) -> str:
        """A short word for everything that the master was asked for: equal orders share one, no others.

        Secrets are not part of it, but for private keys, of which only a hash goes in. Of configuration files it is the
        time and size: a changed file asks for another master.
        """

        import hashlib

        options = self.options.replace(connect_timeout=None, askpass=False, ssh_version=None)
        keys = [key if isinstance(key, str) else hashlib.sha256(key.data).hexdigest() for key in self.keys]
        agent = os.environ.get("SSH_AUTH_SOCK") if options.agent else None
        files = [options.config_file or f"{options.home}/.ssh/config", "/etc/ssh/ssh_config"]
        facts = (1, options, keys, self.certificates, self.known_hosts_lines, agent, [*map(_state, files)])
        return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()[:20]


def _state(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
