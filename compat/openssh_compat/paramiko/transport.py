"""The connection, from the greeting to the end."""

from __future__ import annotations

from typing import Any, NoReturn

from .._shim import refused
from ._lent import lend
from ._transport_forwards import Forwards
from ._transport_gss import GssAuthentication
from ._transport_options import SecurityOptions
from .ssh_exception import SSHException

__all__ = ["SecurityOptions", "ServiceRequestingTransport", "Transport"]


class Transport(GssAuthentication, Forwards):
    """A connection to a server. A context manager; thread-safe once it is logged in.

    In paramiko it is a thread; here there is none, but what programs ask of it as a thread is answered.
    """

    daemon = True
    ident = native_id = None
    _name: str | None = None

    @property
    def name(self) -> str:
        """A name for messages."""
        return f"Transport to {self.hostname}" if self._name is None else self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    def getName(self) -> str:
        return self.name

    def setName(self, name: str) -> None:
        self.name = name

    def isDaemon(self) -> bool:
        return self.daemon

    def setDaemon(self, daemonic: bool) -> None:
        self.daemon = daemonic

    def is_alive(self) -> bool:
        return self.is_active()

    def start(self) -> None:
        """Nothing to do: `start_client` and `connect` do it."""

    def run(self) -> None:
        """The same."""

    def join(self, timeout: float | None = None) -> None:
        """Nothing to wait for: `close` returns when everything is ended."""

    def set_hexdump(self, hexdump: bool) -> None:
        """Nothing to do: packets are the business of ssh."""

    def get_hexdump(self) -> bool:
        return False

    # ---- the side of a server

    @refused
    def _no_server(self, *_args: Any, **_named: Any) -> NoReturn:
        raise NotImplementedError("openssh_compat has no server mode: run sshd, or use paramiko itself")

    start_server = add_server_key = get_server_key = set_subsystem_handler = _no_server

    @staticmethod
    def load_server_moduli(filename: str | None = None) -> bool:
        """For servers; False, as in paramiko when there is no such file."""
        return False


class ServiceRequestingTransport(Transport):
    """In paramiko it asks for the service before it logs in; ssh does so always."""

    def ensure_session(self) -> None:
        """See that there was a greeting.

        Raises:
            SSHException: there was none.
        """
        if not self._started or not self._open:
            raise SSHException("No existing session")

    @refused
    def get_auth_handler(self) -> NoReturn:
        """Not to be had. Raises NotImplementedError."""
        raise NotImplementedError(
            "get_auth_handler() is not supported by openssh_compat: use auth_publickey() and its like"
        )


@refused
class ChannelMap:
    """Raises NotImplementedError when it is made: the core knows its channels."""

    def __init__(self) -> None:
        raise NotImplementedError("ChannelMap is not supported by openssh_compat, whose core knows its channels")


SecurityOptions.__module__ = __name__
lend(__name__)
