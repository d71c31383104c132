"""CONNECT: the talk before a connection through an HTTP proxy (RFC 9110 section 9.3.6, RFC 9112 section 6).

The answer is read byte by byte: what follows its empty line is the server's own, and a server may talk first.
"""

from __future__ import annotations

import base64

from ..errors import GatewayError, InvalidInput, RemoteProtocolError
from .dialogue import Dialogue, Steps

_LONGEST_HEAD = 65_536

_ADVICE = {
    "401": "Give a user name and a password: http://user:password@host",
    "403": "The proxy does not connect to that host or port; ask who runs it",
    "407": "Give a user name and a password that the proxy knows: http://user:password@host",
}


class HttpConnect(Dialogue):
    """The side of the client.

    Raises:
        InvalidInput: a user name that cannot be told from the password.
    """

    def __init__(self, host: str, port: int, *, user: str = "", password: str = "") -> None:
        if ":" in user:
            raise InvalidInput("a user name with a colon in it cannot be said to an HTTP proxy (RFC 7617)")
        self._authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._credentials = f"{user}:{password}".encode() if user or password else b""
        super().__init__()

    def _talk(self) -> Steps:
        lines = [f"CONNECT {self._authority} HTTP/1.1", f"Host: {self._authority}"]
        if self._credentials:
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(self._credentials).decode()}")
        self._say("\r\n".join([*lines, "", ""]).encode())
        while True:
            head = b""
            # Some proxies end lines with a line feed only.
            while not head.endswith((b"\r\n\r\n", b"\n\n")):
                head += yield 1
                if not head.startswith(b"HTTP/"[: len(head)]):
                    raise RemoteProtocolError("what listens there is no HTTP proxy")
                if len(head) > _LONGEST_HEAD:
                    raise RemoteProtocolError("the HTTP proxy's answer has no end")
            status = head.decode("latin-1").splitlines()[0].partition(" ")[2].strip()
            code = status[:3]
            if not code.startswith("1"):
                break
        if not code.startswith("2"):
            printable = "".join(char if char.isprintable() else "?" for char in status)
            raise GatewayError(f"the HTTP proxy says: {printable[:200]}", advice=_ADVICE.get(code))
