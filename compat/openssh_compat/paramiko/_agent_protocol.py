"""Talking to an agent (draft-ietf-sshm-ssh-agent): each message is a length, a type and a body; each has one answer."""

from __future__ import annotations

import socket
from typing import NamedTuple

from .message import Message
from .ssh_exception import SSHException

__all__ = ["Identity", "ask", "identities", "signature"]

_REQUEST_IDENTITIES, _IDENTITIES_ANSWER = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14

# Flags of a sign request: which digest an RSA key uses.
_RSA_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}

# OpenSSH's agent says no more at once (AGENT_MAX_LEN).
_LONGEST = 256 * 1024


class Identity(NamedTuple):
    """A key of an agent: its public part, and its comment."""

    blob: bytes
    comment: str


def ask(sock: socket.socket, kind: int, body: bytes = b"") -> tuple[int, Message]:
    """Send one message; the type of the answer, and its body.

    Raises:
        SSHException: the agent has gone, or says nothing one understands.
    """
    try:
        sock.sendall((len(body) + 1).to_bytes(4, "big") + bytes([kind]) + body)
        size = int.from_bytes(_receive(sock, 4), "big")
        if not 1 <= size <= _LONGEST:
            raise SSHException(f"the agent says its answer is {size} bytes long")
        answer = _receive(sock, size)
    except OSError as error:
        raise SSHException(f"lost ssh-agent: {error}") from error
    return answer[0], Message(answer[1:])


def identities(sock: socket.socket) -> list[Identity]:
    """The keys it has.

    Raises:
        SSHException: it does not say.
    """
    kind, answer = ask(sock, _REQUEST_IDENTITIES)
    if kind != _IDENTITIES_ANSWER:
        raise SSHException("could not get keys from ssh-agent")
    count = answer.get_int()
    return [Identity(answer.get_string(), answer.get_string().decode("utf-8", "replace")) for _ in range(count)]


def signature(sock: socket.socket, blob: bytes, data: bytes, algorithm: str | None) -> bytes:
    """A signature by one of its keys.

    Args:
        blob: the public part of that key.
        algorithm: what an RSA key is to use; `-cert-v01@openssh.com` at its end changes nothing.

    Raises:
        SSHException: it does not sign.
    """
    flags = _RSA_FLAGS.get((algorithm or "").removesuffix("-cert-v01@openssh.com"), 0)
    request = Message().add_string(blob).add_string(data).add_int(flags)
    kind, answer = ask(sock, _SIGN_REQUEST, request.asbytes())
    if kind != _SIGN_RESPONSE:
        raise SSHException("key cannot be used for signing")
    return answer.get_string()


def _receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise SSHException("lost ssh-agent")
        data += piece
    return data
