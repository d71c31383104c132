"""What holds after a fork: the child may use the connection and takes nothing from the parent, and a killed program
leaves nothing running.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection, errors
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot


def fork(work: Callable[[], object]) -> int:
    """Run `work` in a forked child, which ends with 0 if it returned; the child's process id."""
    with warnings.catch_warnings():
        # Python 3.12 warns of forks in programs with threads. That it goes well all the same is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - pytest must not go on in the child
        traceback.print_exc()
    finally:
        os._exit(status)


def status_of(pid: int) -> int:
    """The exit status of a child; a signal's number negated."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_child_can_run_commands(either: Connection) -> None:
    def work() -> None:
        for number in range(3):
            assert either.run("cat", input=f"{number}").stdout == f"{number}"
        with either.popen("read line; echo $line", stdin=PIPE, stdout=PIPE) as process:
            assert process.communicate("from the child\n") == ("from the child\n", None)

    assert status_of(fork(work)) == 0
    assert either.capture("echo the parent goes on") == "the parent goes on\n"


def test_a_child_that_ends_takes_nothing_along(either: Connection) -> None:
    with either.popen("read line; echo $line", stdin=PIPE, stdout=PIPE) as process:
        assert status_of(fork(lambda: None)) == 0
        assert process.communicate("still there\n") == ("still there\n", None)
    either.check()


def test_a_child_that_closes_takes_nothing_along(either: Connection) -> None:
    with either.popen("read line; echo $line", stdin=PIPE, stdout=PIPE) as process:
        assert status_of(fork(either.close)) == 0
        assert process.communicate("still there\n") == ("still there\n", None)
    assert either.capture("echo and again") == "and again\n"


def test_many_children_at_once(either: Connection) -> None:
    def work() -> None:
        assert either.capture("echo from a child") == "from a child\n"

    children = [fork(work) for _ in range(4)]
    assert either.capture("echo from the parent") == "from the parent\n"
    assert [status_of(pid) for pid in children] == [0] * 4


def test_a_child_of_a_child(either: Connection) -> None:
    def work() -> None:
        assert either.capture("echo child") == "child\n"
        assert status_of(fork(lambda: either.run("echo grandchild", check=True))) == 0
        assert either.capture("echo child again") == "child again\n"

    assert status_of(fork(work)) == 0


def test_the_end_of_input_is_seen_though_a_child_lives(either: Connection) -> None:
    stay, leave = os.pipe()
    with either.popen("cat; echo end", stdin=PIPE, stdout=PIPE) as process:

        def work() -> None:
            os.close(leave)
            os.read(stay, 1)

        pid = fork(work)
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            assert process.stdout.read() == "end\n"
            assert process.wait(timeout=60) == 0
        finally:
            os.close(stay)
            os.close(leave)
            assert status_of(pid) == 0


def test_the_master_ends_though_a_child_lives(loopback_server: LoopbackServer, control_dir: Path) -> None:
    stay, leave = os.pipe()
    before = snapshot(control_dir)
    host = openssh_core.connect(**loopback_server.connect_options(), control_dir=control_dir)

    def work() -> None:
        os.close(leave)
        os.read(stay, 1)

    pid = fork(work)
    try:
        host.close()
        assert os.listdir(control_dir) == []
        assert_nothing_left(before, allow=(str(pid), f"{pid} python", "sshd"))
    finally:
        os.close(stay)
        os.close(leave)
        assert status_of(pid) == 0


def test_a_parent_s_process_says_so_in_the_child(either: Connection) -> None:
    with either.popen("read line", stdin=PIPE) as process:

        def work() -> None:
            for use in (process.wait, process.poll):
                with pytest.raises(errors.ConnectionLost, match="parent"):
                    use()
            process.terminate()  # does nothing: it is not ours
            process.close()
            assert either.capture("echo fine") == "fine\n"

        assert status_of(fork(work)) == 0
        assert process.poll() is None
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=60) == 1


def test_a_fork_at_any_moment_of_the_reactor(loopback_server: LoopbackServer) -> None:
    """Its thread comes with the first work and goes with the last, and may be half-way when the program forks."""
    host = openssh_core.connect(**loopback_server.connect_options())

    def work() -> None:
        for _ in range(40):
            assert host.capture("echo child") == "child\n"
            # Nothing is left to do for the child's reactor, so it is about to end.
            assert status_of(fork(lambda: host.capture("echo grandchild"))) == 0

    with host:
        children = [fork(work) for _ in range(2)]
        assert [status_of(pid) for pid in children] == [0, 0]


def test_a_fork_while_other_threads_are_busy(either: Connection) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def work() -> None:
        assert either.capture("echo child") == "child\n"

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(either.capture, "echo", str(number)) for number in range(60)]
        children = [fork(work) for _ in range(5)]
        assert [future.result() for future in futures] == [f"{number}\n" for number in range(60)]
    assert [status_of(pid) for pid in children] == [0] * 5


def _visit(host: Connection, number: int, answers: Any) -> None:
    answers.put((number, host.capture("echo", str(number))))


def test_multiprocessing_by_fork(either: Connection) -> None:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    processes = [context.Process(target=_visit, args=(either, number, answers)) for number in range(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for process in processes:
            process.start()
    assert sorted(answers.get() for _ in processes) == [(number, f"{number}\n") for number in range(3)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
        process.close()
    answers.close()
    assert either.capture("echo the parent goes on") == "the parent goes on\n"


def test_programs_started_from_here_inherit_nothing(host: Connection) -> None:
    """A descriptor held by a stranger would keep the end of input from being seen."""
    with host.popen("cat; echo end", stdin=PIPE, stdout=PIPE) as process:
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as stranger:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            assert process.stdout.read() == "end\n"
            assert stranger.stdin is not None
            stranger.stdin.close()


# ---- the program is killed

HOLDING = """
    import sys, time
    import openssh_core
    options, command = eval(sys.stdin.readline())
    host = openssh_core.connect(**options)
    process = host.popen(command)
    # Not on stdout: the command is writing there.
    print(host.control_path, host.master_pid, file=sys.stderr, flush=True)
    sys.stdin.read()
"""


def hold(text: str, options: dict[str, Any], command: str) -> tuple[subprocess.Popen[str], list[str]]:
    """Start a program that holds a connection and a command; it, and what it says of its master."""
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None and program.stderr is not None
    program.stdin.write(repr((options, command)) + "\n")
    program.stdin.flush()
    return program, program.stderr.readline().split()


@pytest.mark.parametrize("command", ["cat", "{}", "cat; {}", "yes"])
def test_a_killed_program_leaves_nothing_on_this_side(
    loopback_server: LoopbackServer, control_dir: Path, nap: Any, until: Any, command: str
) -> None:
    options = {**loopback_server.connect_options(), "control_dir": str(control_dir)}
    before = snapshot(control_dir)
    program, said = hold(HOLDING, options, command.format(nap.command))
    with program:
        assert os.path.exists(said[0])
        program.kill()
    until(lambda: os.listdir(control_dir) == [])
    assert_nothing_left(before, allow=("sshd", str(nap.seconds)))


def test_what_nobody_could_clean_up_is_swept_by_the_next(
    loopback_server: LoopbackServer, control_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is so young might still be in the making; a sweeper leaves it alone.
    monkeypatch.setattr("openssh_core._io.private_dir.YOUNG", 0)
    left = control_dir / "osc-0123456789ab"
    left.mkdir(mode=0o700)
    (left / "log").write_text("last words")
    strange = control_dir / "somebody else's"
    strange.mkdir()
    with openssh_core.connect(**loopback_server.connect_options(), control_dir=control_dir) as host:
        assert sorted(os.listdir(control_dir)) == sorted([Path(host.control_path).parent.name, strange.name])
    strange.rmdir()


def test_a_directory_in_use_is_not_swept(
    loopback_server: LoopbackServer, control_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openssh_core._io.private_dir.YOUNG", 0)
    options = {**loopback_server.connect_options(), "control_dir": control_dir}
    with openssh_core.connect(**options) as first:
        os.unlink(first.control_path)  # not even when its socket is gone
        with openssh_core.connect(**options):
            assert len(os.listdir(control_dir)) == 2
        assert first.capture("echo untouched") == "untouched\n"


def test_a_killed_guest_does_not_take_the_master_along(host: Connection, nap: Any, until: Any) -> None:
    text = HOLDING.replace("connect(**options)", "connect('guest', **options)")
    program, said = hold(text, {"control_path": host.control_path}, "cat")
    with program:
        assert said[1] == str(host.master_pid)
        program.kill()
    host.check()
    assert host.capture("echo untouched") == "untouched\n"
