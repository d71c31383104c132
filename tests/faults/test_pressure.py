"""What holds when there is more than anybody reads: it waits where it came from, nothing is lost, nobody else waits."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection
from openssh_core.testing import LoopbackServer

Connect = Callable[..., Connection]
MEBI = 2**20

BOTH = pytest.mark.parametrize("way", ["link", "guest"])


@BOTH
def test_output_that_nobody_reads_waits_on_the_other_side(
    server: LoopbackServer, connect: Connect, tmp_path: Path, until: Any, steady: Any, memory: Any, way: str
) -> None:
    size = 200_000_000
    with connect(server) as private, openssh_core.connect("guest", control_path=private.control_path) as guest:
        host = private if way == "link" else guest
        for one in (host, private):
            one.run("true")
        before = memory(os.getpid()), memory(private.master_pid)
        step = "os.write(1, bytes([n]) * 1000000); print(n, file=sys.stderr, flush=True)"
        script = f"import os, sys\nfor n in range(200): {step}"
        with open(tmp_path / "progress", "wb") as progress, ThreadPoolExecutor(1) as pool:
            process = host.popen("python3", "-c", script, stdout=PIPE, stderr=progress, encoding=None)
            until(steady(lambda: (tmp_path / "progress").stat().st_size))
            assert not (tmp_path / "progress").read_text().endswith("199\n")
            after = memory(os.getpid()), memory(private.master_pid)
            # A window of 2 MiB, where it is kept and as it is copied.
            assert after[0] - before[0] < 16 * MEBI
            assert after[1] - before[1] < 32 * MEBI
            # The others do not notice.
            assert pool.submit(host.capture, "echo quick").result(timeout=60) == "quick\n"
            assert process.stdout is not None
            read = 0
            for number in range(200):
                assert process.stdout.read(1_000_000) == bytes([number]) * 1_000_000
                read += 1_000_000
            assert process.stdout.read() == b""
            assert read == size
            assert process.wait(timeout=60) == 0
            process.close()


@BOTH
def test_many_readers_that_hang_hold_nobody_up(server: LoopbackServer, connect: Connect, until: Any, way: str) -> None:
    with connect(server) as private, openssh_core.connect("guest", control_path=private.control_path) as guest:
        host = private if way == "link" else guest
        hung = [host.popen("yes", stdout=PIPE) for _ in range(5)]
        for number in range(10):
            assert host.capture("echo", str(number)) == f"{number}\n"
        assert len(str(host.capture("head -c 3000000 /dev/zero"))) == 3_000_000
        for process in hung:
            process.kill()
            process.close()


@BOTH
def test_input_that_nobody_reads_waits_here(
    server: LoopbackServer, connect: Connect, tmp_path: Path, until: Any, steady: Any, memory: Any, way: str
) -> None:
    with connect(server) as private, openssh_core.connect("guest", control_path=private.control_path) as guest:
        host = private if way == "link" else guest
        before = memory(private.master_pid)
        gate = tmp_path / "gate"
        script = f"until [ -e {gate} ]; do sleep 0.05; done; wc -c"
        with host.popen(script, stdin=PIPE, stdout=PIPE, encoding=None, bufsize=0) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            os.set_blocking(process.stdin.fileno(), False)
            written = 0

            def write() -> int:
                nonlocal written
                written += process.stdin.write(bytes(65_536)) or 0  # type: ignore[union-attr]
                return written

            until(steady(write))
            assert 1_000_000 < written < 16 * MEBI
            assert memory(private.master_pid) - before < 32 * MEBI
            assert host.capture("echo quick") == "quick\n"
            gate.touch()
            process.stdin.close()
            assert process.stdout.read() == b"%d\n" % written


@BOTH
def test_a_program_that_was_stopped_goes_on_where_it_was(
    server: LoopbackServer, connect: Connect, until: Any, steady: Any, memory: Any, way: str
) -> None:
    script = """
        import sys
        import openssh_core
        with openssh_core.connect("guest", control_path=sys.argv[1]) as host:
            print("go", flush=True)
            done = host.run("head -c 150000000 /dev/zero", encoding=None)
            print(len(done.stdout), done.returncode, flush=True)
    """
    if way == "link":
        script = script.replace('connect("guest", control_path=sys.argv[1])', "connect(**eval(sys.argv[2]))")
    with connect(server) as host:
        words = [sys.executable, "-c", textwrap.dedent(script), host.control_path, repr(server.connect_options())]
        before = memory(host.master_pid)
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "go\n"
            base = memory(program.pid)
            for size in (10, 40, 70):
                until(lambda: memory(program.pid) - base > size * 1_000_000)  # noqa: B023
                program.send_signal(signal.SIGSTOP)
                until(steady(lambda: memory(host.master_pid)))
                assert memory(host.master_pid) - before < 32 * MEBI
                assert host.capture("echo others go on") == "others go on\n"
                program.send_signal(signal.SIGCONT)
            assert program.communicate(timeout=60)[0] == "150000000 0\n"


@pytest.mark.parametrize("side", ["client", "server"])
def test_new_keys_in_the_middle_of_a_transfer(make_server: Any, connect: Connect, side: str) -> None:
    """RFC 4253 section 9; dozens of times during this one."""
    server = make_server({"RekeyLimit": "128K"} if side == "server" else {})
    options = {"options": {"RekeyLimit": "128K"}} if side == "client" else {}
    data = os.urandom(500_000)
    with connect(server, **options) as host, ThreadPoolExecutor(3) as pool:
        transfers = [pool.submit(host.run, "cat", input=data, encoding=None) for _ in range(2)]
        for number in range(10):
            assert host.capture("echo", str(number)) == f"{number}\n"
        for transfer in transfers:
            done = transfer.result()
            assert hashlib.sha256(done.stdout or b"").digest() == hashlib.sha256(data).digest()
            assert done.returncode == 0


@BOTH
def test_a_slow_network_loses_nothing(server: LoopbackServer, connect: Connect, relay: Any, way: str) -> None:
    slow = relay(server, delay=0.05, bandwidth=1_000_000)
    data = os.urandom(500_000)
    with connect(server, port=slow.port) as private:
        with openssh_core.connect("guest", control_path=private.control_path) as guest:
            host = private if way == "link" else guest
            assert host.run("cat", input=data, encoding=None).stdout == data
