"""What holds in the long run: thousands of commands leave no more behind than one."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection
from openssh_core.testing import LoopbackServer

Connect = Callable[..., Connection]


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.parametrize(("way", "commands"), [("link", 5_000), ("guest", 2_000)])
def test_commands_without_end(server: LoopbackServer, connect: Connect, memory: Any, way: str, commands: int) -> None:
    with connect(server) as private, openssh_core.connect("guest", control_path=private.control_path) as guest:
        host = private if way == "link" else guest

        def work(number: int) -> None:
            done = host.run("exit 3", input=b"x" if number % 10 == 0 else None)
            assert done.returncode == 3

        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(work, range(1_000)):
                pass
            gc.collect()
            before = descriptors(os.getpid()), descriptors(private.master_pid), threading.active_count()
            sizes = memory(os.getpid()), memory(private.master_pid)
            for _ in pool.map(work, range(commands - 1_000)):
                pass
            gc.collect()
            after = descriptors(os.getpid()), descriptors(private.master_pid), threading.active_count()
            grown = memory(os.getpid()) - sizes[0], memory(private.master_pid) - sizes[1]
        # A spare channel or a descriptor on its way may be there the one time and not the other.
        assert max(now - then for now, then in zip(after, before, strict=True)) <= 2
        assert max(grown) < 5 * 2**20
    assert server.logins == 1


def test_connections_without_end(server: LoopbackServer, connect: Connect, until: Any, steady: Any) -> None:
    def here() -> tuple[int, int]:
        gc.collect()
        return descriptors(os.getpid()), threading.active_count()

    connect(server).close()
    # The reactor ends by itself, a moment after the last connection.
    until(steady(here))
    before = here()
    for number in range(15):
        with connect(server) as host:
            assert host.run(f"exit {number}").returncode == number
    until(lambda: all(now <= then for now, then in zip(here(), before, strict=True)))
