"""Forwards: something listens on one side of a connection, and each connection to it goes to something on the other.

Made by the methods `forward_local`, `forward_remote` and `forward_dynamic` of a connection.
"""

from __future__ import annotations

from .base import Forward
from .dynamic import DynamicForward
from .local import LocalForward
from .remote import RemoteForward

__all__ = ["DynamicForward", "Forward", "LocalForward", "RemoteForward"]
