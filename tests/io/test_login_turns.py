"""Turns for logins: so many for each host, and none that waits for itself."""

from __future__ import annotations

import threading

from openssh_core._io.deadline import Deadline
from openssh_core._io.login_turns import Turns

NOW = Deadline.after(0)


def in_another_thread(turns: Turns, key: object, deadline: Deadline = NOW) -> bool:
    got: list[bool] = []

    def ask() -> None:
        with turns.turn(key, deadline) as its_turn:
            got.append(its_turn)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return got[0]


def test_each_host_has_its_own() -> None:
    turns = Turns(1)
    with turns.turn("a", NOW) as got:
        assert got
        assert not in_another_thread(turns, "a")
        assert in_another_thread(turns, "b")
    assert in_another_thread(turns, "a")


def test_a_host_on_the_way_is_not_waited_for() -> None:
    turns = Turns(1)
    with turns.turn("a", NOW), turns.turn("a", NOW) as got:
        assert got
    assert in_another_thread(turns, "a")


def test_who_waits_gets_it_when_it_is_free() -> None:
    turns = Turns(1)
    waiting = threading.Event()
    got: list[bool] = []

    def ask() -> None:
        waiting.set()
        with turns.turn("a", Deadline.after(60)) as its_turn:
            got.append(its_turn)

    thread = threading.Thread(target=ask)
    with turns.turn("a", NOW):
        thread.start()
        assert waiting.wait(60)
    thread.join(60)
    assert got == [True]


def test_a_turn_is_given_back_whatever_happens() -> None:
    turns = Turns(1)
    try:
        with turns.turn("a", NOW):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert in_another_thread(turns, "a")


def test_a_forked_child_counts_anew() -> None:
    turns = Turns(1)
    with turns.turn("a", NOW):
        turns.forget()
        assert in_another_thread(turns, "a")
    assert in_another_thread(turns, "a")
