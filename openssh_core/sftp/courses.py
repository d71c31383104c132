"""Many things at once over one client, in one thread: each is a course, a generator that says what it wants to ask.

A course yields the requests that are to be sent now (an iterable, which may be empty) and is given one answer at a
time, whichever comes first:

    def head(path):
        asked, reply = yield [Open(path, READ)]
        handle = handle_of(reply)
        asked, reply = yield [Read(handle, 0, 100), Close(handle)]
        data = data_of(reply)
        yield []                                   # nothing more to ask: the answer to Close
        return data

So a course costs as many round trips as it has answers that it must know before it can go on, and a thousand of them
cost hardly more. An answer is given as it is, a status that is an error too: the course decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Generic, TypeVar

from .._io.sftp_session import Mailbox, SftpSession
from .._protocol.sftp import Asked
from .._wire.sftp import Request
from .._wire.sftp_replies import Reply

R = TypeVar("R")
K = TypeVar("K")

Answer = tuple[Request, Reply]
Course = Generator[Iterable[Request], Answer, R]


class Outcome(Generic[K, R]):
    """What became of a course.

    Attributes:
        key: as it was given.
        value: what it returned.
        error: what it raised; `value` is None then.
    """

    __slots__ = ("error", "key", "value")

    def __init__(self, key: K, value: R | None, error: Exception | None) -> None:
        self.key = key
        self.value = value
        self.error = error

    def result(self) -> R:
        """What it returned.

        Raises:
            Exception: what it raised.
        """
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class _Running(Generic[K, R]):
    __slots__ = ("course", "key", "pending")

    def __init__(self, key: K, course: Course[R]) -> None:
        self.key = key
        self.course = course
        # Requests of it that are not answered.
        self.pending = 0


def run(session: SftpSession, course: Course[R]) -> R:
    """Run one course to its end; what it returns, or raises.

    Raises:
        SFTPTimeout, SFTPProtocolError, ConnectionLost, SFTPClosed: no more answers will come.
    """
    for outcome in run_all(session, [(None, course)], at_once=1):
        return outcome.result()
    raise AssertionError("a course ends, one way or the other")


def run_all(
    session: SftpSession, courses: Iterable[tuple[K, Course[R]]], *, at_once: int = 64
) -> Generator[Outcome[K, R], None, None]:
    """Run courses side by side, in the caller's thread; each outcome as soon as it is known.

    Args:
        courses: with a key each, by which they are told apart; taken as there is room, so it may be endless.
        at_once: how many are under way together.

    Raises:
        SFTPTimeout, SFTPProtocolError, ConnectionLost, SFTPClosed: no more answers will come. The courses that were
            under way are closed (GeneratorExit), so what they have in `finally` is done.
    """
    driver: _Driver[K, R] = _Driver(session)
    source = iter(courses)
    try:
        while True:
            while driver.running < at_once and (following := next(source, None)) is not None:
                driver.begin(*following)
                yield from driver.outcomes()
            if not driver.running:
                return
            driver.step()
            yield from driver.outcomes()
    finally:
        driver.close()


class _Driver(Generic[K, R]):
    def __init__(self, session: SftpSession) -> None:
        self._session = session
        self._box = Mailbox()
        self._courses: set[_Running[K, R]] = set()
        self._done: deque[Outcome[K, R]] = deque()

    @property
    def running(self) -> int:
        return len(self._courses)

    def outcomes(self) -> Iterator[Outcome[K, R]]:
        while self._done:
            yield self._done.popleft()

    def begin(self, key: K, course: Course[R]) -> None:
        running = _Running(key, course)
        self._courses.add(running)
        self._go_on(running, None)

    def step(self) -> None:
        """Wait for one answer, and give it to whom it belongs."""
        asked, reply = self._session.answer(self._box)
        self._give(asked, reply)
        # Those that are there already, before anything is sent: their questions travel together.
        while (more := self._box.take()) is not None:
            assert more.answer is not None
            self._give(more, more.answer)
        if self._done:
            # Whoever hears of it may take a while. Otherwise the next answer is waited for at once.
            self._flush()

    def _give(self, asked: Asked, reply: Reply) -> None:
        running: _Running[K, R] = asked.tag
        running.pending -= 1
        if running in self._courses:
            self._go_on(running, (asked.message, reply))
        else:
            self._session.give_back(asked)

    def _go_on(self, running: _Running[K, R], answer: Answer | None) -> None:
        """Let it take an answer, and ask what it wants."""
        try:
            wanted = next(running.course) if answer is None else running.course.send(answer)
            for message in wanted:
                self._session.ask(message, self._box, running)
                running.pending += 1
            if not running.pending:
                raise RuntimeError("a course waits for an answer and has asked nothing")
        except StopIteration as end:
            self._finish(running, Outcome(running.key, end.value, None))
        except Exception as error:  # noqa: BLE001 - it belongs to this course; others go on
            self._session.check()
            self._finish(running, Outcome(running.key, None, error))

    def _finish(self, running: _Running[K, R], outcome: Outcome[K, R]) -> None:
        self._courses.discard(running)
        running.course.close()
        self._done.append(outcome)

    def close(self) -> None:
        """End whatever is under way."""
        self._session.give_up(self._box)
        courses, self._courses = self._courses, set()
        for running in courses:
            running.course.close()
        self._flush()

    def _flush(self) -> None:
        try:
            self._session.flush()
        except (OSError, ValueError):
            pass  # it has ended: whoever waits for an answer learns why
