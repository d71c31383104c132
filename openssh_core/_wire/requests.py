"""Payloads of channel requests and opens (RFC 4254 sections 6 and 7): what follows want_reply, or the window."""

from __future__ import annotations

from .._value import Value
from .primitives import Reader, boolean, string, u32

# RFC 4254 section 8: an empty list of terminal modes is a single TTY_OP_END.
NO_TERMINAL_MODES = b"\x00"


def exec_command(command: bytes) -> bytes:
    """RFC 4254 section 6.5."""
    return string(command)


def subsystem(name: str) -> bytes:
    """RFC 4254 section 6.5."""
    return string(name)


def env(name: str, value: str | bytes) -> bytes:
    """RFC 4254 section 6.4."""
    return string(name) + string(value)


def pty(term: str, columns: int, rows: int, width_pixels: int, height_pixels: int) -> bytes:
    """RFC 4254 section 6.2; sizes in characters, then in pixels."""
    size = u32(columns) + u32(rows) + u32(width_pixels) + u32(height_pixels)
    return string(term) + size + string(NO_TERMINAL_MODES)


def window_change(columns: int, rows: int, width_pixels: int, height_pixels: int) -> bytes:
    """RFC 4254 section 6.7."""
    return u32(columns) + u32(rows) + u32(width_pixels) + u32(height_pixels)


def signal(name: str) -> bytes:
    """RFC 4254 section 6.9; the name without SIG."""
    return string(name)


def direct_tcpip(host: str, port: int, origin: str, origin_port: int) -> bytes:
    """RFC 4254 section 7.2, what follows the window of a `direct-tcpip` open."""
    return string(host) + u32(port) + string(origin) + u32(origin_port)


def direct_streamlocal(path: str) -> bytes:
    """PROTOCOL of OpenSSH, section 2.4: what follows the window of a `direct-streamlocal@openssh.com` open."""
    return string(path) + string("") + u32(0)


class ExitStatus(Value):
    """RFC 4254 section 6.10."""

    status: int

    def encode(self) -> bytes:
        return u32(self.status)

    @classmethod
    def decode(cls, payload: bytes) -> ExitStatus:
        return cls(Reader(payload).u32())


class ExitSignal(Value):
    """RFC 4254 section 6.10; `name` without SIG, vendor names with an at-sign."""

    name: str
    core_dumped: bool = False
    message: str = ""

    def encode(self) -> bytes:
        return string(self.name) + boolean(self.core_dumped) + string(self.message) + string("")

    @classmethod
    def decode(cls, payload: bytes) -> ExitSignal:
        body = Reader(payload)
        return cls(body.text(), body.boolean(), body.text())
