"""Servers that break the protocol, from the first byte on, and what is started instead of one."""

from __future__ import annotations

import errno
import io
import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import ConnectionLost, RequestRefused, SFTPError, SFTPProtocolError, SFTPTimeout
from openssh_core.sftp import SFTPClient
from openssh_core.testing import fake_sftp as fake

GREETINGS = {
    "version 2": fake.packet(fake.VERSION, fake.u32(2)),
    "version 6": fake.packet(fake.VERSION, fake.u32(6)),
    "length 0": fake.u32(0),
    "too long": fake.u32(256 * 1024 + 1),
    "text": b"Welcome to this machine\r\n",
    "a status": fake.status(0, fake.OK),
    "extensions cut off": fake.packet(fake.VERSION, fake.u32(3) + fake.u32(2**32 - 1)),
}


@pytest.mark.parametrize("greeting", GREETINGS.values(), ids=GREETINGS)
def test_a_strange_greeting(greeting: bytes) -> None:
    with fake.FakeSftp(answers={fake.INIT: lambda *_: greeting}) as server, pytest.raises(SFTPProtocolError) as caught:
        SFTPClient.over(server.client, host="fake")
    assert isinstance(caught.value, openssh_core.RemoteProtocolError) and caught.value.host == "fake"
    if greeting.startswith(b"Welcome"):
        assert "Welcome to this machine" in str(caught.value) and "start-up files" in str(caught.value)


def test_many_extensions(against: Any) -> None:
    client, _server = against({b"/f": b""}, extensions={b"x%d@example.org" % n: b"1" * 50 for n in range(2000)})
    assert len(client.extensions) == 2000 and client.exists("/f")


def test_nobody_answers() -> None:
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(SFTPTimeout):
        SFTPClient.over(ours, timeout=0.1)
    ours, theirs = socket.socketpair()
    theirs.close()
    with pytest.raises(ConnectionLost):
        SFTPClient.over(ours)


def number_of(question: fake.Question) -> bytes:
    return fake.u32(question.number)


STRANGE = {
    "length 0": lambda _: fake.u32(0),
    "too long": lambda _: fake.u32(256 * 1024 + 1),
    "2**32 - 1": lambda _: fake.u32(2**32 - 1),
    "an unknown number": lambda question: fake.status(question.number + 100, fake.OK),
    "twice": lambda question: 2 * fake.packet(fake.ATTRS, number_of(question) + fake.attributes()),
    "a handle": lambda question: fake.packet(fake.HANDLE, number_of(question) + fake.string(b"h")),
    "success and nothing else": lambda question: fake.status(question.number, fake.OK),
    "short": lambda question: fake.packet(fake.ATTRS, number_of(question) + b"\0"),
    "flags of other versions": lambda question: fake.packet(fake.ATTRS, number_of(question) + fake.u32(0x7FFFFFFF)),
    "names without end": lambda question: fake.packet(fake.NAME, number_of(question) + fake.u32(2**32 - 1)),
    "an unknown type": lambda question: fake.packet(199, number_of(question)),
    "a request": lambda question: fake.packet(fake.STAT, number_of(question) + fake.string(b"/")),
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_a_strange_answer_ends_the_session(against: Any, strange: Any) -> None:
    client, _server = against({b"/f": b""}, answers={fake.STAT: lambda _, question: strange(question)})
    with pytest.raises(SFTPProtocolError):
        client.stat("/f")
        client.lstat("/f")
    assert client.closed
    with pytest.raises(SFTPProtocolError):
        client.stat("/f")
    client.close()


def test_everybody_is_told(against: Any, until: Any) -> None:
    """One thread reads the nonsense; the others wait for answers that will never come."""
    asked = threading.Semaphore(0)

    def nothing(_: fake.FakeSftp, question: fake.Question) -> bytes:
        asked.release()
        return b""

    client, server = against({}, answers={fake.STAT: nothing})
    errors: list[Exception] = []

    def wait() -> None:
        try:
            client.stat("/f")
        except SFTPError as error:
            errors.append(error)

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in threads:
        asked.acquire()
    server._sock.sendall(fake.u32(2**32 - 1))
    for thread in threads:
        thread.join()
    assert [type(error) for error in errors] == [SFTPProtocolError] * 4
    assert len({id(error) for error in errors}) == 4, "an exception is nobody's but its thread's"


def test_memory_is_bounded_whatever_is_announced(against: Any) -> None:
    """A packet as long as may be, of which nothing follows, costs its own length once."""
    client, _server = against({}, answers={fake.STAT: lambda *_: fake.u32(256 * 1024)}, timeout=0.2)
    with pytest.raises(SFTPTimeout):
        client.stat("/f")


@pytest.mark.parametrize("told", [0, 1, 2**64 - 1])
def test_limits_within_reason(against: Any, told: int) -> None:
    def limits(_: fake.FakeSftp, question: fake.Question) -> bytes | None:
        if question.string() != b"limits@openssh.com":
            return None
        return fake.packet(fake.EXTENDED_REPLY, number_of(question) + 4 * fake.u64(told))

    sizes: list[int] = []

    def read(_: fake.FakeSftp, question: fake.Question) -> None:
        question.string(), question.u64()
        sizes.append(question.u32())

    data = b"x" * 10_000
    client, server = against(
        {b"/f": data},
        extensions={b"limits@openssh.com": b"1"},
        answers={fake.EXTENDED: limits, fake.READ: read},
    )
    client.write_bytes("/g", data)
    out = io.BytesIO()
    client.get("/f", out)
    assert out.getvalue() == data == bytes(server.files[b"/g"])
    assert max(sizes) <= 255 * 1024 and min(sizes) >= 1


def test_a_limits_answer_that_is_none(against: Any) -> None:
    client, _server = against(
        {b"/f": b""},
        extensions={b"limits@openssh.com": b"1"},
        answers={fake.EXTENDED: lambda _, question: fake.packet(fake.EXTENDED_REPLY, number_of(question) + b"\0")},
    )
    with pytest.raises(SFTPProtocolError):
        client.stat("/f")


# ---- over other things than a master


def test_over_a_descriptor(there: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        program = next(path for path in SERVERS if os.path.exists(path))
        server = subprocess.Popen([program], stdin=theirs, stdout=theirs)
    with SFTPClient.over(ours.detach()) as client:
        client.write_bytes(there / "f", b"x")
        assert client.stat(there / "f").st_size == 1
    assert server.wait() == 0


SERVERS = ["/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server", "/usr/libexec/openssh/sftp-server"]


class Stubborn(socket.socket):
    """A socket whose kernel knows no limit for waiting."""

    def setsockopt(self, *_: Any) -> None:  # type: ignore[override]
        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))


def test_over_a_socket_that_knows_no_limit(here: Path, there: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        program = next(path for path in SERVERS if os.path.exists(path))
        server = subprocess.Popen([program], stdin=theirs, stdout=theirs)
    (there / "f").write_bytes(content := os.urandom(600_000))
    with SFTPClient.over(Stubborn(fileno=ours.detach())) as client:
        client.get(there / "f", here / "f")
        client.put(here / "f", there / "g")
    assert (here / "f").read_bytes() == (there / "g").read_bytes() == content
    assert server.wait(30) == 0


class Carrier:
    """Has the methods of a channel of some other library, and no descriptor."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.closed = threading.Event()

    def recv(self, size: int) -> bytes:
        return self._sock.recv(min(size, 1000))

    def send(self, data: bytes) -> int:
        return self._sock.send(data[:777])

    def close(self) -> None:
        self.closed.set()
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def test_over_something_that_is_no_socket() -> None:
    before = set(threading.enumerate())
    with fake.FakeSftp({b"/f": b"x" * 100_000}) as server:
        carrier = Carrier(server.client)
        with SFTPClient.over(carrier) as client:
            assert client.read_bytes("/f") == b"x" * 100_000
            client.write_bytes("/g", b"y" * 100_000)
        assert carrier.closed.wait(30)
        assert server.files[b"/g"] == b"y" * 100_000
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
        assert not thread.is_alive()


# ---- what a server starts instead


SCRIPTS = {
    "text": ("echo 'Your password expires soon'; sleep 100", SFTPProtocolError, "expires soon"),
    # What such a program says on stderr is not passed on by sshd.
    "an end with a status": ("exit 3", ConnectionLost, "ended with status 3"),
    "an end": ("exit 0", ConnectionLost, "ended"),
}


@pytest.mark.parametrize(("script", "kind", "words"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_program_that_is_no_sftp_server(
    make_server: Any, tmp_path: Path, script: str, kind: type[Exception], words: str
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    server = make_server({"Subsystem": f"sftp {program}"})
    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(kind, match=words):
            host.sftp(timeout=20)
        assert host.run("echo x").stdout == "x\n"


def test_no_such_subsystem(host: openssh_core.Connection) -> None:
    with pytest.raises((RequestRefused, ConnectionLost), match="nonesuch|ended"):
        host.sftp(subsystem="nonesuch")
