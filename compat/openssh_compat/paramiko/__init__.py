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
from .file import BufferedFile
from .hostkeys import HostKeys
from .message import Message
from .pkey import PKey, PublicBlob, UnknownKeyType
from .proxy import ProxyCommand
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
from .transport import SecurityOptions, ServiceRequestingTransport, Transport

if TYPE_CHECKING:
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
    from .config import SSHConfig, SSHConfigDict
    from .dsskey import DSSKey
    from .ecdsakey import ECDSAKey
    from .ed25519key import Ed25519Key
    from .packet import Packetizer
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
    from .sftp_client import SFTP, SFTPClient
    from .sftp_file import SFTPFile
    from .sftp_handle import SFTPHandle
    from .sftp_server import SFTPServer
    from .sftp_si import SFTPServerInterface
    from .ssh_gss import GSS_AUTH_AVAILABLE, GSS_EXCEPTIONS, GSSAuth

    key_classes: list[type[PKey]]

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

# What most programs do without: the names in each module that is loaded when one of them is asked for.
_LATER = {
    "auth_handler": ["AuthHandler"],
    "auth_strategy": [
        "AuthFailure",
        "AuthResult",
        "AuthSource",
        "AuthStrategy",
        "InMemoryPrivateKey",
        "NoneAuth",
        "OnDiskPrivateKey",
        "Password",
        "PrivateKey",
        "SourceResult",
    ],
    "config": ["SSHConfig", "SSHConfigDict"],
    "dsskey": ["DSSKey"],
    "ecdsakey": ["ECDSAKey"],
    "ed25519key": ["Ed25519Key"],
    "packet": ["Packetizer"],
    "rsakey": ["RSAKey"],
    "server": ["InteractiveQuery", "ServerInterface", "SubsystemHandler"],
    "sftp": [
        "SFTP_BAD_MESSAGE",
        "SFTP_CONNECTION_LOST",
        "SFTP_EOF",
        "SFTP_FAILURE",
        "SFTP_NO_CONNECTION",
        "SFTP_NO_SUCH_FILE",
        "SFTP_OK",
        "SFTP_OP_UNSUPPORTED",
        "SFTP_PERMISSION_DENIED",
        "BaseSFTP",
        "SFTPError",
    ],
    "sftp_attr": ["SFTPAttributes"],
    "sftp_client": ["SFTP", "SFTPClient"],
    "sftp_file": ["SFTPFile"],
    "sftp_handle": ["SFTPHandle"],
    "sftp_server": ["SFTPServer"],
    "sftp_si": ["SFTPServerInterface"],
    "ssh_gss": ["GSS_AUTH_AVAILABLE", "GSS_EXCEPTIONS", "GSSAuth"],
}
_MODULE_OF = {name: module for module, names in _LATER.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "key_classes":
        value: Any = [__getattr__(one) for one in ("RSAKey", "Ed25519Key", "ECDSAKey")]
    elif name in _MODULE_OF:
        value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    elif name in _LATER:
        return importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Two threads may come here at a time; both get the first one's.
    return globals().setdefault(name, value)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_MODULE_OF, "key_classes"})
