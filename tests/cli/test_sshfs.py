"""The command line of sshfs."""

from __future__ import annotations

import pytest

from openssh_core._cli.sshfs import argv, option_words, parse_version
from openssh_core.errors import InvalidOption


def test_options() -> None:
    options = {"ro": True, "nonempty": False, "idmap": "user", "uid": 7, "fsname": "a,b\\c"}
    assert option_words(options) == ("ro", "idmap=user", "uid=7", "fsname=a\\,b\\\\c")


@pytest.mark.parametrize("name", ["ssh_command", "directport", "slave", "passive", "reconnect", "auto_unmount"])
def test_the_way_is_not_its_business(name: str) -> None:
    with pytest.raises(InvalidOption, match="cannot be given here"):
        option_words({name: "x"})


@pytest.mark.parametrize(("name", "value"), [("a,b", True), ("", True), ("uid", ""), ("uid", "a\n"), ("uid", None)])
def test_what_is_no_option(name: str, value: object) -> None:
    with pytest.raises(InvalidOption):
        option_words({name: value})  # type: ignore[dict-item]


def test_all_of_it() -> None:
    assert argv("sshfs", (3, 7), "~x", "/m", ("ro",), host="::1") == [
        *["sshfs", "[::1]:./~x", "/m", "-f", "-o", "passive", "-o", "ro"]
    ]
    assert argv("sshfs", (2, 10), "/d", "/m", ())[1:] == ["server:/d", "/m", "-f", "-o", "slave"]
    assert argv("sshfs", None, "/d", "/m", ())[-1] == "slave"


def test_which_sshfs_it_is() -> None:
    assert parse_version("fusermount3 version: 3.14.0\nSSHFS version 3.7.3\nFUSE library version 3.14.0\n") == (3, 7)
    assert parse_version("something else") is None
