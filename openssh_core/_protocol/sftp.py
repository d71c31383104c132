"""The request table of an SFTP session: which answer belongs to what was asked, and which belongs to nothing.

What a strange server gets (everything else raises RemoteProtocolError, which ends the session):

    answer                                        what becomes of it
    to a request that nobody waits for any more   dropped; a handle is closed again
    a status where something else was asked for   the answer, unless it says that all went well
    fewer data than asked for                     the answer; whoever reads asks for the rest
"""

from __future__ import annotations

from itertools import count
from typing import Any

from .._value import Value
from .._wire import sftp as wire
from .._wire.sftp_extensions import LimitsReply
from .._wire.sftp_replies import OK, Data, Handle, Names, Reply, Status, decode
from ..errors import RemoteProtocolError

# Bytes. No server that follows the draft takes less than 32,768; OpenSSH's takes 261,120.
_LEAST = 1024
_MOST = 255 * 1024
_USUAL = 32 * 1024


class Limits(Value):
    """How much may be asked for at once.

    Attributes:
        read, write: bytes of one READ or WRITE.
        handles: how many files may be open; None where the server does not say.
    """

    read: int = _USUAL
    write: int = _USUAL
    handles: int | None = None


def believable_limits(told: LimitsReply) -> Limits:
    """What is made of the server's own words: never so much that a packet gets too long, never next to nothing."""
    # The rest of a packet takes less than a KiB (PROTOCOL section 4.8).
    packet = max(told.packet - 1024, 0) if told.packet else _MOST

    def within(size: int) -> int:
        return max(_LEAST, min(size or _USUAL, packet, _MOST))

    return Limits(within(told.read), within(told.write), told.handles or None)


class Asked:
    """A request that was, or will be, sent.

    Attributes:
        id: its number.
        message: what is asked.
        answer: None until it is there.
        box: where to leave it once it is answered; None when nobody wants to know.
        tag: for whoever asked.
        since: when it was asked.
    """

    __slots__ = ("answer", "answered_at", "box", "id", "message", "since", "tag")

    def __init__(self, request_id: int, message: wire.Request, box: Any, tag: Any, since: float) -> None:
        self.id = request_id
        self.message = message
        self.box = box
        self.tag = tag
        self.since = since
        self.answer: Reply | None = None
        self.answered_at = -1


class RequestTable:
    """The requests of one session. Each step may be done again after it was interrupted, with the same outcome."""

    def __init__(self) -> None:
        self._numbers = count()
        self._sent: dict[int, Asked] = {}

    def __len__(self) -> int:
        """Requests that are sent and not answered."""
        return len(self._sent)

    def ask(self, message: wire.Request, box: Any, tag: Any, since: float) -> Asked:
        """A request with a number of its own."""
        return Asked(next(self._numbers) & 0xFFFFFFFF, message, box, tag, since)

    def sent(self, asked: Asked) -> None:
        """It is on its way: from now on an answer makes sense."""
        self._sent[asked.id] = asked

    def oldest(self) -> Asked | None:
        """The one that a server that answers in turn answers next."""
        for asked in list(self._sent.values())[:1]:
            return asked
        return None

    def answered(self, packet: bytes | memoryview, at: int) -> Asked:
        """Take a packet (without its length); the request it answers.

        Args:
            at: the packet's place in the stream, by which one that is taken again is known.

        Raises:
            RemoteProtocolError: it answers nothing that was asked.
        """
        request_id, reply = decode(packet)
        asked = self._sent.get(request_id)
        if asked is None:
            raise RemoteProtocolError(f"the server answered request {request_id}, which is not open")
        if asked.answered_at not in (-1, at):
            raise RemoteProtocolError(f"the server answered request {request_id} twice")
        _check(asked.message, reply)
        asked.answered_at = at
        asked.answer = reply
        return asked

    def forget(self, asked: Asked) -> None:
        """Its answer has been delivered."""
        self._sent.pop(asked.id, None)


def _check(message: wire.Request, reply: Reply) -> None:
    """See that the answer is one to that question.

    Raises:
        RemoteProtocolError: it is not.
    """
    if isinstance(reply, Data) and isinstance(message, wire.Read) and 0 < len(reply.data) <= message.length:
        return  # by far the most frequent one
    name, kind = type(message).__name__.upper(), type(reply)
    if kind is Status and isinstance(reply, Status):
        if reply.code == OK and message.answer is not Status:
            raise RemoteProtocolError(f"the server answered {name} with success and nothing else")
    elif kind is not message.answer:
        raise RemoteProtocolError(f"the server answered {name} with {kind.__name__.upper()}")
    elif isinstance(reply, Data) and isinstance(message, wire.Read) and len(reply.data) > message.length:
        raise RemoteProtocolError(f"the server sent {len(reply.data)} bytes; {message.length} were asked for")
    elif isinstance(reply, Data) and isinstance(message, wire.Read) and not reply.data and message.length:
        # Section 6.4: the end of a file is a status. Without this a server could keep us asking for ever.
        raise RemoteProtocolError("the server answered READ with no data and no end of file")
    elif isinstance(reply, Names) and isinstance(message, wire.ReadDir) and not reply.entries:
        raise RemoteProtocolError("the server answered READDIR with no names and no end of the directory")
    elif isinstance(reply, Names) and not isinstance(message, wire.ReadDir) and len(reply.entries) != 1:
        raise RemoteProtocolError(f"the server answered {name} with {len(reply.entries)} names")


def unwanted_handle(asked: Asked) -> wire.Close | None:
    """What gives back a handle that came for somebody who is gone."""
    return wire.Close(asked.answer.handle) if isinstance(asked.answer, Handle) else None
