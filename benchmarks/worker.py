"""The process in which one peer is measured, and the handle the benchmark has on it.

Each peer has a process to itself, so its CPU time is its own and no other peer's threads wake up inside its
measurement. The two sides speak lines of JSON over the process's stdin and stdout; one request, one answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from peers import PEERS, Setup
from peers.base import Peer, cpu_seconds, peak_memory

__all__ = ["PeerFailed", "Worker"]

PATIENCE = 120.0
"""Seconds after which a peer that does not answer is given up."""


class PeerFailed(Exception):
    """A peer could not do what was asked; its column stays empty and says why."""


class Worker:
    """One peer in its own process. Closing it logs the peer out."""

    def __init__(self, name: str, setup: Setup) -> None:
        self.name = name
        words = [sys.executable, str(Path(__file__).resolve()), name, json.dumps(asdict(setup))]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self._answer()
        except PeerFailed:
            self.close()
            raise

    def ask(self, verb: str, *arguments: int) -> Any:
        """Let the peer do it and return what it measured.

        Raises:
            PeerFailed: it raised something, died, or gave no answer in time.
        """
        assert self._process.stdin is not None
        try:
            print(json.dumps([verb, *arguments]), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise PeerFailed("its process died") from None
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        watch = threading.Timer(PATIENCE, self._process.kill)
        watch.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        if not line:
            raise PeerFailed(f"its process died, or gave no answer within {PATIENCE:.0f} s")
        said = json.loads(line)
        if "error" in said:
            raise PeerFailed(said["error"])
        return said["value"]

    def close(self) -> None:
        """Log out and end the process. A second time does nothing."""
        if self._process.returncode is not None:
            return
        watch = threading.Timer(PATIENCE, self._process.kill)
        watch.start()
        try:
            self._process.communicate()
        finally:
            watch.cancel()


class _Session:
    """What the process does with each request."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._is_in = False

    def do(self, verb: str, *arguments: int) -> object:
        own = {"login": self.login, "logout": self.logout, "cpu": self._cpu, "peak": peak_memory}
        action = own.get(verb) or getattr(self._peer, verb)
        return action(*arguments)

    def login(self) -> float:
        start = time.perf_counter()
        self._peer.login()
        self._is_in = True
        return time.perf_counter() - start

    def logout(self) -> float:
        start = time.perf_counter()
        if self._is_in:
            self._is_in = False
            self._peer.logout()
        return time.perf_counter() - start

    def _cpu(self) -> float:
        return cpu_seconds(self._peer.helpers())


def _answer(value: object = None, error: str = "") -> None:
    print(json.dumps({"error": error} if error else {"value": value}), flush=True)


def _serve(session: _Session) -> None:
    _answer()
    for line in sys.stdin:
        try:
            value = session.do(*json.loads(line))
        except Exception as error:  # noqa: BLE001 - whatever a peer raises, its column says so and the others go on
            _answer(error=f"{type(error).__name__}: {error}")
        else:
            _answer(value)


def main() -> None:
    """Measure the peer named on the command line as it is told on stdin."""
    name, setup = sys.argv[1], Setup(**json.loads(sys.argv[2]))
    try:
        session = _Session(PEERS[name](setup))
    except ImportError as error:
        _answer(error=f"not installed: {error}")
        return
    try:
        _serve(session)
    finally:
        session.logout()


if __name__ == "__main__":
    main()
