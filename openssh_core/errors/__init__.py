"""What can go wrong, as a tree.

Every error says what happened (`what`), where (`host`, when there is one) and what to do about it
(`advice`). The facts are attributes; the text is made from them, so code never has to parse a message.

    OpenSSHError
     +-- InvalidInput (ValueError)          you asked for something that cannot be; nothing was started
     |    +-- InvalidTarget                 host, user or port
     |    +-- InvalidCommand                NUL in a command, or longer than a server takes
     |    |    +-- CommandTooLong
     |    +-- InvalidEnvironment            a name or a value of `env=`
     |    +-- InvalidOption                 an ssh_config option that is unknown, reserved or unsafe here
     |    +-- InvalidControlPath            too long, relative, or with characters ssh expands
     |    +-- InvalidSecret                 a password that cannot be typed (newline, NUL)
     |    +-- InvalidKey                    a private key that is none
     |    +-- InsecureControlDirectory      somebody else can write there
     |    +-- InsecureControlSocket         the socket, or who listens on it, is not ours
     +-- ConnectError                       no authenticated connection came about
     |    +-- UnknownHost                   the name does not resolve
     |    +-- ConnectionRefused             nobody listens there
     |    +-- HostUnreachable               no route
     |    +-- ConnectTimeout (TimeoutError)
     |    +-- TurnedAway                    the server takes no connection at the moment
     |    +-- NoSSHServer                   something else answers there
     |    +-- HostKeyError
     |    |    +-- HostKeyUnknown
     |    |    +-- HostKeyChanged
     |    |    +-- HostKeyRevoked
     |    +-- AuthenticationError           with the methods the server still offered
     |    |    +-- TooManyAuthenticationFailures
     |    |    +-- UnexpectedPrompt         ssh asked for something nobody gave an answer to
     |    +-- GatewayError                  a proxy or another host on the way did not make the connection
     |    +-- ConfigurationError            ssh did not accept its configuration
     |    +-- SSHNotFound                   no ssh program
     |    +-- SSHTooOld                     the ssh program lacks what this needs
     +-- ConnectionLost                     the connection ended under something that was going on
     +-- MasterUnresponsive (TimeoutError)  the master, or the server behind it, does not answer
     +-- ConnectionClosed                   this side closed it
     +-- SessionError
     |    +-- OpenRefused                   the server refused to open a channel
     |    +-- OpenTimeout (TimeoutError)    the server has not said in time whether it opens one
     |    +-- RequestRefused                the server refused exec, shell, subsystem or a pty
     |    +-- ProgramNotStarted (OSError)   it is not there or not allowed, or its directory is not
     |    +-- ExitStatusMissing             the channel closed without saying how the command ended
     |    +-- SignalNotDelivered            the remote process could not be signalled
     +-- SFTPError                          something about files on the other machine
     |    +-- SFTPOSError (OSError)         the server refused something; classes of its own for what Python has:
     |    |    +-- SFTPFileNotFoundError, SFTPPermissionError, SFTPFileExistsError, SFTPNotADirectoryError,
     |    |        SFTPIsADirectoryError    each is the exception of that name without SFTP, too
     |    +-- SFTPUnsupported (NotImplementedError)  the server does not have what this needs
     |    +-- SFTPTimeout (TimeoutError)    the server did not answer, and nothing moved
     |    +-- SFTPClosed (ValueError)       the client or the file was closed before
     |    +-- SuspectName                   the server named a file as no file can be named
     |    +-- SFTPProtocolError             what the server sent is no SFTP (also a RemoteProtocolError)
     +-- ForwardRefused                     the server or the master refused a forward
     +-- CopyError                          scp, rsync or sshfs ended with an error
     |    +-- CopyTimeout (TimeoutError)    a limit passed before it ended
     |    +-- ProgramNotFound               it cannot be run
     |    +-- MountError                    a file system was not mounted, or not unmounted
     +-- TransferError                      not all of a tree, or of several files, could be transferred
     |    +-- TransferCancelled             its `cancel` was set
     |    +-- TransferTimeout (TimeoutError)  a limit passed before it was complete
     |    +-- SpecialFile (OSError)         a FIFO, a socket or a device where a file was meant
     |    +-- VerificationFailed            what arrived is not what was sent
     |    +-- UnsafeName                    a name or a link on the server leads out of the target
     +-- CommandFailed                      the command ended with another status than 0 (`check=True`)
     +-- CommandTimeout (TimeoutError)      a limit passed; carries the output so far
     +-- SudoRefused                        sudo did not start the command (`sudo=`)
     +-- UndecodableOutput (UnicodeError)   the output is no text in that encoding; carries the bytes
     +-- ProtocolError
          +-- LocalProtocolError            this side was about to break the protocol: a bug of ours
          +-- RemoteProtocolError           the master or the server broke it
               +-- Malformed                bytes that are no message
"""

from .base import OpenSSHError
from .command import CommandFailed, CommandTimeout, SudoRefused, UndecodableOutput
from .connect import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionRefused,
    ConnectTimeout,
    GatewayError,
    HostKeyChanged,
    HostKeyError,
    HostKeyRevoked,
    HostKeyUnknown,
    HostUnreachable,
    NoSSHServer,
    SSHNotFound,
    SSHTooOld,
    TooManyAuthenticationFailures,
    TurnedAway,
    UnexpectedPrompt,
    UnknownHost,
)
from .copy import (
    CopyError,
    CopyTimeout,
    MountError,
    ProgramNotFound,
    SpecialFile,
    TransferCancelled,
    TransferError,
    TransferTimeout,
    UnsafeName,
    VerificationFailed,
)
from .files import (
    SFTPClosed,
    SFTPError,
    SFTPFileExistsError,
    SFTPFileNotFoundError,
    SFTPIsADirectoryError,
    SFTPNotADirectoryError,
    SFTPOSError,
    SFTPPermissionError,
    SFTPProtocolError,
    SFTPTimeout,
    SFTPUnsupported,
    SuspectName,
)
from .input import (
    CommandTooLong,
    InsecureControlDirectory,
    InsecureControlSocket,
    InvalidCommand,
    InvalidControlPath,
    InvalidEnvironment,
    InvalidInput,
    InvalidKey,
    InvalidOption,
    InvalidSecret,
    InvalidTarget,
)
from .protocol import LocalProtocolError, Malformed, ProtocolError, RemoteProtocolError
from .session import (
    ConnectionClosed,
    ConnectionLost,
    ExitStatusMissing,
    ForwardRefused,
    MasterUnresponsive,
    OpenRefused,
    OpenTimeout,
    ProgramNotStarted,
    RequestRefused,
    SessionError,
    SignalNotDelivered,
)

__all__ = [
    "AuthenticationError",
    "CommandFailed",
    "CommandTimeout",
    "CommandTooLong",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionClosed",
    "ConnectionLost",
    "ConnectionRefused",
    "CopyError",
    "CopyTimeout",
    "ExitStatusMissing",
    "ForwardRefused",
    "GatewayError",
    "HostKeyChanged",
    "HostKeyError",
    "HostKeyRevoked",
    "HostKeyUnknown",
    "HostUnreachable",
    "InsecureControlDirectory",
    "InsecureControlSocket",
    "InvalidCommand",
    "InvalidControlPath",
    "InvalidEnvironment",
    "InvalidInput",
    "InvalidKey",
    "InvalidOption",
    "InvalidSecret",
    "InvalidTarget",
    "LocalProtocolError",
    "Malformed",
    "MasterUnresponsive",
    "MountError",
    "NoSSHServer",
    "OpenRefused",
    "OpenSSHError",
    "OpenTimeout",
    "ProgramNotFound",
    "ProgramNotStarted",
    "ProtocolError",
    "RemoteProtocolError",
    "RequestRefused",
    "SFTPClosed",
    "SFTPError",
    "SFTPFileExistsError",
    "SFTPFileNotFoundError",
    "SFTPIsADirectoryError",
    "SFTPNotADirectoryError",
    "SFTPOSError",
    "SFTPPermissionError",
    "SFTPProtocolError",
    "SFTPTimeout",
    "SFTPUnsupported",
    "SSHNotFound",
    "SSHTooOld",
    "SessionError",
    "SignalNotDelivered",
    "SudoRefused",
    "SuspectName",
    "TooManyAuthenticationFailures",
    "TurnedAway",
    "UndecodableOutput",
    "UnexpectedPrompt",
    "UnknownHost",
    "SpecialFile",
    "TransferCancelled",
    "TransferError",
    "TransferTimeout",
    "UnsafeName",
    "VerificationFailed",
]
