"""rsync's options as keywords, its command line and its progress."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._cli.rsync import (
    RsyncOptions,
    Step,
    StepReader,
    get_argv,
    option_words,
    parse_version,
    put_argv,
    reason,
    remote_shell,
    without_steps,
)
from openssh_core._cli.slave import Slave
from openssh_core.errors import InvalidInput, InvalidOption

SLAVE = Slave("/run/c/master", "web1")
NEW, OLD = (3, 4, 0), (3, 1, 3)


def test_keywords_become_long_options() -> None:
    options = {
        "archive": True,
        "one_file_system": True,
        "owner": False,
        "no_group": True,
        "no_perms": False,
        "exclude": ["*.o", "a b"],
        "max_size": "10m",
        "bwlimit": 100,
        "log_file": Path("/tmp/log"),
        "backup_dir": None,
        "iconv": False,
    }
    assert option_words(options) == (
        "--archive",
        "--one-file-system",
        "--no-owner",
        "--no-group",
        "--perms",
        "--exclude=*.o",
        "--exclude=a b",
        "--max-size=10m",
        "--bwlimit=100",
        "--log-file=/tmp/log",
        "--no-iconv",
    )


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("rsh", "ssh", "connection is the way"),
        ("port", 22, "daemon"),
        ("password_file", "x", "daemon"),
        ("protect_args", False, "names are passed"),
        ("old_args", True, "names are passed"),
        ("no_old_args", True, "names are passed"),
        ("read_batch", "x", "batches"),
        ("trust_sender", True, "sends only what was asked"),
        ("list_only", True, "to list"),
        ("ipv6", True, "connection"),
        ("no_exclude", True, "has no --no-exclude"),
        ("exclude", True, "needs a value"),
        ("suffix", False, "needs a value"),
        ("a", True, "long option"),
        ("Archive", True, "long option"),
        ("rsync-path", "x", "long option"),
        ("suffix", object(), "not text"),
        ("suffix", "a\0", "NUL"),
        ("exclude", ["a", True], "not text"),
    ],
)
def test_what_cannot_be_given(name: str, value: object, why: str) -> None:
    with pytest.raises(InvalidOption, match=why):
        option_words({name: value})


def test_all_of_it() -> None:
    options = RsyncOptions(2, True, True, False, True, 30, ("--archive",))
    argv = get_argv("rsync", NEW, SLAVE, options, ["a b", "x*[y]"], "here")
    assert argv[:3] == ["rsync", "-e", remote_shell(SLAVE)]
    assert argv[3:] == [
        *["-v", "-v", "-q", "-pt", "--info=progress2", "--outbuf=L", "--timeout=30", "--archive", "-s", "--"],
        *["web1:a b", "web1:x[*][[]y]", "./here"],
    ]
    assert "--info=progress2" not in get_argv("rsync", (3, 0, 9), SLAVE, options, ["a"], "b")


def test_the_guard_is_in_the_remote_shell() -> None:
    words = remote_shell(SLAVE.replace(control_path="/run/a b's/c", ssh="/opt/my ssh"))
    assert words.startswith("'/opt/my ssh' -F none -S '/run/a b''s/c' -o ControlMaster=no -o ProxyCommand=false ")
    assert words.endswith(" --")


@pytest.mark.parametrize(
    ("version", "target", "end"),
    [
        (NEW, "a b", ["-s", "--", "./x", "web1:a b"]),
        (OLD, "a b", ["-s", "--", "./x", "web1:a b"]),
        (NEW, "a*", ["--old-args", "--no-s", "--", "./x", "web1:'a*'"]),
        (OLD, "a*", ["--no-s", "--", "./x", "web1:'a*'"]),
        (NEW, "~*", ["--old-args", "--no-s", "--", "./x", "web1:'./~*'"]),
    ],
)
def test_a_target_is_never_a_pattern(version: tuple[int, int, int], target: str, end: list[str]) -> None:
    assert put_argv("rsync", version, SLAVE, RsyncOptions(), ["x"], target)[-len(end) :] == end


def test_a_source_with_a_backslash_and_a_pattern() -> None:
    assert get_argv("rsync", NEW, SLAVE, RsyncOptions(), ["a\\*"], ".")[-4:] == ["--no-s", "--", "web1:a\\\\*", "./."]
    assert get_argv("rsync", OLD, SLAVE, RsyncOptions(), ["a\\*"], ".")[-4:-1] == ["--no-s", "--", "web1:'a'\\\\'*'"]
    with pytest.raises(InvalidInput, match="backslash"):
        get_argv("rsync", NEW, SLAVE, RsyncOptions(), ["a\\*", "b\n"], ".")


def test_patterns_are_for_those_who_ask() -> None:
    assert get_argv("rsync", NEW, SLAVE, RsyncOptions(glob=True), ["a\\*"], ".")[-2] == "web1:a\\*"


@pytest.mark.parametrize("named", [{"verbose": 6}, {"verbose": -1}, {"idle_timeout": 0}, {"idle_timeout": 1.5}])
def test_numbers_that_are_none(named: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        RsyncOptions(**named)  # type: ignore[arg-type]


def test_which_rsync_it_is() -> None:
    assert parse_version("rsync  version 3.2.7  protocol version 31\n") == (3, 2, 7)
    assert parse_version("rsync  version v3.4  protocol version 31\n") == (3, 4, 0)
    assert parse_version("openrsync: protocol version 29, rsync version 2.6.9 compatible\n") is None


PROGRESS = (
    b"sending incremental file list\nsome/file\n"
    b"\r         32,768   0%    0.00kB/s    0:00:00  "
    b"\r      1,234,567  45%    1.23MB/s    0:00:01 (xfr#1, to-chk=1/3)"
    b"\r      2.743.482 100%    1.23MB/s    0:00:01 (xfr#2, to-chk=0/3)\n"
    b"100% of it\n"
)


@given(st.lists(st.integers(0, len(PROGRESS))))
def test_steps_in_any_pieces(cuts: list[int]) -> None:
    reader = StepReader()
    edges = [0, *sorted(cuts), len(PROGRESS)]
    steps = [step for start, end in pairwise(edges) for step in reader.feed(PROGRESS[start:end])]
    assert steps == [Step(32768, 0), Step(1234567, 45), Step(2743482, 100)]


def test_an_endless_line_is_not_kept() -> None:
    reader = StepReader()
    for _ in range(100):
        assert reader.feed(b"x" * 10000) == []
    assert reader.feed(b"\n 7 1% \r") == [Step(7, 1)]


def test_progress_is_no_output() -> None:
    assert without_steps(PROGRESS) == b"sending incremental file list\nsome/file\n100% of it\n"


def test_what_a_status_means() -> None:
    assert reason(23, "") == "some files or attributes were not transferred"
    assert reason(12, "bash: line 1: rsync: command not found\n") == "there is no rsync on the server"
    assert reason(99, "") == "unknown status 99"
