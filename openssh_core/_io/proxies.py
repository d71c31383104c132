"""Proxies of other kinds than ssh: what they are, and connecting through one.

The talk before the connection is ours, so no other program is needed, and no password is ever in its arguments.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from .._cli.target import check_host, check_port
from .._protocol.dialogue import Dialogue
from .._protocol.http_connect import HttpConnect
from .._protocol.socks import Socks4Client, Socks5Client
from .._value import Value
from ..errors import ConnectTimeout, GatewayError, InvalidTarget, OpenSSHError
from .deadline import Deadline

if TYPE_CHECKING:
    import ssl

# Each scheme, and the port it has when none is given.
SCHEMES = {"http": 8080, "https": 8443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}

_LONGEST_URL = 2048

_ADVICE = "Use scheme://host:port"


class Proxy(Value):
    """A proxy that connects for us.

    Args:
        scheme: `http`, `https` (the same, inside TLS), `socks4` (names are looked up here), `socks4a`, `socks5`.
        host, port: where it listens.
        user, password: what it asks for; empty for nothing. `socks4` has no passwords.
        tls: for `https`, the context that checks its certificate; None checks against the system's authorities.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None

    _hidden = frozenset({"password", "tls"})

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise InvalidTarget(f"{self.scheme!r} is no kind of proxy", advice=f"There are {', '.join(SCHEMES)}")
        check_host(self.host)
        check_port(self.port)
        if self.password and self.scheme.startswith("socks4"):
            raise InvalidTarget("SOCKS 4 has no passwords", advice="Use socks5:// where the proxy speaks it")
        if any(not char.isprintable() for char in self.user + self.password):
            raise InvalidTarget("the user name or password for a proxy contains a character that cannot be printed")

    def __str__(self) -> str:
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.host, self.port

    @classmethod
    def parse(cls, url: str, *, tls: ssl.SSLContext | None = None) -> Proxy:
        """The proxy that a URL means: `scheme://[user[:password]@]host[:port]`, with % for special characters.

        Raises:
            InvalidTarget: it means none. The message never has the password.
        """
        if not isinstance(url, str) or len(url) > _LONGEST_URL or not url.isprintable():
            raise InvalidTarget("the URL of a proxy is no text, too long, or has characters that cannot be printed")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InvalidTarget(
                "the URL of a proxy has a bad address or port", advice="Use scheme://host:port"
            ) from None
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise InvalidTarget("the URL of a proxy has more than a host and a port", advice=_ADVICE)
        if parts.scheme not in SCHEMES:
            raise InvalidTarget(f"{parts.scheme!r} is no kind of proxy", advice=f"There are {', '.join(SCHEMES)}")
        return cls(
            parts.scheme,
            parts.hostname or "",
            SCHEMES[parts.scheme] if port is None else port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            tls,
        )

    def reach(self, sock: Any, host: str, port: int, deadline: Deadline) -> Any:
        """Have it connect to `host`.

        Args:
            sock: connected to the proxy, ours from here on; None to connect first.

        Returns:
            the connection: a socket, or inside TLS something that behaves like one.

        Raises:
            GatewayError: it does not.
            ConnectTimeout: it did not say so in time.
        """
        try:
            if sock is None:
                sock = socket.create_connection(self.address, timeout=_left(deadline))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.scheme == "https":
                sock = self._inside_tls(sock, deadline)
            _converse(sock, self._dialogue(host, port), deadline)
            sock.settimeout(None)
        except TimeoutError as error:
            _close(sock)
            raise ConnectTimeout(
                f"the proxy has not connected to {host} port {port} in time", host=str(self)
            ) from error
        except OpenSSHError as error:
            _close(sock)
            raise GatewayError(error.what, host=str(self), advice=error.advice or None) from error
        except OSError as error:
            _close(sock)
            raise GatewayError(f"the proxy is not reached, or hangs up ({error})", host=str(self)) from error
        except BaseException:
            _close(sock)
            raise
        return sock

    def _inside_tls(self, sock: Any, deadline: Deadline) -> Any:
        import ssl

        context = self.tls or ssl.create_default_context()
        sock.settimeout(_left(deadline))
        return context.wrap_socket(sock, server_hostname=self.host)

    def _dialogue(self, host: str, port: int) -> Dialogue:
        if self.scheme.startswith("http"):
            return HttpConnect(host, port, user=self.user, password=self.password)
        if self.scheme.startswith("socks5"):
            return Socks5Client(host, port, user=self.user, password=self.password)
        if self.scheme == "socks4" and ":" not in host:
            host = socket.gethostbyname(host)
        return Socks4Client(host, port, user=self.user)


def _converse(sock: Any, dialogue: Dialogue, deadline: Deadline) -> None:
    while True:
        if words := dialogue.outgoing():
            sock.settimeout(_left(deadline))
            sock.sendall(words)
        if not dialogue.missing:
            return
        sock.settimeout(_left(deadline))
        data = sock.recv(dialogue.missing)
        if not data:
            raise GatewayError("the proxy hung up before it had connected")
        dialogue.feed(data)


def _left(deadline: Deadline) -> float | None:
    """Seconds that are left; a socket takes 0 for something else."""
    left = deadline.left()
    if left == 0:
        raise TimeoutError
    return left


def _close(sock: Any) -> None:
    if sock is not None:
        sock.close()
