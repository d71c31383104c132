"""The socket of a fake master, and a client that has connected to it."""

from __future__ import annotations

import array
import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable, Sequence
from io import FileIO
from typing import Protocol

from .._wire import mux as wire
from .._wire.frames import MAX_FRAME, frame
from ..errors import Malformed
from ._fake_programs import Program

# How many descriptors follow a request, and how they are opened.
_DESCRIPTORS: dict[type, tuple[str, ...]] = {wire.NewSession: ("r", "w", "w"), wire.NewStdioForward: ("r", "w")}


class HangUp:
    """An answer: close the connection."""


Piece = wire.Hello | wire.Reply | bytes | HangUp
Answer = Piece | Sequence[Piece] | None
"""A reply, or bytes that are sent as they are, or the end of the connection, or several of these in order (sent in one
piece); None is no answer at all."""


class Killable(Protocol):
    """Something that runs for a client."""

    def kill(self) -> None:
        """End it now."""


class Client:
    """One connection: reads exactly one request at a time, so that descriptors come with the right bytes.

    Attributes:
        sock: the connection.
        programs: what runs for it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.programs: list[Killable] = []
        self._files: list[FileIO] = []
        self._next_session = 1000

    # ---- what it says

    def expect_hello(self) -> None:
        """Read its hello, without which it gets nothing."""
        if wire.decode_request(self._body()) != wire.Hello():
            raise Malformed("a hello of version 4 was due")

    def request(self) -> wire.Request:
        """Its next request."""
        request = wire.decode_request(self._body())
        if isinstance(request, wire.Hello):
            raise Malformed("hello again")
        return request

    def receive_descriptors(self, request: wire.Request) -> tuple[FileIO, ...]:
        """Those that follow the request, each with a byte in a message of its own."""
        files = tuple(FileIO(self._descriptor(), mode) for mode in _DESCRIPTORS.get(type(request), ()))
        self._files += files
        return files

    def _descriptor(self) -> int:
        words = array.array("i")
        data, control, _flags, _address = self.sock.recvmsg(1, socket.CMSG_SPACE(words.itemsize))
        for level, kind, content in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                words.frombytes(content[: words.itemsize])
                os.set_inheritable(words[0], False)
                return words[0]
        raise Malformed("a byte without a descriptor" if data else "the client went away")

    def _body(self) -> bytes:
        length = int.from_bytes(self._exactly(4), "big")
        if length > MAX_FRAME:
            raise Malformed("too long")
        return self._exactly(length)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    # ---- what it gets

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, answer: Answer) -> bool:
        """Give an answer; whether the conversation goes on."""
        pieces = () if answer is None else (answer,) if isinstance(answer, Piece) else answer
        said = [piece for piece in pieces if not isinstance(piece, HangUp)]
        self.send(b"".join(piece if isinstance(piece, bytes) else frame(piece.encode()) for piece in said))
        return len(said) == len(pieces)

    def run(self, request: wire.NewSession, files: tuple[FileIO, ...]) -> bool:
        """Run the command, and tell how it ended; the connection is over then. Subsystems there are none."""
        self._next_session += 1
        opened = wire.SessionOpened(request.request_id, self._next_session)
        if request.subsystem:
            return self.answer([opened, HangUp()])
        program = Program(request.command, *files)
        self.programs.append(program)
        self._close_files()
        try:
            self.answer(opened)
            status = program.wait()
        finally:
            # Also where the client is gone before it was answered.
            program.end()
        # A session that a signal ended ends without a word.
        return self.answer([wire.ExitMessage(opened.session_id, status), HangUp()] if status >= 0 else HangUp())

    def _close_files(self) -> None:
        for file in self._files:
            file.close()

    def close(self) -> None:
        """Close the connection and what came over it."""
        self.sock.close()
        self._close_files()


class Listener:
    """The control socket, and the threads that serve who connects to it.

    Args:
        serve: called in a thread of its own with each new client; when it returns the connection is closed.
    """

    def __init__(self, path: str, serve: Callable[[Client], None]) -> None:
        self._path = path
        self._serve = serve
        self._clients: set[Client] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._wake, self._woken = socket.socketpair()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.bind(path)
            os.chmod(path, 0o600)
            self._socket.listen(64)
        except BaseException:
            self._close_sockets()
            raise
        self._accepting = threading.Thread(target=self._accept, name=f"fake master at {path}", daemon=True)
        self._accepting.start()

    def hang_up(self) -> None:
        """Close all connections."""
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.sock.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Take nobody any more; those who are there stay."""
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")
        if threading.current_thread() is not self._accepting:
            self._accepting.join()

    def close(self) -> None:
        """End it all. May be called again."""
        self.stop()
        self.hang_up()
        with self._lock:
            programs = [program for client in self._clients for program in client.programs]
        for program in programs:
            program.kill()
        for thread in self._threads:
            thread.join()
        self._close_sockets()

    def _accept(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while self._woken.fileno() not in (fd for fd, _ in poll.poll()):
            client = Client(self._socket.accept()[0])
            with self._lock:
                self._clients.add(client)
            thread = threading.Thread(target=self._run, args=(client,), name="client of a fake master", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def _run(self, client: Client) -> None:
        try:
            self._serve(client)
        finally:
            with self._lock:
                self._clients.discard(client)
                client.close()

    def _close_sockets(self) -> None:
        for sock in (self._socket, self._wake, self._woken):
            sock.close()
