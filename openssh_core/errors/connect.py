"""Why there is no authenticated connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .base import OpenSSHError


class ConnectError(OpenSSHError):
    """No authenticated connection came about.

    Attributes:
        last_words: what ssh(1) printed, without its debug lines; empty when it printed nothing.
        handshake: what was settled with the server (an `openssh_core.Handshake`); None where it did not come so far, or
            ssh does not tell (before 8.5).
        banner: what the server said before the login (RFC 4252 section 5.4), safe to show.
    """

    handshake: Any = None
    banner: str = ""

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, last_words: str = "") -> None:
        super().__init__(what, host=host, advice=advice)
        self.last_words = last_words


class UnknownHost(ConnectError):
    """The name does not resolve."""

    advice = "Check the spelling, the network's name service, and the Host entries of your ssh_config"


class ConnectionRefused(ConnectError):
    """Nobody listens on that port."""

    advice = "Check the port, and that sshd runs there"


class HostUnreachable(ConnectError):
    """There is no route to the host."""

    advice = "Check the network, the VPN and the firewall between here and there"


class TurnedAway(ConnectError):
    """The server closed the connection before it said a word, or said that it takes none at the moment."""

    advice = (
        "It may be full (MaxStartups), shut this address out after failed logins (PerSourcePenalties, fail2ban, "
        "hosts.deny), or be no SSH server. Wait, then retry with fewer logins at a time"
    )


class NoSSHServer(ConnectError):
    """What answers there is no SSH server, or one that only speaks protocol 1."""

    advice = "Check the host and the port"


class ConnectTimeout(ConnectError, TimeoutError):
    """The connection, or the login, took longer than `connect_timeout`, or one stage longer than `stage_timeouts`.

    Attributes:
        stage: what was not complete then: the `connection`, the server's `greeting`, the `handshake` of keys, or the
            `login`; empty where that is not known.
    """

    stage = ""

    advice = "The host is down, a firewall drops packets, or the limit is too short"


class HostKeyError(ConnectError):
    """The server's host key was not accepted, so nothing was sent to it.

    Attributes:
        key: the key it showed (an `openssh_core.HostKey`), where ssh told it; a function as `host_keys=` makes ssh
            tell it always.
    """

    key: Any = None


class HostKeyUnknown(HostKeyError):
    """The server's host key is in none of the known_hosts files."""

    advice = "Check its fingerprint and add it to known_hosts, or connect once with host_keys='accept-new'"


class HostKeyChanged(HostKeyError):
    """The server shows another host key than the one on record.

    Attributes:
        fingerprint: of the key it showed (`SHA256:...`), when ssh said so.
        recorded_in: file and line of the key on record (`path:line`), when ssh said so.
    """

    advice = "Either the server was reinstalled or somebody is in between. Find out before you change known_hosts"

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        last_words: str = "",
        fingerprint: str = "",
        recorded_in: str = "",
    ) -> None:
        super().__init__(what, host=host, advice=advice, last_words=last_words)
        self.fingerprint = fingerprint
        self.recorded_in = recorded_in


class HostKeyRevoked(HostKeyError):
    """The server shows a key that known_hosts marks @revoked."""

    advice = "That key must not be trusted any more. Ask whoever runs the server"


class AuthenticationError(ConnectError):
    """The server did not let us in.

    Attributes:
        methods: the methods the server still offered (`publickey`, `password`, ...).
        partial: the methods by which it did take what it was given, in order; it wanted one of `methods` as well. Only
            told by ssh 8.5 and newer.
    """

    partial: tuple[str, ...] = ()
    advice = "Check the user name, and that the key or password is the right one for it"

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        last_words: str = "",
        methods: Sequence[str] = (),
    ) -> None:
        super().__init__(what, host=host, advice=advice, last_words=last_words)
        self.methods = tuple(methods)


class TooManyAuthenticationFailures(AuthenticationError):
    """The server closed the connection because too many keys or passwords were tried."""

    advice = "Offer only the right key: key='path/to/key' together with agent=False"


class UnexpectedPrompt(AuthenticationError):
    """ssh asked a question that no given secret answers.

    Attributes:
        prompt: the question, as ssh put it.
    """

    advice = "Give the password= or passphrase= that it asks for"

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        last_words: str = "",
        methods: Sequence[str] = (),
        prompt: str = "",
    ) -> None:
        super().__init__(what, host=host, advice=advice, last_words=last_words, methods=methods)
        self.prompt = prompt


class GatewayError(ConnectError):
    """A proxy or another host on the way did not make the connection.

    Attributes:
        reasons: what each way that was tried had to say, in order; empty where there was only one.
    """

    advice = "Check that the gateway is up, and that it may connect to the host"

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        last_words: str = "",
        reasons: Sequence[str] = (),
    ) -> None:
        super().__init__(what, host=host, advice=advice, last_words=last_words)
        self.reasons = tuple(reasons)


class ConfigurationError(ConnectError):
    """ssh(1) refused its configuration file or an option."""

    advice = "Correct the line that ssh names, or leave the file out with config_file='none'"


class SSHNotFound(ConnectError):
    """There is no ssh program."""

    advice = "Install the OpenSSH client, or give its path with ssh='/path/to/ssh'"


class SSHTooOld(ConnectError):
    """The ssh program lacks something that was asked for."""

    advice = "Use a newer OpenSSH client: ssh='/path/to/ssh'"
