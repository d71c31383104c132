"""Groups of hosts and sudo: fabric and the adapter, and what only the adapter does."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_compat.fabric as ours
from openssh_core.testing import LoopbackServer

invoke = pytest.importorskip("invoke", reason="invoke is not installed: fabric and the adapter stand on it")

HOSTS = 12


@pytest.fixture(scope="module")
def servers(loopback_server: LoopbackServer) -> Iterator[list[LoopbackServer]]:
    """Three, because to fabric two connections to one server are the same."""
    with LoopbackServer() as second, LoopbackServer() as third:
        yield [loopback_server, second, third]


@pytest.fixture
def config(servers: list[LoopbackServer], tmp_path: Path) -> Callable[[Any], Any]:
    """The configuration of a library, by which h0, h1, ... are the servers in turn, and `dead` is nobody."""
    lines = ["Host dead", "  HostName 127.0.0.1", "  Port 1"]
    for number, server in enumerate(servers):
        names = " ".join(f"h{name}" for name in range(number, HOSTS, len(servers)))
        text = server.ssh_config.read_text().splitlines()
        lines += [f"Host {names}" if line.startswith("Host ") else line for line in text]
    (tmp_path / "ssh_config").write_text("\n".join([*lines, ""]))

    def make(library: Any) -> Any:
        overrides = {"run": {"in_stream": False}, "ssh_config_path": str(tmp_path / "ssh_config")}
        return library.Config(overrides=overrides)

    return make


@pytest.fixture
def group(fabric: Any, config: Callable[[Any], Any]) -> Iterator[Callable[..., Any]]:
    """Make groups: `group("SerialGroup", "h0", ...)`; they are closed with the test."""
    yield from _groups(fabric, config)


@pytest.fixture
def own(config: Callable[[Any], Any]) -> Iterator[Callable[..., Any]]:
    """Groups of the adapter."""
    yield from _groups(ours, config)


def _groups(library: Any, config: Callable[[Any], Any]) -> Iterator[Callable[..., Any]]:
    made = []

    def make(kind: str, *hosts: str, **named: Any) -> Any:
        made.append(getattr(library, kind)(*hosts, config=config(library), **named))
        return made[-1]

    yield make
    for one in made:
        one.close()


KINDS = ["SerialGroup", "ThreadingGroup"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_for_each_host(group: Callable[..., Any], kind: str) -> None:
    hosts = group(kind, "h0", "h1", "h2")
    results = hosts.run("echo out", hide=True)
    assert [results[c].stdout for c in hosts] == ["out\n"] * 3
    assert (len(results.succeeded), results.failed) == (3, {})
    assert [c.original_host for c in hosts] == ["h0", "h1", "h2"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_fails(fabric: Any, group: Callable[..., Any], kind: str) -> None:
    hosts = group(kind, "h0", "h1")
    with pytest.raises(fabric.exceptions.GroupException) as caught:
        hosts.run("exit 3", hide=True)
    result = caught.value.result
    assert sorted(type(error).__name__ for error in result.failed.values()) == ["UnexpectedExit"] * 2
    assert result.succeeded == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_is_not_there_does_not_keep_the_others(fabric: Any, group: Callable[..., Any], kind: str) -> None:
    hosts = group(kind, "h0", "dead", "h1")
    with pytest.raises(fabric.exceptions.GroupException) as caught:
        hosts.run("echo out", hide=True)
    result = caught.value.result
    assert [c.original_host for c in result.failed] == ["dead"]
    assert sorted(c.original_host for c in result.succeeded) == ["h0", "h1"]


def test_output_of_all_is_shown(group: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    group("ThreadingGroup", "h0", "h1").run("echo out; echo err >&2")
    assert capsys.readouterr() == ("out\n" * 2, "err\n" * 2)


def test_a_group_of_connections(fabric: Any, group: Callable[..., Any]) -> None:
    made = fabric.SerialGroup.from_connections(group("SerialGroup", "h0"))
    assert made.run("echo out", hide=True)[made[0]].stdout == "out\n"
    with made:
        pass
    assert not made[0].is_connected


# ---- only the adapter


def test_the_error_says_who_failed_and_why(own: Callable[..., Any]) -> None:
    with pytest.raises(ours.GroupException) as caught:
        own("ThreadingGroup", "h0", "dead").run("echo secret output; exit 3", hide=True)
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 of 2 hosts failed"
    assert lines[1] == "h0: 'echo secret output; exit 3' ended with 3"
    assert lines[2].startswith("dead: 127.0.0.1 port 1 refuses the connection")


@pytest.mark.parametrize("kind", KINDS)
def test_results_of_equal_hosts_are_not_lost(own: Callable[..., Any], kind: str) -> None:
    hosts = own(kind, "h0", "h0", "h1", "h0")
    results = hosts.run("echo out", hide=True)
    assert len(results) == 4 and len(set(map(id, results))) == 4
    assert results[hosts[0]] is not results[hosts[1]]


def test_all_run_at_the_same_time_with_few_threads(own: Callable[..., Any], tmp_path: Path) -> None:
    """Each waits until all the others have come: in turns, nobody would ever end."""
    seen: list[int] = []

    class Counting(io.StringIO):
        def write(self, text: str) -> int:
            seen.append(threading.active_count())
            return super().write(text)

    before = threading.active_count()
    hosts = own("ThreadingGroup", *(f"h{number}" for number in range(HOSTS)))
    command = (
        f"touch {tmp_path}/at-$$; while [ $(ls {tmp_path} | grep -c at-) -lt {HOSTS} ]; do sleep 0.05; done; echo out"
    )
    results = hosts.run(command, hide=True, out_stream=Counting())
    assert len(results.succeeded) == HOSTS
    # The reactor and the reader of output, however many hosts there are.
    assert max(seen) - before <= 2


def test_a_limit(own: Callable[..., Any], tmp_path: Path) -> None:
    hosts = own("ThreadingGroup", "h0", "h1", "h2", "h3", limit=1)
    command = f"mkdir {tmp_path}/alone && sleep 0.05 && rmdir {tmp_path}/alone"
    assert len(hosts.run(command, hide=True).succeeded) == 4


@pytest.mark.parametrize("limit", [0, -1, 1.5, "2"])
def test_a_limit_that_is_none(limit: Any) -> None:
    with pytest.raises(ValueError, match="limit"):
        ours.ThreadingGroup("h0", limit=limit)


def test_a_command_that_reads_does_not_wait_for_input_that_never_comes(own: Callable[..., Any]) -> None:
    assert len(own("ThreadingGroup", "h0", "h1").run("cat; echo out", hide=True).succeeded) == 2


def test_text_that_comes_in_pieces_is_not_torn(own: Callable[..., Any]) -> None:
    (c,) = own("SerialGroup", "h0")
    result = c.run("printf '\\303'; sleep 0.05; printf '\\244\\n'", hide=True, encoding="utf-8")
    assert result.stdout == "ä\n"


def test_ctrl_c_ends_what_runs_everywhere(own: Callable[..., Any], until: Callable[..., Any]) -> None:
    class Interrupting(io.StringIO):
        """Ctrl-C as soon as both commands have put something out."""

        def write(self, text: str) -> int:
            written = super().write(text)
            if self.getvalue().count("out") == 2:
                signal.raise_signal(signal.SIGINT)
            return written

    nap = f"sleep {10**6 + int.from_bytes(os.urandom(3), 'big')}"
    hosts = own("ThreadingGroup", "h0", "h1")
    with pytest.raises(KeyboardInterrupt):
        hosts.run(f"echo out; {nap}", hide=True, out_stream=Interrupting())
    until(lambda: subprocess.run(["pgrep", "-f", f"^{nap}$"], capture_output=True).returncode == 1)
