"""The messages of the control socket: PROTOCOL.mux in the OpenSSH source, one frozen value each.

Two things the document leaves out or has wrong: the numbers of the proxy messages, and that no OK follows
SESSION_OPENED. Booleans of NEW_SESSION are uint32 on the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

from .._value import Value
from ..errors import Malformed
from .primitives import U32_MAX, Reader, string, u32

_T = TypeVar("_T")

VERSION = 4

FORWARD_LOCAL = 1
FORWARD_REMOTE = 2
FORWARD_DYNAMIC = 3

# PROTOCOL.mux section 6: in place of a port this says that the host is the path of a UNIX socket.
PORT_IS_SOCKET_PATH = U32_MAX - 1


class Hello(Value):
    """Section 1. Both sides send it first; unknown extensions are for others to know."""

    code: ClassVar[int] = 0x00000001
    version: int = VERSION
    extensions: tuple[tuple[bytes, bytes], ...] = ()

    def encode(self) -> bytes:
        pairs = b"".join(string(name) + string(value) for name, value in self.extensions)
        return u32(self.code) + u32(self.version) + pairs

    @classmethod
    def read(cls, body: Reader) -> Hello:
        version = body.u32()
        pairs = []
        while body.left:
            pairs.append((body.string(), body.string()))
        return cls(version, tuple(pairs))


class NewSession(Value):
    """Section 2. Three descriptors follow, each in a sendmsg of its own."""

    code: ClassVar[int] = 0x10000002
    request_id: int
    command: bytes
    want_tty: bool = False
    want_x11: bool = False
    want_agent: bool = False
    subsystem: bool = False
    terminal: str = ""
    environment: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        flags = u32(self.want_tty) + u32(self.want_x11) + u32(self.want_agent) + u32(self.subsystem)
        no_escape_character = u32(U32_MAX)
        words = string(self.terminal) + string(self.command) + b"".join(string(pair) for pair in self.environment)
        return u32(self.code) + u32(self.request_id) + string(b"") + flags + no_escape_character + words

    @classmethod
    def read(cls, body: Reader) -> NewSession:
        request_id, _reserved = body.u32(), body.string()
        tty, x11, agent, subsystem = (body.u32() != 0 for _ in range(4))
        _escape_character, terminal, command = body.u32(), body.text(), body.string()
        environment = []
        while body.left:
            environment.append(body.string())
        return cls(request_id, command, tty, x11, agent, subsystem, terminal, tuple(environment))


class NewStdioForward(Value):
    """Section 3. Two descriptors follow. The document calls the port a string; it is a uint32."""

    code: ClassVar[int] = 0x10000008
    request_id: int
    host: str
    port: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id) + string(b"") + string(self.host) + u32(self.port)

    @classmethod
    def read(cls, body: Reader) -> NewStdioForward:
        request_id, _reserved = body.u32(), body.string()
        return cls(request_id, body.text(), body.u32())


class _Bare(Value):
    """A request that is nothing but its number."""

    code: ClassVar[int]
    request_id: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id)


class AliveCheck(_Bare):
    """Section 4."""

    code: ClassVar[int] = 0x10000004

    @classmethod
    def read(cls, body: Reader) -> AliveCheck:
        return cls(body.u32())


class Terminate(_Bare):
    """Section 5. The master answers by going away."""

    code: ClassVar[int] = 0x10000005

    @classmethod
    def read(cls, body: Reader) -> Terminate:
        return cls(body.u32())


class StopListening(_Bare):
    """Section 8."""

    code: ClassVar[int] = 0x10000009

    @classmethod
    def read(cls, body: Reader) -> StopListening:
        return cls(body.u32())


class Proxy(_Bare):
    """Section 9."""

    code: ClassVar[int] = 0x1000000F

    @classmethod
    def read(cls, body: Reader) -> Proxy:
        return cls(body.u32())


class Forward(Value):
    """What sections 6 and 7 say of one forward.

    Raises:
        Malformed: a type the master does not know; it would not refuse it but exit.
    """

    kind: int
    listen_host: str
    listen_port: int
    connect_host: str
    connect_port: int

    def __post_init__(self) -> None:
        if self.kind not in (FORWARD_LOCAL, FORWARD_REMOTE, FORWARD_DYNAMIC):
            raise Malformed(f"{self.kind} is no type of forward")

    def encode(self) -> bytes:
        listen = string(self.listen_host) + u32(self.listen_port)
        return u32(self.kind) + listen + string(self.connect_host) + u32(self.connect_port)

    @classmethod
    def read(cls, body: Reader) -> Forward:
        return cls(body.u32(), body.text(), body.u32(), body.text(), body.u32())


class _WithForward(Value):
    code: ClassVar[int]
    request_id: int
    forward: Forward

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id) + self.forward.encode()


class OpenForward(_WithForward):
    """Section 6."""

    code: ClassVar[int] = 0x10000006

    @classmethod
    def read(cls, body: Reader) -> OpenForward:
        return cls(body.u32(), Forward.read(body))


class CloseForward(_WithForward):
    """Section 7."""

    code: ClassVar[int] = 0x10000007

    @classmethod
    def read(cls, body: Reader) -> CloseForward:
        return cls(body.u32(), Forward.read(body))


# ---- replies --------------------------------------------------------------------------------------------


class Ok(Value):
    code: ClassVar[int] = 0x80000001
    request_id: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id)

    @classmethod
    def read(cls, body: Reader) -> Ok:
        return cls(body.u32())


class PermissionDenied(Value):
    """The user said no (ControlMaster=ask)."""

    code: ClassVar[int] = 0x80000002
    request_id: int
    reason: str

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id) + string(self.reason)

    @classmethod
    def read(cls, body: Reader) -> PermissionDenied:
        return cls(body.u32(), body.text())


class Failure(Value):
    code: ClassVar[int] = 0x80000003
    request_id: int
    reason: str

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id) + string(self.reason)

    @classmethod
    def read(cls, body: Reader) -> Failure:
        return cls(body.u32(), body.text())


class ExitMessage(Value):
    """Section 2: how a session ended. A session that died of a signal ends without one."""

    code: ClassVar[int] = 0x80000004
    session_id: int
    status: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.session_id) + u32(self.status)

    @classmethod
    def read(cls, body: Reader) -> ExitMessage:
        return cls(body.u32(), body.u32())


class Alive(Value):
    code: ClassVar[int] = 0x80000005
    request_id: int
    pid: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id) + u32(self.pid)

    @classmethod
    def read(cls, body: Reader) -> Alive:
        return cls(body.u32(), body.u32())


class SessionOpened(Value):
    code: ClassVar[int] = 0x80000006
    request_id: int
    session_id: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id) + u32(self.session_id)

    @classmethod
    def read(cls, body: Reader) -> SessionOpened:
        return cls(body.u32(), body.u32())


class RemotePort(Value):
    code: ClassVar[int] = 0x80000007
    request_id: int
    port: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id) + u32(self.port)

    @classmethod
    def read(cls, body: Reader) -> RemotePort:
        return cls(body.u32(), body.u32())


class TtyAllocFail(Value):
    code: ClassVar[int] = 0x80000008
    session_id: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.session_id)

    @classmethod
    def read(cls, body: Reader) -> TtyAllocFail:
        return cls(body.u32())


class ProxyReady(Value):
    code: ClassVar[int] = 0x8000000F
    request_id: int

    def encode(self) -> bytes:
        return u32(self.code) + u32(self.request_id)

    @classmethod
    def read(cls, body: Reader) -> ProxyReady:
        return cls(body.u32())


Request = NewSession | NewStdioForward | AliveCheck | Terminate | StopListening | Proxy | OpenForward | CloseForward
Reply = Ok | PermissionDenied | Failure | ExitMessage | Alive | SessionOpened | RemotePort | TtyAllocFail | ProxyReady

_REPLIES: dict[int, Callable[[Reader], Hello | Reply]] = {
    kind.code: kind.read
    for kind in (
        Hello,
        Ok,
        PermissionDenied,
        Failure,
        ExitMessage,
        Alive,
        SessionOpened,
        RemotePort,
        TtyAllocFail,
        ProxyReady,
    )
}
_REQUESTS: dict[int, Callable[[Reader], Hello | Request]] = {
    kind.code: kind.read
    for kind in (
        Hello,
        NewSession,
        NewStdioForward,
        AliveCheck,
        Terminate,
        StopListening,
        Proxy,
        OpenForward,
        CloseForward,
    )
}


def decode_reply(body: bytes | memoryview) -> Hello | Reply:
    """What a master says.

    Raises:
        Malformed: cut short, too long, or of an unknown number.
    """
    return _decode(body, _REPLIES, "reply")


def decode_request(body: bytes | memoryview) -> Hello | Request:
    """What a client says (for a fake master).

    Raises:
        Malformed: cut short, too long, or of an unknown number.
    """
    return _decode(body, _REQUESTS, "request")


def _decode(body: bytes | memoryview, table: Mapping[int, Callable[[Reader], _T]], what: str) -> _T:
    reader = Reader(body)
    code = reader.u32()
    read = table.get(code)
    if read is None:
        raise Malformed(f"{code:#x} is no {what} of the mux protocol")
    message = read(reader)
    if reader.left:
        raise Malformed(f"{reader.left} bytes too many after a mux {type(message).__name__}")
    return message
