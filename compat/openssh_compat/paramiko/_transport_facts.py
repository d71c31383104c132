"""What a transport tells of the server, and of what was agreed on: what ssh has said, under paramiko's names."""

from __future__ import annotations

from openssh_core import ConnectError, Connection, Handshake

from ._algorithms import ssh_version
from ._transport_life import TransportLife

__all__ = ["Facts"]


class Facts(TransportLife):
    """The part of a transport that knows about the server. As in paramiko, everything is there after `start_client`,
    and the banner once somebody has tried to log in. What ssh does not tell is empty: before 8.5 it tells little.

    Attributes:
        host_key_type: the algorithm by which the server signs; None before the greeting.
        kex_engine: None, as in paramiko but while keys are exchanged.
    """

    kex_engine = None
    _handshake = Handshake()
    _banner = ""

    def learn(self, source: Connection | ConnectError) -> None:
        """Take what there is to know from a connection, or from why there is none."""
        self._handshake = source.handshake or self._handshake
        self._banner = source.banner or self._banner

    @property
    def remote_version(self) -> str:
        """The server's software, as it introduces itself; empty before the greeting."""
        version = self._handshake.server_version or (self.connection and self.connection.server_version)
        return f"SSH-2.0-{version}" if version else ""

    @property
    def local_version(self) -> str:
        """The same of this side, which is ssh."""
        return f"SSH-2.0-{ssh_version()}"

    def get_banner(self) -> bytes | None:
        """What the server shows before it lets anybody in (RFC 4252 section 5.4), as ssh makes it safe to show; None
        when it showed nothing. With a ProxyCommand, what that has printed on stderr is among it.
        """
        return self._banner.encode() or None

    @property
    def host_key_type(self) -> str | None:
        return self._handshake.host_key_algorithm or None

    @property
    def local_cipher(self) -> str:
        """The cipher for what goes to the server."""
        return self._handshake.cipher_out

    @property
    def remote_cipher(self) -> str:
        """The cipher for what comes from there."""
        return self._handshake.cipher_in

    @property
    def local_mac(self) -> str | None:
        """The MAC for what goes to the server; `<implicit>` where the cipher needs none."""
        return self._handshake.mac_out or None

    @property
    def remote_mac(self) -> str | None:
        """The same for what comes from there."""
        return self._handshake.mac_in or None

    @property
    def local_compression(self) -> str | None:
        """How what goes to the server is compressed: `none`, or a method."""
        return self._handshake.compression_out or None

    @property
    def remote_compression(self) -> str | None:
        """The same for what comes from there."""
        return self._handshake.compression_in or None
