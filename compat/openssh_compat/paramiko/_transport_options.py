"""What ssh is to be told besides whom to log in as: options, and choices of algorithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._algorithms import option_of, preferred
from ._transport_life import TransportLife

__all__ = ["Options", "SecurityOptions", "gss_options"]


class Options(TransportLife):
    """The part of a transport that takes choices, until the login."""

    def add_options(self, options: Mapping[str, Any]) -> None:
        """Options of ssh_config(5) for the login."""
        self._options.update(options)

    @property
    def port(self) -> int:
        return self._way.port

    def get_security_options(self) -> SecurityOptions:
        """Choices of algorithms, to be made before the login."""
        return SecurityOptions(self)

    def use_compression(self, compress: bool = True) -> None:
        """Whether to compress; before the login."""
        self._options["Compression"] = "yes" if compress else "no"

    def chosen(self, kind: str) -> tuple[str, ...]:
        """The algorithms of one kind that ssh offers: what was chosen, or its own."""
        value = str(self._options.get(option_of(kind), ""))
        if value.startswith("-"):
            return tuple(name for name in preferred(kind) if name not in value[1:].split(","))
        return tuple(value.split(",")) if value else preferred(kind)

    def choose(self, kind: str, names: Sequence[str]) -> None:
        """Offer these, the best first."""
        self._options[option_of(kind)] = ",".join(names)


class SecurityOptions:
    """The algorithms that ssh offers, as tuples, the best first. Setting one counts until the login.

    Raises: ValueError, for a name that ssh does not know; TypeError, for what is no tuple or list.
    """

    __slots__ = ("_transport",)

    def __init__(self, transport: Options) -> None:
        self._transport = transport

    def __repr__(self) -> str:
        return f"<openssh_compat.paramiko.SecurityOptions for {self._transport!r}>"

    def _set(self, kind: str, names: Sequence[str]) -> None:
        if not isinstance(names, tuple | list):
            raise TypeError("expected tuple or list")
        if [name for name in names if name not in preferred(kind)]:
            raise ValueError("unknown cipher")
        self._transport.choose(kind, names)

    @property
    def ciphers(self) -> tuple[str, ...]:
        return self._transport.chosen("ciphers")

    @ciphers.setter
    def ciphers(self, names: Sequence[str]) -> None:
        self._set("ciphers", names)

    @property
    def digests(self) -> tuple[str, ...]:
        return self._transport.chosen("macs")

    @digests.setter
    def digests(self, names: Sequence[str]) -> None:
        self._set("macs", names)

    @property
    def key_types(self) -> tuple[str, ...]:
        return self._transport.chosen("keys")

    @key_types.setter
    def key_types(self, names: Sequence[str]) -> None:
        self._set("keys", names)

    @property
    def kex(self) -> tuple[str, ...]:
        return self._transport.chosen("kex")

    @kex.setter
    def kex(self, names: Sequence[str]) -> None:
        self._set("kex", names)

    @property
    def compression(self) -> tuple[str, ...]:
        on = self._transport._options.get("Compression") == "yes"
        return ("zlib@openssh.com", "none") if on else ("none",)

    @compression.setter
    def compression(self, names: Sequence[str]) -> None:
        if not isinstance(names, tuple | list):
            raise TypeError("expected tuple or list")
        if [name for name in names if name not in ("zlib@openssh.com", "zlib", "none")]:
            raise ValueError("unknown cipher")
        self._transport.use_compression(bool(names) and names[0] != "none")


def gss_options(auth: bool, kex: bool, delegate: bool, host: str | None, trust_dns: bool) -> dict[str, str]:
    """GSSAPI in the words of ssh_config(5); the last three are of builds that have key exchange by GSSAPI."""
    options = {"GSSAPIAuthentication": _yes(auth or kex), "GSSAPIDelegateCredentials": _yes(delegate)}
    if kex:
        options["GSSAPIKeyExchange"] = "yes"
    if host is not None:
        options["GSSAPIServerIdentity"] = host
    if kex and not trust_dns:
        options["GSSAPITrustDns"] = "no"
    return options


def _yes(value: bool) -> str:
    return "yes" if value else "no"
