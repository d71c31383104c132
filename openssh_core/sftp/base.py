"""What every part of a client stands on: the session, its end, and asking one thing."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from .._io.sftp_session import Mailbox, SftpSession
from .._wire import sftp as wire
from .._wire.sftp_extensions import Extended
from .._wire.sftp_replies import OK, Handle, Names, Reply, Status
from ..errors import Malformed, OpenSSHError, SFTPOSError, SFTPProtocolError, SFTPUnsupported
from .failures import failure
from .fifos import open_both_ends
from .looking import Looks
from .paths import RemotePathLike, to_text, to_wire

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T", bound=Reply)


class ClientBase:
    """The part of a client that everything else stands on."""

    def __init__(self, session: SftpSession) -> None:
        self._session = session
        self._cwd: bytes | None = None
        # Makes another session with the same server, where that can be.
        self._another: Callable[[], SftpSession] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.host}: {'closed' if self.closed else 'open'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    # ---- its life

    @property
    def host(self) -> str:
        """The destination as the caller named it."""
        return self._session.host

    @property
    def closed(self) -> bool:
        """Whether it is of no more use: closed, or its server gone."""
        return self._session.error is not None

    @property
    def timeout(self) -> float | None:
        """Seconds without any progress after which a call gives up; None for ever. May be changed."""
        return self._session.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._session.timeout = seconds

    @property
    def extensions(self) -> dict[str, str]:
        """What the server offers beyond the standard: names and versions."""
        offered = self._session.extensions.items()
        return {name.decode("utf-8", "replace"): version.decode("utf-8", "replace") for name, version in offered}

    def close(self) -> None:
        """End it. Files that are still open are closed by the server; what was not flushed is lost. Idempotent."""
        self._session.close()

    # ---- where it is

    @property
    def cwd(self) -> str | None:
        """The directory that relative paths start from; None: the server's own (the account's home directory)."""
        return None if self._cwd is None else to_text(self._cwd)

    def chdir(self, path: RemotePathLike | None) -> None:
        """Let relative paths start from a directory (of this client only); None: from the server's own again.

        Raises:
            NotADirectoryError, FileNotFoundError...: it cannot be one.
        """
        if path is None:
            self._cwd = None
            return
        real = self._one_name(wire.RealPath(self._path(path)), self._path(path))
        self._close_handle(self._expect(Handle, wire.OpenDir(real), real).handle)
        self._cwd = real

    def _path(self, path: RemotePathLike) -> bytes:
        """The bytes of a path, from the directory that relative ones start from."""
        data = to_wire(path)
        return data if self._cwd is None or not data else posixpath.join(self._cwd, data)

    # ---- asking

    def _call(self, message: wire.Request, path: bytes | None = None, second: bytes | None = None) -> Reply:
        """Ask one thing.

        Raises:
            OSError: the server said no.
            OpenSSHError: it did not answer, or the session has ended.
        """
        return self._granted(self._session.call(message), message, path, second)

    def _granted(
        self, reply: Reply, message: wire.Request, path: bytes | None = None, second: bytes | None = None
    ) -> Reply:
        if isinstance(reply, Status) and reply.code != OK:
            raise self._failure(reply, message, path, second)
        return reply

    def _expect(self, kind: type[T], message: wire.Request, path: bytes | None = None) -> T:
        """The same where the answer is of a certain kind."""
        reply = self._call(message, path)
        assert isinstance(reply, kind), "the request table lets nothing else through"
        return reply

    def _call_extension(self, message: Extended, path: bytes | None = None, second: bytes | None = None) -> Reply:
        """Ask for something that not every server has.

        Raises:
            SFTPUnsupported: this one has not.
        """
        self._need(type(message))
        return self._call(message, path, second)

    def _need(self, kind: type[Extended]) -> None:
        self._session.check()
        if not self._session.offers(kind):
            name = kind.name.decode()
            raise SFTPUnsupported(f"the server has no {name}", host=self.host, extension=name)

    def _failure(
        self,
        status: Status,
        message: wire.Request,
        path: bytes | None = None,
        second: bytes | None = None,
        shown: bytes | None = None,
    ) -> SFTPOSError:
        return failure(status, message, path, second, host=self.host, look=Looks(self._session), shown=shown)

    def _one_name(self, message: wire.Request, path: bytes | None) -> bytes:
        return self._expect(Names, message, path).entries[0].name

    def _real(self, path: RemotePathLike) -> str:
        """The path without links and dots, from the root."""
        where = self._path(path)
        return to_text(self._one_name(wire.RealPath(where), where))

    def _release(self, path: bytes) -> None:
        """The server waits for somebody at the other end of a FIFO, and answers nothing else: see that it goes on."""
        if self._another is not None:
            with contextlib.suppress(OpenSSHError):
                open_both_ends(self._another(), path)

    def _close_handle(self, handle: bytes) -> None:
        self._session.tell(wire.Close(handle))
        self._session.flush()

    def _broken(self, error: Malformed) -> OpenSSHError:
        """The server's answer makes no sense: the session is over."""
        return self._session.fail(SFTPProtocolError(error.what, host=self.host))

    def _ask_all(self, messages: list[wire.Request]) -> list[Reply]:
        """Ask several things at once; the answers in the order of the questions."""
        box = Mailbox()
        answers: dict[int, Reply] = {}
        for number, message in enumerate(messages):
            self._session.ask(message, box, number)
        while len(answers) < len(messages):
            asked, reply = self._session.answer(box)
            answers[asked.tag] = reply
        return [answers[number] for number in range(len(messages))]
