"""How many sessions a server allows is found out with few refusals, whatever it allows and however it is used.

`Crowd` is a client that wants sessions and a server that allows some, with a clock of their own.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._protocol.slots import COOL_DOWN, FIRST_BACK_OFF, LONGEST_BACK_OFF, Slots

SERVER_DEFAULT = 10


def asked(slots: Slots, count: int) -> None:
    for _ in range(count):
        slots.asked()


def granted(slots: Slots, count: int) -> None:
    for _ in range(count):
        slots.asked()
        slots.confirmed()


def full(limit: int, *, reserve: int = 0) -> Slots:
    """Slots of a server that has granted `limit` and refused one more at moment 0; its back-off is over at 1."""
    slots = Slots(reserve)
    granted(slots, limit)
    slots.asked()
    slots.refused(0.0)
    return slots


# ---- feeling our way


def test_at_first_as_many_are_asked_for_as_sshd_allows_unless_told_otherwise() -> None:
    slots = Slots()
    assert slots.room(0.0) == SERVER_DEFAULT
    asked(slots, 4)
    assert slots.room(0.0) == SERVER_DEFAULT - 4


def test_what_was_granted_is_doubled() -> None:
    slots = Slots()
    granted(slots, SERVER_DEFAULT)
    assert slots.room(0.0) == SERVER_DEFAULT
    granted(slots, SERVER_DEFAULT)
    assert slots.room(0.0) == 2 * SERVER_DEFAULT


def test_without_a_refusal_there_is_no_ceiling() -> None:
    slots = Slots()
    granted(slots, 40)
    assert slots.ceiling is None


def test_a_refusal_makes_what_was_granted_the_ceiling() -> None:
    slots = full(3)
    assert slots.ceiling == 3
    assert slots.room(1.0) == 0


def test_a_server_that_grants_nothing_still_is_asked_for_one() -> None:
    slots = full(0)
    assert slots.ceiling == 1
    assert slots.room(1.0) == 1


def test_sessions_that_were_on_their_way_raise_the_ceiling() -> None:
    slots = Slots()
    asked(slots, 3)
    slots.refused(0.0)
    slots.confirmed()
    slots.confirmed()
    assert slots.ceiling == 2


def test_sessions_that_closed_just_now_count_for_the_ceiling() -> None:
    slots = Slots()
    granted(slots, 5)
    for _ in range(5):
        slots.released(0.0)
    asked(slots, SERVER_DEFAULT)
    for _ in range(5):
        slots.confirmed()
    slots.refused(COOL_DOWN / 2)
    assert slots.ceiling == SERVER_DEFAULT


def test_sessions_that_closed_just_now_count_in_proportion_only() -> None:
    slots = Slots()
    for _ in range(1000):
        granted(slots, 1)
        slots.released(0.0)
    asked(slots, SERVER_DEFAULT)
    slots.refused(COOL_DOWN / 2)
    assert slots.ceiling == 2 * SERVER_DEFAULT


def test_after_a_link_is_gone_nothing_is_on_its_way() -> None:
    slots = Slots()
    asked(slots, 2)
    slots.given_up()
    assert slots.opening == 1


# ---- waiting


def test_after_a_refusal_there_is_a_pause() -> None:
    slots = Slots()
    granted(slots, 3)
    slots.asked()
    slots.refused(100.0)
    slots.released(100.0)
    assert slots.room(100.0 + FIRST_BACK_OFF / 2) == 0
    assert slots.next_chance(100.0) == 100.0 + FIRST_BACK_OFF
    assert slots.room(100.0 + FIRST_BACK_OFF) == 1


def test_pauses_double_up_to_the_longest() -> None:
    slots = Slots()
    now, pauses = 0.0, []
    for _ in range(12):
        slots.asked()
        slots.refused(now)
        then = slots.next_chance(now)
        assert then is not None
        pauses.append(then - now)
        now = then
    doubling = [FIRST_BACK_OFF * 2**n for n in range(12)]
    assert pauses == pytest.approx([min(pause, LONGEST_BACK_OFF) for pause in doubling])


def test_what_was_refused_in_one_go_is_one_refusal() -> None:
    slots = Slots()
    asked(slots, SERVER_DEFAULT)
    for _ in range(SERVER_DEFAULT):
        slots.refused(0.0)
    assert slots.next_chance(0.0) == FIRST_BACK_OFF


def test_a_grant_ends_the_pause() -> None:
    slots = Slots()
    asked(slots, 3)
    slots.refused(0.0)
    slots.refused(0.1)
    slots.confirmed()
    slots.released(0.1)
    assert slots.room(0.1 + COOL_DOWN) == 1
    slots.asked()
    slots.refused(1.0)
    assert slots.next_chance(1.0) == 1.0 + FIRST_BACK_OFF


def test_a_slot_cools_down_before_it_is_used_again() -> None:
    slots = full(3)
    slots.released(1.0)
    assert slots.room(1.0) == 0
    assert slots.next_chance(1.0) == 1.0 + COOL_DOWN
    assert slots.room(1.0 + COOL_DOWN) == 1
    assert slots.next_chance(1.0 + COOL_DOWN) is None


def test_slots_do_not_cool_down_where_there_are_plenty() -> None:
    slots = Slots()
    granted(slots, 3)
    slots.released(0.0)
    assert slots.room(0.0) == SERVER_DEFAULT - 2
    assert slots.next_chance(0.0) is None


def test_a_pause_is_the_next_chance_even_where_a_slot_is_cool_before() -> None:
    """Otherwise whoever waits for the next chance would come, find nothing, and come again at once."""
    slots = full(2)
    now = 1.0
    for _ in range(3):
        slots.asked()
        slots.refused(now)
        now = slots.next_chance(now) or now
    slots.asked()
    slots.refused(now)
    slots.released(now)
    assert slots.next_chance(now) == now + 16 * FIRST_BACK_OFF


def test_waiting_helps_while_a_session_of_ours_holds_a_slot_or_only_just_gave_it_back() -> None:
    slots = full(1)
    slots.asked()
    assert slots.refused(1.0), "one is open"
    slots.released(1.0)
    slots.asked()
    assert slots.refused(1.0), "one was open a moment ago"
    asked(slots, 2)
    assert slots.refused(2.0), "one is on its way"
    assert not slots.refused(2.0), "somebody else has it, or there is none"


# ---- urgent sessions


def test_urgent_sessions_have_slots_of_their_own_once_the_limit_is_known() -> None:
    slots = Slots(reserve=2)
    assert slots.room(0.0) == slots.room(0.0, urgent=True) == SERVER_DEFAULT
    slots = full(5, reserve=2)
    for _ in range(3):
        slots.released(1.0)
    assert slots.room(2.0) == 1
    assert slots.room(2.0, urgent=True) == 3


@pytest.mark.parametrize("limit", [1, 2])
def test_a_reserve_never_takes_the_last_slot(limit: int) -> None:
    slots = full(limit, reserve=2)
    for _ in range(limit):
        slots.released(1.0)
    assert slots.room(2.0) == 1
    assert slots.room(2.0, urgent=True) == limit


# ---- the model


@dataclass(frozen=True)
class Job:
    """Somebody who wants a session at a moment, for some seconds."""

    at: float
    lasts: float
    urgent: bool = False


class Crowd:
    """A client that runs jobs by the word of `Slots`, and a server with a limit; the clock jumps from event to event.

    Args:
        limit: sessions the server allows at once.
        cool: seconds after its CLOSE until the server has a session's slot free.
        one_way: seconds a message travels.
    """

    def __init__(self, slots: Slots, *, limit: int, cool: float, one_way: float) -> None:
        self.slots = slots
        self.now = 0.0
        self.refusals = 0
        self.finished = 0
        self.most_at_once = 0
        self._limit = limit
        self._cool = cool
        self._one_way = one_way
        self._used = 0
        self._running = 0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._queues: dict[bool, list[Job]] = {True: [], False: []}

    def run(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._after(job.at, lambda job=job: self._wanted(job))  # type: ignore[misc]
        for _ in range(100_000):
            if not self._agenda:
                return
            self.now, _, happens = heapq.heappop(self._agenda)
            happens()
            self._ask()
        raise AssertionError("it goes on and on")

    def _after(self, delay: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + delay, next(self._order), happens))

    def _wanted(self, job: Job) -> None:
        self._queues[job.urgent].append(job)

    def _ask(self) -> None:
        for urgent in (True, False):
            wanted = len(self._queues[urgent]) - self.slots.opening
            for _ in range(min(wanted, self.slots.room(self.now, urgent=urgent))):
                self.slots.asked()
                self._after(self._one_way, self._at_the_server)
        if any(self._queues.values()) and (chance := self.slots.next_chance(self.now)) is not None:
            assert chance > self.now, "it would be asked again at once, for ever"
            self._after(chance - self.now, lambda: None)

    def _at_the_server(self) -> None:
        if self._used < self._limit:
            self._used += 1
            self._after(self._one_way, self._confirmed)
        else:
            self._after(self._one_way, self._refused)

    def _confirmed(self) -> None:
        self.slots.confirmed()
        queue = self._queues[True] or self._queues[False]
        job = queue.pop(0) if queue else Job(self.now, 0.0)
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        at_the_server = self._one_way + job.lasts
        self._after(at_the_server + self._cool, self._free)
        self._after(at_the_server + self._one_way, self._closed)

    def _closed(self) -> None:
        self.slots.released(self.now)
        self._running -= 1
        self.finished += 1

    def _free(self) -> None:
        self._used -= 1

    def _refused(self) -> None:
        self.refusals += 1
        self.slots.refused(self.now)


limits = st.integers(1, 2 * SERVER_DEFAULT)
moments = st.floats(0, 0.05) | st.sampled_from([0.0, 0.001, COOL_DOWN])
jobs = st.lists(st.builds(Job, moments, moments), min_size=1, max_size=60)
SATURATION = [Job(1.0, 1.0) for _ in range(60)]


def most_refusals(limit: int) -> int:
    """What was asked for in hope may be refused as a whole; the guess made then is lowered by every refusal."""
    return 2 * max(SERVER_DEFAULT, 2 * limit)


@given(limits, st.floats(0, COOL_DOWN * 0.99), st.sampled_from([0.0, 0.0001, 0.02]), jobs)
def test_the_limit_is_found_with_few_refusals(limit: int, cool: float, one_way: float, before: list[Job]) -> None:
    crowd = Crowd(Slots(), limit=limit, cool=cool, one_way=one_way)
    crowd.run([*before, *SATURATION])
    assert crowd.finished >= len(before) + len(SATURATION), "nobody waits for ever"
    assert crowd.most_at_once == limit, "everything the server allows is used"
    assert crowd.slots.ceiling == limit
    assert crowd.refusals <= most_refusals(limit)


@given(limits, st.floats(0, COOL_DOWN * 0.99), st.sampled_from([0.0, 0.0001, 0.02]))
def test_a_steady_stream_of_short_sessions_is_not_refused_once_the_limit_is_known(
    limit: int, cool: float, one_way: float
) -> None:
    crowd = Crowd(Slots(), limit=limit, cool=cool, one_way=one_way)
    crowd.run([*SATURATION, *(Job(10.0, 0.001) for _ in range(300))])
    assert crowd.finished == 360
    assert crowd.refusals <= max(SERVER_DEFAULT, 2 * limit)


@given(limits, st.floats(COOL_DOWN, 1.0), st.sampled_from([0.0, 0.001]), jobs)
def test_a_server_slower_than_the_cool_down_is_asked_again_and_again_but_ever_later(
    limit: int, cool: float, one_way: float, before: list[Job]
) -> None:
    crowd = Crowd(Slots(), limit=limit, cool=cool, one_way=one_way)
    crowd.run(before)
    assert crowd.finished >= len(before)
    pauses_in_a_second = 8 + 2  # 5 ms doubled to half a second, then half a second each
    assert crowd.refusals <= most_refusals(limit) + pauses_in_a_second * len(before)


def test_a_large_limit_is_found_from_nothing() -> None:
    crowd = Crowd(Slots(), limit=200, cool=0.001, one_way=0.0001)
    crowd.run([Job(0.0, 1.0) for _ in range(300)])
    assert crowd.most_at_once == crowd.slots.ceiling == 200
    assert crowd.refusals <= 200


@given(
    limits,
    st.floats(0, 0.02),
    st.integers(0, 3),
    st.lists(st.builds(Job, moments, moments, st.booleans()), max_size=60),
)
def test_with_a_reserve_everybody_gets_a_session_too(limit: int, cool: float, reserve: int, wanted: list[Job]) -> None:
    crowd = Crowd(Slots(reserve), limit=limit, cool=cool, one_way=0.0001)
    crowd.run([*SATURATION, *wanted])
    assert crowd.finished >= len(SATURATION) + len(wanted)


@given(st.integers(2, 25), st.floats(0, COOL_DOWN * 0.99))
def test_an_urgent_session_does_not_wait_for_an_ordinary_one(limit: int, cool: float) -> None:
    """Once the limit is known: ordinary sessions that never end leave room for one that ends them."""
    crowd = Crowd(Slots(reserve=1), limit=limit, cool=cool, one_way=0.0001)
    crowd.run(SATURATION)
    assert crowd.slots.ceiling == limit
    at_rest = crowd.now + 1.0
    asked_for = crowd.slots.room(at_rest)
    granted(crowd.slots, asked_for)
    assert crowd.slots.room(at_rest) == 0
    assert crowd.slots.room(at_rest, urgent=True) == 1
