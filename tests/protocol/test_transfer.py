"""The plan of a pipelined transfer: against servers that answer in any order, short, or with lies about the size."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._protocol.transfer import IN_FLIGHT, InOrder, Pressure, ReadPlan, Span, WritePlan


def read_all(
    content: bytes,
    told: int | None,
    *,
    piece: int = 10,
    start: int = 0,
    stop: int | None = None,
    seed: int = 0,
    pressure: Pressure | None = None,
) -> tuple[bytes, ReadPlan, int]:
    """Read from a server that answers at random and as short as it likes; what came, and how many questions it took."""
    chance = random.Random(seed)
    plan = ReadPlan(start, stop, size=told, piece=piece, pressure=pressure)
    flying: list[Span] = []
    got = bytearray(len(content) + 100)
    questions = 0
    while not plan.done:
        new = list(iter(plan.next, None))
        questions += len(new)
        flying += new
        assert flying, "it waits for nothing"
        span = flying.pop(chance.randrange(len(flying)))
        there = content[span.offset : span.offset + span.length]
        if not there:
            plan.met_end(span)
            continue
        size = chance.randint(1, len(there))
        got[span.offset : span.offset + size] = there[:size]
        plan.came(span, size)
    end = len(content) if stop is None else min(stop, len(content))
    return bytes(got[start:end]), plan, questions


@given(
    st.binary(max_size=300),
    st.none() | st.integers(0, 400),
    st.integers(1, 50),
    st.integers(0, 50),
    st.integers(0, 2**16),
)
def test_everything_comes_whatever_was_said_of_the_size(
    content: bytes, told: int | None, piece: int, start: int, seed: int
) -> None:
    got, plan, _ = read_all(content, told, piece=piece, start=start, seed=seed)
    assert got == content[start:]
    assert plan.end == len(content) or start > len(content)


@given(st.binary(max_size=200), st.integers(0, 100), st.integers(0, 250), st.integers(0, 2**16))
def test_a_part(content: bytes, start: int, stop: int, seed: int) -> None:
    got, _, _ = read_all(content, len(content), start=start, stop=max(start, stop), seed=seed)
    assert got == content[start : max(start, stop)]


def first_questions(plan: ReadPlan) -> list[tuple[int, int]]:
    return [(span.offset, span.length) for span in iter(plan.next, None)]


def test_a_small_file_is_asked_for_with_its_end_in_one_go() -> None:
    assert first_questions(ReadPlan(0, None, size=7, piece=10)) == [(0, 7), (7, 10)]
    assert first_questions(ReadPlan(0, None, size=0, piece=10)) == [(0, 10)]
    assert first_questions(ReadPlan(0, None, size=20, piece=10)) == [(0, 10), (10, 10), (20, 10)]


def test_without_a_size_it_starts_slowly() -> None:
    plan = ReadPlan(0, None, size=None, piece=10)
    asked = []
    while len(asked) < 20:
        new = first_questions(plan)
        assert len(new) <= max(1, 2 * len(asked))
        for offset, length in new:
            plan.came(Span(offset, length), length)
        asked += new
    assert asked == [(at * 10, 10) for at in range(len(asked))]


def test_a_size_that_is_a_lie_costs_no_memory() -> None:
    plan = ReadPlan(0, None, size=2**63, piece=255 * 1024)
    assert sum(length for _, length in first_questions(plan)) <= IN_FLIGHT
    for offset, length in [(0, 255 * 1024)]:
        plan.met_end(Span(offset, length))
    assert plan.end == 0
    assert first_questions(plan) == []


def test_two_transfers_share_what_may_be_on_the_way() -> None:
    pressure = Pressure(100)
    one = ReadPlan(0, None, size=1000, piece=10, pressure=pressure)
    other = ReadPlan(0, None, size=1000, piece=10, pressure=pressure)
    assert len(first_questions(one)) == 10
    assert len(first_questions(other)) == 1, "one always may, or it could never go on"
    one.abandon()
    other.came(Span(0, 10), 10)
    assert len(first_questions(other)) == 10


def test_questions_travel_together() -> None:
    """Once all there may be are on the way: after eight have come, and then eight."""
    plan = ReadPlan(0, None, size=10_000, piece=10, pressure=Pressure(200))
    assert len(first_questions(plan)) == 20
    for at in range(8):
        assert first_questions(plan) == []
        plan.came(Span(at * 10, 10), 10)
    assert first_questions(plan) == [(at * 10, 10) for at in range(20, 28)]


def test_few_questions_are_not_held_back() -> None:
    plan = ReadPlan(0, None, size=10_000, piece=10, pressure=Pressure(30))
    assert len(first_questions(plan)) == 3
    plan.came(Span(0, 10), 10)
    assert first_questions(plan) == []
    plan.came(Span(10, 10), 4)
    assert first_questions(plan) == [(14, 6), (30, 10)]


@given(st.integers(0, 2**16))
def test_nothing_is_held_back_for_ever(seed: int) -> None:
    pressure = Pressure(35)
    content = bytes(range(200))
    assert read_all(content, 200, seed=seed, pressure=pressure)[0] == content
    assert pressure.take(35, first=False), "everything was given back"


def test_writes_are_held_back_too() -> None:
    plan = WritePlan(Pressure(25))
    assert [plan.may_send(10) for _ in range(4)] == [True, True, False, False]
    plan.landed(10)
    assert plan.may_send(10) and not plan.may_send(10)
    plan.abandon()
    assert plan.may_send(1000), "one always may"


@given(st.permutations(range(8)))
def test_pieces_in_any_order_come_out_in_the_files(order: list[int]) -> None:
    content = bytes(range(80))
    in_order, out = InOrder(0), b""
    for number in order:
        for piece in in_order.put(number * 10, memoryview(content)[number * 10 : number * 10 + 10]):
            out += piece
    assert out == content


def test_what_comes_again_is_dropped() -> None:
    in_order = InOrder(0)
    assert b"".join(in_order.put(0, memoryview(b"abcd"))) == b"abcd"
    assert b"".join(in_order.put(0, memoryview(b"abcd"))) == b""
    assert b"".join(in_order.put(2, memoryview(b"cdef"))) == b"ef"


@pytest.mark.parametrize("size", [0, 5, 1000])
def test_questions_are_few(size: int) -> None:
    """One for each piece, and one for the end, when the server answers in full."""
    content = bytes(size)
    plan = ReadPlan(0, None, size=size, piece=100)
    questions = 0
    while not plan.done:
        for offset, length in first_questions(plan):
            questions += 1
            there = len(content[offset : offset + length])
            plan.came(Span(offset, length), there) if there else plan.met_end(Span(offset, length))
    assert questions == -(-size // 100) + 1
