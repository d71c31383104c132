"""The core's errors in paramiko's words, as they were observed with paramiko 5.1. The core's own error is the cause of
each, and says more.
"""

from __future__ import annotations

import errno
import os
import socket

from openssh_core import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionRefused,
    ConnectTimeout,
    HostKeyChanged,
    HostKeyUnknown,
    HostUnreachable,
    MasterUnresponsive,
    NoSSHServer,
    OpenRefused,
    OpenSSHError,
    OpenTimeout,
    RequestRefused,
    TurnedAway,
    UnknownHost,
)

from ._host_key import FingerprintKey, from_core, read_host_key
from .pkey import PKey
from .ssh_exception import (
    AuthenticationException,
    BadAuthenticationType,
    BadHostKeyException,
    ChannelException,
    ConfigParseError,
    NoValidConnectionsError,
    PasswordRequiredException,
    SSHException,
)

__all__ = ["connect_error", "session_error"]


_CONNECT_FAILED = 2

_LAST_FIRST = ("password", "keyboard-interactive", "publickey", "gssapi-with-mic")


def session_error(error: OpenSSHError) -> Exception:
    """For a session that could not be started."""
    if isinstance(error, OpenRefused):
        return ChannelException(error.code, error.what)
    if isinstance(error, OpenTimeout):
        # paramiko does not wait for a session to become free: it gets this code at once.
        return ChannelException(_CONNECT_FAILED, error.what)
    if isinstance(error, RequestRefused):
        return SSHException("Channel closed.")
    if isinstance(error, MasterUnresponsive):
        return SSHException("Timeout opening channel.")
    return SSHException("SSH session not active")


def connect_error(error: ConnectError, hostname: str, port: int, *, tried: frozenset[str], locked: bool) -> Exception:
    """For a connection that did not come about.

    Args:
        tried: the methods of authentication there was something for: `publickey`, `password`.
        locked: whether a key was encrypted and there was no passphrase for it.
    """
    match error:
        case UnknownHost():
            return _unknown_name(error, hostname, port)
        case ConnectionRefused():
            return _not_connected(hostname, port, ConnectionRefusedError, errno.ECONNREFUSED)
        case HostUnreachable() if "Network is unreachable" in error.last_words:
            return OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        case HostUnreachable():
            return _not_connected(hostname, port, OSError, errno.EHOSTUNREACH)
        case ConnectTimeout():
            return _too_slow(error.stage)
        case NoSSHServer() | TurnedAway():
            return _too_slow("greeting")
        case HostKeyUnknown():
            name = hostname if port == 22 else f"[{hostname}]:{port}"
            return SSHException(f"Server {name!r} not found in known_hosts")
        case HostKeyChanged():
            shown = FingerprintKey(error.fingerprint) if error.key is None else from_core(error.key)
            return BadHostKeyException(hostname, shown, _on_record(error.recorded_in))
        case AuthenticationError():
            return _not_let_in(error, tried, locked)
        case ConfigurationError():
            return ConfigParseError(error.what)
    return SSHException(str(error))


def _too_slow(stage: str) -> Exception:
    match stage:
        case "greeting":
            return SSHException("Error reading SSH protocol banner")
        case "handshake":
            return SSHException("No existing session")
        case "login":
            return AuthenticationException("Authentication timeout.")
    return TimeoutError("timed out")


def _unknown_name(error: UnknownHost, hostname: str, port: int) -> socket.gaierror:
    """What Python's own resolver says about the name; it has a number, and ssh has words only."""
    try:
        socket.getaddrinfo(hostname, port, type=socket.SOCK_STREAM)
    except socket.gaierror as same:
        return socket.gaierror(*same.args)
    return socket.gaierror(socket.EAI_AGAIN, error.what)


def _not_connected(hostname: str, port: int, kind: type[OSError], number: int) -> NoValidConnectionsError:
    try:
        found = socket.getaddrinfo(hostname, port, type=socket.SOCK_STREAM)
        addresses = [(str(address[0]), port) for *_, address in found]
    except OSError:
        addresses = [(hostname, port)]
    return NoValidConnectionsError({address: kind(number, os.strerror(number)) for address in addresses})


def _on_record(place: str) -> PKey:
    """The key that ssh named by file and line."""
    path, _, line = place.rpartition(":")
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return read_host_key(file.read().splitlines()[int(line) - 1]) or FingerprintKey()
    except (OSError, ValueError, IndexError):
        return FingerprintKey()


def _not_let_in(error: AuthenticationError, tried: frozenset[str], locked: bool) -> SSHException:
    if not tried:
        return SSHException("No authentication methods available")
    if locked:
        return PasswordRequiredException("Private key file is encrypted")
    # What paramiko tries last, whose error counts.
    last = next(method for method in (*_LAST_FIRST, *tried) if method in tried)
    if error.methods and last not in error.methods:
        return BadAuthenticationType("Bad authentication type", list(error.methods))
    return AuthenticationException("Authentication failed.")
