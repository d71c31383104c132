"""One thread does what it is told in order, waits for descriptors and moments, and ends when there is nothing to do."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from openssh_core._io import reactor as module
from openssh_core._io.reactor import READ, WRITE, Reactor, get_reactor

Until = Callable[[Callable[[], Any]], Any]

# From Python 3.12 on a fork is warned of where there are threads. That it works all the same is what is tested.
forks = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def pipe(clean: None) -> Iterator[tuple[int, int]]:
    """The two ends of a pipe; a test that closes one puts a -1 in its place."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def in_child(work: Callable[[], None]) -> int:
    """Do something in a forked child; how it ended: 0 when it raised nothing."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the child must not come back into the test
            os.write(2, f"in the child: {error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def reactors() -> list[threading.Thread]:
    """The threads of all reactors: connections of other tests of this process may have one."""
    return [thread for thread in threading.enumerate() if thread.name == "openssh-core-reactor"]


# ---- work from any thread


def test_a_finaliser_may_submit_while_the_first_work_is_submitted(
    reactor: Reactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbage is collected whenever anything is made, so also between the steps of getting ready."""
    done: list[str] = []

    def make() -> module.Poller:
        reactor.submit(lambda: done.append("finaliser"))
        return real()

    real = module.Poller
    monkeypatch.setattr(module, "Poller", make)
    others = len(reactors())
    reactor.call(lambda: done.append("first"))
    assert done == ["finaliser", "first"]
    assert len(reactors()) <= others + 1


def test_without_a_thread_nothing_is_done_later_by_surprise(reactor: Reactor, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def refuse(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            reactor.submit(lambda: done.append("refused"))
    reactor.call(lambda: done.append("later"))
    assert done == ["later"]


def test_what_is_submitted_is_done_in_order_by_one_thread(reactor: Reactor) -> None:
    done: list[tuple[int, int]] = []

    def note(number: int) -> None:
        done.append((number, threading.get_ident()))

    for number in range(1000):
        reactor.submit(partial(note, number))
    reactor.call(lambda: None)
    assert [number for number, _ in done] == list(range(1000))
    assert {thread for _, thread in done} != {threading.get_ident()}
    assert len({thread for _, thread in done}) == 1


def test_each_thread_finds_its_own_order_kept(reactor: Reactor) -> None:
    done: list[tuple[int, int]] = []

    def submit(thread: int) -> None:
        for number in range(200):
            reactor.submit(partial(done.append, (thread, number)))

    threads = [threading.Thread(target=submit, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reactor.call(lambda: None)
    assert len(done) == 800
    for which in range(4):
        numbers = [number for who, number in done if who == which]
        assert numbers == sorted(numbers)


def test_what_is_submitted_from_within_comes_after_what_is_there(reactor: Reactor) -> None:
    done: list[str] = []

    def first() -> None:
        reactor.submit(lambda: done.append("third"))
        done.append("first")

    def both() -> None:
        reactor.submit(first)
        reactor.submit(lambda: done.append("second"))

    reactor.call(both)
    reactor.call(lambda: None)
    reactor.call(lambda: None)
    assert done == ["first", "second", "third"]


def test_a_call_gives_back_what_the_function_does(reactor: Reactor) -> None:
    assert reactor.call(lambda: 42) == 42
    assert reactor.call(reactor.is_current)
    assert not reactor.is_current()
    assert reactor.call(lambda: reactor.call(lambda: "within")) == "within"


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_a_call_raises_what_the_function_does(reactor: Reactor, error: type[BaseException]) -> None:
    def fail() -> None:
        raise error("on purpose")

    with pytest.raises(error, match="on purpose"):
        reactor.call(fail)
    assert reactor.call(lambda: 42) == 42


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_an_error_in_a_callback_is_logged_and_stops_nothing(
    reactor: Reactor, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error("on purpose")

    done: list[str] = []
    reactor.submit(lambda: done.append("before"))
    reactor.submit(fail)
    reactor.submit(lambda: done.append("after"))
    reactor.call(lambda: None)
    assert done == ["before", "after"]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("openssh_core.reactor", logging.ERROR)
    assert "on purpose" in caplog.text


# ---- its thread


def test_the_thread_ends_with_the_work_and_starts_with_the_next(reactor: Reactor, until: Until) -> None:
    others = set(reactors())
    for _ in range(20):
        thread = reactor.call(threading.current_thread)
        assert thread.name == "openssh-core-reactor" and thread not in others
        until(lambda: set(reactors()) <= others)


def test_no_work_falls_between_two_threads(reactor: Reactor) -> None:
    """Submitted at any moment of the thread's end, it is done."""
    done: list[int] = []
    for number in range(300):
        reactor.submit(partial(done.append, number))
        if number % 3:
            reactor.call(lambda: None)
    reactor.call(lambda: None)
    assert done == list(range(300))


def test_the_thread_stays_while_something_is_watched(reactor: Reactor, pipe: tuple[int, int]) -> None:
    first = reactor.call(threading.get_ident)
    reactor.call(lambda: reactor.watch(pipe[0], READ, lambda _mask: None))
    assert reactor.call(threading.get_ident) == reactor.call(threading.get_ident)
    thread = reactor._thread
    assert thread is not None and thread.is_alive()
    reactor.call(lambda: reactor.unwatch(pipe[0]))
    thread.join(30)
    assert not thread.is_alive()
    assert first


# ---- descriptors


def test_a_descriptor_is_told_when_it_is_ready(reactor: Reactor, pipe: tuple[int, int], until: Until) -> None:
    masks: list[int] = []

    def ready(mask: int) -> None:
        masks.append(mask)
        os.read(pipe[0], 100)
        reactor.unwatch(pipe[0])

    reactor.call(lambda: reactor.watch(pipe[0], READ, ready))
    assert masks == []
    os.write(pipe[1], b"x")
    until(lambda: masks)
    assert masks == [READ]


def test_watching_again_changes_what_for_and_whom(reactor: Reactor, pipe: tuple[int, int], until: Until) -> None:
    told: list[str] = []

    def second(mask: int) -> None:
        told.append("second")
        reactor.unwatch(pipe[1])

    def both() -> None:
        reactor.watch(pipe[1], READ, lambda _mask: told.append("first"))
        reactor.watch(pipe[1], WRITE, second)

    reactor.submit(both)
    until(lambda: told)
    assert told == ["second"]


def test_the_end_of_the_other_side_is_told_to_readers_and_writers(reactor: Reactor, until: Until) -> None:
    for events in (READ, WRITE):
        ends = os.pipe()
        mine, other = ends if events == READ else ends[::-1]
        masks: list[int] = []
        if events == WRITE:
            os.set_blocking(mine, False)
            while True:
                try:
                    os.write(mine, bytes(65_536))
                except BlockingIOError:
                    break

        def ready(mask: int, mine: int = mine, masks: list[int] = masks) -> None:
            masks.append(mask)
            reactor.unwatch(mine)

        reactor.call(partial(reactor.watch, mine, events, ready))
        os.close(other)
        until(masks.copy)
        assert masks[0] & events
        os.close(mine)


def test_who_is_unwatched_in_a_round_is_not_told_in_it(reactor: Reactor, until: Until) -> None:
    """Two descriptors are ready at once; whoever is told first stops the other."""
    pairs = [os.pipe(), os.pipe()]
    for _, write in pairs:
        os.write(write, b"x")
    told: list[int] = []

    def ready(which: int, _mask: int) -> None:
        told.append(which)
        for read, _ in pairs:
            reactor.unwatch(read)

    def watch() -> None:
        for which, (read, _) in enumerate(pairs):
            reactor.watch(read, READ, partial(ready, which))

    reactor.submit(watch)
    until(lambda: told)
    reactor.call(lambda: None)
    assert len(told) == 1
    for pair in pairs:
        for fd in pair:
            os.close(fd)


def test_a_number_that_is_used_again_in_a_round_is_not_mixed_up(reactor: Reactor, until: Until) -> None:
    """The first one told closes the other's descriptor and watches a new one, which gets the same number."""
    pairs = [os.pipe(), os.pipe()]
    for _, write in pairs:
        os.write(write, b"x")
    told: list[str] = []
    new: list[int] = []

    def ready(which: int, _mask: int) -> None:
        told.append(f"old {which}")
        other = pairs[1 - which][0]
        reactor.unwatch(pairs[which][0])
        reactor.unwatch(other)
        os.close(other)
        new.extend(os.pipe())
        os.dup2(new[0], other)
        reactor.watch(other, READ, lambda _mask: told.append("new"))

    def watch() -> None:
        for which, (read, _) in enumerate(pairs):
            reactor.watch(read, READ, partial(ready, which))

    reactor.submit(watch)
    until(lambda: told)
    reactor.call(lambda: None)
    assert len(told) == 1 and told[0].startswith("old")
    for read, _ in pairs:
        reactor.call(partial(reactor.unwatch, read))
    for fd in {fd for pair in pairs for fd in pair} | set(new):
        os.close(fd)


def test_what_cannot_be_waited_for_is_said(reactor: Reactor) -> None:
    with open(__file__) as file, pytest.raises(PermissionError):
        reactor.call(lambda: reactor.watch(file.fileno(), READ, lambda _mask: None))


def test_unwatching_what_is_not_watched_is_no_error(reactor: Reactor, pipe: tuple[int, int]) -> None:
    reactor.call(lambda: reactor.unwatch(pipe[0]))
    reactor.call(lambda: reactor.unwatch(-1))


def test_an_error_in_one_watcher_does_not_stop_another(
    reactor: Reactor, pipe: tuple[int, int], until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def ready(_mask: int) -> None:
        told.append("told")
        if len(told) < 3:
            raise ValueError("on purpose")
        reactor.unwatch(pipe[1])

    reactor.call(lambda: reactor.watch(pipe[1], WRITE, ready))
    until(lambda: len(told) == 3)
    assert len(caplog.records) == 2


# ---- moments


def test_timers_are_due_in_the_order_of_their_moments(reactor: Reactor, until: Until) -> None:
    done: list[str] = []
    now = time.monotonic()

    def arm() -> None:
        for name, when in [("late", now + 0.03), ("soon", now + 0.01), ("past", now - 1), ("soon too", now + 0.01)]:
            reactor.call_at(when, partial(done.append, name))

    reactor.submit(arm)
    until(lambda: len(done) == 4)
    assert done == ["past", "soon", "soon too", "late"]


def test_a_timer_is_never_early(reactor: Reactor, until: Until) -> None:
    early: list[bool] = []
    when = time.monotonic() + 0.02
    reactor.call(lambda: reactor.call_at(when, lambda: early.append(time.monotonic() < when)))
    until(lambda: early)
    assert early == [False]


def test_a_cancelled_timer_is_not_done(reactor: Reactor, until: Until) -> None:
    done: list[str] = []

    def arm() -> None:
        cancelled = reactor.call_at(time.monotonic() + 0.01, lambda: done.append("cancelled"))
        reactor.call_at(time.monotonic() + 0.02, lambda: done.append("kept"))
        cancelled.cancel()
        cancelled.cancel()

    reactor.submit(arm)
    until(lambda: done)
    assert done == ["kept"]


def test_a_timer_may_set_the_next_and_submit(reactor: Reactor, until: Until) -> None:
    done: list[int] = []

    def tick() -> None:
        done.append(len(done))
        if len(done) < 5:
            reactor.call_at(time.monotonic(), tick)
        else:
            reactor.submit(lambda: done.append(99))

    reactor.submit(tick)
    until(lambda: 99 in done)
    assert done == [0, 1, 2, 3, 4, 99]


def test_work_does_not_wait_for_a_timer(reactor: Reactor) -> None:
    timers = [reactor.call(lambda: reactor.call_at(time.monotonic() + 3600, lambda: None))]
    assert reactor.call(lambda: 42) == 42

    def let_go() -> None:
        timers[0].cancel()

    reactor.call(let_go)


def test_an_error_in_a_timer_stops_nothing(reactor: Reactor, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def fail() -> None:
        raise ValueError("on purpose")

    def arm() -> None:
        reactor.call_at(0.0, fail)
        reactor.call_at(0.0, lambda: done.append("after"))

    reactor.submit(arm)
    until(lambda: done)
    assert len(caplog.records) == 1


# ---- forks


def test_a_process_has_one_reactor(clean: None) -> None:
    assert get_reactor() is get_reactor()


@forks
def test_a_forked_child_has_one_of_its_own_that_works(clean: None, pipe: tuple[int, int]) -> None:
    parents = get_reactor()
    parents.call(lambda: parents.watch(pipe[0], READ, lambda _mask: None))

    def work() -> None:
        childs = get_reactor()
        assert childs is not parents
        assert childs.call(lambda: 42) == 42
        os.write(pipe[1], b"from the child")

    assert in_child(work) == 0
    assert parents.call(lambda: 43) == 43, "the parent's goes on"
    parents.call(lambda: parents.unwatch(pipe[0]))
    assert os.read(pipe[0], 100) == b"from the child"


@forks
def test_a_fork_in_the_middle_of_work_does_not_stop_the_child(clean: None) -> None:
    """The parent's thread does not exist in the child, and may have held any lock."""
    parents = get_reactor()
    stop = threading.Event()

    def submit() -> None:
        while not stop.is_set():
            parents.submit(lambda: None)

    thread = threading.Thread(target=submit)
    thread.start()
    try:
        for _ in range(10):
            assert in_child(lambda: get_reactor().call(lambda: None)) == 0
    finally:
        stop.set()
        thread.join()
    parents.call(lambda: None)


@forks
def test_before_its_first_use_there_is_none(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_reactor", None)
    assert in_child(lambda: get_reactor().call(lambda: None)) == 0
    assert module._reactor is None
