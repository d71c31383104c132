"""One session on a proxy link, from the request to the last CLOSE."""

from __future__ import annotations

import functools
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from .._cli.script import PidLine
from .._io.deadline import Deadline
from .._protocol import link as protocol
from .._wire import requests
from .._wire.requests import ExitSignal, ExitStatus
from ..errors import (
    ConnectionClosed,
    ExitStatusMissing,
    InvalidInput,
    MasterUnresponsive,
    OpenSSHError,
    RequestRefused,
    SignalNotDelivered,
)
from ..options import Pty
from ..results import Exit
from .base import SessionRequest, Streams
from .parting import Parting
from .proxy_signals import ALWAYS_KNOWN, SignalAnswer, Signaller
from .proxy_streams import ProxyStreams
from .remote_kill import kill_groups
from .state import SessionState, new_pid_line, no_session

if TYPE_CHECKING:
    from .proxy import ProxyBackend


# OpenSSH's request for the agent; the master serves the channels that the server then opens (PROTOCOL.agent).
_AGENT = "auth-agent-req@openssh.com"
_NOT_PREPARED = {
    "pty-req": "the server gives this session no terminal",
    _AGENT: "the server forwards no agent",
}

# Seconds in which a command's process is there to be signalled, and between the first tries.
_FORK_PATIENCE = 0.5
_FIRST_PAUSE = 0.005


class ProxySession(SessionState):
    """One channel of a link.

    Attributes:
        signaller: sends signals to it.
    """

    def __init__(self, backend: ProxyBackend, request: SessionRequest, streams: Streams) -> None:
        super().__init__(reports=request.report is not None, asking=streams.asking)
        self._backend = backend
        self._link = backend.link
        self._request = request
        self._number: int | None = None
        self._pid_line = _pid_line(request, backend.signals_work)
        self._streams = ProxyStreams(
            backend.link,
            backend.reactor,
            streams,
            pid_line=self._pid_line,
            told=lambda line: self.told(line, request.report, backend.host),
        )
        self.signaller = Signaller(backend.link)
        self._asked_variables: deque[str] = deque()
        self._opened_at = 0.0
        self._to_prepare = 0
        self._parted = False

    def abandon_descriptors(self) -> None:
        self._streams.abandon()

    def begin(self) -> None:
        self._backend.reactor.submit(lambda: self._backend.ask(self, self._request.urgent))

    # ---- getting it to run; in the reactor's thread

    def on_open(self, number: int) -> None:
        self._number = number
        self._opened_at = monotonic()
        self._streams.begin(number)
        self.signaller.begin(number)
        known = self._backend.accepts_variable
        with self._link as link:
            for name, value in self._request.environment.items():
                if known.get(name, True):
                    ask = name not in known
                    link.request(number, "env", requests.env(name, value), want_reply=ask)
                    if ask:
                        self._asked_variables.append(name)
            self._to_prepare = len(self._asked_variables)
            if (pty := self._request.pty) is not None:
                size = (pty.columns, pty.rows, pty.width_pixels, pty.height_pixels)
                link.request(number, "pty-req", requests.pty(pty.term, *size))
                self._to_prepare += 1
            if self._request.forward_agent and not self._backend.agent_forwarded:
                link.request(number, _AGENT, b"")
                self._to_prepare += 1
            if not self._to_prepare:
                self._launch(number)

    def _launch(self, number: int) -> None:
        """Everything before it is answered: now the program."""
        known = self._backend.accepts_variable
        inline = {name: value for name, value in self._request.environment.items() if not known.get(name)}
        kind = self._request.kind
        try:
            payload = b"" if kind == "shell" else requests.exec_command(self._request.compose(inline, self._pid_line))
        except InvalidInput as error:
            # Only now is it known which variables the server does not take.
            self.failed(error)
            return self._link.close_channel(number)
        self._link.request(number, kind, payload)
        # A terminal has no end of input, and sshd answers EOF by closing its side of it: no resize works after that.
        if not self._streams.has_input and self._request.pty is None:
            self._link.eof(number)

    def _prepared(self, number: int, event: protocol.Answered) -> None:
        if event.request == "env":
            self._backend.accepts_variable[self._asked_variables.popleft()] = event.granted
        elif event.request == _AGENT:
            # sshd grants it once in a connection, which then goes for all its sessions.
            self._backend.agent_forwarded |= event.granted
            if not self._backend.agent_forwarded:
                return self._refused(event.request, _NOT_PREPARED[event.request])
        elif not event.granted:
            return self._refused(event.request, _NOT_PREPARED[event.request])
        self._to_prepare -= 1
        if self._to_prepare == 0:
            self._launch(number)

    def _refused(self, request: str, what: str) -> None:
        self.failed(RequestRefused(what, host=self._backend.host, request=request))
        if self._number is not None:
            self._link.close_channel(self._number)

    # ---- what happens to it; in the reactor's thread

    def on_event(self, event: protocol.Event) -> None:
        match event:
            case protocol.Received():
                self.heard()
                self._streams.received(event.data, stderr=event.stderr)
            case protocol.WindowGrew():
                self._streams.pump()
            case protocol.Answered():
                self._answered(event)
            case protocol.Ended(how=ExitStatus(status=status)):
                end = Exit(status)
                self._link.afterwards(lambda: self.exited(end))
            case protocol.Ended(how=ExitSignal() as how):
                killed = Exit(None, how.name, how.core_dumped, how.message)
                self._link.afterwards(lambda: self.exited(killed))
            case protocol.EndOfData():
                self._streams.finish_output()
            case protocol.Closed():
                self._backend.opener.released(parted=self._parted)
                self._over()

    def _answered(self, event: protocol.Answered) -> None:
        if event.request == "signal":
            self.signaller.answered(event.granted)
        elif event.request == "env" or event.request in _NOT_PREPARED:
            self._prepared(event.channel, event)
        elif event.granted:
            self._link.afterwards(self.started)
            # sshd grants the window with the program, and says so. Others grant it with the channel, without a word.
            self._streams.pump()
        else:
            self._refused(event.request, f"the server refused the {event.request} request")

    def on_drained(self) -> None:
        self._streams.pump()

    def on_lost(self, error: OpenSSHError) -> None:
        self.failed(error)
        self._over()

    def _over(self) -> None:
        """The channel is gone: give back what it held, then wake everybody."""
        self._streams.finish()
        self.signaller.finish()
        with self._link as link:
            link.afterwards(self._wake)

    def _wake(self) -> None:
        self.settle(self._backend.host)
        if self.error is None and (why := self._what_is_wrong()) is not None:
            self.failed(why)
        self._backend.sessions.discard(self)
        self.closed()

    def _what_is_wrong(self) -> OpenSSHError | None:
        """Why the way it ended cannot be believed, or is not known."""
        host, request = self._backend.host, self._request.kind
        if (why := self._unreported(self._request, host)) is not None:
            return why
        if self.exit == Exit(0) and self._streams.nothing_came:
            # fish does this with a command that has `$$` in it.
            return RequestRefused(
                "the remote shell ended without running the command",
                host=host,
                request=request,
                advice="For root on servers before 9.8 the account's login shell has to be a POSIX shell",
            )
        if self.exit is not None:
            return None
        if self.is_running:
            return ExitStatusMissing("the channel closed without an exit status", host=host)
        return RequestRefused("the server closed the channel before the command started", host=host, request=request)

    # ---- what can be done to it; from any thread

    def unanswered_for(self) -> float:
        if self.is_running or self.error is not None:
            return 0.0
        return self._backend.opener.silent_for() if self._number is None else monotonic() - self._opened_at

    def signal(self, name: str, timeout: float) -> None:
        if self._is_over() or (self._number is None and self._backend.reactor.call(self._withdraw)):
            return
        if self._backend.signals_work is not False and self._ask_server(name, timeout):
            return
        if self._pid_line:
            self.wait_located(timeout)
        if self._is_over():
            return
        if self.pid is None:
            raise SignalNotDelivered(
                f"the server refuses signals for this session, so SIG{name} did not reach the remote process",
                host=self._backend.host,
                signal=name,
                advice="sshd before 9.8 refuses them for root, and always for forced commands. It may still run",
            )
        kill_groups(self._backend, [self.pid], name, timeout, host=self._backend.host)

    def _is_over(self) -> bool:
        return self.exit is not None or self.error is not None

    def _ask_server(self, name: str, timeout: float) -> bool:
        """Whether the server has delivered the signal."""
        deadline = Deadline.after(min(timeout, _FORK_PATIENCE))
        pause = _FIRST_PAUSE
        while True:
            answer = SignalAnswer()
            self._backend.reactor.submit(functools.partial(self.signaller.send, name, answer))
            if not answer.wait(timeout) or answer.granted or name not in ALWAYS_KNOWN or deadline.passed:
                break
            # For a moment after its start sshd's child is not the leader of its group yet, and killpg finds nobody.
            self._exited.wait(pause)
            pause *= 2
        if not answer.is_open() or (not answer.granted and name not in ALWAYS_KNOWN):
            return False
        if not answer.granted and self._backend.signals_work is None:
            # Not this signal but all of them, so the next commands have to tell their process ids.
            self._backend.signals_work = False
        return answer.granted

    def resize(self, pty: Pty) -> None:
        size = (pty.columns, pty.rows, pty.width_pixels, pty.height_pixels)
        self._streams.after_input(lambda: self._change_window(requests.window_change(*size)))

    def _change_window(self, payload: bytes) -> None:
        if self._number is not None:
            self._link.request(self._number, "window-change", payload, want_reply=False)

    def close(self) -> None:
        self._backend.reactor.submit(self._close)

    def _close(self) -> None:
        if self._closed.is_open() or self._withdraw():
            return
        if self._number is not None:
            if self.exit is None:
                self._parted = True
                self._backend.opener.parted()
            self._part(self._number)
        if self.exit is None:
            self.failed(ExitStatusMissing("closed from this side before it ended", host=self._backend.host))
        self._over()

    def _part(self, number: int) -> None:
        """Close the channel, at once or as soon as the command is safe from that."""
        begins = self._to_prepare == 0 and self.exit is None and self.error is None
        if begins and (line := self._streams.part()) is not None:
            Parting(self._backend, number, line)
        else:
            self._link.close_channel(number)

    def stop_waiting(self, seconds: float) -> bool:
        def leave() -> bool:
            opener, host = self._backend.opener, self._backend.host
            if opener.silent_for() < seconds / 2:
                return self._withdraw(no_session(seconds, opener.account(), host))
            what = f"the server has not answered for {seconds:g} s"
            return self._withdraw(MasterUnresponsive(what, host=host))

        return self._backend.reactor.call(leave)

    def _withdraw(self, error: OpenSSHError | None = None) -> bool:
        """Leave the queue, or never enter it; whether there is no channel to be closed."""
        if self._number is not None or self._closed.is_open():
            return False
        self._backend.opener.withdraw(self)
        self.on_lost(error or ConnectionClosed("given up before the command started", host=self._backend.host))
        return True


def _pid_line(request: SessionRequest, signals_work: bool | None) -> PidLine | None:
    """The line by which the remote shell's process id is found in the output; None where it is not needed."""
    wanted = request.report is not None or (request.tells_pid and signals_work is False and not request.urgent)
    if request.kind != "exec" or not wanted:
        return None
    return new_pid_line(any_shell=False)
