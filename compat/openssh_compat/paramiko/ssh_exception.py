"""The exceptions that paramiko raises, under its names and with its attributes. Each is raised `from` the core's own
error, which says more.

They are instances of the original's classes as well where those are loaded (`_kin`), so none of them calls
`super().__init__`: that would be the original's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._kin import kin

if TYPE_CHECKING:
    from .pkey import PKey

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


class _Error(Exception):
    """Between ours and Exception, so that further bases can be given (`_kin`)."""


class _SystemError(OSError):
    """The same for OSError."""


@kin("ssh_exception")
class SSHException(_Error):
    """Something about SSH went wrong."""


@kin("ssh_exception")
class AuthenticationException(SSHException):
    """The server did not let us in."""


@kin("ssh_exception")
class PasswordRequiredException(AuthenticationException):
    """A private key is encrypted, and no passphrase was given."""


@kin("ssh_exception")
class BadAuthenticationType(AuthenticationException):
    """The server does not take what it was offered.

    Attributes:
        explanation: what happened.
        allowed_types: the methods it does take.
    """

    allowed_types: list[str] = []  # noqa: RUF012  # the original has it on the class, too

    def __init__(self, explanation: str, types: list[str]) -> None:
        Exception.__init__(self, explanation, types)
        self.explanation = explanation
        self.allowed_types = types

    def __str__(self) -> str:
        return f"{self.explanation}; allowed types: {self.allowed_types!r}"


@kin("ssh_exception")
class PartialAuthentication(AuthenticationException):
    """The server wants one more method. Here ssh(1) goes through all of them, so it is never raised.

    Attributes:
        allowed_types: the methods that may follow.
    """

    allowed_types: list[str] = []  # noqa: RUF012  # the original has it on the class, too

    def __init__(self, types: list[str]) -> None:
        Exception.__init__(self, types)
        self.allowed_types = types

    def __str__(self) -> str:
        return f"Partial authentication; allowed types: {self.allowed_types!r}"


@kin("ssh_exception")
class UnableToAuthenticate(AuthenticationException):
    """Never raised here; for `except` clauses."""


@kin("ssh_exception")
class ChannelException(SSHException):
    """The server did not open a channel.

    Attributes:
        code: SSH_OPEN_... of RFC 4254 section 5.1.
        text: the reason in words.
    """

    def __init__(self, code: int, text: str) -> None:
        Exception.__init__(self, code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"ChannelException({self.code!r}, {self.text!r})"


@kin("ssh_exception")
class BadHostKeyException(SSHException):
    """The server shows another host key than the one on record.

    Attributes:
        hostname: as it was given to connect().
        key: the key it showed.
        expected_key: the key on record.
    """

    def __init__(self, hostname: str, got_key: PKey, expected_key: PKey) -> None:
        Exception.__init__(self, hostname, got_key, expected_key)
        self.hostname = hostname
        self.key = got_key
        self.expected_key = expected_key

    def __str__(self) -> str:
        got = self.key.get_base64() or self.key.fingerprint or "another key"
        expected = self.expected_key.get_base64() or self.expected_key.fingerprint or "the one on record"
        return f"Host key for server '{self.hostname}' does not match: got '{got}', expected '{expected}'"


@kin("ssh_exception")
class IncompatiblePeer(SSHException):
    """The two sides have no algorithm in common."""


@kin("ssh_exception")
class ProxyCommandFailure(SSHException):
    """A ProxyCommand ended; never raised here.

    Attributes:
        command, error: what ran, and what it said.
    """

    def __init__(self, command: str, error: str) -> None:
        Exception.__init__(self, command, error)
        self.command = command
        self.error = error

    def __str__(self) -> str:
        return f'ProxyCommand("{self.command}") returned nonzero exit status: {self.error}'


@kin("ssh_exception")
class NoValidConnectionsError(_SystemError):
    """No address of the host could be connected to.

    Attributes:
        errors: the error for each address: {(ip, port): OSError}.
    """

    def __init__(self, errors: Mapping[tuple[Any, ...], Exception]) -> None:
        addresses = sorted({str(where[0]) for where in errors})
        shown = " or ".join(filter(None, [", ".join(addresses[:-1]), *addresses[-1:]]))
        port = next(iter(errors))[1]
        OSError.__init__(self, None, f"Unable to connect to port {port} on {shown}")
        self.errors = errors

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.errors,)


@kin("ssh_exception")
class CouldNotCanonicalize(SSHException):
    """Never raised here; for `except` clauses."""


@kin("ssh_exception")
class ConfigParseError(SSHException):
    """ssh(1) does not accept its configuration."""


@kin("ssh_exception")
class MessageOrderError(SSHException):
    """Never raised here; for `except` clauses."""
