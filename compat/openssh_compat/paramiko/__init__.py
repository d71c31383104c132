"""paramiko's names over the OpenSSH client: `from openssh_compat import paramiko`.

What this version has: SSHClient with connect, exec_command and close, the channels of commands, keys, agents, known
hosts, ssh_config, and the exceptions. What it has not raises an error that says so.
"""

from __future__ import annotations

from .._shim import missing_from
from ._version import __version__, __version_info__
from .agent import Agent, AgentKey
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
from .pkey import PKey, PublicBlob, UnknownKeyType
from .proxy import ProxyCommand
from .rsakey import RSAKey
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
from .transport import Transport

key_classes = [RSAKey, Ed25519Key, ECDSAKey]

__all__ = [
    "AUTH_FAILED",
    "AUTH_PARTIALLY_SUCCESSFUL",
    "AUTH_SUCCESSFUL",
    "Agent",
    "AgentKey",
    "AuthenticationException",
    "AutoAddPolicy",
    "BadAuthenticationType",
    "BadHostKeyException",
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
    "HostKeys",
    "IncompatiblePeer",
    "Message",
    "MessageOrderError",
    "MissingHostKeyPolicy",
    "NoValidConnectionsError",
    "OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED",
    "OPEN_FAILED_CONNECT_FAILED",
    "OPEN_FAILED_RESOURCE_SHORTAGE",
    "OPEN_FAILED_UNKNOWN_CHANNEL_TYPE",
    "OPEN_SUCCEEDED",
    "PKey",
    "PartialAuthentication",
    "PasswordRequiredException",
    "ProxyCommand",
    "ProxyCommandFailure",
    "PublicBlob",
    "RSAKey",
    "RejectPolicy",
    "SSHClient",
    "SSHConfig",
    "SSHConfigDict",
    "SSHException",
    "Transport",
    "UnableToAuthenticate",
    "UnknownKeyType",
    "WarningPolicy",
    "__version__",
    "__version_info__",
    "io_sleep",
    "key_classes",
]

_LATER = """
    AuthFailure AuthHandler AuthResult AuthSource AuthStrategy BaseSFTP GSSAuth GSS_AUTH_AVAILABLE
    GSS_EXCEPTIONS InMemoryPrivateKey InteractiveQuery NoneAuth OnDiskPrivateKey Packetizer Password
    PrivateKey SFTP SFTPAttributes SFTPClient SFTPError SFTPFile SFTPHandle SFTPServer SFTPServerInterface
    SFTP_BAD_MESSAGE SFTP_CONNECTION_LOST SFTP_EOF SFTP_FAILURE SFTP_NO_CONNECTION SFTP_NO_SUCH_FILE SFTP_OK
    SFTP_OP_UNSUPPORTED SFTP_PERMISSION_DENIED SecurityOptions ServerInterface ServiceRequestingTransport
    SourceResult SubsystemHandler auth_handler auth_strategy compress packet pipe primes server sftp sftp_attr
    sftp_client sftp_file sftp_handle sftp_server sftp_si
"""

__getattr__ = missing_from("paramiko", _LATER.split())
