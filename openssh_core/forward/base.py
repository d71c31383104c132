"""What every forward is: something that listens, can be looked at, and can be closed."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING

from .._io.complaints import Complaints
from ..errors import OpenSSHError
from .addresses import Address

if TYPE_CHECKING:
    from typing_extensions import Self

_log = Complaints("openssh_core.forward")

# The last so many errors are kept.
_ERRORS_KEPT = 100


class Forward:
    """A forward. It listens already; a context manager: leaving it closes it. It ends with its connection.

    Attributes:
        host: the connection's, for messages.
        errors: why connections did not come about, the last hundred, newest last.
    """

    kind = "forward"

    def __init__(self, host: str) -> None:
        self.host = host
        self.errors: deque[OpenSSHError] = deque(maxlen=_ERRORS_KEPT)

    @property
    def address(self) -> Address:
        """Where it listens: (host, port), or the path of a Unix socket."""
        raise NotImplementedError

    @property
    def port(self) -> int | None:
        """The port it listens on; None for a Unix socket."""
        return self.address[1] if isinstance(self.address, tuple) else None

    @property
    def closed(self) -> bool:
        """Whether it was closed, by itself or with its connection."""
        raise NotImplementedError

    def close(self) -> None:
        """Listen no more; when this returns the address is free again. Idempotent.

        Connections through it go on until one of their ends closes them, or the connection to the host is closed.
        """
        raise NotImplementedError

    def end(self) -> None:
        """Close it, and end every connection that goes through it. Idempotent."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _failed(self, error: OpenSSHError) -> None:
        """A connection did not come about: keep the reason, for its client cannot be told."""
        self.errors.append(error)
        _log.warning("%s at %s: %s", self.kind, self.address, error)
