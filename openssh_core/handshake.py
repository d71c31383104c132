"""What a login has settled before anybody was let in."""

from __future__ import annotations

from ._value import Value

__all__ = ["Handshake"]


class Handshake(Value):
    """What ssh and a server have agreed on (RFC 4253 section 7.1), in ssh's own words; empty where it did not say.

    Attributes:
        server_version: the server's software, in the server's words (RFC 4253 section 4.2): `OpenSSH_9.2p1 ...`.
        kex: the method of key exchange.
        host_key_algorithm: the algorithm by which the server signs.
        cipher_out, mac_out, compression_out: for what goes to the server. A cipher that needs no MAC of its own has
            `<implicit>`.
        cipher_in, mac_in, compression_in: for what comes from there.
    """

    server_version: str = ""
    kex: str = ""
    host_key_algorithm: str = ""
    cipher_out: str = ""
    mac_out: str = ""
    compression_out: str = ""
    cipher_in: str = ""
    mac_in: str = ""
    compression_in: str = ""
