"""paramiko's names over the OpenSSH client: `from openssh_compat import paramiko`.

What this version has: SSHClient with connect, exec_command and close, the channels of commands, keys, agents, known
hosts, ssh_config, and the exceptions. What it has not raises an error that says so.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._stand_in import stand_in, standing_in
from ._version import __version__, __version_info__
from .agent import Agent, AgentKey
from .auth_handler import AuthHandler
from .auth_strategy import (
    AuthFailure,
    AuthResult,
    AuthSource,
    AuthStrategy,
    InMemoryPrivateKey,
    NoneAuth,
    OnDiskPrivateKey,
    Password,
    PrivateKey,
    SourceResult,
)
from .channel import Channel, ChannelFile, ChannelStderrFile, ChannelStdinFile
from .client import AutoAddPolicy, MissingHostKeyPolicy, RejectPolicy, SSHClient, WarningPolicy
from .common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_FAILED_RESOURCE_SHORTAGE,
    OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
    OPEN_SUCCEEDED,
    io_sleep,
)
from .config import SSHConfig, SSHConfigDict
from .dsskey import DSSKey
from .ecdsakey import ECDSAKey
from .ed25519key import Ed25519Key
from .file import BufferedFile
from .hostkeys import HostKeys
from .message import Message
from .packet import Packetizer
from .pkey import PKey, PublicBlob, UnknownKeyType
from .proxy import ProxyCommand
from .rsakey import RSAKey
from .server import InteractiveQuery, ServerInterface, SubsystemHandler
from .sftp import (
    SFTP_BAD_MESSAGE,
    SFTP_CONNECTION_LOST,
    SFTP_EOF,
    SFTP_FAILURE,
    SFTP_NO_CONNECTION,
    SFTP_NO_SUCH_FILE,
    SFTP_OK,
    SFTP_OP_UNSUPPORTED,
    SFTP_PERMISSION_DENIED,
    BaseSFTP,
    SFTPError,
)
from .sftp_attr import SFTPAttributes
from .sftp_handle import SFTPHandle
from .sftp_server import SFTPServer
from .sftp_si import SFTPServerInterface
from .ssh_exception import (
    AuthenticationException,
    BadAuthenticationType,
    BadHostKeyException,
    ChannelException,
    ConfigParseError,
    CouldNotCanonicalize,
    IncompatiblePeer,
    MessageOrderError,
    NoValidConnectionsError,
    PartialAuthentication,
    PasswordRequiredException,
    ProxyCommandFailure,
    SSHException,
    UnableToAuthenticate,
)
from .ssh_gss import GSS_AUTH_AVAILABLE, GSS_EXCEPTIONS, GSSAuth
from .transport import SecurityOptions, ServiceRequestingTransport, Transport

if TYPE_CHECKING:
    from .sftp_client import SFTP, SFTPClient
    from .sftp_file import SFTPFile

key_classes = [RSAKey, Ed25519Key, ECDSAKey]

__all__ = [
    "AUTH_FAILED",
    "AUTH_PARTIALLY_SUCCESSFUL",
    "AUTH_SUCCESSFUL",
    "Agent",
    "AgentKey",
    "AuthFailure",
    "AuthHandler",
    "AuthResult",
    "AuthSource",
    "AuthStrategy",
    "AuthenticationException",
    "AutoAddPolicy",
    "BadAuthenticationType",
    "BadHostKeyException",
    "BaseSFTP",
    "BufferedFile",
    "Channel",
    "ChannelException",
    "ChannelFile",
    "ChannelStderrFile",
    "ChannelStdinFile",
    "ConfigParseError",
    "CouldNotCanonicalize",
    "DSSKey",
    "ECDSAKey",
    "Ed25519Key",
    "GSSAuth",
    "GSS_AUTH_AVAILABLE",
    "GSS_EXCEPTIONS",
    "HostKeys",
    "InMemoryPrivateKey",
    "IncompatiblePeer",
    "InteractiveQuery",
    "Message",
    "MessageOrderError",
    "MissingHostKeyPolicy",
    "NoValidConnectionsError",
    "NoneAuth",
    "OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED",
    "OPEN_FAILED_CONNECT_FAILED",
    "OPEN_FAILED_RESOURCE_SHORTAGE",
    "OPEN_FAILED_UNKNOWN_CHANNEL_TYPE",
    "OPEN_SUCCEEDED",
    "OnDiskPrivateKey",
    "PKey",
    "Packetizer",
    "PartialAuthentication",
    "Password",
    "PasswordRequiredException",
    "PrivateKey",
    "ProxyCommand",
    "ProxyCommandFailure",
    "PublicBlob",
    "RSAKey",
    "RejectPolicy",
    "SFTP",
    "SFTPAttributes",
    "SFTPClient",
    "SFTPError",
    "SFTPFile",
    "SFTPHandle",
    "SFTPServer",
    "SFTPServerInterface",
    "SFTP_BAD_MESSAGE",
    "SFTP_CONNECTION_LOST",
    "SFTP_EOF",
    "SFTP_FAILURE",
    "SFTP_NO_CONNECTION",
    "SFTP_NO_SUCH_FILE",
    "SFTP_OK",
    "SFTP_OP_UNSUPPORTED",
    "SFTP_PERMISSION_DENIED",
    "SSHClient",
    "SSHConfig",
    "SSHConfigDict",
    "SSHException",
    "SecurityOptions",
    "ServerInterface",
    "ServiceRequestingTransport",
    "SourceResult",
    "SubsystemHandler",
    "Transport",
    "UnableToAuthenticate",
    "UnknownKeyType",
    "WarningPolicy",
    "__version__",
    "__version_info__",
    "io_sleep",
    "key_classes",
    "stand_in",
    "standing_in",
]

# What takes long to load, and many programs do without: the module each is in.
_LATER = {"SFTP": "sftp_client", "SFTPClient": "sftp_client", "SFTPFile": "sftp_file"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    if name in _LATER.values():
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
