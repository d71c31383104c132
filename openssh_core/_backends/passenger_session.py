"""One session whose descriptors are in the master."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios
import tty
from typing import TYPE_CHECKING

from .._cli.script import PidLine
from .._io.asking import Asking
from .._io.copying import PipeReader, PipeWriter
from .._io.feed import Feed
from .._io.outlet import Outlet
from .._io.reactor import READ
from .._io.sinks import PidFilter, Sink, ToPipe
from .._io.sources import FromBytes, FromDescriptor, Source
from .._wire import mux as wire
from .._wire.frames import FrameSplitter
from ..errors import ConnectionLost, ExitStatusMissing, OpenSSHError, ProtocolError, SignalNotDelivered
from ..options import Pty
from ..results import Exit
from .base import KeptOpen, Output, Piped, SessionRequest, Streams
from .remote_kill import kill_groups
from .state import SessionState, new_pid_line

if TYPE_CHECKING:
    from .passenger import PassengerBackend


class PassengerSession(SessionState):
    """A session on a control connection of its own.

    Attributes:
        theirs: the three descriptors for the master, in order. Copies are sent; these are closed once it runs.
    """

    def __init__(self, backend: PassengerBackend, request: SessionRequest, streams: Streams) -> None:
        super().__init__(reports=request.report is not None, asking=streams.asking)
        self._backend = backend
        self._request = request
        self._sock: socket.socket | None = None
        self._splitter = FrameSplitter()
        self._readers: list[PipeReader] = []
        self._reading = 0
        self._writer: PipeWriter | None = None
        self._source: Source | None = None
        self._sent_signal: str | None = None
        self._streams = streams
        self._pid_line: PidLine | None = None
        self.theirs: tuple[int, ...] = ()

    def begin(self) -> None:
        self._backend.ask(self)

    def prepare(self) -> None:
        """Make the pipes. Not in the main thread, where an interrupt could leave half of them behind."""
        streams, request = self._streams, self._request
        wants_pid = request.report is not None or (self._backend.track_pid and request.tells_pid and not request.urgent)
        self._pid_line = new_pid_line(any_shell=True) if wants_pid and request.kind == "exec" else None
        given = (streams.stdin, streams.stdout, streams.stderr)
        try:
            self.theirs += (self._make_stdin(streams),)
            self.theirs += (self._make_output(streams.stdout, self._pid_line),)
            self.theirs += (self._make_output(streams.stderr, None, self._asking),)
        except OSError:
            # What was not made into anything yet is closed by nobody else.
            for stream in given[len(self.theirs) :]:
                if isinstance(stream, Piped):
                    os.close(stream.fd)
                elif stream is not None and not isinstance(stream, bytes | KeptOpen):
                    stream.finish()
            raise

    @property
    def urgent(self) -> bool:
        """Whether it may use slots kept back for such sessions."""
        return self._request.urgent

    @property
    def is_subsystem(self) -> bool:
        return self._request.kind == "subsystem"

    def message(self, request_id: int) -> wire.NewSession:
        """The request for it."""
        request = self._request
        return wire.NewSession(
            request_id,
            request.compose(request.environment, self._pid_line),
            want_tty=request.pty is not None,
            want_x11=request.forward_x11,
            want_agent=request.forward_agent,
            subsystem=request.kind == "subsystem",
            terminal=request.pty.term if request.pty else "",
        )

    # ---- the streams

    def _make_stdin(self, streams: Streams) -> int:
        stdin = streams.stdin
        if isinstance(stdin, Piped) and not stdin.shared and self._request.pty is None and self._asking is None:
            return stdin.fd
        if self._request.pty is not None:
            theirs, ours = _make_terminal(self._request.pty)
        else:
            theirs, ours = os.pipe()
        if stdin is None and self._request.pty is None and self._asking is None:
            os.close(ours)
            return theirs
        os.set_blocking(ours, False)
        self._writer = PipeWriter(self._backend.reactor, ours)
        if stdin is None:
            pass
        elif isinstance(stdin, Piped):
            self._source = FromDescriptor(self._backend.reactor, stdin.fd, self._writer.push)
        elif isinstance(stdin, KeptOpen):
            self._source = FromBytes(stdin.data, ends=False)
        else:
            self._source = FromBytes(stdin)
        if self._asking is not None:
            self._source = self._asking.over_source(self._source, self._writer.push)
        return theirs

    def _make_output(self, output: Output, pid_line: PidLine | None, asking: Asking | None = None) -> int:
        if isinstance(output, Piped) and pid_line is None and asking is None and not output.shared:
            return output.fd
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        reader: PipeReader
        sink: Sink
        if isinstance(output, Piped):
            os.set_blocking(output.fd, False)
            sink = ToPipe(
                self._backend.reactor,
                output.fd,
                # The reader is made after its sink, so neither can be named yet.
                credit=lambda count: reader.credit(count),  # noqa: PLW0108
                broken=lambda: reader.close(),  # noqa: PLW0108
            )
        else:
            sink = output
            if isinstance(output, Feed):
                output.attach(lambda count: self._backend.reactor.submit(lambda: reader.credit(count)))
            if isinstance(output, Outlet):
                output.attach(
                    lambda count: self._backend.reactor.submit(lambda: reader.credit(count)),
                    lambda: self._backend.reactor.submit(reader.close),
                )
        if pid_line is not None:
            report, host = self._request.report, self._backend.host
            sink = PidFilter(pid_line.token.encode(), sink, lambda line: self.told(line, report, host))
        if asking is not None:
            sink = asking.over_sink(sink)
        reader = PipeReader(self._backend.reactor, ours, sink, heard=self.heard, ended=self._reader_ended)
        self._readers.append(reader)
        self._reading += 1
        return theirs

    def abandon_descriptors(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            os.close(sock.detach())
        for reader in self._readers:
            reader.abandon()
        if self._writer is not None:
            self._writer.abandon()
        self._close_theirs()

    # ---- its life, in the reactor's thread

    def opened(self, sock: socket.socket) -> None:
        """The master has it. From the thread that asked."""
        self._sock = sock
        if self._request.pty is not None:
            # Its modes have gone to the server. From here on what we write must go through as it is.
            tty.setraw(self.theirs[0])
        self._close_theirs()
        if self.is_over():
            # Given up meanwhile: nobody looks at it any more.
            self._backend.reactor.submit(self._give_up)
        else:
            self.started()
            self._backend.reactor.submit(self._begin)

    def not_opened(self, error: OpenSSHError) -> None:
        """It did not come about: give back everything. From the thread that asked."""
        self.failed(error)
        self._close_theirs()
        try:
            self._backend.reactor.submit(self._give_up)
        except OSError:
            self._give_up()  # no descriptor left to start the reactor with, so nobody else is at work either

    def _begin(self) -> None:
        if self._sock is None:
            return
        for reader in self._readers:
            reader.start()
        if self._writer is not None and self._source is not None:
            self._writer.start(self._source)
        self._backend.reactor.watch(self._sock.fileno(), READ, self._on_control)

    def _on_control(self, _mask: int) -> None:
        if self._sock is None:
            return
        try:
            data = self._sock.recv(4096)
            for body in self._splitter.feed(data):
                reply = wire.decode_reply(body)
                if isinstance(reply, wire.ExitMessage):
                    self.exited(Exit(reply.status))
        except BlockingIOError:
            return
        except ProtocolError as error:
            self.failed(error)
            data = b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            if not self._reading:
                self._over()

    def _reader_ended(self) -> None:
        self._reading -= 1
        if not self._reading and self._sock is None:
            self._over()

    def _hang_up(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            self._backend.reactor.unwatch(sock.fileno())
            sock.close()
            self._backend.ended(self)

    def _over(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self.settle(self._backend.host)
        if self.is_over():
            if self.error is None and (why := self._unreported(self._request, self._backend.host)) is not None:
                self.failed(why)
            self.closed()
        else:
            self._backend.ask_master(self._explain)

    def _explain(self, master_lives: bool) -> None:
        """It ended and the master said nothing about how."""
        if self.is_over():
            pass  # given up while the master was asked
        elif not master_lives:
            self.failed(ConnectionLost("the master went away", host=self._backend.host))
        elif self._sent_signal is not None:
            self.exited(Exit(None, self._sent_signal))
        else:
            self.failed(
                ExitStatusMissing(
                    "the session ended without an exit status: the remote process was killed by a signal, or could "
                    "not be started",
                    host=self._backend.host,
                )
            )
        self.closed()

    # ---- what can be done to it; from any thread

    def signal(self, name: str, timeout: float) -> None:
        if self.is_over():
            return
        if not self.is_running:
            self._sent_signal = name
            self._backend.gate.look_again()
            if not self._backend.is_opening(self) and not self.is_running:
                return self.close()
            # Too late to take it back: it will run in a moment, and can be signalled then.
            self.wait_started(timeout)
        if self._pid_line:
            self.wait_located(timeout)
        if self.is_over():
            return
        if self.pid is None:
            raise SignalNotDelivered(
                f"SIG{name} cannot be sent through a master that others use too",
                host=self._backend.host,
                signal=name,
                advice="Connect without control_path= for sessions that have to be signalled",
            )
        self._sent_signal = name
        kill_groups(self._backend, [self.pid], name, timeout, host=self._backend.host)

    def stop_waiting(self, seconds: float) -> bool:
        self._backend.tired[self] = seconds
        self._backend.gate.look_again()
        return not (self.is_running or self._backend.is_opening(self))

    def resize(self, pty: Pty) -> None:
        """Not possible: the mux protocol has no message for it."""

    def close(self) -> None:
        if self.exit is None:
            self.failed(ExitStatusMissing("closed from this side before it ended", host=self._backend.host))
        self._backend.gate.look_again()
        self._backend.reactor.submit(self._give_up)

    def is_over(self) -> bool:
        """Whether it has ended, or nobody wants it any more."""
        return self.exit is not None or self.error is not None

    def is_unwanted(self) -> bool:
        """Whether it need not start any more."""
        return self.is_over() or self._sent_signal is not None or self in self._backend.tired

    def _give_up(self) -> None:
        self._hang_up()
        for reader in self._readers:
            reader.close()
        self._over()

    def _close_theirs(self) -> None:
        fds, self.theirs = self.theirs, ()
        for fd in fds:
            os.close(fd)


def _make_terminal(pty: Pty) -> tuple[int, int]:
    """A local terminal: the master asks the server for one with the same modes and size. Its end, and ours.

    Only input goes through it; the master looks at no other descriptor for this.
    """
    ours, theirs = os.openpty()
    size = struct.pack("HHHH", pty.rows, pty.columns, pty.width_pixels, pty.height_pixels)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    return theirs, ours
