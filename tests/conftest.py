"""What holds for every test: a skip is a failure in CI, random input is repeatable there, nobody's keys are found,
and what needs a server is marked `live`.

Fixtures that users may want, too, are not here: they come from the plugin in `openssh_core.testing`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

IN_CI = bool(os.environ.get("CI"))

# No deadline and no complaint about slowness: both measure how busy the machine is.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI)


def pytest_configure() -> None:
    settings.load_profile("any-machine")
    # An agent or an askpass program of whoever runs the tests would log in where a test expects a refusal.
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "WAYLAND_DISPLAY"):
        os.environ.pop(name, None)


DEPTH = len(Path(__file__).parent.parts)
LIVE_FOLDERS = {"live", "faults", "compat", "copy", "soak"}
LIVE_FIXTURES = {"loopback_server", "inetd_server", "ordinary_user_server", "password_server", "make_server", "relay"}


@pytest.hookimpl(tryfirst=True)  # before `-m "not live"` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LIVE_FOLDERS & set(item.path.parts[DEPTH:]) or LIVE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("live")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI everything a test needs has been installed, so a skip hides something that does not work."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure when CI is set: {report.longrepr}"


def _trains_of(client: Any, work: Callable[[], object]) -> list[list[int]]:
    trains: list[list[int]] = []
    session = client._session
    answer = session.answer

    def note(box: Any) -> Any:
        if not box.done:
            new = [asked.message.number for asked in box.pending.values() if asked.id not in seen]
            seen.update(box.pending)
            if new:
                trains.append(new)
        return answer(box)

    seen: set[int] = set()
    session.answer = note
    try:
        work()
    finally:
        session.answer = answer
    return trains


@pytest.fixture(scope="session")
def trains_of() -> Callable[[Any, Callable[[], object]], list[list[int]]]:
    """Given an SFTP client of the core and what is done with it: the types of the requests that were sent together,
    train by train. Each train is one round trip."""
    return _trains_of


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Wait until a condition holds, and return what it returned: `until(condition)`, or `until(condition, seconds)`.

    Generously: how long it takes says how busy the machine is.
    """

    def wait(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"did not come about within {seconds:g} s: {condition!r} is {result!r}")
            time.sleep(0.005)
        return result

    return wait


@contextlib.contextmanager
def _control_directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="oc-", dir="/tmp"))
    yield path
    left = os.listdir(path)
    shutil.rmtree(path)
    assert left == []


@pytest.fixture
def control_dir() -> Iterator[Path]:
    """A directory for control sockets, with a name short enough. Whoever uses it leaves it empty."""
    with _control_directory() as path:
        yield path


@pytest.fixture
def inner_dir() -> Iterator[Path]:
    """Another one, for another program."""
    with _control_directory() as path:
        yield path


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Listen, say something to whoever connects, and stay silent; the port: `serve(b"...", hang_up=False)`."""
    listeners: list[socket.socket] = []
    held: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def on(words: bytes, *, hang_up: bool = False) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                held.append(peer)
                peer.sendall(words)
                if hang_up:
                    peer.shutdown(socket.SHUT_WR)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield on
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()
    for peer in held:
        peer.close()
