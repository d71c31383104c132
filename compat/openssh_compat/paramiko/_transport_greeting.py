"""One go of ssh, and the first of them: seeing who the server is."""

from __future__ import annotations

import getpass
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openssh_core
from openssh_core import ConnectError, HostKeyUnknown, InvalidTarget, StageTimeouts

from . import _failures
from ._host_key import from_core
from ._login import Credentials
from ._transport_options import Options
from ._trust import Trust
from .common import DEBUG
from .pkey import PKey
from .ssh_exception import SSHException

__all__ = ["Greeting"]

# Seconds for a connection when nobody says otherwise (paramiko leaves that to the kernel), and of the shortest limit.
_TCP_TIMEOUT = 30.0
_AT_LEAST = 0.001

# What `host_keys=` of `openssh_core.connect` may be.
HostKeyVerdict = Callable[[openssh_core.HostKey], Any]


class Greeting(Options):
    """The part of a transport that connects, and looks at the host key. The one that was seen first is the only one
    that is accepted afterwards.
    """

    _host_key: PKey | None = None
    _known_host: str | None = None
    _started = False
    _trust: Trust | None = None
    _manners: Mapping[str, Any] = {}  # never changed

    @property
    def _greeted(self) -> bool:
        return self._started

    def start_client(self, event: threading.Event | None = None, timeout: float | None = None) -> None:
        """Connect and see the server's host key, which `get_remote_server_key` gives then.

        A socket that can be used once (not TCP, not a tunnel of ours, not a ProxyCommand) is kept for the login; the
        host key is known after that.

        Args:
            event: set when it is done; errors are for `get_exception` then.
            timeout: seconds for the connection, and at most so many for the greeting and the exchange of keys, where
                `banner_timeout` and `handshake_timeout` are not shorter.

        Raises:
            SSHException: there is no SSH server.
        """
        try:
            if not self._open:
                raise SSHException("the transport was closed; make another one")
            if not self._way.once:
                self._greet(timeout)
        except Exception as error:
            if event is None:
                raise
            self._error = error
        else:
            self._started = True
        if event is not None:
            event.set()

    def _greet(self, timeout: float | None) -> None:
        def look(key: openssh_core.HostKey) -> bool:
            self._see(key)
            return False

        try:
            self._launch(Credentials(methods=()), getpass.getuser(), look, timeout, known=()).close()
        except HostKeyUnknown:
            if self._host_key is None:
                raise SSHException("ssh did not tell the server's host key") from None
        except ConnectError as error:
            raise self._explain(error, Credentials()) from error

    def _see(self, key: openssh_core.HostKey) -> None:
        self._host_key = from_core(key)
        self._known_host = key.known_hosts_line

    def get_remote_server_key(self) -> PKey:
        """The key that the server showed.

        Raises:
            SSHException: none was seen yet.
        """
        if self._host_key is None:
            raise SSHException("No existing session")
        return self._host_key

    # ---- one go

    def _launch(
        self,
        credentials: Credentials,
        username: str,
        verdict: HostKeyVerdict,
        timeout: float | None = None,
        known: Sequence[str | bytes] | None = None,
    ) -> openssh_core.Connection:
        """One go of ssh.

        Args:
            verdict: is asked about a host key that is not known.
            timeout: seconds for the stages before the login.
            known: what is known; without, the key that was seen before, or else what a client knows.
        """
        host = self._way.host
        go = self._way.go()
        with credentials.arguments() as arguments:
            settings = self.settings()
            credentials.ticket |= settings.get("GSSAPIAuthentication") == "yes"
            keepalive = settings.pop("keepalive", 15)
            arguments["options"] = {**go.pop("options", {}), **arguments["options"], **settings}
            manners = self._manners or {
                "config_file": "none",
                "known_hosts": self._known_lines() if known is None else known,
                "host_keys": verdict,
                "forward_agent": self.forward_agent,
                "forward_x11": self.forward_x11,
            }
            if self.forward_x11:
                # As paramiko forwards it. For the other kind a display has to give a ticket of its own.
                arguments["options"].setdefault("ForwardX11Trusted", "yes")
            target = f"[{host}]" if ":" in host else host
            try:
                connection = openssh_core.connect(
                    target,
                    user=username,
                    port=self._way.port,
                    connect_timeout=None,
                    stage_timeouts=self._stage_timeouts(timeout),
                    keepalive=max(int(keepalive), 0),
                    **manners,
                    **go,
                    **arguments,
                )
            except ConnectError as error:
                self.learn(error)
                raise
            except InvalidTarget as error:
                # No resolver would find such a name.
                raise socket.gaierror(socket.EAI_NONAME, error.what) from error
            self.learn(connection)
            return connection

    def _stage_timeouts(self, timeout: float | None) -> StageTimeouts:
        limits = (self.banner_timeout, self.handshake_timeout)
        greeting, handshake = limits if timeout is None else (min(limit, timeout) for limit in limits)
        connection = _TCP_TIMEOUT if timeout is None else timeout
        return StageTimeouts(*(max(limit, _AT_LEAST) for limit in (connection, greeting, handshake, self.auth_timeout)))

    def _known_lines(self) -> list[str | bytes]:
        if self._known_host is not None:
            return [self._known_host.encode()]
        return [] if self._trust is None else self._trust.lines()

    def _accept(self, key: openssh_core.HostKey) -> bool:
        """For a key that was not seen before: what the client says; without one the first is taken, as in paramiko."""
        if self._host_key is not None:
            return False
        self._see(key)
        return self._trust is None or self._trust.verdict(key)

    def _explain(self, error: ConnectError, credentials: Credentials) -> Exception:
        way = self._way
        if self._trust is not None and self._trust.error is not None:
            return self._trust.error
        self._log(DEBUG, "ssh: %s", error)
        return _failures.connect_error(error, way.host, way.port, tried=credentials.tried(), locked=False)

    def trust(self, trust: Trust, manners: Mapping[str, Any]) -> None:
        """Have a client decide about host keys.

        Args:
            manners: arguments for `openssh_core.connect` in the place of ours, if any: which configuration counts, and
                what is thought of host keys.
        """
        self._trust = trust
        self._manners = manners
