"""What ssh is to be told besides whom to log in as: options, and choices of algorithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._algorithms import option_of, preferred
from ._transport_facts import Facts

__all__ = ["Options", "SecurityOptions", "gss_options"]


class _Preferred:
    """The algorithms of one kind, under the name by which programs read and set them: on a transport, or on the class
    for all that come.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __get__(self, transport: Options | None, owner: type[Options]) -> tuple[str, ...]:
        return preferred(self._kind) if transport is None else transport.chosen(self._kind)

    def __set__(self, transport: Options, names: Sequence[str]) -> None:
        transport.choose(self._kind, names)


_KINDS = ("ciphers", "macs", "keys", "pubkeys", "kex")


class Options(Facts):
    """The part of a transport that takes choices, until the login."""

    _preferred_ciphers = _Preferred("ciphers")
    _preferred_macs = _Preferred("macs")
    _preferred_keys = _Preferred("keys")
    _preferred_pubkeys = _Preferred("pubkeys")
    _preferred_kex = _Preferred("kex")

    @property
    def preferred_ciphers(self) -> tuple[str, ...]:
        """What ssh offers, the best first; so are the next ones. See `get_security_options`."""
        return self.chosen("ciphers")

    @property
    def preferred_macs(self) -> tuple[str, ...]:
        return self.chosen("macs")

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """For the server's key."""
        return self.chosen("keys")

    @property
    def preferred_pubkeys(self) -> tuple[str, ...]:
        """For keys that log in."""
        return self.chosen("pubkeys")

    @property
    def preferred_kex(self) -> tuple[str, ...]:
        return self.chosen("kex")

    @property
    def preferred_compression(self) -> tuple[str, ...]:
        return self.get_security_options().compression

    def settings(self) -> dict[str, Any]:
        """Options for ssh: those of this transport, and what was set on its class."""
        usual = {option_of(kind): ",".join(self.chosen(kind)) for kind in _KINDS if self._of_class(kind)}
        return {**self._options, **usual}

    def _of_class(self, kind: str) -> tuple[str, ...]:
        name = f"_preferred_{kind}"
        # As it stands in the class, not what it gives.
        value = next(vars(each)[name] for each in type(self).__mro__ if name in vars(each))
        return () if isinstance(value, _Preferred) else tuple(value)

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
        usual = self._of_class(kind) or preferred(kind)
        if value.startswith("-"):
            return tuple(name for name in usual if name not in value[1:].split(","))
        return tuple(value.split(",")) if value else usual

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
