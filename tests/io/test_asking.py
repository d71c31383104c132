"""The talk with sudo, in pieces of every size."""

from __future__ import annotations

import pytest

from openssh_core._io.asking import Asking
from openssh_core._io.sinks import Collect
from openssh_core._io.sources import FromBytes


def talk(asking: Asking, said: bytes, size: int) -> tuple[bytes, bytes, bytes]:
    """What sudo is sent, what the command gets, and what is left of stderr, when it comes in pieces of that size."""
    collected = Collect()
    sent, rest = bytearray(), bytearray()

    def pump() -> None:
        while piece := source.pull(2):
            (rest if asking.started else sent).extend(piece)

    sink, source = asking.over_sink(collected), asking.over_source(FromBytes(b"input"), pump)
    for start in range(0, len(said), size):
        piece = said[start : start + size]
        assert sink.write(piece) == len(piece)
    sink.finish()
    return bytes(sent), bytes(rest), collected.value()


@pytest.mark.parametrize("size", [1, 2, 7, 30, 1000])
def test_the_prompt_is_answered_once_and_the_input_follows(size: int) -> None:
    asking = Asking(b"secret\n")
    said = f"lecture\n{asking.prompt}\n{asking.token}\nits own\n".encode()
    assert talk(asking, said, size) == (b"secret\n", b"input", b"its own\n")
    assert (asking.said, asking.times, asking.started) == (b"lecture\n\n", 1, True)


@pytest.mark.parametrize("size", [1, 1000])
def test_without_a_prompt_nothing_is_answered(size: int) -> None:
    asking = Asking(b"secret\n")
    assert talk(asking, f"{asking.token}\nits own".encode(), size) == (b"", b"input", b"its own")
    assert asking.times == 0


@pytest.mark.parametrize("secret", [b"wrong\n", None])
@pytest.mark.parametrize("size", [1, 1000])
def test_a_second_prompt_gets_the_end_of_input(secret: bytes | None, size: int) -> None:
    asking = Asking(secret)
    said = f"{asking.prompt}Sorry\n{asking.prompt if secret else ''}".encode()
    sent, rest, err = talk(asking, said, size)
    assert (sent, rest, err) == (secret or b"", b"", b"")
    assert asking.over_source(FromBytes(b"input"), lambda: None).pull(10) in (b"", None)
    assert not asking.started
    assert asking.said.strip() == b"Sorry"


def test_no_more_is_kept_of_its_words_than_is_of_use() -> None:
    asking = Asking(None)
    sink = asking.over_sink(Collect())
    for _ in range(100):
        sink.write(b"x" * 1000)
    assert len(asking.said) <= 17_000


def test_the_words_cannot_be_guessed() -> None:
    one, other = Asking(None), Asking(None)
    assert len({one.prompt, one.token, other.prompt, other.token}) == 4
    assert len(one.prompt) == 24
