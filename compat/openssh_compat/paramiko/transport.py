"""The connection, from the greeting to the end."""

from __future__ import annotations

from typing import Any, NoReturn

from ._transport_auth import Authentication
from ._transport_forwards import Forwards
from ._transport_options import SecurityOptions

__all__ = ["SecurityOptions", "ServiceRequestingTransport", "Transport"]


class Transport(Authentication, Forwards):
    """A connection to a server. A context manager; thread-safe once it is logged in.

    In paramiko it is a thread; here there is none, but what programs ask of it as a thread is answered.
    """

    daemon = True

    @property
    def name(self) -> str:
        return f"Transport to {self.hostname}"

    def is_alive(self) -> bool:
        return self.is_active()

    def join(self, timeout: float | None = None) -> None:
        """Nothing to wait for: `close` returns when everything is ended."""

    def setDaemon(self, daemonic: bool) -> None:
        """Nothing to do."""

    def set_hexdump(self, hexdump: bool) -> None:
        """Nothing to do: packets are the business of ssh."""

    def get_hexdump(self) -> bool:
        return False

    # ---- the side of a server

    def _no_server(self, *_args: Any, **_named: Any) -> NoReturn:
        raise NotImplementedError("openssh_compat has no server mode: run sshd, or use paramiko itself")

    start_server = add_server_key = get_server_key = set_subsystem_handler = _no_server

    @staticmethod
    def load_server_moduli(filename: str | None = None) -> bool:
        """For servers; False, as in paramiko when there is no such file."""
        return False


class ServiceRequestingTransport(Transport):
    """In paramiko it asks for the service before it logs in; ssh does so always."""


SecurityOptions.__module__ = __name__
