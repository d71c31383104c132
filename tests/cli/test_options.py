"""The words everybody may use refuse what cannot be, and hold no secret."""

from __future__ import annotations

from typing import Any

import pytest

from openssh_core.errors import InvalidInput
from openssh_core.options import MasterOptions, Pty, Target


def test_a_terminal_is_a_vt100_of_80_by_24() -> None:
    assert Pty() == Pty("vt100", 80, 24, 0, 0)
    assert Pty("xterm-256color", 0, 0, 65535, 65535).term == "xterm-256color"


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": -1},
        {"rows": 65536},
        {"columns": 80.0},
        {"rows": True},
        {"width_pixels": "9"},
        {"height_pixels": None},
        {"term": ""},
        {"term": "a\0"},
        {"term": "a\n"},
        {"term": "ä"},
        {"term": None},
    ],
)
def test_terminals_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Pty(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"host_keys": "no"},
        {"host_keys": None},
        {"connect_timeout": 0},
        {"connect_timeout": -1},
        {"connect_timeout": float("nan")},
        {"connect_timeout": float("inf")},
        {"connect_timeout": True},
        {"connect_timeout": "5"},
        {"keepalive": -1},
        {"keepalive": float("nan")},
        {"keepalive": None},
        {"persist": 0},
        {"persist": True},
        {"persist": 1.5},
    ],
)
def test_options_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        MasterOptions(target=Target("h"), **wrong)


def test_limits_that_can_be() -> None:
    MasterOptions(target=Target("h"), connect_timeout=None, keepalive=0, persist=1)
    MasterOptions(target=Target("h"), connect_timeout=1e12, keepalive=0.5)


def test_no_secret_stays_in_the_options() -> None:
    options = MasterOptions(target=Target("h", "u", 22, "secret"))
    assert options.target == Target("h", "u", 22)
    assert "secret" not in repr(options)


def test_nothing_can_be_changed() -> None:
    for value, name in ((Pty(), "rows"), (Target("h"), "host"), (MasterOptions(target=Target("h")), "ssh")):
        with pytest.raises(AttributeError):
            setattr(value, name, "x")
