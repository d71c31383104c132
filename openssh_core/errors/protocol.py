"""Somebody broke the protocol, and whose fault it is."""

from __future__ import annotations

from .base import OpenSSHError


class ProtocolError(OpenSSHError):
    """Somebody broke the protocol."""


class LocalProtocolError(ProtocolError):
    """This side was about to break it: nothing was sent. A bug of this library."""


class RemoteProtocolError(ProtocolError):
    """The master or the server broke it: the conversation is over."""


class Malformed(RemoteProtocolError):
    """Bytes that are no message."""
