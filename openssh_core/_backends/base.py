"""What the two ways have in common: the order for a session, its streams, and the handle on what runs."""

from __future__ import annotations

import socket
import weakref
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from .._cli.script import PidLine
from .._io.asking import Asking
from .._io.sinks import Sink
from .._value import Value
from ..errors import OpenSSHError
from ..options import Pty
from ..results import Exit
from .tunnel import Destination, Manners, Tunnel

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class SessionRequest(Value):
    """What is to run.

    Attributes:
        kind: `exec`, `shell` or `subsystem` (RFC 4254 section 6.5).
        compose: makes the command line (or the subsystem's name), given the variables that the server does not
            take and that the command has to set itself, and the line in which the remote shell shall tell its
            process id (None: it need not).
        environment: variables for the remote program.
        pty: the terminal it gets, None for none.
        report: reads what the remote side says of the start behind its process id: what went wrong with it, or None.
            Without a `report` it is not asked to say anything.
        urgent: may use the slots kept back for such sessions.
        tells_pid: whether its shell can be made to tell its process id at all.
        forward_agent, forward_x11: whether it may use our agent and our display (the master must have been started
            with that allowed). X11 only works through a master by descriptor.
    """

    kind: str
    compose: Callable[[Mapping[str, str], PidLine | None], bytes]
    environment: Mapping[str, str] = _NO_VARIABLES
    pty: Pty | None = None
    report: Callable[[str], OpenSSHError | None] | None = None
    urgent: bool = False
    tells_pid: bool = True
    forward_agent: bool = False
    forward_x11: bool = False


class Piped(Value):
    """A stream over an operating system pipe of which the other end is the caller's.

    Attributes:
        fd: the end that the session gets and owns from then on.
        shared: others hold the same open description (a file of the caller's), so its flags must stay as they
            are and it may not be handed to the master, which makes it non-blocking.
    """

    fd: int
    shared: bool = False


class KeptOpen(Value):
    """Input after which no end is sent: it stays open until the program has ended.

    Attributes:
        data: what is sent.
    """

    data: bytes


Input = None | bytes | KeptOpen | Piped
Output = Sink | Piped


class Streams:
    """Where a session's input comes from and where its output goes.

    Attributes:
        stdin: None for none at all, bytes to send, these without an end, or the read end of a pipe (or any descriptor).
        stdout, stderr: something that takes the data, or the write end of a pipe.
        asking: the talk with sudo that comes before all of it; None for none.
    """

    __slots__ = ("asking", "stderr", "stdin", "stdout")

    def __init__(self, stdin: Input, stdout: Output, stderr: Output) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.asking: Asking | None = None


class Session(Protocol):
    """Something that runs, or is about to.

    Attributes:
        exit: how it ended; None while it runs, or when that will never be known (`error` says why).
        error: what went wrong with the session itself.
        pid: the remote process id, None while unknown.
        owner: whoever has the other ends of its pipes.
        reports: whether the remote side says itself what came of the start.
        is_running: whether the server agreed to run it; stays true after the end.
    """

    exit: Exit | None
    error: OpenSSHError | None
    pid: int | None
    is_running: bool
    reports: bool
    owner: weakref.ref[Any] | None

    def begin(self) -> None:
        """Have it run, once. Until then it has done nothing; its streams' descriptors are its own already."""

    def wait_started(self, timeout: float | None) -> bool:
        """Wait until the server has agreed to run it, or refused; False when that takes more than `timeout` seconds."""

    def wait_located(self, timeout: float | None) -> bool:
        """Wait until the remote side has told its process id (and report), or never will."""

    def wait_exited(self, timeout: float | None) -> bool:
        """Wait until the remote program has ended (or nothing more can be known of it)."""

    def wait_closed(self, timeout: float | None) -> bool:
        """Wait until all its output has been delivered too."""

    def when_started(self, call: Callable[[], object]) -> None:
        """Have it called once it is known whether it has started, by the report where there is to be one."""

    def when_exited(self, call: Callable[[], object]) -> None:
        """Have it called once `wait_exited` would not wait any more: at once, or in the thread that finds out."""

    def stop_waiting(self, seconds: float) -> bool:
        """It has waited that long for the server to give it a session: unless it has one, it fails with OpenTimeout,
        or MasterUnresponsive where the server does not say anything.

        Returns:
            whether it had none. False: the server has been asked to run it.
        """

    def quiet_for(self) -> float:
        """Seconds since it last put something out, or started; 0 before that."""

    def unanswered_for(self) -> float:
        """Seconds that the server has owed an answer without which it cannot start; 0 when it owes none."""

    def signal(self, name: str, timeout: float) -> None:
        """Signal its process group.

        Raises:
            SignalNotDelivered: there is no way to.
        """

    def resize(self, pty: Pty) -> None:
        """Tell it the terminal's new size."""

    def close(self) -> None:
        """Give up on it: close the channel. What runs there is not signalled, and what was asked for still begins."""


class Backend(Protocol):
    """One way through a master.

    Attributes:
        tells_why: whether a tunnel that is not direct is refused with the server's reason.
    """

    tells_why: bool

    def new(self, request: SessionRequest, streams: Streams) -> Session:
        """A session that has not begun. Whoever has it can end it, whatever comes between."""

    def start(self, request: SessionRequest, streams: Streams) -> Session:
        """Start a session; it may still be refused (`wait_started`)."""

    def tunnel(
        self,
        destination: Destination,
        sock: socket.socket,
        over: Callable[[Tunnel], None] | None = None,
        manners: Manners | None = None,
        *,
        direct: bool = False,
    ) -> Tunnel:
        """Connect a socket to something behind the server; it may still be refused (`wait_answered`).

        Args:
            sock: becomes the tunnel's own, or the master's.
            over: called once when nothing more will come of it.
            manners: what to say to whoever is at the other end of the socket first.
            direct: have the master read and write the socket, whichever way this is.
        """

    def on_refusal(self, tell: Callable[[], None]) -> None:
        """Have it told when the server has refused a session: it may hold one that it can do without. It may be told
        in any thread, and must not wait."""

    def make_room(self) -> None:
        """Give back a session that is only kept in advance: somebody opens one by another way."""

    def end_all(self) -> None:
        """End every remote process that still runs, as far as that is possible, in bounded time."""

    def close(self, error: OpenSSHError) -> None:
        """Give the way up, without waiting; sessions still there get the error."""
