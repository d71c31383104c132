"""asyncio's subprocesses here and on a host: the same calls, the same answers; and no thread waits."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess as local
import threading
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_compat import subprocess
from openssh_core.testing import LoopbackServer


@pytest.fixture(scope="module")
def shared(loopback_server: LoopbackServer) -> Iterator[subprocess.Remote]:
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        yield subprocess.on(host)


@pytest.fixture
def remote(loopback_server: LoopbackServer) -> Iterator[subprocess.Remote]:
    with subprocess.on(**loopback_server.connect_options()) as remote:
        yield remote


@pytest.fixture(params=["original", "ours"])
def aio(request: pytest.FixtureRequest) -> Any:
    """asyncio, or the adapter bound to a host."""
    return asyncio if request.param == "original" else request.getfixturevalue("shared")


def test_communicate(aio: Any) -> None:
    async def main() -> None:
        command = "cat; echo err >&2; exit 3"
        process = await aio.create_subprocess_shell(command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert await process.communicate(b"in") == (b"in", b"err\n")
        assert (process.returncode, await process.wait()) == (3, 3)
        assert isinstance(process, Process)

    asyncio.run(main())


def test_words_and_other_arguments(aio: Any, tmp_path: Path) -> None:
    async def main() -> None:
        process = await aio.create_subprocess_exec(
            "sh",
            "-c",
            'pwd; echo "$0" $A',
            "it's",
            cwd=tmp_path,
            env={"A": "a", "PATH": os.environ["PATH"]},
            stdout=PIPE,
        )
        assert await process.communicate() == (f"{tmp_path}\nit's a\n".encode(), None)
        with open(tmp_path / "out", "wb") as file:
            process = await aio.create_subprocess_exec("echo", b"x", stdin=DEVNULL, stdout=file, stderr=STDOUT)
            assert (await process.wait(), process.stdout, process.stdin) == (0, None, None)
        assert (tmp_path / "out").read_bytes() == b"x\n"

    asyncio.run(main())


def test_streams(aio: Any) -> None:
    async def main() -> None:
        process = await aio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            await process.stdin.drain()
            assert await process.stdout.readline() == line
        assert process.returncode is None
        process.stdin.close()
        await process.stdin.wait_closed()
        assert await process.stdout.read() == b""
        assert await process.wait() == 0

    asyncio.run(main())


def test_much_in_both_directions(aio: Any) -> None:
    async def main() -> None:
        data = os.urandom(1_000_000) * 3
        process = await aio.create_subprocess_exec("tee", "/dev/stderr", stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert await process.communicate(data) == (data, data)

    asyncio.run(main())


def test_input_that_nobody_reads(aio: Any) -> None:
    async def main() -> None:
        process = await aio.create_subprocess_exec("true", stdin=PIPE)
        assert await process.communicate(bytes(1_000_000)) == (None, None)
        assert process.returncode == 0

    asyncio.run(main())


@pytest.mark.parametrize("method", ["terminate", "kill", "send_signal"])
def test_signals(aio: Any, method: str) -> None:
    async def main() -> None:
        process = await aio.create_subprocess_exec("sleep", "600")
        number = {"terminate": signal.SIGTERM, "kill": signal.SIGKILL}.get(method, signal.SIGINT)
        getattr(process, method)(*([number] if method == "send_signal" else []))
        assert await process.wait() == -number
        with pytest.raises(ProcessLookupError):
            process.kill()

    asyncio.run(main())


def test_a_limit_of_time(aio: Any) -> None:
    async def main() -> None:
        process = await aio.create_subprocess_exec("sleep", "600")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), 0.05)
        process.kill()
        assert await process.wait() == -9

    asyncio.run(main())


def test_a_start_that_fails(aio: Any) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError) as caught:
            await aio.create_subprocess_exec("no-such-program-anywhere", stdout=PIPE)
        assert caught.value.filename == "no-such-program-anywhere"
        with pytest.raises(NotADirectoryError):
            await aio.create_subprocess_shell("true", cwd="/etc/passwd")
        for named in ({"text": True}, {"universal_newlines": True}, {"encoding": "utf-8"}, {"bufsize": 7}):
            with pytest.raises(ValueError, match="must"):
                await aio.create_subprocess_exec("true", **named)
        with pytest.raises(ValueError, match="string"):
            await aio.create_subprocess_shell(["true"])

    asyncio.run(main())


# ---- only on a host


def test_a_hundred_without_a_thread_for_each(shared: subprocess.Remote) -> None:
    async def main() -> None:
        before = set(threading.enumerate())
        gate = asyncio.Semaphore(8)

        async def one(number: int) -> bytes:
            async with gate:
                process = await shared.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
                assert not set(threading.enumerate()) - before
                return (await process.communicate(b"%d" % number))[0]  # type: ignore[no-any-return]

        assert await asyncio.gather(*map(one, range(100))) == [b"%d" % number for number in range(100)]
        assert not set(threading.enumerate()) - before

    asyncio.run(main())


def test_signals_arrive_in_their_order(shared: subprocess.Remote) -> None:
    async def main() -> None:
        script = "trap 'echo 1' USR1; trap 'echo 2; exit' USR2; echo ready; while :; do sleep 0.02; done"
        for _ in range(3):
            process = await shared.create_subprocess_shell(script, stdout=PIPE)
            assert await process.stdout.readline() == b"ready\n"
            process.send_signal(signal.SIGUSR1)
            process.send_signal(signal.SIGUSR2)
            assert await process.stdout.read() == b"1\n2\n"
            await process.wait()

    asyncio.run(main())


def test_where_a_host_is_bound(shared: subprocess.Remote) -> None:
    async def main() -> None:
        with shared:
            process = await subprocess.create_subprocess_shell("exit 4")
            assert await process.wait() == 4
            process = await subprocess.create_subprocess_exec("sh", "-c", "echo $$", stdout=PIPE)
            assert int((await process.communicate())[0]) == process.pid
        with pytest.raises(subprocess.NotBound):
            await subprocess.create_subprocess_exec("true")

    asyncio.run(main())


def test_a_lost_connection(remote: subprocess.Remote) -> None:
    async def main() -> None:
        process = await remote.create_subprocess_exec("sleep", "600")
        os.kill(remote.connection.master_pid, signal.SIGKILL)
        with pytest.raises(subprocess.ConnectionLost) as caught:
            await asyncio.wait_for(process.wait(), 60)
        assert isinstance(caught.value, local.SubprocessError)
        with pytest.raises(subprocess.ConnectionLost):
            await remote.create_subprocess_exec("true")

    asyncio.run(main())


def test_a_start_that_is_cancelled_leaves_nothing(remote: subprocess.Remote, until: Callable[..., Any]) -> None:
    seconds = f"{600 + os.getpid()}.25"

    async def main() -> None:
        # From before the server has heard of it until after it runs.
        for milliseconds in range(12):
            start = asyncio.ensure_future(remote.create_subprocess_exec("sleep", seconds))
            await asyncio.sleep(milliseconds / 1000)
            start.cancel()
            with suppress(asyncio.CancelledError):
                (await start).kill()

    asyncio.run(main())
    until(lambda: local.run(["pgrep", "-f", f"sleep {seconds}"], capture_output=True).returncode == 1)
