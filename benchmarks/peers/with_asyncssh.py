"""asyncssh, timed inside its own event loop: entering and leaving a loop is nothing its users pay per command."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import asyncssh

from peers.base import CHUNK, SMALL, Setup, bulk_command, check_size, files, timed
from peers.holding import held
from peers.trees import copied, small_file

__all__ = ["WithAsyncSSH"]


class WithAsyncSSH:
    """`asyncssh.connect`, `run` and `create_process`; tasks where the others use threads."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._loop = asyncio.new_event_loop()
        self._files: Any = None

    def login(self) -> None:
        self._loop.run_until_complete(self._login())

    async def _login(self) -> None:
        self._connection = await self._logged_in()

    async def _logged_in(self) -> asyncssh.SSHClientConnection:
        setup = self._setup
        return await asyncssh.connect(
            setup.host,
            setup.port,
            username=setup.user,
            client_keys=[setup.key],
            known_hosts=setup.known_hosts,
            agent_path=None,
            config=None,
        )

    def again(self, count: int) -> list[float]:
        return self._loop.run_until_complete(self._again(count))

    async def _again(self, count: int) -> list[float]:
        taken = []
        for _ in range(count):
            start = time.perf_counter()
            connection = await self._logged_in()
            connection.close()
            await connection.wait_closed()
            taken.append(time.perf_counter() - start)
        return taken

    def at_once(self, count: int) -> float:
        return self._loop.run_until_complete(self._at_once(count))

    async def _at_once(self, count: int) -> float:
        start = time.perf_counter()
        connections = await asyncio.gather(*(self._logged_in() for _ in range(count)), return_exceptions=True)
        taken = time.perf_counter() - start
        came = [one for one in connections if not isinstance(one, BaseException)]
        for connection in came:
            connection.close()
        if len(came) < count:
            raise RuntimeError(f"{count - len(came)} of {count} logins were turned away")
        return taken

    def hold(self, count: int) -> list[float]:
        wait = self._loop.run_until_complete

        def connect() -> asyncssh.SSHClientConnection:
            connection = wait(self._logged_in())
            wait(connection.run(SMALL, check=True))
            return connection

        def close(connection: asyncssh.SSHClientConnection) -> None:
            connection.close()
            wait(connection.wait_closed())

        return held(connect, count, close=close, works_for=lambda _: 0)

    def logout(self) -> None:
        self._files = None
        self._connection.close()
        self._loop.run_until_complete(self._connection.wait_closed())

    async def _command(self) -> None:
        await self._connection.run(SMALL, check=True)

    def commands(self, count: int) -> list[float]:
        return self._loop.run_until_complete(self._commands(count))

    async def _commands(self, count: int) -> list[float]:
        taken = []
        for _ in range(count):
            start = time.perf_counter()
            await self._command()
            taken.append(time.perf_counter() - start)
        return taken

    def in_flight(self, count: int, width: int) -> float:
        return self._loop.run_until_complete(self._in_flight(count, width))

    async def _in_flight(self, count: int, width: int) -> float:
        numbers = iter(range(count))

        async def worker() -> None:
            for _ in numbers:
                await self._command()

        start = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(width)))
        return time.perf_counter() - start

    def bulk(self, size: int) -> float:
        return self._loop.run_until_complete(self._bulk(size))

    async def _bulk(self, size: int) -> float:
        start = time.perf_counter()
        received = 0
        async with self._connection.create_process(bulk_command(size), encoding=None) as process:
            while piece := await process.stdout.read(CHUNK):
                received += len(piece)
        check_size(received, size)
        return time.perf_counter() - start

    def tunnel(self, port: int, size: int) -> float:
        return self._loop.run_until_complete(self._tunnel(port, size))

    async def _tunnel(self, port: int, size: int) -> float:
        reader, writer = await self._connection.open_connection("127.0.0.1", port)
        start = time.perf_counter()
        writer.write(b"down %d\n" % size)
        received = 0
        while piece := await reader.read(CHUNK):
            received += len(piece)
        check_size(received, size)
        taken = time.perf_counter() - start
        writer.close()
        return taken

    def tunnel_up(self, port: int, size: int) -> float:
        return self._loop.run_until_complete(self._tunnel_up(port, size))

    async def _tunnel_up(self, port: int, size: int) -> float:
        reader, writer = await self._connection.open_connection("127.0.0.1", port)
        start = time.perf_counter()
        writer.write(b"up\n")
        piece = bytes(CHUNK)
        for at in range(0, size, CHUNK):
            writer.write(piece[: size - at])
            await writer.drain()
        writer.write_eof()
        if await reader.read(1) != b".":
            raise RuntimeError("not everything arrived")
        taken = time.perf_counter() - start
        writer.close()
        return taken

    def _copy(self, verb: str, **options: Any) -> Callable[[str, str], object]:
        if self._files is None:
            self._files = self._loop.run_until_complete(self._connection.start_sftp_client())
        way = getattr(self._files, verb)
        return lambda source, target: self._loop.run_until_complete(way(source, target, **options))

    def tree_get(self, count: int, size: int) -> float:
        return copied(self._copy("get", recurse=True), count, size)

    def tree_put(self, count: int, size: int) -> float:
        return copied(self._copy("put", recurse=True), count, size)

    def file_get(self, count: int) -> list[float]:
        return small_file(self._copy("get"), count)

    def file_put(self, count: int) -> list[float]:
        return small_file(self._copy("put"), count)

    def get(self) -> float:
        return timed(lambda: self._loop.run_until_complete(self._transfer("get")))

    def put(self) -> float:
        return timed(lambda: self._loop.run_until_complete(self._transfer("put")))

    async def _transfer(self, verb: str) -> None:
        async with self._connection.start_sftp_client() as sftp:
            await getattr(sftp, verb)(*files(self._setup))

    def helpers(self) -> list[int]:
        return []
