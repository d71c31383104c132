"""`%NAME%` in text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core import Defaults
from openssh_core._cli.variables import expand
from openssh_core.errors import InvalidInput


def test_names_are_replaced_and_two_percent_signs_are_one() -> None:
    values = {"HOST": "h", "own_1": "%HOST%", "number": 5}
    assert expand("%HOST%:%own_1%:%number%", values) == "h:%HOST%:5"  # once, and not in what was put in
    assert expand("100%% %%HOST%% 5% a%b c", values) == "100% %HOST% 5% a%b c"


@pytest.mark.parametrize("text", ["%nobody%", "%a b %x%", "x%EMPTY%"])
def test_there_is_no_such_variable(text: str) -> None:
    with pytest.raises(InvalidInput, match="no variable"):
        expand(text, {"EMPTY": None})


@given(st.text())
def test_what_was_doubled_is_itself(text: str) -> None:
    assert expand(text.replace("%", "%%"), {}) == text


@pytest.mark.parametrize("name", ["", "a b", "a%", 5, "HOST", "USER", "PORT"])
def test_names_that_cannot_be(name: object) -> None:
    with pytest.raises(InvalidInput):
        Defaults(variables={name: "x"})  # type: ignore[dict-item]
