"""Many at once, much at once, streams that are closed early or kept open, and what is left when a program ends."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess as local
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import openssh_core
from openssh_compat import subprocess
from openssh_core.testing import Account, AccountServer, LoopbackServer

SHELLS = ["sh", "dash", "bash", "zsh", "csh", "fish"]


@pytest.fixture(scope="module")
def shared(loopback_server: LoopbackServer) -> Iterator[subprocess.Remote]:
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        yield subprocess.on(host)


@pytest.fixture(params=["original", "ours"])
def sp(request: pytest.FixtureRequest) -> Any:
    """subprocess, or the adapter bound to a host."""
    return local if request.param == "original" else request.getfixturevalue("shared")


class Nap:
    """A `sleep` that can be told from all others."""

    def __init__(self) -> None:
        self.words = ["sleep", f"{10**6 + secrets.randbelow(10**9)}"]

    def count(self) -> int:
        """How many processes sleep so."""
        done = local.run(["pgrep", "-cxf", " ".join(self.words)], stdout=local.PIPE)
        return int(done.stdout)


@pytest.fixture
def nap() -> Iterator[Nap]:
    nap = Nap()
    yield nap
    local.run(["pkill", "-xf", " ".join(nap.words)])


# ---- what arrives, whatever the login shell


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, subprocess.Remote]]:
    """A host with an account for each login shell."""
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    users = [Account(f"with-{shell}", shell=shutil.which(shell) or f"/bin/{shell}") for shell in SHELLS]
    with AccountServer(*users) as server, ExitStack() as ends:
        options = server.connect_options()
        yield {
            shell: ends.enter_context(
                subprocess.on(**{**options, "target": f"with-{shell}@{server.host}:{server.port}"})
            )
            for shell in SHELLS
        }


WORDS = st.lists(
    st.sampled_from(["", "-", "--", "~", "=", "A=b", "'", '"', "\\", "!", "\n", "$HOME", "`id`", "*", "%s", "ä"])
    | st.binary(max_size=20).map(lambda data: data.replace(b"\0", b"")),
    max_size=6,
)


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_words_arrive_whatever_the_login_shell(
    accounts: dict[str, subprocess.Remote], shell: str, words: list[Any]
) -> None:
    data = accounts[shell].check_output(["printf", "%s\\0", "first", *words])
    assert data.split(b"\0")[1:-1] == [os.fsencode(word) for word in words]


@pytest.mark.parametrize("shell", SHELLS)
def test_starts_that_fail_whatever_the_login_shell(accounts: dict[str, subprocess.Remote], shell: str) -> None:
    remote = accounts[shell]
    with pytest.raises(FileNotFoundError):
        remote.run(["no-such-program-anywhere"])
    with pytest.raises(PermissionError) as caught:
        remote.Popen(["true"], cwd="/root")
    assert caught.value.filename == "/root"
    with pytest.raises(NotADirectoryError):
        remote.Popen(["true"], cwd="/etc/passwd")
    with pytest.raises(PermissionError):
        remote.run(["true"], user="root")
    with remote.Popen("trap 'exit 9' TERM; echo up; while :; do sleep 0.02; done", shell=True, stdout=-1) as process:
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.wait(60) == 9


# ---- many, and much


def test_a_hundred_at_once(make_server: Callable[..., LoopbackServer]) -> None:
    with subprocess.on(**make_server({"MaxSessions": 110}).connect_options()) as remote:
        processes = [remote.Popen(["cat"], stdin=remote.PIPE, stdout=remote.PIPE) for _ in range(100)]
        assert len({process.pid for process in processes}) == 100
        for number, process in enumerate(processes):
            assert process.communicate(b"%d" % number)[0] == b"%d" % number
        assert {process.returncode for process in processes} == {0}


def test_more_than_the_server_takes_wait_for_their_turn(shared: subprocess.Remote) -> None:
    with ThreadPoolExecutor(30) as threads:
        results = threads.map(lambda number: shared.check_output(["echo", str(number)]), range(60))
        assert list(results) == [b"%d\n" % number for number in range(60)]


def test_much_on_both_streams(sp: Any) -> None:
    data = os.urandom(3_000_000)
    with sp.Popen(["tee", "/dev/stderr"], stdin=sp.PIPE, stdout=sp.PIPE, stderr=sp.PIPE) as process:
        assert process.communicate(data) == (data, data)
    done = sp.run(["tee", "/dev/stderr"], input=data, capture_output=True)
    assert (done.stdout, done.stderr) == (data, data)


# ---- streams that end when nobody expects it


def test_streams_that_are_closed_early(sp: Any) -> None:
    command = "exec >&- 2>&-; read x; exit 5"
    with sp.Popen(["sh", "-c", command], stdin=sp.PIPE, stdout=sp.PIPE, stderr=sp.PIPE) as process:
        assert process.stdout.read() == b""
        assert process.stderr.read() == b""
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(60) == 5


def test_input_that_is_closed_early(sp: Any) -> None:
    with sp.Popen(["sh", "-c", "exec <&-; echo closed; read x <&2"], stdin=-1, stdout=-1, stderr=sp.DEVNULL) as process:
        assert process.stdout.read() == b"closed\n"
        with pytest.raises(BrokenPipeError):
            while True:
                process.stdin.write(bytes(100_000))
                process.stdin.flush()
        with suppress(BrokenPipeError):
            process.stdin.close()
    assert process.returncode is not None


def test_streams_that_a_grandchild_keeps_open(sp: Any, nap: Nap, until: Callable[..., Any]) -> None:
    command = f"{' '.join(nap.words)} & echo begun"
    with sp.Popen(command, shell=True, stdout=sp.PIPE, stderr=sp.PIPE) as process:
        assert process.wait(60) == 0
        with pytest.raises(local.TimeoutExpired) as caught:
            process.communicate(timeout=0.2)
        assert caught.value.output == b"begun\n"
        assert nap.count() == 1


def test_a_grandchild_takes_no_session_for_good(make_server: Callable[..., LoopbackServer], nap: Nap) -> None:
    with subprocess.on(**make_server({"MaxSessions": 2}).connect_options()) as remote:
        for _ in range(5):
            with remote.Popen(f"{' '.join(nap.words)} &", shell=True, stdout=-1, stderr=-1) as process:
                assert process.wait(60) == 0


# ---- what is left


def test_a_whole_group_is_killed(shared: subprocess.Remote, nap: Nap, until: Callable[..., Any]) -> None:
    words = " ".join(nap.words)
    with shared.Popen(f"{words} & (trap '' TERM; {words}) & {words}", shell=True) as process:
        until(lambda: nap.count() == 3)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    until(lambda: nap.count() == 0)


PROGRAM = """
import sys
from openssh_compat import subprocess
remote = subprocess.on(**{options!r})
process = remote.Popen({words!r})
print("started", flush=True)
{end}
"""


@pytest.mark.parametrize(("end", "status"), [("", 0), ("sys.exit(3)", 3), ("1 / 0", 1)])
def test_a_program_that_ends_leaves_nothing(
    loopback_server: LoopbackServer, nap: Nap, until: Callable[..., Any], end: str, status: int
) -> None:
    program = PROGRAM.format(options=loopback_server.connect_options(), words=nap.words, end=end)
    done = local.run([sys.executable, "-c", program], stdin=local.DEVNULL, stdout=local.PIPE, stderr=local.DEVNULL)
    assert (done.returncode, done.stdout) == (status, b"started\n")
    until(lambda: nap.count() == 0)
