"""The user's agent: which keys it has, and having it sign."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from .._shim import refused
from . import _agent_protocol
from ._lent import lend
from .message import Message
from .pkey import PKey, _of_its_class
from .ssh_exception import SSHException
from .util import log_as

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["Agent", "AgentKey", "AgentRequestHandler", "AgentSSH", "get_agent_connection"]

# draft-ietf-sshm-ssh-agent; the original has them here, and a `c` before those that are bytes.
cSSH2_AGENTC_REQUEST_IDENTITIES, SSH2_AGENT_IDENTITIES_ANSWER = b"\x0b", 12
cSSH2_AGENTC_SIGN_REQUEST, SSH2_AGENT_SIGN_RESPONSE = b"\x0d", 14
SSH_AGENT_RSA_SHA2_256, SSH_AGENT_RSA_SHA2_512 = 2, 4
ALGORITHM_FLAG_MAP = {
    name + suffix: flag
    for name, flag in (("rsa-sha2-256", SSH_AGENT_RSA_SHA2_256), ("rsa-sha2-512", SSH_AGENT_RSA_SHA2_512))
    for suffix in ("", "-cert-v01@openssh.com")
}

# Seconds for an answer to which keys it has. Signing may wait for the user.
_PATIENCE = 30.0


def get_agent_connection() -> socket.socket | None:
    """A connection to the agent that SSH_AUTH_SOCK names; None where there is none."""
    path = os.environ.get("SSH_AUTH_SOCK")
    if not path:
        return None
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        return None
    return sock


class AgentSSH:
    """What one can ask of an agent."""

    def __init__(self) -> None:
        self._conn: socket.socket | None = None
        self._keys: tuple[AgentKey, ...] = ()

    def get_keys(self) -> tuple[AgentKey, ...]:
        """The keys it had when this was made; empty without an agent."""
        return self._keys

    def _connect(self, conn: socket.socket) -> None:
        self._conn = conn
        conn.settimeout(_PATIENCE)
        self._keys = tuple(AgentKey(self, one.blob, one.comment) for one in _agent_protocol.identities(conn))
        conn.settimeout(None)

    def _send_message(self, msg: Message | bytes) -> tuple[int, Message]:
        """A request and its answer. The original has it under this name, and agents of other people's have it, too."""
        if self._conn is None:
            raise SSHException("lost ssh-agent")
        request = bytes(msg)
        return _agent_protocol.ask(self._conn, request[0], request[1:])

    def close(self) -> None:
        """Let go of it. Idempotent."""
        conn, self._conn = self._conn, None
        self._keys = ()
        if conn is not None:
            conn.close()


class Agent(AgentSSH):
    """The agent that SSH_AUTH_SOCK names, if there is one.

    Raises:
        SSHException: there is one, and it does not answer.
    """

    def __init__(self) -> None:
        super().__init__()
        conn = get_agent_connection()
        if conn is not None:
            try:
                self._connect(conn)
            except BaseException:
                self.close()
                raise

    def __del__(self) -> None:
        if getattr(self, "_conn", None) is not None:
            self.close()


class AgentKey(PKey):
    """A key that an agent has.

    Attributes:
        agent: the agent.
        blob: the public key, or the certificate; `asbytes` gives the key of a certificate.
        name: its type.
        inner_key: the same as an object of its class; None where there is no class for it.
    """

    def __init__(self, agent: AgentSSH, blob: bytes, comment: str = "") -> None:
        super().__init__(data=blob)
        self.agent = agent
        self.blob = blob
        self.comment = comment
        inner = _of_its_class(PKey(data=blob))
        self.inner_key = None if type(inner) is PKey else inner
        self.name = Message(blob).get_text()

    def log(self, level: int, msg: str, *args: object) -> None:
        log_as("paramiko.agent", level, msg, *args)

    def asbytes(self) -> bytes:
        return self.blob if self.inner_key is None else self.inner_key.asbytes()

    def __bytes__(self) -> bytes:
        return self.asbytes()

    @property
    def _fields(self) -> list[Any]:
        return [self.get_name(), self.blob] if self.inner_key is None else self.inner_key._fields

    def get_name(self) -> str:
        return self.name

    def get_bits(self) -> int:
        return self.inner_key.get_bits() if self.inner_key is not None else super().get_bits()

    def can_sign(self) -> bool:
        return True

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> bytes:  # type: ignore[override]  # as there
        """Have the agent sign. It may ask the user.

        Returns:
            the signature, as in RFC 4253 section 6.6: bytes, where other keys give a `Message`.

        Raises:
            SSHException: it does not.
        """
        request = Message().add_byte(cSSH2_AGENTC_SIGN_REQUEST).add_string(self.asbytes()).add_string(data)
        kind, answer = self.agent._send_message(request.add_int(ALGORITHM_FLAG_MAP.get(algorithm or "", 0)))
        if kind != SSH2_AGENT_SIGN_RESPONSE:
            raise SSHException("key cannot be used for signing")
        return answer.get_binary()


class AgentRequestHandler:
    """Hands the user's agent on to one session, before something runs in it. See `SSHClient.forward_agent`.

    Args:
        chanClient: the channel of the session.

    Raises:
        NotImplementedError: ssh was not told when it connected.
    """

    def __init__(self, chanClient: Channel) -> None:
        chanClient.request_forward_agent(lambda _channel: None)

    def close(self) -> None:
        """Nothing to do: it ends with the session."""


@refused
class AgentServerProxy:
    """Raises NotImplementedError when it is made: ssh itself answers for the agent. See `SSHClient.forward_agent`."""

    def __init__(self, t: Any) -> None:
        raise NotImplementedError(
            f"{type(self).__name__} is not supported by openssh_compat, where ssh itself answers for the agent: "
            "set client.forward_agent = True before connect() and use AgentRequestHandler"
        )


@refused
class AgentClientProxy(AgentServerProxy):
    """The same."""


@refused
class AgentProxyThread(AgentServerProxy):
    """The same."""


@refused
class AgentLocalProxy(AgentServerProxy):
    """The same."""


@refused
class AgentRemoteProxy(AgentServerProxy):
    """The same."""


lend(__name__)
