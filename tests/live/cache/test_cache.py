"""Connections kept for the next one who wants the same: the limit holds, and what differs is not shared."""

from __future__ import annotations

import gc
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, ConnectionClosed, ConnectTimeout, InvalidInput, OpenSSHError
from openssh_core.cache import ConnectionCache, diverted
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

Until = Callable[..., Any]
Options = dict[str, Any]


@pytest.fixture
def options(loopback_server: LoopbackServer) -> Options:
    return loopback_server.connect_options()


@pytest.fixture
def cache() -> Iterator[ConnectionCache]:
    before = snapshot()
    with ConnectionCache(limit=2) as made:
        yield made
    assert len(made) == 0
    assert_nothing_left(before)


def is_gone(pid: int) -> bool:
    """Whether it has ended; whoever is to take note of that may be slow."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def other(options: Options, number: int) -> Options:
    """The same host with other options, so that nothing can be shared."""
    return options | {"keepalive": 100 + number}


def test_a_connection_given_back_is_used_again(cache: ConnectionCache, options: Options) -> None:
    with cache.connect(**options) as first:
        assert isinstance(first, Connection)
        pid = first.master_pid
        assert first.capture("echo there") == "there\n"
    assert first.closed
    with pytest.raises(ConnectionClosed, match="given back"):
        first.run("true")
    with cache.connect(**options) as second:
        assert second.master_pid == pid
        assert second.capture("echo again") == "again\n"
    first.close()  # once more does no harm
    assert len(cache) == 1


def test_several_may_use_one_at_the_same_time(cache: ConnectionCache, options: Options) -> None:
    with cache.connect(**options) as first, cache.connect(**options) as second:
        assert first is not second
        assert first.master_pid == second.master_pid
        first.close()
        assert second.capture("echo there") == "there\n"
    assert len(cache) == 1


def test_many_who_ask_at_once_get_one_login(
    cache: ConnectionCache, options: Options, loopback_server: LoopbackServer
) -> None:
    logins = loopback_server.logins
    gate = threading.Barrier(8)

    def use(number: int) -> str:
        gate.wait()
        with cache.connect(**options) as host:
            said = host.capture("echo", str(number))
            assert isinstance(said, str)
            return said

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, range(8))) == [f"{number}\n" for number in range(8)]
    assert loopback_server.logins == logins + 1


def test_other_options_are_another_connection(cache: ConnectionCache, options: Options) -> None:
    def answer(_prompt: object) -> None: ...

    with cache.connect(**options) as first:
        for changed in ({"spare": False}, {"options": {"Compression": "yes"}}):
            with cache.connect(**options | changed) as second:
                assert second.master_pid != first.master_pid
    # Equal values are equal, however they are written; a function is only itself.
    with cache.connect(**options, options={"Compression": "yes"}, answer=answer) as first:
        same = options | {"answer": answer, "options": {"Compression": "yes"}}
        with cache.connect(**same) as second:
            assert second.master_pid == first.master_pid


def test_the_limit_is_kept_and_the_longest_unused_goes(cache: ConnectionCache, options: Options) -> None:
    pids = []
    for number in (0, 1):
        with cache.connect(**other(options, number)) as host:
            pids.append(host.master_pid)
    with cache.connect(**other(options, 0)) as host:
        assert host.master_pid == pids[0]
    with cache.connect(**other(options, 2)):
        assert len(cache) == 2
    with cache.connect(**other(options, 0)) as host:
        assert host.master_pid == pids[0], "it was used last"
    with cache.connect(**other(options, 1)) as host:
        assert host.master_pid != pids[1]


def test_where_all_are_in_use_one_waits(cache: ConnectionCache, options: Options) -> None:
    first, second = cache.connect(**other(options, 0)), cache.connect(**other(options, 1))
    with pytest.raises(ConnectTimeout, match="2 connections are in use"):
        cache.connect(**other(options, 2), connect_timeout=0.1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: cache.connect(**other(options, 2)))
        first.close()
        with waiting.result(60) as third:
            assert third.capture("echo there") == "there\n"
            assert len(cache) == 2
    second.close()


def test_what_is_idle_for_long_is_closed(options: Options, until: Until) -> None:
    with ConnectionCache(idle=0.1) as cache:
        with cache.connect(**options) as kept, cache.connect(**other(options, 1)) as host:
            pid = host.master_pid
            host.close()
            until(lambda: len(cache) == 1)
            until(lambda: is_gone(pid))
            assert kept.capture("echo there") == "there\n"
        until(lambda: len(cache) == 0)


def test_one_that_broke_is_replaced(cache: ConnectionCache, options: Options) -> None:
    with cache.connect(**options) as host:
        pid = host.master_pid
    os.kill(pid, signal.SIGKILL)
    with cache.connect(**options) as host:
        assert host.master_pid != pid
        assert host.capture("echo there") == "there\n"
    assert len(cache) == 1


def test_clean_closes_what_nobody_uses_and_the_rest_when_it_comes_back(
    cache: ConnectionCache, options: Options, until: Until
) -> None:
    with cache.connect(**options) as used:
        with cache.connect(**other(options, 1)) as host:
            unused = host.master_pid
        cache.clean()
        until(lambda: is_gone(unused))
        assert used.capture("echo still here") == "still here\n"
        with cache.connect(**options) as fresh:
            assert fresh.master_pid != used.master_pid
        pid = used.master_pid
    until(lambda: is_gone(pid))


def test_end_has_one_closed_for_good(cache: ConnectionCache, options: Options, until: Until) -> None:
    host = cache.connect(**options)
    pid = host.master_pid
    host.close(end=True)
    assert len(cache) == 0
    until(lambda: is_gone(pid))


def test_forwards_end_when_a_connection_is_given_back(cache: ConnectionCache, options: Options) -> None:
    with cache.connect(**options) as host:
        forward = host.forward_local(0, 22)
    assert forward.closed


def test_one_that_is_dropped_comes_back_too(cache: ConnectionCache, options: Options, until: Until) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        pid = cache.connect(**options).master_pid
        gc.collect()
    with cache.connect(**options) as host:
        assert host.master_pid == pid
        assert host.capture("echo there") == "there\n"
    cache.clean()
    until(lambda: is_gone(pid))


def test_a_login_that_fails_takes_no_place(cache: ConnectionCache, options: Options) -> None:
    for _ in range(3):
        with pytest.raises(OpenSSHError):
            cache.connect(**options | {"target": "nobody@127.0.0.1:1"})
    assert len(cache) == 0


def test_what_others_use_too_cannot_be_changed_for_them(cache: ConnectionCache, options: Options) -> None:
    with cache.connect(**options) as host:
        for change in (host.restart, host.stop, host.disown):
            with pytest.raises(InvalidInput, match="cache"):
                change()
        assert host.capture("echo there") == "there\n"
    with pytest.raises(InvalidInput, match="sock="):
        cache.connect(**options, sock=0)
    for limit in (0, -1, True, 1.5):
        with pytest.raises(InvalidInput):
            ConnectionCache(limit=limit)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        ConnectionCache(idle=-1)


def test_a_closed_cache_gives_nothing(options: Options) -> None:
    cache = ConnectionCache()
    cache.close()
    cache.close()
    with pytest.raises(ConnectionClosed):
        cache.connect(**options)


def test_connect_can_be_diverted_into_a_cache(cache: ConnectionCache, options: Options) -> None:
    with cache.installed():
        with openssh_core.connect(**options) as first:
            pid = first.master_pid
        with openssh_core.connect(**options) as second:
            assert second.master_pid == pid
    with openssh_core.connect(**options) as host:
        assert host.master_pid != pid


def test_connect_can_be_diverted_into_any_function(options: Options) -> None:
    asked = []

    def connector(target: str, **named: Any) -> Connection:
        asked.append(target)
        return openssh_core.connect(target, **named)  # the real one, in here

    with diverted(connector):
        with openssh_core.connect(**options) as host:
            assert host.capture("echo there") == "there\n"
    assert asked == [options["target"]]


def test_a_forked_child_begins_with_an_empty_cache(cache: ConnectionCache, options: Options) -> None:
    with cache.connect(**options) as host:
        pid = host.master_pid
        with warnings.catch_warnings():
            # Python 3.12 warns of forks in programs with threads. That it goes well all the same is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            try:
                assert len(cache) == 0
                with cache.connect(**options) as own:
                    assert own.master_pid != pid
                    assert own.capture("echo child") == "child\n"
                cache.close()
                host.close()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert host.capture("echo parent") == "parent\n"


def test_what_the_connection_forwards_counts_for_who_has_it(
    cache: ConnectionCache, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/no/such/agent")
    with cache.connect(**options, forward_agent=True) as host:
        # There is no agent here; that it may be asked for is what counts.
        host.run("true", forward_agent=True)
    with cache.connect(**options) as host:
        with pytest.raises(InvalidInput, match="forward_agent"):
            host.run("true", forward_agent=True)
