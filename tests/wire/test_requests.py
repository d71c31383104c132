"""What follows want_reply in a channel request (RFC 4254 section 6), byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._wire import requests
from openssh_core._wire.requests import ExitSignal, ExitStatus
from openssh_core.errors import Malformed

u32s = st.integers(0, 0xFFFFFFFF)


def test_exec() -> None:
    assert requests.exec_command(b"echo hi") == bytes.fromhex("00000007 6563686f206869")
    assert requests.exec_command(b"") == bytes(4)
    assert requests.exec_command(b"\xff") == bytes.fromhex("00000001 ff")


def test_subsystem() -> None:
    assert requests.subsystem("sftp") == bytes.fromhex("00000004 73667470")


def test_env() -> None:
    assert requests.env("LANG", "C") == bytes.fromhex("00000004 4c414e47 00000001 43")
    assert requests.env("A", b"\xff") == bytes.fromhex("00000001 41 00000001 ff")


def test_pty_with_no_terminal_modes() -> None:
    expected = "00000005 7674313030 00000050 00000018 00000280 000001e0 00000001 00"
    assert requests.pty("vt100", 80, 24, 640, 480) == bytes.fromhex(expected)


def test_window_change() -> None:
    assert requests.window_change(80, 24, 640, 480) == bytes.fromhex("00000050 00000018 00000280 000001e0")


def test_signal() -> None:
    assert requests.signal("TERM") == bytes.fromhex("00000004 5445524d")


def test_direct_tcpip() -> None:
    expected = "00000002 6462 00001538 00000009 3132372e302e302e31 00000001"
    assert requests.direct_tcpip("db", 5432, "127.0.0.1", 1) == bytes.fromhex(expected)


def test_exit_status() -> None:
    assert ExitStatus(255).encode() == bytes.fromhex("000000ff")
    assert ExitStatus.decode(bytes.fromhex("000000ff")) == ExitStatus(255)
    assert ExitStatus.decode(bytes.fromhex("ffffffff")) == ExitStatus(0xFFFFFFFF)


@pytest.mark.parametrize("size", range(4))
def test_a_short_exit_status_is_malformed(size: int) -> None:
    with pytest.raises(Malformed):
        ExitStatus.decode(bytes(size))


def test_exit_signal() -> None:
    body = bytes.fromhex("00000004 4b494c4c 01 00000003 6f6f70 00000002 656e")
    assert ExitSignal.decode(body) == ExitSignal("KILL", True, "oop")
    assert ExitSignal("KILL", True, "oop").encode() == bytes.fromhex("00000004 4b494c4c 01 00000003 6f6f70 00000000")


def test_an_exit_signal_of_junk_is_shown() -> None:
    body = bytes.fromhex("00000002 fffe 00 00000001 80 00000000")
    assert ExitSignal.decode(body) == ExitSignal(r"\xff\xfe", False, r"\x80")


@pytest.mark.parametrize("size", range(15))
def test_a_short_exit_signal_is_malformed(size: int) -> None:
    body = bytes.fromhex("00000004 4b494c4c 01 00000002 6f6f")
    assert len(body) == 15
    with pytest.raises(Malformed):
        ExitSignal.decode(body[:size])


@given(u32s)
def test_reading_an_exit_status_undoes_writing_it(status: int) -> None:
    assert ExitStatus.decode(ExitStatus(status).encode()) == ExitStatus(status)


@given(st.text(), st.booleans(), st.text())
def test_reading_an_exit_signal_undoes_writing_it(name: str, core: bool, words: str) -> None:
    end = ExitSignal(name, core, words)
    assert ExitSignal.decode(end.encode()) == end


@given(st.binary())
def test_any_bytes_give_an_end_or_malformed(payload: bytes) -> None:
    for kind in (ExitStatus, ExitSignal):
        try:
            kind.decode(payload)
        except Malformed:
            pass
