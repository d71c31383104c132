"""What holds when this program, or the master, may open no more descriptors: an error, and nothing half done."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import openssh_core
from openssh_core import PIPE, Connection, errors
from openssh_core.testing import LoopbackServer

Connect = Callable[..., Connection]

# Every operation is tried with room for 0, 1, 2... more descriptors, until it succeeds.
SCARCE = """
    import errno, os, resource, sys
    import openssh_core
    from openssh_core import PIPE
    from openssh_core.testing import assert_nothing_left, snapshot

    options, path = eval(sys.stdin.readline())
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

    def connect():
        openssh_core.connect(**options).close()

    def adopt():
        openssh_core.connect("guest", control_path=path).close()

    def run():
        assert host.run("cat", input="x", stderr=openssh_core.DEVNULL).stdout == "x"

    def popen():
        with host.popen("cat", stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
            assert process.communicate("x") == ("x", "")

    def to_file():
        with open("/dev/null", "wb") as null:
            host.run("echo x", stdout=null, stderr=null)

    work = globals()[sys.argv[1]]
    if sys.argv[2] == "guest":
        host = openssh_core.connect("guest", control_path=path)
    else:
        host = openssh_core.connect(**options)
    host.run("true")
    work()
    before = snapshot()
    refused = 0
    for more in range(60):
        used = max(map(int, os.listdir("/proc/self/fd"))) + 1
        free = [number for number in range(used) if not os.path.lexists(f"/proc/self/fd/{number}")]
        fillers = [os.open(os.devnull, os.O_RDONLY) for _ in free]
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(used, max(fillers, default=0) + 1) + more, hard))
        try:
            work()
        except (OSError, openssh_core.OpenSSHError) as error:
            refused += 1
            print(more, type(error).__name__, error, file=sys.stderr)
            failed = True
        else:
            failed = False
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            for number in fillers:
                os.close(number)
        assert_nothing_left(before)
        assert host.capture("echo fine") == "fine\\n"
        if not failed:
            break
    else:
        raise AssertionError("never enough")
    # What goes over a link needs no descriptor at all.
    assert refused or sys.argv[1:] == ["run", "link"]
    host.close()
    print("done")
"""


@pytest.mark.parametrize("way", ["link", "guest"])
@pytest.mark.parametrize("work", ["connect", "adopt", "run", "popen", "to_file"])
def test_a_program_without_descriptors(
    server: LoopbackServer, connect: Connect, inner_dir: Path, work: str, way: str
) -> None:
    with connect(server) as host:
        options = {**server.connect_options(), "control_dir": str(inner_dir)}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(SCARCE), work, way],
            input=repr((options, host.control_path)) + "\n",
            capture_output=True,
            text=True,
        )
        assert done.stdout == "done\n", done.stderr
        assert host.capture("echo fine") == "fine\n"


def test_a_master_without_descriptors(
    server: LoopbackServer,
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer_within: Callable[[float], None],
) -> None:
    monkeypatch.setattr("openssh_core._backends.passenger.ANSWER", 1.0)
    answer_within(1.0)
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nulimit -n 16\nexec ssh "$@"\n')
    ssh.chmod(0o755)
    with connect(server, ssh=str(ssh)) as host:
        guest = openssh_core.connect("guest", control_path=host.control_path)
        with contextlib.ExitStack() as stack:
            processes = []
            with pytest.raises((errors.MasterUnresponsive, errors.ConnectionLost)):
                while len(processes) < 16:
                    process = guest.popen("read line; echo $line", stdin=PIPE, stdout=PIPE)
                    processes.append(stack.enter_context(process))
            assert processes
            # What goes over the link needs none, and what was there before goes on.
            assert host.capture("echo fine") == "fine\n"
            for process in processes:
                assert process.communicate("still there\n", timeout=60) == ("still there\n", None)
        assert guest.capture("echo fine again") == "fine again\n"
        guest.close()
