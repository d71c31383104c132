"""What happens to a host key that is not on record. Programs write such classes themselves."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from .common import DEBUG
from .pkey import PKey
from .ssh_exception import SSHException

if TYPE_CHECKING:
    from .client import SSHClient

__all__ = ["AutoAddPolicy", "MissingHostKeyPolicy", "RejectPolicy", "WarningPolicy"]


class MissingHostKeyPolicy:
    """Decides about a host key that is not on record. This one accepts it, and remembers nothing.

    For one of your own, write a class with a `missing_host_key`. It is called before anything is sent that could be a
    secret, and refuses the server by raising.
    """

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Accept it.

        Args:
            client: whose `get_transport()` is connected and not logged in.
            hostname: `host`, or `[host]:port` where the port is not 22.
            key: the server's.
        """


class AutoAddPolicy(MissingHostKeyPolicy):
    """Accept the key and record it: in the file of `load_host_keys`, or for the life of this client."""

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        client._host_keys.add(hostname, key.get_name(), key)
        if client._host_keys_filename is not None:
            client.save_host_keys(client._host_keys_filename)
        client._log(DEBUG, f"Adding {key.get_name()} host key for {hostname}: {key.fingerprint}")


class RejectPolicy(MissingHostKeyPolicy):
    """Refuse the connection. The default."""

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        client._log(DEBUG, f"Rejecting {key.get_name()} host key for {hostname}: {key.fingerprint}")
        raise SSHException(f"Server {hostname!r} not found in known_hosts")


class WarningPolicy(MissingHostKeyPolicy):
    """Accept the key with a warning (module `warnings`), and remember nothing."""

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        warnings.warn(f"Unknown {key.get_name()} host key for {hostname}: {key.fingerprint}", stacklevel=2)


# Where the original has them.
for _kind in (MissingHostKeyPolicy, AutoAddPolicy, RejectPolicy, WarningPolicy):
    _kind.__module__ = f"{__package__}.client"
