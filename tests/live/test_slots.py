"""What holds on a server that gives only so many sessions: everything runs in the end, over one login, and once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import PIPE, Connection, errors
from openssh_core.testing import Account, AccountServer, LoopbackServer, assert_nothing_left, snapshot

BOTH = pytest.mark.parametrize("way", ["link", "guest"])


@contextmanager
def connected(server: LoopbackServer, way: str, **changes: Any) -> Iterator[Connection]:
    """A connection that goes through a master by one way or the other."""
    with openssh_core.connect(**{**server.connect_options(), **changes}) as host:
        if way == "link":
            yield host
            return
        with openssh_core.connect("guest", control_path=host.control_path) as guest:
            yield guest


def run_many(host: Connection, commands: int, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        done = list(pool.map(lambda number: host.run(f"echo {number}; exit {number % 7}"), range(commands)))
    assert [one.stdout for one in done] == [f"{number}\n" for number in range(commands)]
    assert [one.returncode for one in done] == [number % 7 for number in range(commands)]


@BOTH
def test_hundreds_of_commands_from_many_threads_share_ten_slots(make_server: Any, way: str) -> None:
    server = make_server({"MaxSessions": 10})
    with connected(server, way) as host:
        run_many(host, commands=300, threads=60)
    assert server.logins == 1


@BOTH
@pytest.mark.parametrize("slots", [1, 2, 3])
def test_few_slots_are_enough(make_server: Any, way: str, slots: int) -> None:
    server = make_server({"MaxSessions": slots})
    with connected(server, way) as host:
        run_many(host, commands=30, threads=10)
        run_many(host, commands=10, threads=1)
    assert server.logins == 1


def test_a_link_and_its_guests_share_the_slots(make_server: Any) -> None:
    """The spare channel of the link takes a slot, and gives way."""
    server = make_server({"MaxSessions": 2})
    with openssh_core.connect(**server.connect_options()) as host:
        host.run("true")
        with openssh_core.connect("guest", control_path=host.control_path) as guest, ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(run_many, one, 20, 3) for one in (host, guest)]
            for future in futures:
                future.result()
    assert server.logins == 1


@pytest.mark.parametrize("spare", [True, False])
def test_one_slot_serves_one_after_the_other(make_server: Any, spare: bool) -> None:
    server = make_server({"MaxSessions": 1})
    with openssh_core.connect(**server.connect_options(), spare=spare) as host:
        for number in range(10):
            assert host.capture("echo", str(number)) == f"{number}\n"
    assert server.logins == 1


def test_what_waits_for_a_slot_gets_it_when_it_is_free(make_server: Any) -> None:
    server = make_server({"MaxSessions": 1})
    with openssh_core.connect(**server.connect_options()) as host, ThreadPoolExecutor(1) as pool:
        with host.popen("read line", stdin=PIPE) as first:
            second = pool.submit(host.run, "echo second")
            assert not second.done()
            assert first.stdin is not None
            first.stdin.close()
        assert second.result().stdout == "second\n"


@BOTH
def test_a_limit_counts_while_waiting_for_a_slot(make_server: Any, way: str) -> None:
    server = make_server({"MaxSessions": 1})
    with connected(server, way) as host, host.popen("read line", stdin=PIPE) as first:
        with pytest.raises(errors.CommandTimeout) as caught:
            host.run("echo never", timeout=0.3)
        assert caught.value.stdout == ""
        assert first.stdin is not None
        first.stdin.close()
        first.wait(timeout=60)
        assert host.capture("echo now") == "now\n"


@BOTH
def test_slots_of_what_was_killed_are_free_again(make_server: Any, nap: Any, way: str) -> None:
    server = make_server({"MaxSessions": 4})
    with connected(server, way) as host:
        for _ in range(3):
            processes = [host.popen(nap.command) for _ in range(3)]
            nap.wait_until_it_runs(3)
            for process in processes:
                process.kill()
                process.wait(timeout=60)
        run_many(host, commands=20, threads=5)
    assert server.logins == 1


@BOTH
def test_slots_of_what_timed_out_are_free_again(make_server: Any, nap: Any, way: str) -> None:
    server = make_server({"MaxSessions": 3})
    with connected(server, way) as host:
        for _ in range(6):
            with pytest.raises(errors.CommandTimeout):
                host.run(nap.command, timeout=0.1)
        nap.wait_until_it_is_over()
        run_many(host, commands=10, threads=5)
    assert server.logins == 1


@BOTH
def test_hundreds_of_sessions_at_once(make_server: Any, way: str) -> None:
    server = make_server({"MaxSessions": 1000})
    count = 300 if way == "link" else 100  # a guest's session takes four descriptors of the master
    with connected(server, way) as host, ExitStack() as stack:
        before = snapshot()
        processes = [
            stack.enter_context(host.popen(f"read line; echo {number} $line", stdin=PIPE, stdout=PIPE))
            for number in range(count)
        ]
        for number, process in enumerate(processes):
            assert process.communicate("x\n", timeout=60) == (f"{number} x\n", None)
            assert process.returncode == 0
        stack.close()
        assert_nothing_left(before, allow=("sshd", "ssh ", "openssh-core-reactor"))
    assert server.logins == 1


# ---- when there is none at all


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a slot that will never come takes 10 s otherwise, and a second from one attempt to the next."""
    monkeypatch.setattr("openssh_core._protocol.slots.LONGEST_BACK_OFF", 0.05)
    for module in ("_io.patience", "_backends.passenger"):
        monkeypatch.setattr(f"openssh_core.{module}.PATIENCE", 0.3)


@pytest.mark.usefixtures("impatient")
@BOTH
def test_no_session_is_allowed_at_all(make_server: Any, way: str) -> None:
    server = make_server({"MaxSessions": 0})
    with connected(server, way) as host:
        for use in (lambda: host.run("true"), lambda: host.popen("true"), host.popen):
            with pytest.raises(errors.OpenRefused) as caught:
                use()
            assert caught.value.host == host.host
    assert server.logins == 1


@pytest.mark.usefixtures("impatient")
@BOTH
def test_many_who_wait_in_vain_are_all_told(make_server: Any, way: str) -> None:
    server = make_server({"MaxSessions": 0})

    def attempt(_: int) -> None:
        with pytest.raises(errors.OpenRefused):
            host.run("true")

    with connected(server, way) as host, ThreadPoolExecutor(10) as pool:
        list(pool.map(attempt, range(20)))


def test_a_terminal_that_is_not_allowed(make_server: Any) -> None:
    server = make_server({"PermitTTY": False})
    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(errors.RequestRefused) as caught:
            host.run("true", pty=True)
        assert caught.value.request == "pty-req"
        with pytest.raises(errors.RequestRefused):
            host.popen("true", pty=True)
        assert host.capture("echo without one") == "without one\n"


USELESS = {"false": "/bin/false", "nologin": "/usr/sbin/nologin", "missing": "/no/such/shell"}


@pytest.fixture(scope="module")
def useless() -> Iterator[AccountServer]:
    """A server with accounts that are of no use: `user_false` and so on."""
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    with AccountServer(*(Account(f"user_{name}", shell=shell) for name, shell in USELESS.items())) as server:
        yield server


@BOTH
@pytest.mark.parametrize(("name", "status"), [("false", 1), ("nologin", 1)])
def test_an_account_that_may_run_nothing(useless: AccountServer, way: str, name: str, status: int) -> None:
    with connected(useless, way, target=f"user_{name}@{useless.host}:{useless.port}") as host:
        done = host.run("echo never")
        assert (done.returncode, "never" in str(done.stdout)) == (status, False)


def test_an_account_whose_shell_is_missing_cannot_log_in(useless: AccountServer, control_dir: Path) -> None:
    target = f"user_missing@{useless.host}:{useless.port}"
    with pytest.raises(errors.AuthenticationError):
        openssh_core.connect(**{**useless.connect_options(), "target": target, "control_dir": control_dir})


def test_threads_that_come_and_go(make_server: Any) -> None:
    server = make_server({"MaxSessions": 2})
    results: list[object] = []
    with openssh_core.connect(**server.connect_options()) as host:

        def work(number: int) -> Callable[[], None]:
            return lambda: results.append(host.capture("echo", str(number)))

        threads = [threading.Thread(target=work(number)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results, key=str) == sorted((f"{number}\n" for number in range(40)), key=str)
