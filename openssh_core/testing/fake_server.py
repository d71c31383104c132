"""A fake server is what a proxy connection of a fake master leads to: the other side of RFC 4254, sections 5 and 6.

It numbers its channels unlike any client. It keeps to the rules unless told otherwise, and can be told to break each.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO

from .._wire import channels as wire
from .._wire.frames import FrameSplitter, frame
from .._wire.primitives import Reader
from .._wire.requests import ExitSignal, ExitStatus
from ..errors import Malformed
from ._fake_programs import PipedProgram

# What sshd grants with the program, not with the channel.
_WINDOW = 2 * 2**20
_PACKET = 32_768

Noting = Callable[[], AbstractContextManager[None]]


class FakeChannel:
    """A channel as the server sees it. What is sent with its methods goes at once, whether or not it may.

    Attributes:
        number: the server's.
        peer: the client's.
        window: bytes the client still takes.
        max_packet: the longest packet that it takes.
        variables: what it has set by `env`.
        terminal: the type it has asked for by `pty-req`; empty for none.
        received: the data that came.
        heard_eof, heard_close: what came.
        program: what runs, None before and without.
    """

    def __init__(self, server: FakeServer, number: int, opening: wire.ChannelOpen) -> None:
        self._server = server
        self.number = number
        self.peer = opening.sender
        self.window = opening.window
        self.max_packet = opening.max_packet
        self.variables: dict[str, str] = {}
        self.terminal = ""
        self.received = bytearray()
        self.heard_eof = False
        self.heard_close = False
        self.said_close = False
        self.program: PipedProgram | None = None

    def data(self, data: bytes, *, stderr: bool = False) -> None:
        """Send data in one packet."""
        self.window -= len(data)
        self._server.send(wire.ExtendedData(self.peer, 1, data) if stderr else wire.Data(self.peer, data))

    def reply(self, granted: bool) -> None:
        """Answer a request."""
        self._server.send(wire.RequestSuccess(self.peer) if granted else wire.RequestFailure(self.peer))

    def request(self, name: str, payload: bytes = b"", *, want_reply: bool = False) -> None:
        """Ask something of the client."""
        self._server.send(wire.ChannelRequest(self.peer, name, want_reply, payload))

    def grant(self, count: int) -> None:
        """Let the client send so many bytes more."""
        self._server.send(wire.WindowAdjust(self.peer, count))

    def exit(self, returncode: int) -> None:
        """Tell how the program ended (-N: by signal N), and close."""
        if returncode >= 0:
            self.request("exit-status", ExitStatus(returncode).encode())
        else:
            self.request("exit-signal", ExitSignal(signal.Signals(-returncode).name[3:]).encode())
        self.eof()
        self.close()

    def eof(self) -> None:
        """Say that no more data will come."""
        self._server.send(wire.Eof(self.peer))

    def close(self) -> None:
        """Say CLOSE, unless it has been said."""
        if not self.said_close:
            self.said_close = True
            self._server.send(wire.Close(self.peer))


class FakeServer:
    """Serves one proxy connection in the fake master's thread. Subclass it for a server that behaves otherwise.

    Attributes:
        max_sessions: how many it allows at once; None for any number.
        accepts: names of variables that it takes; None for all.
        signals: whether it passes signals on.
        received: every message, in order.
        channels: those that are open, by the server's numbers.
    """

    max_sessions: int | None = None
    accepts: frozenset[str] | None = None
    signals = True

    def __init__(self) -> None:
        self.received: list[wire.Message] = []
        self.channels: dict[int, FakeChannel] = {}
        self._selector = selectors.DefaultSelector()
        self._left_behind: list[PipedProgram] = []
        self._splitter = FrameSplitter()
        self._sock: socket.socket | None = None
        self._sending = threading.Lock()
        # Far from what a client starts with, and downwards.
        self._next_number = 4_000_000

    # ---- to be overridden

    def on_open(self, opening: wire.ChannelOpen) -> None:
        """A channel is asked for."""
        if opening.kind != "session" or (self.max_sessions is not None and len(self.channels) >= self.max_sessions):
            self.refuse(opening)
        else:
            self.confirm(opening)

    def on_request(self, channel: FakeChannel, request: wire.ChannelRequest) -> None:
        """Something is asked of a channel. The answer, where one is wanted, is the method's to give."""
        granted = True
        body = Reader(request.payload)
        match request.name:
            case "exec":
                return self.on_exec(channel, body.string())
            case "env":
                name, value = body.text(), body.text()
                granted = self.accepts is None or name in self.accepts
                if granted:
                    channel.variables[name] = value
            case "pty-req":
                channel.terminal = body.text()
            case "signal":
                number = getattr(signal, f"SIG{body.text()}", None)
                granted = self.signals and channel.program is not None and number is not None
                if granted and channel.program and number:
                    channel.program.signal(number)
            case "window-change":
                pass
            case _:
                granted = False
        if request.want_reply:
            channel.reply(granted)

    def on_exec(self, channel: FakeChannel, command: bytes) -> None:
        """A command is to be run: it is, on this machine."""
        channel.grant(_WINDOW)
        channel.reply(True)
        self.run(channel, command)

    def on_data(self, channel: FakeChannel, data: bytes) -> None:
        """Data came."""
        if channel.program is not None:
            channel.program.give(data)
            self._watch(channel)
        channel.grant(len(data))

    def on_eof(self, channel: FakeChannel) -> None:
        """No more data will come."""
        if channel.program is not None:
            channel.program.give(end=True)
            self._watch(channel)

    # ---- what it can do; from any thread

    def send(self, message: wire.Message | bytes) -> None:
        """Send a message, or bytes as they are."""
        assert not isinstance(message, wire.Ignored)
        data = message if isinstance(message, bytes) else frame(b"\0" + message.encode())
        with self._sending:
            assert self._sock is not None
            with contextlib.suppress(OSError):  # whoever is gone gets nothing
                self._sock.sendall(data)

    def confirm(self, opening: wire.ChannelOpen, *, window: int = 0, max_packet: int = _PACKET) -> FakeChannel:
        """Open a channel that was asked for. sshd lets nothing be sent on it before a program runs."""
        number = self._next_number
        self._next_number -= 7
        channel = self.channels[number] = FakeChannel(self, number, opening)
        self.send(wire.OpenConfirmation(opening.sender, number, window, max_packet))
        return channel

    def refuse(self, opening: wire.ChannelOpen) -> None:
        """Refuse a channel in the words of sshd."""
        self.send(wire.OpenFailure(opening.sender, wire.OPEN_CONNECT_FAILED, "open failed"))

    # ---- programs; in the server's thread

    def run(self, channel: FakeChannel, command: bytes) -> None:
        """Run a command on this machine, its streams the channel's."""
        channel.program = PipedProgram(command, channel.variables)
        if channel.heard_eof:
            channel.program.give(end=True)
        self._watch(channel)

    def _watch(self, channel: FakeChannel) -> None:
        """Watch those pipes of its program on which something can be done now."""
        program = channel.program
        if program is None:
            return
        for output in program.outputs:
            self._set(output, selectors.EVENT_READ, channel, wanted=channel.window > 0)
        self._set(program.stdin, selectors.EVENT_WRITE, channel, wanted=program.give() > 0)

    def _set(self, pipe: IO[bytes], events: int, channel: FakeChannel, *, wanted: bool) -> None:
        known = not pipe.closed and pipe.fileno() in self._selector.get_map()
        if wanted and not known and not pipe.closed:
            self._selector.register(pipe, events, channel)
        elif known and not wanted:
            self._selector.unregister(pipe)

    def _pass_output(self, channel: FakeChannel, output: IO[bytes]) -> None:
        program = channel.program
        assert program is not None
        data = os.read(output.fileno(), max(1, min(channel.window, channel.max_packet, _PACKET)))
        if data:
            channel.data(data, stderr=program.is_stderr(output))
        else:
            self._selector.unregister(output)
            output.close()
            program.outputs.remove(output)
        self._watch(channel)
        if not program.outputs:
            self._forget_program(channel)
            channel.exit(program.wait())

    def _forget_program(self, channel: FakeChannel) -> None:
        """It is at its end, or nobody wants it any more; then it lives on if it can do without its pipes."""
        program, channel.program = channel.program, None
        if program is not None:
            for pipe in (program.stdin, *program.outputs):
                self._set(pipe, 0, channel, wanted=False)
            program.let_go()
            self._left_behind.append(program)

    def kill(self) -> None:
        """Kill all programs. From any thread."""
        running = [channel.program for channel in list(self.channels.values()) if channel.program]
        for program in [*running, *self._left_behind]:
            program.kill()

    # ---- what it hears

    def serve(self, sock: socket.socket, noting: Noting) -> None:
        """Serve a connection until it ends."""
        self._sock = sock
        self._selector.register(sock, selectors.EVENT_READ)
        try:
            while self._turn(sock, noting):
                pass
        finally:
            self.kill()
            for channel in self.channels.values():
                self._forget_program(channel)
            for program in self._left_behind:
                program.wait()
            self._selector.close()

    def _turn(self, sock: socket.socket, noting: Noting) -> bool:
        for key, _ in self._selector.select():
            if key.fileobj is not sock:
                self._on_pipe(key)
            elif not (data := sock.recv(65_536)):
                return False
            else:
                self._hear(data, noting)
        return True

    def _on_pipe(self, key: selectors.SelectorKey) -> None:
        channel: FakeChannel = key.data
        if self._selector.get_map().get(key.fd) is None or channel.program is None:
            return  # something before it in this round has closed it
        if key.events == selectors.EVENT_READ:
            self._pass_output(channel, key.fileobj)  # type: ignore[arg-type]
        else:
            self._watch(channel)

    def _hear(self, data: bytes, noting: Noting) -> None:
        for body in self._splitter.feed(data):
            message = wire.decode(bytes(body[1:]))
            with noting():
                self.received.append(message)
            if isinstance(message, wire.ChannelOpen):
                self.on_open(message)
            elif not isinstance(message, wire.Ignored):
                self._hear_of(message)

    def _hear_of(self, message: wire.Message) -> None:
        channel = self.channels.get(getattr(message, "recipient", -1))
        if channel is None:
            # sshd drops the connection for this, and every session with it.
            raise Malformed(f"{message} is for a channel that is not there")
        match message:
            case wire.Data(data=data):
                channel.received += data
                self.on_data(channel, bytes(data))
            case wire.WindowAdjust(count=count):
                channel.window += count
                self._watch(channel)
            case wire.Eof():
                channel.heard_eof = True
                self.on_eof(channel)
            case wire.ChannelRequest():
                self.on_request(channel, message)
            case wire.Close():
                self._closed(channel)

    def _closed(self, channel: FakeChannel) -> None:
        channel.heard_close = True
        del self.channels[channel.number]
        self._forget_program(channel)
        channel.close()
