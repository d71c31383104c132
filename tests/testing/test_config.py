"""What is put over our sshd_config, and what is not let in."""

from __future__ import annotations

from typing import Any

import pytest

from openssh_core.errors import InvalidOption
from openssh_core.testing._config import client_config, defaults, merged, rendered


def test_each_keyword_stands_once_whatever_its_case() -> None:
    assert rendered(merged({"MaxSessions": 10}, {"maxsessions": 2})) == "MaxSessions 2\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "X yes\n"), (False, "X no\n"), (3, "X 3\n"), ("a b", "X a b\n"), (["a", "b"], "X a\nX b\n"), (None, "")],
)
def test_values(value: Any, text: str) -> None:
    assert rendered(merged({"X": "ours"}, {"X": value})) == text


def test_the_callers_environment_comes_before_ours_in_one_line() -> None:
    # sshd takes the first line only, and in it the first value of a name.
    options = merged({"SetEnv": "HOME=/empty LANG=C"}, {"setenv": ["LANG=de", "A=1"]})
    assert rendered(options) == "SetEnv LANG=de A=1 HOME=/empty LANG=C\n"


@pytest.mark.parametrize("name", ["Port", "listenaddress", "PidFile", "HostKey"])
def test_what_the_server_sets_itself_is_refused(name: str) -> None:
    with pytest.raises(InvalidOption, match="by the server itself"):
        merged({}, {name: "x"})


@pytest.mark.parametrize("level", ["QUIET", "error"])
def test_a_log_that_says_nothing_is_refused(level: str) -> None:
    with pytest.raises(InvalidOption, match="hides"):
        merged({}, {"LogLevel": level})


@pytest.mark.parametrize(("name", "value"), [("X", "a\nPort 22"), ("X", ["a", "b\0"]), ("X y", "1"), ("", "1")])
def test_nothing_is_smuggled_into_the_file(name: str, value: Any) -> None:
    with pytest.raises(InvalidOption):
        merged({}, {name: value})


def test_penalties_are_turned_off_where_they_exist() -> None:
    assert "PerSourcePenalties" not in defaults((9, 7))
    assert defaults((9, 8))["PerSourcePenalties"] is False


def test_a_client_file_has_one_host() -> None:
    lines = client_config("somewhere", {"Port": 1}).splitlines()
    assert lines[:2] == ["Host somewhere", "  Port 1"]
    assert "  IdentityAgent none" in lines
