"""The exceptions that paramiko raises, under its names and with its attributes. Each is raised `from` the core's own
error, which says more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._host_key import HostKey

__all__ = [
    "AuthenticationException",
    "BadAuthenticationType",
    "BadHostKeyException",
    "ChannelException",
    "ConfigParseError",
    "CouldNotCanonicalize",
    "IncompatiblePeer",
    "MessageOrderError",
    "NoValidConnectionsError",
    "PartialAuthentication",
    "PasswordRequiredException",
    "ProxyCommandFailure",
    "SSHException",
    "UnableToAuthenticate",
]


class SSHException(Exception):
    """Something about SSH went wrong."""


class AuthenticationException(SSHException):
    """The server did not let us in."""


class PasswordRequiredException(AuthenticationException):
    """A private key is encrypted, and no passphrase was given."""


class BadAuthenticationType(AuthenticationException):
    """The server does not take what it was offered.

    Attributes:
        explanation: what happened.
        allowed_types: the methods it does take.
    """

    def __init__(self, explanation: str, types: list[str]) -> None:
        super().__init__(explanation, types)
        self.explanation = explanation
        self.allowed_types = types

    def __str__(self) -> str:
        return f"{self.explanation}; allowed types: {self.allowed_types!r}"


class PartialAuthentication(AuthenticationException):
    """The server wants one more method. Here ssh(1) goes through all of them, so it is never raised.

    Attributes:
        allowed_types: the methods that may follow.
    """

    allowed_types: list[str] = []  # noqa: RUF012  # the original has it on the class, too

    def __init__(self, types: list[str]) -> None:
        super().__init__(types)
        self.allowed_types = types

    def __str__(self) -> str:
        return f"Partial authentication; allowed types: {self.allowed_types!r}"


class UnableToAuthenticate(AuthenticationException):
    """Never raised here; for `except` clauses."""


class ChannelException(SSHException):
    """The server did not open a channel.

    Attributes:
        code: SSH_OPEN_... of RFC 4254 section 5.1.
        text: the reason in words.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"ChannelException({self.code!r}, {self.text!r})"


class BadHostKeyException(SSHException):
    """The server shows another host key than the one on record.

    Attributes:
        hostname: as it was given to connect().
        key: the key it showed, of which ssh(1) tells the fingerprint only.
        expected_key: the key on record.
    """

    def __init__(self, hostname: str, got_key: HostKey, expected_key: HostKey) -> None:
        super().__init__(hostname, got_key, expected_key)
        self.hostname = hostname
        self.key = got_key
        self.expected_key = expected_key

    def __str__(self) -> str:
        got, expected = self.key.fingerprint or "another key", self.expected_key.fingerprint or "the one on record"
        return f"Host key for server '{self.hostname}' does not match: got '{got}', expected '{expected}'"


class IncompatiblePeer(SSHException):
    """The two sides have no algorithm in common."""


class ProxyCommandFailure(SSHException):
    """A ProxyCommand ended; never raised here.

    Attributes:
        command, error: what ran, and what it said.
    """

    def __init__(self, command: str, error: str) -> None:
        super().__init__(command, error)
        self.command = command
        self.error = error

    def __str__(self) -> str:
        return f'ProxyCommand("{self.command}") returned nonzero exit status: {self.error}'


class NoValidConnectionsError(OSError):
    """No address of the host could be connected to.

    Attributes:
        errors: the error for each address: {(ip, port): OSError}.
    """

    def __init__(self, errors: Mapping[tuple[Any, ...], Exception]) -> None:
        addresses = sorted({str(where[0]) for where in errors})
        shown = " or ".join(filter(None, [", ".join(addresses[:-1]), *addresses[-1:]]))
        port = next(iter(errors))[1]
        super().__init__(None, f"Unable to connect to port {port} on {shown}")
        self.errors = errors

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.errors,)


class CouldNotCanonicalize(SSHException):
    """Never raised here; for `except` clauses."""


class ConfigParseError(SSHException):
    """ssh(1) does not accept its configuration."""


class MessageOrderError(SSHException):
    """Never raised here; for `except` clauses."""
