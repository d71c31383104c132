"""What is left is found, named and waited for; what was there before is not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import assert_nothing_left, snapshot, whats_left


def test_nothing_is_left_by_nothing() -> None:
    assert_nothing_left(snapshot())


def test_a_descriptor() -> None:
    before = snapshot()
    with open(__file__) as file:
        with pytest.raises(AssertionError, match=r"descriptors: .*test_leaks.py"):
            assert_nothing_left(before, timeout=0)
        assert whats_left(before, allow=["test_leaks.py"]) == []
        before_second = snapshot()
        second = os.dup(file.fileno())
        assert len(whats_left(before_second)) == 1
        os.close(second)
    assert whats_left(before) == []


def test_a_thread_that_ends_a_moment_later_is_waited_for() -> None:
    before = snapshot()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="loiterer")
    thread.start()
    assert [line.split(" (")[0] for line in whats_left(before)] == ["threads: loiterer"]
    timer = threading.Timer(0.02, end.set)
    timer.start()
    assert_nothing_left(before)


def test_a_child_and_its_child_and_one_nobody_waited_for(until: Any) -> None:
    before = snapshot()
    words = ["/bin/sh", "-c", "sleep 1000 & echo $!; read -r line"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        left = [line for line in whats_left(before) if line.startswith("processes")]
        assert len(left) == 2
        assert any("sleep 1000" in line for line in left)
        os.kill(grandchild, 9)
        child.kill()
        until(lambda: any("nobody waited" in line for line in whats_left(before)))
    assert_nothing_left(before)


@pytest.mark.live
def test_an_ssh_that_is_no_descendant_is_known_by_its_control_directory(tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    other = snapshot(tmp_path / "elsewhere")
    # It waits for a banner that never comes.
    words = ["ssh", "-F", "none", "-S", str(tmp_path / "c"), "-o", "ProxyCommand=sleep 1000", "nowhere"]
    starter = (
        "import subprocess, sys; "
        "print(subprocess.Popen(sys.argv[1:], stdin=-3, stdout=-3, stderr=-3, start_new_session=True).pid)"
    )
    done = subprocess.run([sys.executable, "-c", starter, *words], capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    try:
        # For a moment there may be two: its child is called ssh until it becomes the ProxyCommand.
        assert any(line.startswith(f"processes: {pid} ssh: ") for line in whats_left(before))
        assert whats_left(other) == []
    finally:
        os.killpg(pid, 9)
    assert_nothing_left(before)


def test_a_process_that_was_there_under_another_name() -> None:
    with subprocess.Popen(["sh", "-c", "read go; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        before = snapshot()
        process.stdin.write(b"\nhello")
        process.stdin.flush()
        assert process.stdout.read(5) == b"hello"
        assert whats_left(before) == []
