"""The two kinds of things at the other end of a channel have one face: a session of the server, and a tunnel."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Buffer", "End"]


class Buffer(Protocol):
    """What has arrived on one stream and was not read yet."""

    def __len__(self) -> int: ...

    def read_ready(self) -> bool:
        """Whether there is something to read; the end is nothing."""

    def read(self, nbytes: int, timeout: float | None = None) -> bytes:
        """Up to `nbytes` of it; waits until there is something. b"" at the end.

        Raises:
            TimeoutError: there was nothing for `timeout` seconds.
        """


class End(Protocol):
    """Where a channel leads to."""

    @property
    def stdout(self) -> Buffer: ...

    @property
    def stderr(self) -> Buffer: ...

    def read(self, stream: Buffer, nbytes: int | None, timeout: float | None) -> bytes:
        """Up to `nbytes` of a stream, None: all to its end."""

    def send(self, data: bytes | memoryview, timeout: float | None) -> int:
        """Send what there is room for; how many bytes that was."""

    def send_ready(self) -> bool:
        """Whether `send` would send something at once."""

    def shutdown_write(self) -> None:
        """Nothing more will be sent."""

    def fileno(self) -> int:
        """A descriptor for `select`."""

    @property
    def eof(self) -> bool:
        """Whether nothing more will come."""

    @property
    def finished(self) -> bool:
        """Whether it is over on the other side."""

    @property
    def status(self) -> int:
        """The exit status, -1 where there is none."""

    def make_room(self, *, unless_read: bool = False) -> None:
        """Somebody waits for the end, so output must have somewhere to go."""

    def over(self) -> bool:
        """Whether the exit status is known, or never will be."""

    def wait(self, timeout: float | None) -> bool:
        """Wait for that; False when `timeout` seconds have passed first."""

    def close(self) -> None:
        """End it. Idempotent."""

    def let_go(self) -> None:
        """The same from a finaliser, which may run anywhere, with any lock held: it only passes it on."""
