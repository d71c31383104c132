"""Seeing a command through: its output shown and kept, prompts answered, what a person types passed on."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from time import monotonic
from typing import IO

from openssh_core import OpenSSHError, RemoteProcess

from .state import env

__all__ = ["CommandTimeout", "Ear", "Talk"]

_READ = 65_536
# Seconds between looks at whether a command has ended that leaves its output open.
_LOOK = 0.25


class CommandTimeout(Exception):  # fabric's name
    """A command took longer than `timeout` seconds, and was killed."""


class Ear:
    """One of the two outputs: keeps it, and shows it by lines with the host in front.

    Args:
        label: `out` or `err`.
        shown: where to, None for nowhere.
    """

    def __init__(self, label: str, shown: IO[str] | None) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._shown = shown
        self._prefix = f"[{env.host_string}] {label}: " if env.output_prefix else ""
        self._at_start = True
        self._answered = False
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)

    @property
    def tail(self) -> str:
        """The line that is being written."""
        return "".join(self.pieces[-8:]).rpartition("\n")[2]

    def hear(self, data: bytes) -> None:
        """Something came; nothing, when that was all."""
        text = self._decoder.decode(data, final=not data)
        if text:
            self._show(text)
            if self._answered:
                # The end of the line on which the answer would be seen.
                kept = text.lstrip("\r\n") if text.strip("\r\n") else ""
                self._answered = not kept
                text = kept
            self.pieces.append(text)

    def forget(self, question: str) -> None:
        """A question, which is at the end, and the end of its line are no output of the command."""
        self.pieces = [self.text.removesuffix(question)]
        self._answered = True

    def _show(self, text: str) -> None:
        if self._shown is None:
            return
        for line in text.splitlines(keepends=True):
            start = self._prefix if self._at_start else ""
            self._at_start = line.endswith("\n")
            self._shown.write(start + line.replace("\r\n", "\n"))
        self._shown.flush()

    def finish(self) -> None:
        """End the line, so that the next one begins where lines begin."""
        if not self._at_start and self._shown is not None:
            self._shown.write("\n")
            self._shown.flush()
            self._at_start = True


class Talk:
    """One command and its two outputs.

    Args:
        process: the command, with pipes that carry bytes.
        answer: told the line that stands at the end of the output; what to type, None for nothing.
        timeout: seconds it may take.
    """

    def __init__(
        self,
        process: RemoteProcess,
        out: Ear,
        err: Ear,
        *,
        answer: Callable[[str], str | None],
        timeout: float | None,
    ) -> None:
        self._process = process
        self._ears = {stream.fileno(): ear for stream, ear in ((process.stdout, out), (process.stderr, err)) if stream}
        self._answer = answer
        self._deadline = None if timeout is None else monotonic() + timeout

    def to_the_end(self) -> int:
        """Until it has ended; its status.

        Raises:
            CommandTimeout: it took too long.
            openssh_core.OpenSSHError: how it ended is not known.
        """
        with _typing() as keyboard:
            while self._ears:
                sources = [*self._ears, *([keyboard] if keyboard is not None else [])]
                ready, _, _ = select.select(sources, [], [], self._left())
                for fd in ready:
                    if fd == keyboard:
                        keyboard = self._pass_on(fd)
                    else:
                        self._listen(fd)
                if not ready and self._is_over():
                    break
        return self._process.wait()

    def _left(self) -> float:
        if self._deadline is None:
            return _LOOK
        left = self._deadline - monotonic()
        if left <= 0:
            with contextlib.suppress(OpenSSHError):
                self._process.kill()
            raise CommandTimeout("the command took too long and was killed")
        return min(left, _LOOK)

    def _is_over(self) -> bool:
        """Whether the command has ended, and only what it left in the background holds its output."""
        try:
            return self._process.poll() is not None
        except OpenSSHError:
            return True

    def _listen(self, fd: int) -> None:
        data = os.read(fd, _READ)
        ear = self._ears[fd]
        ear.hear(data)
        if not data:
            del self._ears[fd]
            ear.finish()
        elif (words := self._answer(ear.tail)) is not None:
            ear.finish()
            # What was answered must not be answered again.
            if ear.tail.endswith(env.sudo_prompt):
                ear.forget(env.sudo_prompt)
            else:
                ear.pieces.append("\n")
            self._type(words.encode() + b"\n")

    def _pass_on(self, fd: int) -> int | None:
        """What a person typed; None when there will be nothing more."""
        data = os.read(fd, 1024)
        self._type(data)
        return fd if data else None

    def _type(self, data: bytes) -> None:
        if data and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(data)
                self._process.stdin.flush()


@contextlib.contextmanager
def _typing() -> Iterator[int | None]:
    """The keyboard, key by key; None where there is none, or where several hosts would share it."""
    if env.parallel or not sys.stdin or sys.stdin.closed or not sys.stdin.isatty():
        yield None
        return
    fd = sys.stdin.fileno()
    if os.tcgetpgrp(fd) != os.getpgrp():
        # In the background, reading would stop this program.
        yield None
        return
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        yield fd
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
