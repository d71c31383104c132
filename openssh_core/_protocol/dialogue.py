"""A conversation with a fixed order, written as it goes: a generator that asks for so many bytes and gets them.

Never more is asked for than belongs to the conversation: what follows is the connection's own.
"""

from __future__ import annotations

from collections.abc import Generator

Steps = Generator[int, bytes, None]
"""Yields how many bytes it needs next, and is sent them."""

Reading = Generator[int, bytes, bytes]
"""The same, for a part that returns what it has read."""


class Dialogue:
    """One side of a conversation. Subclasses write `_talk` and say what they have to by `_say`.

    Attributes:
        missing: how many bytes are needed next; 0 when the conversation is over.
    """

    def __init__(self) -> None:
        self._out = bytearray()
        self._heard = bytearray()
        self._steps = self._talk()
        self.missing = next(self._steps)

    def _talk(self) -> Steps:
        raise NotImplementedError

    def _say(self, data: bytes) -> None:
        self._out += data

    def outgoing(self) -> bytes:
        """What to send now."""
        out, self._out = bytes(self._out), bytearray()
        return out

    def feed(self, data: bytes) -> None:
        """Take what came, at most `missing` bytes of it.

        Raises:
            ProtocolError: the other side does not keep to the conversation.
        """
        self._heard += data
        self.missing -= len(data)
        if not self.missing:
            heard, self._heard = bytes(self._heard), bytearray()
            try:
                self.missing = self._steps.send(heard)
            except StopIteration:
                pass
