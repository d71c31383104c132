"""Sessions over a proxy link: our own channels, for masters that are ours alone.

The link is opened once and closed only when the master is to die, because a master whose proxy connection closes
after an open on it was refused takes everything with it.
"""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Iterable
from time import monotonic

from .._cli.script import PidLine
from .._io.feed import Feed
from .._io.latch import Latch
from .._io.link import ProxyLink
from .._io.opener import SessionOpener
from .._io.reactor import Reactor
from .._io.sinks import PidFilter, Sink, ToPipe
from .._io.sources import FromBytes, FromDescriptor, Source
from .._protocol import link as protocol
from .._wire import requests
from .._wire.requests import ExitSignal, ExitStatus
from ..errors import ConnectionClosed, ExitStatusMissing, OpenSSHError, RequestRefused, SignalNotDelivered
from ..options import Pty
from ..results import Exit
from .base import Input, Output, Piped, SessionRequest, Streams
from .ending import end_all
from .remote_kill import kill_groups
from .state import SessionState, new_pid_line


class ProxyBackend:
    """Starts sessions on one link.

    Args:
        signals_work: whether the server lets this user signal a session; None when that is not known.
        spare: whether one channel is kept open in advance.
    """

    def __init__(self, link: ProxyLink, reactor: Reactor, *, host: str, signals_work: bool | None, spare: bool) -> None:
        self.link = link
        self.reactor = reactor
        self.host = host
        # Where signals are refused, ending a process takes a session of its own: keep a slot for it.
        self.opener = SessionOpener(link, reactor, host=host, spare=spare, reserve=1 if signals_work is False else 0)
        self.signals_work = signals_work
        self.accepts_variable: dict[str, bool] = {}
        self.sessions: set[ProxySession] = set()

    def start(self, request: SessionRequest, streams: Streams) -> ProxySession:
        session = ProxySession(self, request, streams)
        self.reactor.submit(lambda: self._ask(session, request.urgent))
        return session

    def _ask(self, session: ProxySession, urgent: bool) -> None:
        self.sessions.add(session)
        try:
            self.opener.ask(session, urgent=urgent)
        except OpenSSHError as error:
            session.on_lost(error)

    def running(self) -> list[ProxySession]:
        return [session for session in list(self.sessions) if session.exit is None and session.error is None]

    def signal_all(self, sessions: Iterable[ProxySession], name: str, timeout: float) -> None:
        if self.signals_work is not False:
            for session in sessions:
                self.reactor.submit(functools.partial(session.send_signal, name))
        elif pids := [session.pid for session in sessions if session.pid is not None]:
            kill_groups(self, pids, name, timeout, host=self.host)

    def end_all(self) -> None:
        end_all(self)

    def close(self, error: OpenSSHError) -> None:
        self.link.close(error)


class ProxySession(SessionState):
    """One channel of a link, from the request to the last CLOSE."""

    def __init__(self, backend: ProxyBackend, request: SessionRequest, streams: Streams) -> None:
        super().__init__()
        self._backend = backend
        self._link = backend.link
        self._request = request
        self._number: int | None = None
        self._pid_line = _new_pid_line(request, backend.signals_work)
        self._source = self._make_source(streams.stdin)
        self._out = self._make_sink(streams.stdout, stdout=True)
        self._err = self._make_sink(streams.stderr, stdout=False)
        self._asked_variables: deque[str] = deque()
        self._opened_at = 0.0
        self._to_prepare = 0
        self._signals: deque[_SignalAnswer] = deque()

    # ---- the streams

    def _make_source(self, stdin: Input) -> Source | None:
        if stdin is None:
            return None
        if isinstance(stdin, Piped):
            return FromDescriptor(self._backend.reactor, stdin.fd, self._pump)
        return FromBytes(stdin)

    def _make_sink(self, output: Output, *, stdout: bool) -> Sink:
        sink: Sink
        if isinstance(output, Piped):
            os.set_blocking(output.fd, False)
            broken = self._stdout_broken if stdout else _nothing
            sink = ToPipe(self._backend.reactor, output.fd, credit=self._credit, broken=broken)
        else:
            sink = output
            if isinstance(output, Feed):
                output.attach(self._credit)
        if stdout and self._pid_line:
            return PidFilter(self._pid_line.token.encode(), sink, self.located)
        return sink

    def _credit(self, count: int) -> None:
        reactor = self._backend.reactor
        if not reactor.is_current():
            reactor.submit(lambda: self._credit(count))
        elif self._number is not None:
            self._link.consumed(self._number, count)

    def _stdout_broken(self) -> None:
        # As ssh(1) does: the server then closes its end of the command's output, and the command gets the
        # SIGPIPE it would get at home instead of writing for ever.
        if self._number is not None:
            self._link.request(self._number, "eow@openssh.com", want_reply=False)

    def _pump(self) -> None:
        """Send what input there is, as far as the window goes. In the reactor's thread."""
        if self._source is None or self._number is None:
            return
        with self._link as link:
            while (room := link.room(self._number)) > 0:
                piece = self._source.pull(room)
                if piece is None:
                    return
                if not piece:
                    link.eof(self._number)
                    self._drop_source()
                    return
                link.data(self._number, piece)

    def _drop_source(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def abandon_descriptors(self) -> None:
        self._out.abandon()
        self._err.abandon()
        if self._source is not None:
            self._source.abandon()

    # ---- getting it to run

    def unanswered_for(self) -> float:
        if self.is_running or self.error is not None:
            return 0.0
        return self._backend.opener.silent_for() if self._number is None else monotonic() - self._opened_at

    def on_open(self, number: int) -> None:
        self._number = number
        self._opened_at = monotonic()
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
            if not self._to_prepare:
                self._launch(number)

    def _launch(self, number: int) -> None:
        """Everything before it is answered: now the program."""
        known = self._backend.accepts_variable
        inline = {name: value for name, value in self._request.environment.items() if not known.get(name)}
        kind = self._request.kind
        payload = b"" if kind == "shell" else requests.exec_command(self._request.compose(inline, self._pid_line))
        self._link.request(number, kind, payload)
        # A terminal has no end of input, and sshd answers EOF by closing its side of it: no resize works after that.
        if self._source is None and self._request.pty is None:
            self._link.eof(number)

    def _prepared(self, number: int, event: protocol.Answered) -> None:
        if event.request == "env":
            self._backend.accepts_variable[self._asked_variables.popleft()] = event.granted
        elif not event.granted:
            return self._refused(event.request, "the server gives this session no terminal")
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
                sink = self._err if event.stderr else self._out
                if taken := sink.write(event.data):
                    self._link.consumed(event.channel, taken)
            case protocol.WindowGrew():
                self._pump()
            case protocol.Answered():
                self._answered(event)
            case protocol.Ended():
                how = event.how
                end = Exit(how.status) if isinstance(how, ExitStatus) else _killed(how)
                self._link.afterwards(lambda: self.exited(end))
            case protocol.EndOfData():
                self._finish_output()
            case protocol.Closed():
                self._backend.opener.released()
                self._over()

    def _answered(self, event: protocol.Answered) -> None:
        if event.request == "signal":
            if self._signals:
                self._signals.popleft().give(event.granted)
        elif event.request in ("env", "pty-req"):
            self._prepared(event.channel, event)
        elif event.granted:
            self._link.afterwards(self.started)
        else:
            self._refused(event.request, f"the server refused the {event.request} request")

    def on_drained(self) -> None:
        self._pump()

    def on_lost(self, error: OpenSSHError) -> None:
        self.failed(error)
        self._over()

    def _finish_output(self) -> None:
        self._out.finish()
        self._err.finish()

    def _over(self) -> None:
        """The channel is gone: give back what it held, then wake everybody."""
        self._finish_output()
        self._drop_source()
        while self._signals:
            self._signals.popleft().give(True)
        with self._link as link:
            link.afterwards(self._wake)

    def _wake(self) -> None:
        if isinstance(self._out, PidFilter) and self._out.nothing_came and self.exit == Exit(0) and self.error is None:
            # fish does this with a command that has `$$` in it.
            self.failed(
                RequestRefused(
                    "the remote shell ended without running the command",
                    host=self._backend.host,
                    request=self._request.kind,
                    advice="For root on servers before 9.8 the account's login shell has to be a POSIX shell",
                )
            )
        elif self.exit is None and self.error is None:
            if self.is_running:
                what = "the channel closed without an exit status"
                self.failed(ExitStatusMissing(what, host=self._backend.host))
            else:
                what = "the server closed the channel before the command started"
                self.failed(RequestRefused(what, host=self._backend.host, request=self._request.kind))
        self._backend.sessions.discard(self)
        self.closed()

    # ---- what can be done to it; from any thread

    def signal(self, name: str, timeout: float) -> None:
        if self.exit is not None or self.error is not None or self._withdrawn():
            return
        if self._backend.signals_work is not False and self._ask_server(name, timeout):
            return
        if self._pid_line:
            self.wait_located(timeout)
        if self.exit is not None or self.error is not None:
            return
        if self.pid is None:
            raise SignalNotDelivered(
                f"the server refuses signals for this session, so SIG{name} did not reach the remote process",
                host=self._backend.host,
                signal=name,
                advice="sshd before 9.8 refuses them for root, and always for forced commands. It may still run",
            )
        kill_groups(self._backend, [self.pid], name, timeout, host=self._backend.host)

    def _ask_server(self, name: str, timeout: float) -> bool:
        """Whether the server has delivered the signal."""
        answer = _SignalAnswer()
        self._backend.reactor.submit(lambda: self._request_signal(name, answer))
        if not answer.wait(timeout):
            return False
        if not answer.granted and name in _ALWAYS_KNOWN:
            # Not this signal but all of them, so the next commands have to tell their process ids.
            self._backend.signals_work = False
        return answer.granted

    def _request_signal(self, name: str, answer: _SignalAnswer) -> None:
        if self._number is not None and self._link.request(self._number, "signal", requests.signal(name)):
            self._signals.append(answer)
        else:
            answer.give(True)  # past taking one: it is over already

    def send_signal(self, name: str) -> None:
        """Ask for a signal and do not wait for what comes of it. In the reactor's thread."""
        if self._number is not None:
            self._link.request(self._number, "signal", requests.signal(name), want_reply=False)

    def _withdrawn(self) -> bool:
        """Whether it was still in the queue, and now is not any more."""
        return self._number is None and self._backend.reactor.call(self._withdraw)

    def _withdraw(self) -> bool:
        if self._number is not None or not self._backend.opener.withdraw(self):
            return False
        self.on_lost(ConnectionClosed("given up before the command started", host=self._backend.host))
        return True

    def resize(self, pty: Pty) -> None:
        size = (pty.columns, pty.rows, pty.width_pixels, pty.height_pixels)
        self._backend.reactor.submit(lambda: self._change_window(requests.window_change(*size)))

    def _change_window(self, payload: bytes) -> None:
        if self._number is not None:
            self._link.request(self._number, "window-change", payload, want_reply=False)

    def close(self) -> None:
        self._backend.reactor.submit(self._close)

    def _close(self) -> None:
        if self._withdraw():
            return
        if self._number is not None:
            self._link.close_channel(self._number)
        if self.exit is None:
            self.failed(ExitStatusMissing("closed from this side before it ended", host=self._backend.host))
        self._over()


# What every sshd that passes signals at all passes (session.c).
_ALWAYS_KNOWN = frozenset({"HUP", "INT", "KILL", "QUIT", "TERM", "USR1", "USR2"})


class _SignalAnswer(Latch):
    """Whether a signal was delivered, once it is known."""

    __slots__ = ("granted",)

    def give(self, granted: bool) -> None:
        self.granted = granted
        self.open()


def _new_pid_line(request: SessionRequest, signals_work: bool | None) -> PidLine | None:
    """The line by which the remote shell's process id is found in the output; None where it is not needed."""
    if request.kind != "exec" or request.urgent or signals_work is not False:
        return None
    return new_pid_line(any_shell=False)


def _killed(how: ExitSignal) -> Exit:
    return Exit(None, how.name, how.core_dumped, how.message)


def _nothing() -> None:
    pass
