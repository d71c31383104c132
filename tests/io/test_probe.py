"""Whether a master lives: only its hello proves it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openssh_core._io import probe
from openssh_core._io.probe import MasterProbe
from openssh_core._io.reactor import Reactor


class Asked:
    """The answers, and when the first came."""

    def __init__(self, path: str, reactor: Reactor) -> None:
        self.answers: list[bool] = []
        self.answered = threading.Event()
        self.probe = reactor.call(lambda: MasterProbe(path, reactor, self._take))

    def _take(self, alive: bool) -> None:
        self.answers.append(alive)
        self.answered.set()

    def answer(self) -> bool:
        assert self.answered.wait(30)
        [alive] = self.answers
        return alive


@pytest.fixture
def listener(tmp_path: Path) -> Any:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "m"))
        sock.listen()
        yield sock


def test_a_master_that_greets_lives(make_master: Callable[..., Any], reactor: Reactor) -> None:
    assert Asked(make_master().path, reactor).answer()


def test_nobody_listens(tmp_path: Path, reactor: Reactor) -> None:
    assert not Asked(str(tmp_path / "m"), reactor).answer()


def test_a_dying_master_that_still_listens_is_dead(listener: socket.socket, tmp_path: Path, reactor: Reactor) -> None:
    asked = Asked(str(tmp_path / "m"), reactor)
    assert not asked.answered.is_set()
    # What the kernel does to those that wait in the queue of a killed process.
    listener.close()
    assert not asked.answer()


def test_a_master_that_takes_us_and_hangs_up_is_dead(listener: socket.socket, tmp_path: Path, reactor: Reactor) -> None:
    asked = Asked(str(tmp_path / "m"), reactor)
    listener.accept()[0].close()
    assert not asked.answer()


def test_a_stopped_master_is_there(
    listener: socket.socket, tmp_path: Path, reactor: Reactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PATIENCE", 0.01)
    assert Asked(str(tmp_path / "m"), reactor).answer()


def test_a_forked_child_lets_go_of_it(listener: socket.socket, tmp_path: Path, reactor: Reactor) -> None:
    asked = Asked(str(tmp_path / "m"), reactor)
    other, _ = listener.accept()
    with other:
        # As the child does it, in which nobody is left to watch: here the watch has to be ended first.
        sock = asked.probe._sock
        assert sock is not None
        fd = sock.fileno()
        reactor.call(lambda: reactor.unwatch(fd))
        reactor.call(asked.probe.abandon)
        assert other.recv(1) == b""
        assert asked.answers == []
        reactor.call(lambda: asked.probe._end(True))
