"""What can become of a connection that was there, and of the sessions on it."""

from __future__ import annotations

from .base import OpenSSHError, Output


class ConnectionLost(OpenSSHError):
    """The connection ended while something was going on.

    Attributes:
        started: whether the remote command had started; False means it can safely be run again.
        stdout, stderr: output received until then, None where it was not captured.
        last_words: what ssh(1) printed at the end.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        started: bool = False,
        stdout: Output = None,
        stderr: Output = None,
        last_words: str = "",
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.started = started
        self.stdout = stdout
        self.stderr = stderr
        self.last_words = last_words


class MasterUnresponsive(OpenSSHError, TimeoutError):
    """The master process, or the server behind it, did not answer in time."""

    advice = "Close this connection and connect again"


class ConnectionClosed(OpenSSHError):
    """This side has closed the connection already."""

    advice = "Connect again"


class SessionError(OpenSSHError):
    """Something about one session; the connection goes on."""


class OpenRefused(SessionError):
    """The server refused to open a channel.

    Attributes:
        code: SSH_OPEN_... of RFC 4254 section 5.1 (1 prohibited, 2 connect failed, 3 unknown type,
            4 shortage); 0 where the master gives none.
    """

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, code: int = 0) -> None:
        super().__init__(what, host=host, advice=advice)
        self.code = code


class OpenTimeout(SessionError, TimeoutError):
    """The server has not said in time whether it opens a channel. What was asked for is given up."""

    advice = "The target may be down, or a firewall in front of it drops packets; or give a longer timeout="


class RequestRefused(SessionError):
    """The server refused a channel request.

    Attributes:
        request: the request's name in RFC 4254 words (`exec`, `shell`, `subsystem`, `pty-req`).
    """

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, request: str = "") -> None:
        super().__init__(what, host=host, advice=advice)
        self.request = request


class ProgramNotStarted(SessionError, OSError):
    """A `Program` could not be started on the host: it, or something it needs, is not there or not allowed.

    Attributes:
        errno: what execve(2) or the step before it says, as a number of this system (`errno.ENOENT`).
        step: which one failed: `cwd`, `program`, `executable`, `user`, `group` or `extra_groups`.
        filename: the path that it was about, None when it was about none.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        errno: int = 0,
        step: str = "program",
        filename: str | None = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.errno = errno
        self.step = step
        self.filename = filename


class ExitStatusMissing(SessionError):
    """The channel closed without an exit status or signal: how the command ended is not known.

    Attributes:
        stdout, stderr: output received until then, None where it was not captured.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        stdout: Output = None,
        stderr: Output = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.stdout = stdout
        self.stderr = stderr


class SignalNotDelivered(SessionError):
    """The server refuses signals, and no other way to the process is known.

    Attributes:
        signal: the signal's name without SIG (`TERM`).
    """

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, signal: str = "") -> None:
        super().__init__(what, host=host, advice=advice)
        self.signal = signal


class ForwardRefused(OpenSSHError):
    """A port or socket forward did not come about."""
