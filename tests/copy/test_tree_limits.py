"""How long a transfer may take, and what is left when it took too long: nothing but what is whole."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, TransferCancelled, TransferTimeout
from openssh_core.copy import _gauge
from openssh_core.testing import LoopbackServer, Relay

from .conftest import runs, script, until

SIZE = 24_000_000
Make = Callable[..., LoopbackServer]


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file that takes several requests."""
    path = tmp_path / "big"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_file_that_takes_too_long(shared: Connection, tmp_path: Path, big: Path, way: str) -> None:
    (tmp_path / "to").write_text("old")
    with pytest.raises(TransferTimeout) as caught:
        getattr(shared, way)(big, tmp_path / "to", timeout=0.3, bwlimit=1_000_000)
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert (error.limit, error.seconds, error.host) == ("timeout", 0.3, shared.host)
    assert error.report.done == []
    assert (tmp_path / "to").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["big", "to"]
    getattr(shared, way)(big, tmp_path / "to", timeout=60)
    assert (tmp_path / "to").read_bytes() == big.read_bytes()


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_tree_that_takes_too_long(shared: Connection, tmp_path: Path, way: str) -> None:
    (tmp_path / "from").mkdir()
    for number in range(40):
        (tmp_path / "from" / str(number)).write_bytes(os.urandom(10_000))
    end = monotonic() + 1

    def dawdle(done: int, *_rest: object) -> None:
        """Half of it at once, the rest never."""
        while done > 200_000 and monotonic() < end:
            threading.Event().wait(0.01)

    with pytest.raises(TransferTimeout, match="within 1 s") as caught:
        getattr(shared, way)(tmp_path / "from", tmp_path / "to", recursive=True, timeout=1, progress=dawdle, at_once=4)
    done = {Path(item.target).name for item in caught.value.report.done} - {"to"}
    there = set(os.listdir(tmp_path / "to"))
    # Some may have taken their places without a word about it any more.
    assert done <= there < set(map(str, range(40)))
    assert all((tmp_path / "to" / name).read_bytes() == (tmp_path / "from" / name).read_bytes() for name in there)


def test_file_objects(shared: Connection, tmp_path: Path, big: Path) -> None:
    with pytest.raises(TransferTimeout):
        shared.get(big, io.BytesIO(), timeout=0.2, bwlimit=1_000_000)
    with big.open("rb") as file, pytest.raises(TransferTimeout):
        shared.put(file, tmp_path / "to", timeout=0.2, bwlimit=1_000_000)
    assert os.listdir(tmp_path) == ["big"]


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is known to be silent is not waited for until everybody has fallen asleep."""
    monkeypatch.setattr(_gauge, "_GRACE", 0.2)


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("limit", ["timeout", "idle_timeout"])
@pytest.mark.parametrize("way", ["get", "put"])
def test_a_server_that_falls_silent(make_server: Make, tmp_path: Path, big: Path, way: str, limit: str) -> None:
    """Whichever limit there is ends it; what could not be removed there is, by the next transfer."""
    server = make_server()
    (tmp_path / "to").write_text("old")

    def freeze(done: int, *_rest: object) -> None:
        if done > 10_000_000:
            server.freeze()

    with openssh_core.connect(**server.connect_options()) as host:
        limits: dict[str, Any] = {"timeout": 0.5, "idle_timeout": None} if limit == "timeout" else {"idle_timeout": 0.5}
        try:
            with pytest.raises(TransferTimeout) as caught:
                getattr(host, way)(big, tmp_path / "to", progress=freeze, **limits)
        finally:
            server.thaw()
        assert caught.value.limit == limit
        assert (tmp_path / "to").read_text() == "old"
        if way == "get":
            assert sorted(os.listdir(tmp_path)) == ["big", "to"]
        host.put(io.BytesIO(b"next"), tmp_path / "next")
        until(lambda: sorted(os.listdir(tmp_path)) == ["big", "next", "to"])
        getattr(host, way)(big, tmp_path / "to")
        assert (tmp_path / "to").read_bytes() == big.read_bytes()


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("way", ["get", "put"])
def test_giving_up_though_the_server_is_silent(make_server: Make, tmp_path: Path, big: Path, way: str) -> None:
    server = make_server()
    enough = threading.Event()

    def freeze(done: int, *_rest: object) -> None:
        if done > 10_000_000:
            server.freeze()
            threading.Timer(0.2, enough.set).start()

    with openssh_core.connect(**server.connect_options()) as host:
        try:
            with pytest.raises(TransferCancelled):
                getattr(host, way)(big, tmp_path / "to", progress=freeze, cancel=enough, idle_timeout=None)
        finally:
            server.thaw()
        host.put(io.BytesIO(b"next"), tmp_path / "next")
        until(lambda: sorted(os.listdir(tmp_path)) == ["big", "next"])


@pytest.mark.usefixtures("short_grace")
def test_a_server_that_is_silent_from_the_beginning(make_server: Make, tmp_path: Path) -> None:
    server = make_server()
    with openssh_core.connect(**server.connect_options()) as host:
        server.freeze()
        try:
            for limits in ({"timeout": 0.2}, {"idle_timeout": 0.2}):
                with pytest.raises(TransferTimeout):
                    host.get("/etc/hostname", tmp_path / "a", **limits)  # type: ignore[arg-type]
        finally:
            server.thaw()
        host.get("/etc/hostname", tmp_path / "a")


@pytest.mark.parametrize("way", ["get", "put"])
def test_digests_that_take_too_long(make_server: Make, tmp_path: Path, way: str) -> None:
    """The program that makes them is ended, too."""
    (tmp_path / "programs").mkdir()
    slow = script(tmp_path / "programs" / "sha256sum", f"echo $$ >{tmp_path}/pid; exec sleep 1000")
    server = make_server({"SetEnv": f"PATH={os.path.dirname(slow)}:{os.environ['PATH']}"})
    (tmp_path / "from").write_text("content")
    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(TransferTimeout) as caught:
            getattr(host, way)(tmp_path / "from", tmp_path / "to", verify=True, timeout=1)
        assert (caught.value.limit, caught.value.report.done) == ("timeout", [])
        until(lambda: not (tmp_path / "pid").exists() or not runs(int((tmp_path / "pid").read_text())))
        until(lambda: set(os.listdir(tmp_path)) - {"pid"} == {"from", "programs"})


def test_limits_that_are_none(shared: Connection, tmp_path: Path) -> None:
    for name in ("timeout", "idle_timeout"):
        for value in (-1, "1", float("nan")):
            with pytest.raises(openssh_core.InvalidInput, match=f"^{name}="):
                shared.get("/etc/hostname", tmp_path / "a", **{name: value})  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


# ---- what a connection leaves that breaks


def _broken_off(through: Relay, put: Callable[..., object], source: Path, target: Path) -> None:
    def cut(done: int, *_rest: object) -> None:
        if done > 10_000_000:
            through.cut()

    with pytest.raises(openssh_core.ConnectionLost):
        put(source, target, progress=cut)
    assert any(name.endswith(".part") for name in os.listdir(target.parent))


@pytest.mark.parametrize("how", ["the connection's own", "a client's"])
def test_the_next_put_removes_what_is_left(
    loopback_server: LoopbackServer, relay: Callable[..., Relay], tmp_path: Path, big: Path, how: str
) -> None:
    through = relay(loopback_server)
    (tmp_path / ".to.0123456789ab.part").write_text("of somebody else")
    options = loopback_server.connect_options(port=through.port)
    with openssh_core.connect(**options) as host, host.sftp() as sftp:
        put = host.put if how == "the connection's own" else sftp.put
        _broken_off(through, put, big, tmp_path / "to")
    with openssh_core.connect(**options) as host:
        host.put(io.BytesIO(b"next"), tmp_path / "next")
        until(lambda: sorted(os.listdir(tmp_path)) == [".to.0123456789ab.part", "big", "next"])


def test_a_connection_that_comes_back_removes_what_is_left(
    loopback_server: LoopbackServer, relay: Callable[..., Relay], tmp_path: Path, big: Path
) -> None:
    through = relay(loopback_server)
    with openssh_core.connect(**loopback_server.connect_options(port=through.port), reconnect=True) as host:
        _broken_off(through, host.put, big, tmp_path / "to")
        host.get(big, io.BytesIO())
        until(lambda: os.listdir(tmp_path) == ["big"])
