"""The talk with sudo before a command runs: its prompt is looked for on stderr, and answered on stdin.

The command's own input is held back until sudo has started it: a second prompt must never be answered with a line
of that. All of it happens in the reactor's thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ..results import Exit
from .sinks import Chunk, Sink
from .sources import Source

# More than any lecture: what is kept of sudo's words.
_MOST_SAID = 16_384


class Asking:
    """What sudo is asked, and what it answered.

    Args:
        secret: the answer to its first prompt, None to give none.

    Attributes:
        prompt: the words it has to ask with; nobody else can guess them.
        token: the line that the command says on stderr when it runs.
        started: whether it does.
        times: how often it was asked for a password.
        said: what came on stderr before, but for prompts.
        end: how the session ended before it was known to have started; None if it has not.
    """

    def __init__(self, secret: bytes | None) -> None:
        words = os.urandom(24).hex()
        self.prompt, self.token = words[:24], words[24:]
        self.started = False
        self.times = 0
        self.said = b""
        self.end: Exit | None = None
        self._secret = secret
        self._answer = b""
        self._ready: Callable[[], None] = _nothing

    def over_source(self, inner: Source | None, ready: Callable[[], None]) -> Source:
        """The command's input, behind the answer. `ready` is called when there is something to send."""
        self._ready = ready
        return _Gated(self, inner)

    def over_sink(self, inner: Sink) -> Sink:
        """The command's stderr, without the talk."""
        return _Listening(self, inner)

    def asked(self) -> None:
        self.times += 1
        self._answer, self._secret = (self._secret or b""), None
        self._ready()

    def begun(self) -> None:
        self.started = True
        self._secret = None
        self._ready()

    def take_answer(self, most: int) -> bytes:
        """What is to be sent now, once; at most so many bytes."""
        answer, self._answer = self._answer[:most], self._answer[most:]
        return answer


class _Gated:
    def __init__(self, asking: Asking, inner: Source | None) -> None:
        self._asking = asking
        self._inner = inner
        self._gave = False

    def pull(self, most: int) -> bytes | memoryview | None:
        asking = self._asking
        if answer := asking.take_answer(most):
            self._gave = True
            return answer
        if not asking.started:
            # Asked again, or for what is not there: with the end of its input sudo gives up.
            return b"" if asking.times > self._gave else None
        return b"" if self._inner is None else self._inner.pull(most)

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()

    def abandon(self) -> None:
        if self._inner is not None:
            self._inner.abandon()


class _Listening:
    def __init__(self, asking: Asking, inner: Sink) -> None:
        self._asking = asking
        self._inner = inner
        self._prompt = asking.prompt.encode()
        self._token = asking.token.encode() + b"\n"
        self._held = b""

    def write(self, data: Chunk) -> int:
        asking = self._asking
        if asking.started:
            return self._inner.write(data)
        self._held += bytes(data)
        at = self._held.find(self._token)
        before = self._held if at < 0 else self._held[:at]
        while (prompt := before.find(self._prompt)) >= 0:
            asking.said += before[:prompt]
            before = before[prompt + len(self._prompt) :]
            asking.asked()
        if at < 0:
            # The end of it may be the beginning of what is looked for.
            keep = len(self._token) - 1
            asking.said = (asking.said + before[:-keep])[-_MOST_SAID:]
            self._held = before[-keep:]
            return len(data)
        rest = self._held[at + len(self._token) :]
        self._held = b""
        asking.said += before
        asking.begun()
        return len(data) - len(rest) + (self._inner.write(rest) if rest else 0)

    def finish(self) -> None:
        self._asking.said += self._held
        self._held = b""
        self._inner.finish()

    def abandon(self) -> None:
        self._inner.abandon()


def _nothing() -> None:
    pass
