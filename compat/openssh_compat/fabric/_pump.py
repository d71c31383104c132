"""One thread reads the output of every command that runs, where invoke and fabric have two for each.

What comes is decoded, shown, kept and given to the watchers as invoke's own threads do it. An error in there (a watcher
that gives up, a stream that cannot be written to) is kept for whoever waits for the command, and ends only the reading
of that stream.
"""

from __future__ import annotations

import codecs
import os
import selectors
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from invoke.util import ExceptionWrapper

if TYPE_CHECKING:
    from .runners import Remote

__all__ = ["Stream"]

_READ = 65_536


class Stream:
    """One output of one command. To invoke it looks like one of its threads.

    Args:
        runner: whose output it is.
        file: a pipe.
        buffer: takes the pieces of text.
        output: where they are shown, None for nowhere.
    """

    def __init__(self, runner: Remote, file: IO[bytes] | None, buffer: list[str], output: IO[str] | None) -> None:
        self._runner = runner
        # A descriptor of our own: the command may be given up, and its pipe closed, while we still wait for it.
        self._fd = -1 if file is None else os.dup(file.fileno())
        self._buffer = buffer
        self._output = output
        self._decoder = codecs.getincrementaldecoder(runner.encoding)("replace")
        self._error: ExceptionWrapper | None = None
        self._over = threading.Event()

    def fileno(self) -> int:
        return self._fd

    def start(self) -> None:
        """Have it read from now on."""
        if self._fd < 0:
            self._over.set()
        else:
            _pump.add(self)

    def pull(self) -> bool:
        """Take what has come; False when nothing more will. In the pump's thread."""
        try:
            data = os.read(self.fileno(), _READ)
            text = self._decoder.decode(data, final=not data)
            if text:
                self._take(text)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the command raises it
            self._error = ExceptionWrapper(
                {"target": self._runner.respond},
                type(error),
                error,
                error.__traceback__,
            )
            return False
        return bool(data)

    def _take(self, text: str) -> None:
        if self._output is not None:
            self._runner.write_our_output(stream=self._output, string=text)
        if self._runner.log is not None:
            self._runner.log.write(text)
        self._buffer.append(text)
        if self._runner.watchers:
            self._runner.respond(self._buffer)

    def finish(self) -> None:
        """Nothing more will be read. In the pump's thread."""
        os.close(self._fd)
        self._over.set()

    # ---- what invoke asks of its threads

    def join(self, timeout: float | None = None) -> None:
        """Wait until everything was read."""
        self._over.wait(timeout)

    def exception(self) -> ExceptionWrapper | None:
        """The error that ended the reading."""
        return self._error

    @property
    def is_dead(self) -> bool:
        """Whether an error ended it."""
        return self._error is not None


class _Pump:
    """The thread, there while there is something to read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: list[Stream] = []
        self._running = False
        self._wake: Callable[[], Any] = lambda: None

    def add(self, stream: Stream) -> None:
        with self._lock:
            self._new.append(stream)
            if self._running:
                self._wake()
                return
            read_end, write_end = os.pipe()
            self._wake = lambda: os.write(write_end, b"\0")
            self._running = True
            threading.Thread(
                target=self._run, args=(read_end, write_end), name="openssh-compat-fabric", daemon=True
            ).start()

    def _run(self, wake_read: int, wake_write: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(wake_read, selectors.EVENT_READ)
            while self._take_new(selector):
                for key, _events in selector.select():
                    if key.fd == wake_read:
                        os.read(wake_read, 4096)
                    elif isinstance(key.fileobj, Stream) and not key.fileobj.pull():
                        selector.unregister(key.fileobj)
                        key.fileobj.finish()
        os.close(wake_read)
        os.close(wake_write)

    def _take_new(self, selector: selectors.BaseSelector) -> bool:
        """Watch what was added; False when there is nothing to read and the thread may end."""
        with self._lock:
            new, self._new = self._new, []
            for stream in new:
                selector.register(stream, selectors.EVENT_READ)
            self._running = len(selector.get_map()) > 1
            return self._running

    def forget(self) -> None:
        """In a forked child there is no such thread."""
        self.__init__()  # type: ignore[misc]


_pump = _Pump()

os.register_at_fork(after_in_child=_pump.forget)
