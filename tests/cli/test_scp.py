"""The command line of scp."""

from __future__ import annotations

import pytest

from openssh_core._cli.scp import ScpOptions, check_version, get_argv, put_argv, reason
from openssh_core._cli.slave import GUARD, Slave
from openssh_core.errors import InvalidInput, SSHTooOld

SLAVE = Slave("/run/c d/master", "web1", "/opt/ssh")


def test_all_of_it() -> None:
    options = ScpOptions(recursive=True, copy_attrs=True, bwlimit=800, quiet=True, verbose=True)
    argv = get_argv("scp", SLAVE, options, ["a*", "b"], "here")
    assert argv[:7] == ["scp", "-s", "-F", "none", "-S", "/opt/ssh", "-o"]
    assert argv[7] == 'ControlPath="/run/c d/master"'
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "-o"][1:] == [f"{n}={v}" for n, v in GUARD]
    assert argv[-10:] == ["-r", "-p", "-q", "-v", "-l", "800", "--", "web1:a\\*", "web1:b", "./here"]


def test_patterns_are_for_those_who_ask() -> None:
    assert get_argv("scp", SLAVE, ScpOptions(glob=True), ["a*"], ".")[-2] == "web1:a*"


def test_there() -> None:
    assert put_argv("scp", SLAVE, ScpOptions(), ["-a", "b:c"], "~x")[-4:] == ["--", "./-a", "./b:c", "web1:./~x"]


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "9"])
def test_a_limit_that_is_none(wrong: object) -> None:
    with pytest.raises(InvalidInput, match="bwlimit="):
        ScpOptions(bwlimit=wrong)  # type: ignore[arg-type]


def test_the_old_protocol_is_not_spoken() -> None:
    check_version((8, 7))
    check_version(None)
    with pytest.raises(SSHTooOld, match="old protocol"):
        check_version((8, 6))


def test_why_it_failed() -> None:
    assert "ssh" in reason(255, "")
    assert reason(1, "first\nscp: x: No such file\n\n") == "scp: x: No such file"
    assert reason(1, "") != ""
