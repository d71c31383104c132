"""Which host keys are known to a client, and who decides about others."""

from __future__ import annotations

from collections.abc import Callable

import openssh_core

from ._host_key import from_core
from .hostkeys import HostKeys
from .pkey import PKey
from .ssh_exception import BadHostKeyException

__all__ = ["Trust"]


class Trust:
    """What one login thinks of host keys.

    Args:
        hostname: as it was given to `connect`.
        port: the server's.
        known: what is known; the first that knows the host decides, as in paramiko.
        ask: decides about a key of a host that nobody knows, by raising or not.

    Attributes:
        name: the host's in known_hosts.
        error: why a key was refused.
    """

    def __init__(self, hostname: str, port: int, known: tuple[HostKeys, ...], ask: Callable[[str, PKey], None]) -> None:
        self.hostname = hostname
        self.name = hostname if port == 22 else f"[{hostname}]:{port}"
        self._known = known
        self._ask = ask
        self.error: Exception | None = None

    def lines(self) -> list[str | bytes]:
        """For ssh: the lines of all that is known."""
        text = "".join(keys.to_lines() for keys in self._known)
        return [text.encode("utf-8", "surrogateescape")] if text else []

    def expected(self, kind: str) -> PKey | None:
        """The key on record for the host: of that type, or else another; None for a host that is not known."""
        for known in self._known:
            keys = known.lookup(self.name)
            if keys is not None and len(keys):
                return keys.get(kind) or next(iter(keys.values()))
        return None

    def check(self, key: PKey) -> None:
        """See what to think of the server's key.

        Raises:
            BadHostKeyException: another one is on record.
            Exception: whatever the policy raises.
        """
        expected = self.expected(key.get_name())
        if expected is None:
            self._ask(self.name, key)
        elif expected.asbytes() != key.asbytes():
            raise BadHostKeyException(self.hostname, key, expected)

    def verdict(self, key: openssh_core.HostKey) -> bool:
        """The same for the core: whether to go on; why not is in `error`."""
        try:
            self.check(from_core(key))
        except Exception as error:  # noqa: BLE001  # it is the policy's, and raised by whoever called connect()
            self.error = error
            return False
        return True
