"""SOCKS 4, 4a and 5: both sides of the talk before a connection through a proxy (RFC 1928, RFC 1929 for passwords;
version 4 was never a standard, 4a adds names to it).

Only CONNECT: nobody asks a proxy to listen, or for datagrams, here.
"""

from __future__ import annotations

import ipaddress

from ..errors import GatewayError, RemoteProtocolError
from .dialogue import Dialogue, Reading, Steps

_CONNECT = 1

# RFC 1928 section 6.
SUCCEEDED, GENERAL_FAILURE, NOT_ALLOWED, HOST_UNREACHABLE, REFUSED, NO_SUCH_COMMAND, NO_SUCH_ADDRESS = (
    0, 1, 2, 4, 5, 7, 8,
)  # fmt: skip
_REASONS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "it took too long",
    7: "it does not know the command",
    8: "it does not know the kind of address",
}

# Methods of authentication (RFC 1928 section 3).
_NONE, _PASSWORD, _NO_METHOD = 0, 2, 0xFF

# Kinds of addresses (RFC 1928 section 5).
_IPV4, _NAME, _IPV6 = 1, 3, 4

_GRANTED_4, _REJECTED_4 = 0x5A, 0x5B
_REASONS_4 = {
    0x5B: "rejected, or failed",
    0x5C: "it could not ask who you are (identd)",
    0x5D: "identd and you say different names",
}

_LONGEST_TEXT = 255


class SocksServer(Dialogue):
    """The side of the proxy.

    Attributes:
        host, port: where the client wants to be connected, when the talk is over.
    """

    def __init__(self) -> None:
        self.host = ""
        self.port = 0
        self._version = 0
        super().__init__()

    def granted(self) -> bytes:
        """What to tell the client when it is connected."""
        if self._version == 4:
            return bytes([0, _GRANTED_4]) + bytes(6)
        return _reply(SUCCEEDED)

    def refused(self, code: int) -> bytes:
        """What to tell it when it is not, with a code of RFC 1928 section 6."""
        if self._version == 4:
            return bytes([0, _REJECTED_4]) + bytes(6)
        return _reply(code) if self._version == 5 else b""

    def _talk(self) -> Steps:
        self._version = (yield 1)[0]
        if self._version == 4:
            yield from self._talk_4()
        elif self._version == 5:
            yield from self._talk_5()
        else:
            raise RemoteProtocolError(f"a client speaks no SOCKS (its first byte is {self._version:#04x})")

    def _talk_4(self) -> Steps:
        head = yield 7
        command, self.port, address = head[0], int.from_bytes(head[1:3], "big"), head[3:7]
        yield from self._text()  # a user name, which we do not ask for
        if address[:3] == b"\0\0\0" and address[3]:
            self.host = (yield from self._text()).decode("latin-1")
        else:
            self.host = str(ipaddress.IPv4Address(address))
        if command != _CONNECT:
            raise self._sorry(GENERAL_FAILURE, f"a SOCKS client wants command {command}")

    def _text(self) -> Reading:
        text = b""
        while (byte := (yield 1)) != b"\0":
            text += byte
            if len(text) > _LONGEST_TEXT:
                raise RemoteProtocolError("a SOCKS client sends a text without end")
        return text

    def _talk_5(self) -> Steps:
        methods = yield from self._counted("list of methods")
        if _NONE not in methods:
            self._say(bytes([5, _NO_METHOD]))
            raise RemoteProtocolError("a SOCKS client wants a password to be asked for; there is none here")
        self._say(bytes([5, _NONE]))
        _version, command, _reserved, kind = yield 4
        if kind == _IPV4:
            self.host = str(ipaddress.IPv4Address((yield 4)))
        elif kind == _IPV6:
            self.host = str(ipaddress.IPv6Address((yield 16)))
        elif kind == _NAME:
            self.host = (yield from self._counted("name")).decode("latin-1")
        else:
            raise self._sorry(NO_SUCH_ADDRESS, f"a SOCKS client sends an address of kind {kind}")
        self.port = int.from_bytes((yield 2), "big")
        if command != _CONNECT:
            raise self._sorry(NO_SUCH_COMMAND, f"a SOCKS client wants command {command}")

    def _counted(self, what: str) -> Reading:
        count = (yield 1)[0]
        if not count:
            raise RemoteProtocolError(f"a SOCKS client sends an empty {what}")
        return (yield count)

    def _sorry(self, code: int, what: str) -> RemoteProtocolError:
        self._say(self.refused(code))
        return RemoteProtocolError(what)


def _reply(code: int) -> bytes:
    # No client needs to know what address we have got on the other side.
    return bytes([5, code, 0, _IPV4]) + bytes(6)


class Socks4Client(Dialogue):
    """The side of whoever wants to be connected, version 4; names are left to the proxy (4a).

    Raises:
        GatewayError: an IPv6 address, which version 4 cannot say; and see `feed`.
    """

    def __init__(self, host: str, port: int, *, user: str = "", names: bool = True) -> None:
        self._host = host
        self._port = port
        self._user = user
        self._names = names
        super().__init__()

    def _talk(self) -> Steps:
        address, name = _address_4(self._host), b""
        if address is None:
            if ":" in self._host or not self._names:
                raise GatewayError(
                    f"{'SOCKS 4' if self._names else 'SOCKS 4 without names'} has no way to say {self._host}",
                    advice="Use socks5://, or socks4a:// for names",
                )
            address, name = b"\0\0\0\1", self._host.encode() + b"\0"
        self._say(bytes([4, _CONNECT]) + self._port.to_bytes(2, "big") + address + self._user.encode() + b"\0" + name)
        reply = yield 8
        if reply[0] != 0:
            raise RemoteProtocolError(f"what listens there speaks no SOCKS 4 (its first byte is {reply[0]:#04x})")
        if reply[1] != _GRANTED_4:
            raise GatewayError(f"the SOCKS proxy says: {_REASONS_4.get(reply[1], f'code {reply[1]:#04x}')}")


class Socks5Client(Dialogue):
    """The same, version 5."""

    def __init__(self, host: str, port: int, *, user: str = "", password: str = "") -> None:
        self._host = host
        self._port = port
        self._user = user.encode()
        self._password = password.encode()
        super().__init__()

    def _talk(self) -> Steps:
        methods = bytes([_NONE, _PASSWORD]) if self._user else bytes([_NONE])
        self._say(bytes([5, len(methods)]) + methods)
        version, method = yield 2
        if version != 5:
            raise RemoteProtocolError(f"what listens there speaks no SOCKS 5 (its first byte is {version:#04x})")
        if method == _PASSWORD and self._user:
            yield from self._log_in()
        elif method != _NONE:
            raise GatewayError(
                "the SOCKS proxy wants a user name and a password" if not self._user else
                "the SOCKS proxy takes neither a password nor none",
                advice="Give them: socks5://user:password@host",
            )  # fmt: skip
        self._say(bytes([5, _CONNECT, 0]) + _address(self._host) + self._port.to_bytes(2, "big"))
        version, code, _reserved, kind = yield 4
        if version != 5 or kind not in (_IPV4, _NAME, _IPV6):
            raise RemoteProtocolError("the SOCKS proxy's answer makes no sense")
        if code != SUCCEEDED:
            raise GatewayError(f"the SOCKS proxy says: {_REASONS.get(code, f'code {code}')}")
        # The address that it has got there means nothing to us.
        yield 2 + ({_IPV4: 4, _IPV6: 16}.get(kind) or (yield 1)[0])

    def _log_in(self) -> Steps:
        """RFC 1929."""
        if max(len(self._user), len(self._password)) > _LONGEST_TEXT:
            raise GatewayError("SOCKS has no way to say a user name or password of more than 255 bytes")
        name, secret = self._user, self._password
        self._say(b"\1" + bytes([len(name)]) + name + bytes([len(secret)]) + secret)
        if (yield 2)[1] != 0:
            raise GatewayError(
                "the SOCKS proxy does not take the user name or the password", advice="Check them with who runs it"
            )


def _address_4(host: str) -> bytes | None:
    """Four bytes; None for what is no such address, and for those that in version 4a say that a name follows."""
    try:
        packed = ipaddress.IPv4Address(host).packed
    except ValueError:
        return None
    return None if packed[:3] == b"\0\0\0" and packed[3] else packed


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode()
        if len(name) > _LONGEST_TEXT:
            raise GatewayError(f"SOCKS has no way to say a name of {len(name)} bytes") from None
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed
