"""What can go wrong, as a tree.

Every error says what happened (`what`), where (`host`, when there is one) and what to do about it
(`advice`). The facts are attributes; the text is made from them, so code never has to parse a message.

    OpenSSHError
     +-- InvalidInput (ValueError)          you asked for something that cannot be; nothing was started
     |    +-- InvalidTarget                 host, user or port
     |    +-- InvalidCommand                NUL in a command, or longer than a server takes
     |    +-- InvalidEnvironment            a name or a value of `env=`
     |    +-- InvalidOption                 an ssh_config option that is unknown, reserved or unsafe here
     |    +-- InvalidControlPath            too long, relative, or with characters ssh expands
     |    +-- InvalidSecret                 a password that cannot be typed (newline, NUL)
     |    +-- InsecureControlDirectory      somebody else can write there
     |    +-- InsecureControlSocket         the socket, or who listens on it, is not ours
     +-- ConnectError                       no authenticated connection came about
     |    +-- UnknownHost                   the name does not resolve
     |    +-- ConnectionRefused             nobody listens there
     |    +-- HostUnreachable               no route
     |    +-- ConnectTimeout (TimeoutError)
     |    +-- HostKeyError
     |    |    +-- HostKeyUnknown
     |    |    +-- HostKeyChanged
     |    |    +-- HostKeyRevoked
     |    +-- AuthenticationError           with the methods the server still offered
     |    |    +-- TooManyAuthenticationFailures
     |    |    +-- UnexpectedPrompt         ssh asked for something nobody gave an answer to
     |    +-- ConfigurationError            ssh did not accept its configuration
     |    +-- SSHNotFound                   no ssh program
     |    +-- SSHTooOld                     the ssh program lacks what this needs
     +-- ConnectionLost                     the connection ended under something that was going on
     +-- MasterUnresponsive (TimeoutError)  the master, or the server behind it, does not answer
     +-- ConnectionClosed                   this side closed it
     +-- SessionError
     |    +-- OpenRefused                   the server refused to open a channel
     |    +-- RequestRefused                the server refused exec, shell, subsystem or a pty
     |    +-- ExitStatusMissing             the channel closed without saying how the command ended
     |    +-- SignalNotDelivered            the remote process could not be signalled
     +-- ForwardRefused                     the server or the master refused a forward
     +-- CommandFailed                      the command ended with another status than 0 (`check=True`)
     +-- CommandTimeout (TimeoutError)      a limit passed; carries the output so far
     +-- ProtocolError
          +-- LocalProtocolError            this side was about to break the protocol: a bug of ours
          +-- RemoteProtocolError           the master or the server broke it
               +-- Malformed                bytes that are no message
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "AuthenticationError",
    "CommandFailed",
    "CommandTimeout",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionClosed",
    "ConnectionLost",
    "ConnectionRefused",
    "ExitStatusMissing",
    "ForwardRefused",
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
    "InvalidOption",
    "InvalidSecret",
    "InvalidTarget",
    "LocalProtocolError",
    "Malformed",
    "MasterUnresponsive",
    "OpenRefused",
    "OpenSSHError",
    "ProtocolError",
    "RemoteProtocolError",
    "RequestRefused",
    "SSHNotFound",
    "SSHTooOld",
    "SessionError",
    "SignalNotDelivered",
    "TooManyAuthenticationFailures",
    "UnexpectedPrompt",
    "UnknownHost",
]

Output = str | bytes | None


class OpenSSHError(Exception):
    """Base of everything this library raises on its own account.

    Args:
        what: what happened, a short phrase.
        host: the destination as the caller named it, where there is one.
        advice: what to do about it; a class may have a standing one.
    """

    advice: str = ""

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.host = host
        if advice is not None:
            self.advice = advice

    def __str__(self) -> str:
        head = f"{self.host}: {self.what}" if self.host else self.what
        return f"{head}. {self.advice}" if self.advice else head

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only facts do not survive the default way of pickling an exception.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[OpenSSHError], args: tuple[Any, ...], facts: dict[str, Any]) -> OpenSSHError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


# ---- what the caller asked for cannot be ----------------------------------------------------------------


class InvalidInput(OpenSSHError, ValueError):
    """A value that can never work. Raised before any process, packet or file exists."""


class InvalidTarget(InvalidInput):
    """A destination that is no host, user or port."""


class InvalidCommand(InvalidInput):
    """A command that no server can be given."""


class InvalidEnvironment(InvalidInput):
    """A name or value that cannot be an environment variable."""


class InvalidOption(InvalidInput):
    """An ssh_config option that cannot be given here."""


class InvalidControlPath(InvalidInput):
    """A path that ssh(1) cannot use for its control socket."""


class InvalidSecret(InvalidInput):
    """A password or passphrase that ssh cannot be told. The value itself is never in the message."""


class InsecureControlDirectory(InvalidInput):
    """A directory in which another user could put a control socket."""

    advice = "Use a directory that only you can write to (mode 0700)"


class InsecureControlSocket(InvalidInput):
    """A control socket that belongs to, or is served by, another user."""


# ---- no connection came about ---------------------------------------------------------------------------


class ConnectError(OpenSSHError):
    """No authenticated connection came about.

    Attributes:
        last_words: what ssh(1) printed, without its debug lines; empty when it printed nothing.
    """

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


class ConnectTimeout(ConnectError, TimeoutError):
    """The connection, or the login, took longer than `connect_timeout`."""

    advice = "The host is down, a firewall drops packets, or connect_timeout is too short"


class HostKeyError(ConnectError):
    """The server's host key was not accepted, so nothing was sent to it."""


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
    """

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


class ConfigurationError(ConnectError):
    """ssh(1) refused its configuration file or an option."""

    advice = "Correct the line that ssh names, or leave the file out with config_file='none'"


class SSHNotFound(ConnectError):
    """There is no ssh program."""

    advice = "Install the OpenSSH client, or give its path with ssh='/path/to/ssh'"


class SSHTooOld(ConnectError):
    """The ssh program lacks something that was asked for."""

    advice = "Use a newer OpenSSH client: ssh='/path/to/ssh'"


# ---- a connection that was there ------------------------------------------------------------------------


class ConnectionLost(OpenSSHError):
    """The connection ended while something was going on.

    Attributes:
        started: whether the remote command had started; False means it can safely be run again.
        stdout, stderr: output received until then, None where it was not captured.
        last_words: what ssh(1) printed at the end.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        started: bool = False,
        stdout: Output = None,
        stderr: Output = None,
        last_words: str = "",
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.started = started
        self.stdout = stdout
        self.stderr = stderr
        self.last_words = last_words


class MasterUnresponsive(OpenSSHError, TimeoutError):
    """The master process, or the server behind it, did not answer in time."""

    advice = "Close this connection and connect again"


class ConnectionClosed(OpenSSHError):
    """This side has closed the connection already."""

    advice = "Connect again"


class SessionError(OpenSSHError):
    """Something about one session; the connection goes on."""


class OpenRefused(SessionError):
    """The server refused to open a channel.

    Attributes:
        code: SSH_OPEN_... of RFC 4254 section 5.1 (1 prohibited, 2 connect failed, 3 unknown type,
            4 shortage); 0 where the master gives none.
    """

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, code: int = 0) -> None:
        super().__init__(what, host=host, advice=advice)
        self.code = code


class RequestRefused(SessionError):
    """The server refused a channel request.

    Attributes:
        request: the request's name in RFC 4254 words (`exec`, `shell`, `subsystem`, `pty-req`).
    """

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, request: str = "") -> None:
        super().__init__(what, host=host, advice=advice)
        self.request = request


class ExitStatusMissing(SessionError):
    """The channel closed without an exit status or signal: how the command ended is not known.

    Attributes:
        stdout, stderr: output received until then, None where it was not captured.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        stdout: Output = None,
        stderr: Output = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.stdout = stdout
        self.stderr = stderr


class SignalNotDelivered(SessionError):
    """The server refuses signals, and no other way to the process is known.

    Attributes:
        signal: the signal's name without SIG (`TERM`).
    """

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, signal: str = "") -> None:
        super().__init__(what, host=host, advice=advice)
        self.signal = signal


class ForwardRefused(OpenSSHError):
    """A port or socket forward did not come about."""


# ---- commands -------------------------------------------------------------------------------------------


class CommandFailed(OpenSSHError):
    """A command run with check=True ended with something else than 0.

    Attributes:
        command: as the caller gave it.
        returncode: the exit status; -N for death by signal N.
        signal: the signal's name without SIG, None for a normal exit.
        stdout, stderr: captured output, None where it was not captured.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        command: object = None,
        returncode: int = 0,
        signal: str | None = None,
        stdout: Output = None,
        stderr: Output = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.command = command
        self.returncode = returncode
        self.signal = signal
        self.stdout = stdout
        self.stderr = stderr


class CommandTimeout(OpenSSHError, TimeoutError):
    """A limit passed before the command ended.

    Attributes:
        command: as the caller gave it.
        limit: which one: `timeout` (the whole command), `idle_timeout` (no output) or `wait`.
        seconds: its length.
        killed: True: the remote process group is known to be gone. False: it still runs. None: not known.
        stdout, stderr: output received until then, None where it was not captured.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        command: object = None,
        limit: str = "timeout",
        seconds: float = 0.0,
        killed: bool | None = None,
        stdout: Output = None,
        stderr: Output = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.command = command
        self.limit = limit
        self.seconds = seconds
        self.killed = killed
        self.stdout = stdout
        self.stderr = stderr


# ---- the protocol ---------------------------------------------------------------------------------------


class ProtocolError(OpenSSHError):
    """Somebody broke the protocol."""


class LocalProtocolError(ProtocolError):
    """This side was about to break it: nothing was sent. A bug of this library."""


class RemoteProtocolError(ProtocolError):
    """The master or the server broke it: the conversation is over."""


class Malformed(RemoteProtocolError):
    """Bytes that are no message."""
