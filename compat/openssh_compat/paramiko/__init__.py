"""paramiko's names over the OpenSSH client: `from openssh_compat import paramiko`.

What this version has: SSHClient with connect, exec_command and close, the channels of commands, the host key policies
and the exceptions. What it has not raises an error that says so.
"""

from __future__ import annotations

from .._shim import missing_from
from .channel import Channel, ChannelFile, ChannelStderrFile, ChannelStdinFile
from .client import AutoAddPolicy, MissingHostKeyPolicy, RejectPolicy, SSHClient, WarningPolicy
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

__all__ = [
    "AuthenticationException",
    "AutoAddPolicy",
    "BadAuthenticationType",
    "BadHostKeyException",
    "Channel",
    "ChannelException",
    "ChannelFile",
    "ChannelStderrFile",
    "ChannelStdinFile",
    "ConfigParseError",
    "CouldNotCanonicalize",
    "IncompatiblePeer",
    "MessageOrderError",
    "MissingHostKeyPolicy",
    "NoValidConnectionsError",
    "PartialAuthentication",
    "PasswordRequiredException",
    "ProxyCommandFailure",
    "RejectPolicy",
    "SSHClient",
    "SSHException",
    "Transport",
    "UnableToAuthenticate",
    "WarningPolicy",
]

_LATER = """
    AUTH_FAILED AUTH_PARTIALLY_SUCCESSFUL AUTH_SUCCESSFUL Agent AgentKey AuthFailure AuthHandler AuthResult AuthSource
    AuthStrategy BaseSFTP BufferedFile DSSKey ECDSAKey Ed25519Key GSSAuth GSS_AUTH_AVAILABLE GSS_EXCEPTIONS HostKeys
    InMemoryPrivateKey InteractiveQuery Message NoneAuth OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
    OPEN_FAILED_CONNECT_FAILED OPEN_FAILED_RESOURCE_SHORTAGE OPEN_FAILED_UNKNOWN_CHANNEL_TYPE OPEN_SUCCEEDED
    OnDiskPrivateKey PKey Packetizer Password PrivateKey ProxyCommand PublicBlob RSAKey SFTP SFTPAttributes SFTPClient
    SFTPError SFTPFile SFTPHandle SFTPServer SFTPServerInterface SFTP_BAD_MESSAGE SFTP_CONNECTION_LOST SFTP_EOF
    SFTP_FAILURE SFTP_NO_CONNECTION SFTP_NO_SUCH_FILE SFTP_OK SFTP_OP_UNSUPPORTED SFTP_PERMISSION_DENIED SSHConfig
    SSHConfigDict SecurityOptions ServerInterface ServiceRequestingTransport SourceResult SubsystemHandler
    UnknownKeyType io_sleep key_classes
    agent auth_handler auth_strategy common compress config dsskey ecdsakey ed25519key hostkeys message packet pipe pkey
    primes proxy rsakey server sftp sftp_attr sftp_client sftp_file sftp_handle sftp_server sftp_si
"""

__getattr__ = missing_from("paramiko", _LATER.split())
