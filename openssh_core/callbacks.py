"""What a handle on a remote command tells to whoever does not wait for it: that it has started, that it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._backends.base import Session
from ._io.complaints import Complaints
from .errors import OpenSSHError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Callbacks", "start_error"]

_log = Complaints("openssh_core.process")


class Callbacks:
    """The part of a handle that calls back.

    What is called runs in the thread that serves all connections, so it may only note the fact and wake somebody; or
    here and now, when it is a fact already. If it raises, the error is logged.
    """

    _session: Session

    def add_start_callback(self, call: Callable[[Self], object]) -> None:
        """Have `call(process)` called, once, when it is known whether the command has started (`check_started`)."""
        self._session.when_started(lambda: _tell(call, self))

    def add_done_callback(self, call: Callable[[Self], object]) -> None:
        """Have `call(process)` called, once, when the command has ended, or nothing more can be known of it."""
        self._session.when_exited(lambda: _tell(call, self))

    def check_started(self) -> None:
        """See that the command has not failed to start. For one that was not waited for (`popen(wait=False)`).

        Raises:
            OpenRefused, RequestRefused: the server did not run it.
            ProgramNotStarted: a `Program` is not there or not allowed, or its directory is not.
            ConnectionLost: the connection ended.
        """
        if (error := start_error(self._session)) is not None:
            raise error


def start_error(session: Session) -> OpenSSHError | None:
    """Why a session has not started, None when it has, or may yet."""
    return session.error if session.reports or not session.is_running else None


def _tell(call: Callable[[Any], object], process: object) -> None:
    try:
        call(process)
    except Exception:  # noqa: BLE001  # it is the caller's function, but everybody's thread
        _log.exception("a function to be called about a command raised")
