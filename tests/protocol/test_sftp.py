"""Which answer belongs to what was asked."""

from __future__ import annotations

import pytest

from openssh_core._protocol.sftp import Limits, RequestTable, believable_limits, unwanted_handle
from openssh_core._wire import sftp as wire
from openssh_core._wire.primitives import string, u32
from openssh_core._wire.sftp_extensions import LimitsReply
from openssh_core._wire.sftp_replies import Data, Status
from openssh_core.errors import RemoteProtocolError

KIB = 1024


def status(number: int, code: int = 0) -> bytes:
    return b"\x65" + u32(number) + u32(code) + string(b"") + string(b"")


def data(number: int, content: bytes) -> bytes:
    return b"\x67" + u32(number) + string(content)


def handle(number: int) -> bytes:
    return b"\x66" + u32(number) + string(b"h")


class Talk:
    """A table with some requests sent."""

    def __init__(self, *messages: wire.Request) -> None:
        self.table = RequestTable()
        self.asked = [self.table.ask(message, None, None, 0.0) for message in messages]
        for asked in self.asked:
            self.table.sent(asked)
        self.packets = 0

    def hear(self, packet: bytes) -> object:
        asked = self.table.answered(packet, self.packets)
        self.packets += 1
        self.table.forget(asked)
        return asked


def test_answers_in_any_order() -> None:
    talk = Talk(wire.Stat(b"a"), wire.Read(b"h", 0, 3), wire.Close(b"h"))
    assert talk.hear(status(2)) is talk.asked[2]
    assert talk.hear(data(1, b"abc")) is talk.asked[1]
    assert talk.asked[1].answer == Data(b"abc")
    assert talk.hear(status(0, 2)) is talk.asked[0]
    assert talk.asked[0].answer == Status(2)
    assert len(talk.table) == 0


@pytest.mark.parametrize("number", [3, 2**32 - 1])
def test_an_answer_to_nothing(number: int) -> None:
    with pytest.raises(RemoteProtocolError, match="not open"):
        Talk(wire.Close(b"h"), wire.Close(b"i")).hear(status(number))


def test_a_second_answer() -> None:
    talk = Talk(wire.Close(b"h"))
    talk.hear(status(0))
    with pytest.raises(RemoteProtocolError, match="not open"):
        talk.hear(status(0))


def test_an_answer_before_the_question() -> None:
    table = RequestTable()
    table.ask(wire.Close(b"h"), None, None, 0.0)
    with pytest.raises(RemoteProtocolError, match="not open"):
        table.answered(status(0), 0)


def test_a_packet_that_is_taken_again_is_no_second_answer() -> None:
    """An interrupt may hit between any two steps; the packet is then taken from the beginning."""
    talk = Talk(wire.Close(b"h"))
    first = talk.table.answered(status(0), 5)
    assert talk.table.answered(status(0), 5) is first
    with pytest.raises(RemoteProtocolError, match="twice"):
        talk.table.answered(status(0), 6)


@pytest.mark.parametrize(
    ("message", "packet", "words"),
    [
        (wire.Read(b"h", 0, 3), status(0), "READ with success"),
        (wire.Open(b"f", wire.READ), status(0), "OPEN with success"),
        (wire.Read(b"h", 0, 3), handle(0), "READ with HANDLE"),
        (wire.Close(b"h"), handle(0), "CLOSE with HANDLE"),
        (wire.Stat(b"f"), data(0, b"abc"), "STAT with DATA"),
        (wire.Read(b"h", 0, 3), data(0, b"abcd"), "4 bytes; 3 were asked for"),
        (wire.Read(b"h", 0, 3), data(0, b""), "no data and no end"),
        (wire.RealPath(b"."), b"\x68" + u32(0) + u32(0), "REALPATH with 0 names"),
        (wire.Close(b"h"), b"\x02" + u32(0) + u32(0), "type 2"),
        (wire.Close(b"h"), b"", "early"),
    ],
)
def test_an_answer_to_another_question(message: wire.Request, packet: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        Talk(message).hear(packet)


def test_a_handle_for_nobody_is_given_back() -> None:
    talk = Talk(wire.Open(b"f", wire.READ), wire.Close(b"x"))
    talk.hear(handle(0))
    talk.hear(status(1))
    assert unwanted_handle(talk.asked[0]) == wire.Close(b"h")
    assert unwanted_handle(talk.asked[1]) is None


def test_numbers_are_all_different_and_fit() -> None:
    table = RequestTable()
    numbers = [table.ask(wire.Close(b"h"), None, None, 0.0).id for _ in range(100)]
    assert len(set(numbers)) == 100 and all(0 <= number < 2**32 for number in numbers)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # OpenSSH 9.2's own words.
        (LimitsReply(262144, 261120, 261120, 1019), Limits(255 * KIB, 255 * KIB, 1019)),
        (LimitsReply(0, 0, 0, 0), Limits(32 * KIB, 32 * KIB, None)),
        (LimitsReply(1, 1, 1, 1), Limits(KIB, KIB, 1)),
        (LimitsReply(2**64 - 1, 2**64 - 1, 2**64 - 1, 2**64 - 1), Limits(255 * KIB, 255 * KIB, 2**64 - 1)),
        (LimitsReply(34_000, 2**63, 2**63, 0), Limits(34_000 - KIB, 34_000 - KIB, None)),
        (LimitsReply(0, 40_000, 50_000, 0), Limits(40_000, 50_000, None)),
    ],
)
def test_limits_are_believed_within_reason(told: LimitsReply, expected: Limits) -> None:
    assert believable_limits(told) == expected
