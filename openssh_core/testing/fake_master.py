"""A fake master says on its control socket what PROTOCOL.mux has a master say, or whatever else a test wants said.

It is written over the codecs alone: a fake that shared a state machine with the library would share its mistakes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from io import FileIO
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from .._wire import mux as wire
from .._wire.frames import frame
from ..errors import Malformed
from ._fake_client import Answer, Client, HangUp, Listener
from .fake_server import FakeServer

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["HELLO", "FakeMaster", "HangUp"]

T = TypeVar("T")

HELLO = frame(wire.Hello().encode())
"""The hello of OpenSSH 9.2."""

Script = Mapping[Any, Answer | Callable[[Any], Answer]]
"""For a class of requests, the answer or a function that makes it from the request."""


class FakeMaster:
    """Listens on a control socket and plays a master. It works when this returns; `close` ends it.

    Without a script it does what the master of OpenSSH 9.2 does: sessions run on this machine, by `/bin/sh -c`;
    forwards are agreed to, though nothing listens.

    Args:
        path: of the control socket; in a new directory of its own when left out.
        hello: the bytes it says first; b"" for a master that never says hello.
        script: what it answers to some classes of requests (`openssh_core._wire.mux`) instead. A request for a session
            is answered when its descriptors are there.
        server: makes the server behind a proxy connection.
        pid: its process id, as it says; really this process's.

    Attributes:
        path: of the control socket.
        received: every request, in order.
        descriptors: what came with each request for a session that the script answers, in order: (stdin, stdout,
            stderr). They are closed when the client is gone.
        servers: the server behind each proxy connection, in order.
        connections: how many clients have connected.
        gone: how many of them are gone again.
    """

    def __init__(
        self,
        path: str | None = None,
        *,
        hello: bytes = HELLO,
        script: Script | None = None,
        server: Callable[[], FakeServer] = FakeServer,
        pid: int | None = None,
    ) -> None:
        self._directory = None if path else tempfile.mkdtemp(prefix="fm-", dir="/tmp")
        self.path = path or f"{self._directory}/m"
        self.received: list[wire.Request] = []
        self.descriptors: list[tuple[FileIO, ...]] = []
        self.servers: list[FakeServer] = []
        self.connections = 0
        self.gone = 0
        self._script = _Script(hello, script or {}, os.getpid() if pid is None else pid)
        self._make_server = server
        self._changed = threading.Condition()
        self._listener = Listener(self.path, self._serve)

    # ---- for tests

    def wait_for(self, condition: Callable[[], T], timeout: float = 30.0) -> T:
        """Wait until something holds that changes with what the master, or a server behind it, hears; its value.

        Raises:
            AssertionError: it did not come true within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (value := condition()):
                left = deadline - time.monotonic()
                assert left > 0, f"it never came true; the master heard {self.received}"
                # Not only what is heard may change it.
                self._changed.wait(min(left, 0.02))
        return value

    def requests(self, kind: type[T]) -> list[T]:
        """The requests of a class that came until now."""
        return [request for request in self.received if isinstance(request, kind)]

    def hang_up(self) -> None:
        """Close every connection, as when a master is killed; but go on listening."""
        self._listener.hang_up()

    def close(self) -> None:
        """End everything: connections, programs, the socket and its directory. May be called again."""
        self._listener.close()
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    # ---- one client, in a thread of its own

    def _serve(self, client: Client) -> None:
        with self._noting():
            self.connections += 1
        # Who goes away, or is no client at all, gets no answer and stops nobody else.
        with contextlib.suppress(OSError, EOFError, Malformed):
            client.send(self._script.hello)
            client.expect_hello()
            while self._deal_with(client, client.request()):
                pass
        with self._noting():
            self.gone += 1

    def _deal_with(self, client: Client, request: wire.Request) -> bool:
        """Answer one request; whether the conversation goes on."""
        with self._noting():
            self.received.append(request)
        files = client.receive_descriptors(request)
        if type(request) in self._script.answers:
            if files:
                self.descriptors.append(files)
            return client.answer(self._script.answer(request))
        if isinstance(request, wire.NewSession):
            return client.run(request, files)
        if isinstance(request, wire.Proxy):
            return self._become_a_link(client, request)
        if isinstance(request, wire.Terminate | wire.StopListening):
            self._listener.stop()
        if isinstance(request, wire.Terminate):
            # A master answers this one by going away.
            self.hang_up()
            return False
        return client.answer(_as_a_master_does(request, self._script.pid))

    def _become_a_link(self, client: Client, request: wire.Proxy) -> bool:
        server = self._make_server()
        client.answer(wire.ProxyReady(request.request_id))
        with self._noting():
            self.servers.append(server)
        client.programs.append(server)
        server.serve(client.sock, self._noting)
        return False

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()


class _Script:
    """What to say."""

    def __init__(self, hello: bytes, answers: Script, pid: int) -> None:
        self.hello = hello
        self.answers = answers
        self.pid = pid

    def answer(self, request: wire.Request) -> Answer:
        scripted = self.answers[type(request)]
        made: Answer = scripted(request) if callable(scripted) else scripted
        return made


def _as_a_master_does(request: wire.Request, pid: int) -> wire.Reply:
    number = request.request_id
    match request:
        case wire.AliveCheck():
            return wire.Alive(number, pid)
        case wire.NewStdioForward():
            return wire.Failure(number, "Session open refused by peer")
        case wire.OpenForward(forward=forward) if forward.kind == wire.FORWARD_REMOTE and not forward.listen_port:
            return wire.RemotePort(number, 40_000 + number)
        case _:
            return wire.Ok(number)
