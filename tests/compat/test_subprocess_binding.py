"""Which host the functions of the module go to: a block, a thread's or task's own, or the environment's."""

from __future__ import annotations

import asyncio
import os
import subprocess as local
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import pytest

import openssh_core
from openssh_compat import subprocess
from openssh_core.testing import AccountServer, LoopbackServer

WHO = ["sh", "-c", "echo $LOGNAME"]


@pytest.fixture(scope="module")
def hosts(loopback_server: LoopbackServer, ordinary_user_server: AccountServer) -> Iterator[dict[str, Any]]:
    """Two hosts, told apart by who is logged in to them."""
    with openssh_core.connect(**loopback_server.connect_options()) as first:
        with openssh_core.connect(**ordinary_user_server.connect_options()) as second:
            yield {loopback_server.user: first, ordinary_user_server.user: second}


def who() -> str:
    return subprocess.check_output(WHO, text=True).strip()


def test_unbound_it_says_what_to_do() -> None:
    for function in (subprocess.run, subprocess.call, subprocess.check_output, subprocess.Popen, subprocess.getoutput):
        with pytest.raises(subprocess.NotBound, match=r"subprocess\.on\(host\)") as caught:
            function("true")  # type: ignore[operator]
    assert isinstance(caught.value, local.SubprocessError)


def test_a_block_binds_and_blocks_nest(hosts: dict[str, Any]) -> None:
    (first, one), (second, two) = hosts.items()
    with subprocess.on(one):
        assert who() == first
        with subprocess.on(two) as remote:
            assert who() == second
            assert subprocess.bound() is remote
        assert who() == first
        assert subprocess.call(["true"]) == subprocess.check_call(["true"]) == 0
        assert subprocess.run(WHO, stdout=subprocess.PIPE).stdout == f"{first}\n".encode()
        assert subprocess.getoutput("echo $LOGNAME") == first
        assert subprocess.getstatusoutput("exit 3") == (3, "")
        with subprocess.Popen(WHO, stdout=subprocess.PIPE, text=True) as process:
            assert process.communicate()[0] == f"{first}\n"
        assert isinstance(process, subprocess.Popen) and isinstance(process, local.Popen)
    with pytest.raises(subprocess.NotBound):
        who()


def test_one_object_can_be_entered_again(hosts: dict[str, Any]) -> None:
    first, one = next(iter(hosts.items()))
    remote = subprocess.on(one)
    with remote, remote:
        assert who() == first
    with remote:
        assert who() == first


def test_a_class_made_of_popen_goes_where_it_is_used(hosts: dict[str, Any]) -> None:
    class Mine(subprocess.Popen):
        pass

    for name, host in hosts.items():
        with subprocess.on(host), Mine(WHO, stdout=local.PIPE, text=True) as process:
            assert process.communicate()[0].strip() == name


def test_each_thread_has_its_own(hosts: dict[str, Any]) -> None:
    both_are_in = threading.Barrier(2)
    seen: dict[str, str] = {}

    def work(name: str) -> None:
        with subprocess.on(hosts[name]):
            both_are_in.wait(60)
            seen[name] = who()
            both_are_in.wait(60)

    threads = [threading.Thread(target=work, args=(name,)) for name in hosts]
    with subprocess.on(next(iter(hosts.values()))):
        unbound: list[BaseException] = []
        stranger = threading.Thread(target=lambda: unbound.append(_error(who)))
        for thread in (*threads, stranger):
            thread.start()
        for thread in (*threads, stranger):
            thread.join(60)
    assert seen == {name: name for name in hosts}
    assert isinstance(unbound[0], subprocess.NotBound)


def _error(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except subprocess.NotBound as error:
        return error
    raise AssertionError("it did not fail")


def test_each_task_has_its_own(hosts: dict[str, Any]) -> None:
    async def work(name: str) -> str:
        with subprocess.on(hosts[name]):
            await asyncio.sleep(0)
            return who()

    async def main() -> list[str]:
        return await asyncio.gather(*map(work, hosts))

    assert asyncio.run(main()) == list(hosts)


def test_a_block_that_is_left_elsewhere_does_no_harm(hosts: dict[str, Any]) -> None:
    remote = subprocess.on(next(iter(hosts.values())))
    copy_context().run(remote.__enter__)
    remote.__exit__(None, None, None)
    with pytest.raises(subprocess.NotBound):
        who()


# ---- the environment


PROGRAM = """
import threading
from openssh_compat import subprocess
threads = [threading.Thread(target=subprocess.run, args=(["true"],)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(subprocess.check_output("echo $SSH_CONNECTION", shell=True, text=True), end="")
print(subprocess.bound().connection.master_pid)
"""


def test_the_environment_binds_a_whole_program(loopback_server: LoopbackServer, until: Callable[..., Any]) -> None:
    (alias,) = [
        line.split()[1] for line in loopback_server.ssh_config.read_text().splitlines() if line.startswith("Host ")
    ]
    env = {**os.environ, "OPENSSH_COMPAT_HOST": alias, "OPENSSH_COMPAT_CONFIG": str(loopback_server.ssh_config)}
    done = local.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    place, pid = done.stdout.splitlines()
    assert place.split()[-1] == str(loopback_server.port)
    until(lambda: not os.path.exists(f"/proc/{pid}"))


def test_a_block_goes_before_the_environment(hosts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSSH_COMPAT_HOST", "no-such-host.invalid")
    name, host = next(iter(hosts.items()))
    with subprocess.on(host):
        assert who() == name


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSSH_COMPAT_HOST", "")
    with pytest.raises(subprocess.NotBound):
        who()
