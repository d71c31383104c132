"""A server without a port: the client starts `sshd -i` itself, as its ProxyCommand, and speaks with it through a pipe.

Nothing listens, nothing waits, nobody else can connect; each connection is a server of its own. What needs a port
(MaxStartups, a relay in between) needs a `LoopbackServer`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any

from . import _config, _programs
from ._lab import ALIAS, Server, ServerFailed
from .keys import Key


class InetdServer(Server):
    """A private sshd that the client starts, once for each connection.

    Its `host` is a name that only its client configuration knows, and its `port` is None. Who can log in: the one who
    runs the client, or anybody when that is root.

    Args:
        options: sshd_config options, over ours; as for `LoopbackServer`.
        user: who logs in; the one who runs this program when left out.
        sshd: another sshd program.
        key: what the client logs in with; shared by all servers of the process when left out.
        host_key: the server's own; likewise.

    Attributes:
        options: what ssh(1) must be told to reach it: `ProxyCommand`.

    Raises:
        ServerFailed: there is no sshd, or it does not accept its configuration; the message has its words.
        InvalidOption: an option that cannot be given here.
    """

    def __init__(
        self,
        options: Mapping[str, _config.Value] | None = None,
        *,
        user: str | None = None,
        sshd: str | os.PathLike[str] | None = None,
        key: Key | None = None,
        host_key: Key | None = None,
    ) -> None:
        super().__init__(user=user, sshd=sshd, key=key, host_key=host_key)
        try:
            config = self._write_server_config(_config.merged(self._base_options(), options or {}))
            self._check(str(config))
            # -E, because its stderr is the client's, which must stay the command's own.
            self.options = {"ProxyCommand": f"{self.sshd} -i -E {self.directory / 'log'} -f {config}"}
            self._write_client_files([ALIAS], self.options)
        except BaseException:
            self.stop()
            raise

    def connect_options(self, *, port: int | None = None) -> dict[str, Any]:
        """Arguments for `openssh_core.connect`; `options` has the ProxyCommand. There is no `port` to choose."""
        if port is not None:
            raise ValueError("an InetdServer has no port, and nothing can be between it and its client")
        return {**super().connect_options(), "options": dict(self.options)}

    def _check(self, config: str) -> None:
        for _ in range(2):
            command = [self.sshd, "-t", "-f", config]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
            if done.returncode == 0:
                return
            if not _programs.make_missing_directory(done.stderr):
                break
        raise ServerFailed(f"sshd -t ended with {done.returncode}", log=done.stderr)
