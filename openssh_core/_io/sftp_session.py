"""One SFTP session, shared by any number of threads, without a thread of its own.

Whoever waits for an answer reads the socket, for everybody: one thread leads, the others follow and are woken by it,
each for its own answer. When the leader has what it wanted another one takes over. So a single caller has nobody
between itself and the socket, and no caller is ever in the way of another one.

A caller that gives up (Ctrl-C, a timeout) leaves nothing half done: what it sent stays sent, and what is answered
later is dropped by its number.
"""

from __future__ import annotations

import copy
import os
import select
import weakref
from _thread import LockType, RLock, allocate_lock
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from .._protocol.sftp import Asked, Limits, RequestTable, believable_limits, unwanted_handle
from .._wire import sftp as wire
from .._wire.sftp_extensions import AskLimits, Extended, LimitsReply, supported
from .._wire.sftp_replies import ExtendedReply, Reply, decode_version
from ..errors import Malformed, OpenSSHError, ProtocolError, SFTPClosed, SFTPProtocolError, SFTPTimeout
from .packet_stream import NAP, PacketStream
from .watching import Watched

# Seconds. A follower looks by itself whether somebody leads, in case its waking up was interrupted away.
_LOOK_AGAIN = 1.0
# Seconds until who wants to send looks whether it has to read meanwhile.
_SENDING = 0.02


class Mailbox:
    """Where the answers for one caller arrive. Used by one thread at a time, but for `put`."""

    __slots__ = ("abandoned", "done", "pending", "waiter")

    def __init__(self) -> None:
        self.done: deque[Asked] = deque()
        self.pending: dict[int, Asked] = {}
        self.waiter: LockType | None = None
        self.abandoned = False

    def __len__(self) -> int:
        """Requests whose answers have not been taken."""
        return len(self.pending)

    def put(self, asked: Asked) -> None:
        """An answer came. May be told twice."""
        self.done.append(asked)
        _wake(self.waiter)

    def take(self) -> Asked | None:
        """The next answer that is there."""
        while self.done:
            asked = self.done.popleft()
            if self.pending.pop(asked.id, None) is not None:
                return asked
        return None

    def oldest(self) -> Asked:
        """The request that has waited longest."""
        return next(iter(self.pending.values()))


class _Packet:
    """A request on its way out."""

    __slots__ = ("asked",)

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    def pieces(self) -> tuple[bytes | memoryview, ...]:
        return self.asked.message.pieces(self.asked.id)


def _telling(table: RequestTable) -> Callable[[Any], None]:
    """What is told of each packet that leaves; without the session, so that one that is dropped goes at once."""

    def leaving(packet: Any) -> None:
        if isinstance(packet, _Packet):
            table.sent(packet.asked)

    return leaving


class _Hello:
    """The packet before all others."""

    def pieces(self) -> tuple[bytes | memoryview, ...]:
        return (wire.init(),)


class SftpSession:
    """Asks an SFTP server, and takes its answers. Thread-safe.

    Args:
        stream_of: makes the stream, given what is to be told of each packet that leaves.
        host: for error messages.
        timeout: seconds without any progress after which a caller gives up; None for ever.
        explain: makes the error for a stream that ended, from what had been received of the next packet.
        ended: called once when the session is over, for whatever reason.

    Attributes:
        extensions: what the server offered, by name.
        error: why it is of no more use, None while it is.
        watched: how long the caller's thread waits, if not as long as `timeout` says.
    """

    def __init__(
        self,
        stream_of: Callable[[Callable[[Any], None]], PacketStream],
        *,
        host: str,
        timeout: float | None,
        explain: Callable[[bytes], OpenSSHError],
        ended: Callable[[], None],
    ) -> None:
        self.host = host
        self.timeout = timeout
        self.extensions: dict[bytes, bytes] = {}
        self._learned = _Learner()
        self.error: OpenSSHError | None = None
        self._explain = explain
        self._ended = ended
        self._table = RequestTable()
        self._stream = stream_of(_telling(self._table))
        self._turns = _Turns()
        self.watched = Watched()
        _sessions.add(self)

    # ---- its beginning and its end

    def greet(self) -> None:
        """Exchange versions. Before anything else, by one thread.

        Raises:
            SFTPProtocolError: whoever answers speaks no SFTP, or another version.
            SFTPTimeout: nothing came.
            OpenSSHError: the session did not come about.
        """
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        try:
            self._stream.writer.put(_Hello())
            version, self.extensions = decode_version(self._first_packet())
            if version != wire.VERSION:
                raise Malformed(f"the server speaks SFTP version {version}; only version {wire.VERSION} is known here")
        except Malformed as error:
            raise self.fail(self._no_sftp(error)) from error
        except (EOFError, OSError) as error:
            if isinstance(error, OpenSSHError):
                raise
            raise self.fail(self._explain(self._stream.reader.rest())) from None
        self._stream.reader.advance()
        if supported(AskLimits, self.extensions):
            self._put(self._table.ask(AskLimits(), self._learned, None, monotonic()))

    def _first_packet(self) -> bytes | memoryview:
        deadline = None if self.timeout is None else monotonic() + self.timeout
        while (packet := self._stream.reader.peek()) is None:
            events = select.POLLIN if self._stream.writer.flush() else select.POLLIN | select.POLLOUT
            if not self._stream.reader.receive():
                left = None if deadline is None else deadline - monotonic()
                if not self._stream.wait(events, left):
                    raise SFTPTimeout(f"the SFTP server did not begin within {self.timeout:g} s", host=self.host)
        return packet

    def _no_sftp(self, error: Malformed) -> SFTPProtocolError:
        noise = self._stream.reader.rest()
        if not noise or error.what.startswith("the server speaks"):
            return SFTPProtocolError(error.what, host=self.host)
        text = noise[:300].decode("utf-8", "backslashreplace").strip()
        return SFTPProtocolError(
            f"something on the server printed text where SFTP should begin: {text!r}",
            host=self.host,
            advice="Make the account's start-up files (~/.bashrc...) print nothing when the shell is not interactive",
        )

    def close(self) -> None:
        """End it; whoever waits is told so. Idempotent."""
        self.fail(SFTPClosed("this SFTP client was closed", host=self.host))
        self._turns.wait_until_nobody_is_inside()
        self._stream.close()

    def fail(self, error: OpenSSHError) -> OpenSSHError:
        """It is of no more use; the error it ended with."""
        if self.error is None:
            self.error = error
            self._stream.hang_up()
            self._turns.wake_all()
            self._ended()
        return self.error

    def abandon(self) -> None:
        """In a forked child: it is the parent's."""
        self.error = SFTPClosed("this SFTP client belongs to the parent process", host=self.host)
        self._turns = _Turns()
        self._stream.abandon()

    def check(self) -> None:
        """See that it can be used.

        Raises:
            OpenSSHError: what it ended with.
        """
        if self.error is not None:
            raise copy.copy(self.error)

    # ---- asking

    @property
    def limits(self) -> Limits:
        """How much may be asked for at once."""
        return self._learned.limits

    def offers(self, kind: type[Extended]) -> bool:
        """Whether the server has an extension."""
        return supported(kind, self.extensions)

    def call(self, message: wire.Request) -> Reply:
        """Ask, and wait for the answer.

        Raises:
            SFTPTimeout: nothing came, and nothing moved, for too long.
            OpenSSHError: the session has ended.
        """
        box = Mailbox()
        self.ask(message, box)
        return self.answer(box)[1]

    def ask(self, message: wire.Request, box: Mailbox, tag: Any = None) -> Asked:
        """Ask; the answer will be in the box. What was asked is on its way no later than when somebody waits."""
        self.check()
        asked = self._table.ask(message, box, tag, monotonic())
        box.pending[asked.id] = asked
        self._put(asked)
        return asked

    def tell(self, message: wire.Request) -> None:
        """Ask for something of which the outcome matters to nobody. Never waits, and is safe in a finaliser."""
        if self.error is None:
            self._put(self._table.ask(message, None, None, monotonic()))

    def answer(self, box: Mailbox) -> tuple[Asked, Reply]:
        """The next answer for this box, as soon as there is one; it must have asked for something.

        Raises:
            SFTPTimeout: nothing came, and nothing moved, for too long.
            OpenSSHError: the session has ended.
        """
        try:
            while (asked := box.take()) is None:
                self.check()
                self._turns.lead_or_follow(box, self._lead, self._follow)
        except BaseException:
            self.give_up(box)
            raise
        assert asked.answer is not None
        return asked, asked.answer

    def flush(self) -> bool:
        """Send what was asked for, as far as that goes without waiting; whether that was everything."""
        writer = self._stream.writer
        return self.error is not None or not writer.waiting or self._turns.one_sender(writer.flush)

    def give_up(self, box: Mailbox) -> None:
        """Nobody will look into this box any more; handles in it go back."""
        box.abandoned = True
        while (asked := box.take()) is not None:
            self.give_back(asked)

    # ---- what a caller does while it waits

    def _lead(self, box: Mailbox) -> None:
        """Read for everybody until there is something in the box."""
        stream, reader = self._stream, self._stream.reader
        # Whether the socket may take more.
        room = True
        try:
            while True:
                # First of all: whoever led before may have been interrupted with packets in its hands.
                while (packet := reader.peek()) is not None:
                    self._deliver(packet, reader.taken)
                if box.done or self.error is not None:
                    return
                self._check_patience(box)
                sent, left = room and self.flush(), self._patience(box)
                sleep = sent and stream.can_wait and (left is None or left > NAP)
                if reader.drained and not sleep:
                    events = select.POLLIN if sent else select.POLLIN | select.POLLOUT
                    happened = stream.wait(events, left)
                    # What is there, when there was room to wait for, and which: the end is both.
                    reader.drained = not happened & ~select.POLLOUT
                    room = sent or bool(happened & ~select.POLLIN)
                elif reader.receive(wait=sleep):
                    self._turns.moved = monotonic()
        except ProtocolError as error:
            raise self.fail(SFTPProtocolError(error.what, host=self.host)) from error
        except EOFError:
            self._lost()
        except OSError as error:
            if isinstance(error, OpenSSHError):
                raise
            self._lost()

    def _deliver(self, packet: bytes | memoryview, place: int) -> None:
        """Each step may be done again after an interrupt; only then the packet counts as taken."""
        asked = self._table.answered(packet, place)
        self._turns.heard(asked)
        box = asked.box
        if box is None or box.abandoned:
            self.give_back(asked)
        else:
            box.put(asked)
        self._stream.reader.advance()
        self._table.forget(asked)

    def give_back(self, asked: Asked) -> None:
        """Nobody has a use for this answer: close the handle, if it is one."""
        if (close := unwanted_handle(asked)) is not None:
            self.tell(close)

    def _follow(self, box: Mailbox, waiter: LockType) -> None:
        """Wait until somebody else has read the answer, or leads no more."""
        try:
            if not self.flush():
                # The leader does not watch for room to send.
                self._stream.wait(select.POLLOUT, _SENDING)
                return
        except (OSError, ValueError):
            pass  # it has ended: the leader sees it too, and says why
        left = self._patience(box)
        waiter.acquire(True, _LOOK_AGAIN if left is None else max(0.0, min(left, _LOOK_AGAIN)))
        if not box.done:
            self._check_patience(box)

    def _patience(self, box: Mailbox) -> float | None:
        """Seconds until the caller has waited for too long, or is to be asked; None: it waits for ever."""
        return self.watched.left(self.timeout, lambda: self._turns.progress(box.oldest()))

    def _check_patience(self, box: Mailbox) -> None:
        idle = self.watched.idle(self.timeout)
        if idle is None or box.done or self.error is not None:
            return
        if self._turns.progress(box.oldest()) + idle <= monotonic():
            name = type(box.oldest().message).__name__.upper()
            raise SFTPTimeout(f"the SFTP server did not answer {name} for {idle:g} s", host=self.host)

    def _put(self, asked: Asked) -> None:
        self._stream.writer.put(_Packet(asked))

    def _lost(self) -> None:
        if self.error is None:
            self.fail(self._explain(self._stream.reader.rest()))


class _Learner:
    """Takes the server's limits to heart."""

    abandoned = False

    def __init__(self) -> None:
        self.limits = Limits()

    def put(self, asked: Asked) -> None:
        if isinstance(asked.answer, ExtendedReply):
            self.limits = believable_limits(LimitsReply.decode(asked.answer.payload))


class _Turns:
    """Who leads, who sends, and when something last moved."""

    def __init__(self) -> None:
        # A finaliser may run in the middle of anything, in the thread that is at work here already. So these can be
        # taken twice, and the flags say that somebody is inside.
        self._leading = RLock()
        self._sending = RLock()
        self._somebody_leads = False
        self._somebody_sends = False
        self._followers: dict[LockType, None] = {}
        self.moved = monotonic()
        self._heard = (-1, self.moved)

    def lead_or_follow(
        self, box: Mailbox, lead: Callable[[Mailbox], None], follow: Callable[[Mailbox, LockType], None]
    ) -> None:
        """Lead if nobody does, otherwise follow; returns when there may be something new.

        Raises:
            RuntimeError: this thread leads already, further up.
        """
        mine: list[bool] = []
        try:
            # In one step, so that an interrupt cannot leave it locked by nobody.
            mine.extend(map(self._leading.acquire, (False,)))
            if mine[0]:
                self._lead(box, lead)
            else:
                self._wait_in_line(box, follow)
        finally:
            if mine and mine[0]:
                self._leading.release()
                for waiter in list(self._followers)[:1]:
                    _wake(waiter)

    def _lead(self, box: Mailbox, lead: Callable[[Mailbox], None]) -> None:
        if self._somebody_leads:
            raise RuntimeError("a finaliser cannot wait for the SFTP client in whose midst it runs")
        try:
            self._somebody_leads = True
            lead(box)
        finally:
            self._somebody_leads = False

    def _wait_in_line(self, box: Mailbox, follow: Callable[[Mailbox, LockType], None]) -> None:
        waiter = allocate_lock()
        waiter.acquire()
        try:
            box.waiter = waiter
            self._followers[waiter] = None
            # Who leaves looks for followers last, and we look for a leader last: one of the two sees the other.
            if self._somebody_leads and not box.done:
                follow(box, waiter)
        finally:
            box.waiter = None
            self._followers.pop(waiter, None)
            if not self._somebody_leads:
                # The wake-up for a new leader may have been ours, and we may have no use for it.
                for other in list(self._followers)[:1]:
                    _wake(other)

    def one_sender(self, flush: Callable[[], bool]) -> bool:
        """Send, if this thread is not at it already, further up."""
        with self._sending:
            if self._somebody_sends:
                return True
            try:
                self._somebody_sends = True
                return flush()
            finally:
                self._somebody_sends = False

    def heard(self, asked: Asked) -> None:
        """An answer came."""
        self._heard = asked.id, monotonic()

    def progress(self, asked: Asked) -> float:
        """When something last happened that brought this answer nearer: to it, or to one that was asked before it."""
        number, when = self._heard
        return max(asked.since, when if number < asked.id else 0.0, self._partial(when))

    def _partial(self, when: float) -> float:
        # Bytes after the last whole packet belong to one that may be ours.
        return self.moved if self.moved > when else 0.0

    def wake_all(self) -> None:
        for waiter in list(self._followers):
            _wake(waiter)

    def wait_until_nobody_is_inside(self) -> None:
        """After the stream was hung up: whoever leads or sends sees that at once."""
        for lock in (self._leading, self._sending):
            if lock.acquire(True, _LOOK_AGAIN):
                lock.release()


def _wake(waiter: LockType | None) -> None:
    if waiter is not None:
        try:
            waiter.release()
        except RuntimeError:
            pass  # it has been woken already


_sessions: weakref.WeakSet[SftpSession] = weakref.WeakSet()


def _in_forked_child() -> None:
    for session in list(_sessions):
        if session.error is None:
            session.abandon()


os.register_at_fork(after_in_child=_in_forked_child)
