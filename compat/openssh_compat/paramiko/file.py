"""Files over the streams of a channel, with paramiko's manners: read() gives bytes whatever the mode, lines are text
unless the mode has a `b`, writing is unbuffered unless asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .util import ClosingContextManager

__all__ = ["BufferedFile"]

# Bytes asked for at once when looking for the end of a line.
_PIECE = 65_536


class BufferedFile(ClosingContextManager):
    """A file whose bytes come from `_read` and go to `_write`."""

    def __init__(self, mode: str = "r", bufsize: int = -1) -> None:
        if "U" in mode:
            raise NotImplementedError("mode 'U' is not supported by this version of openssh_compat")
        self._binary = "b" in mode
        self._reads = "r" in mode or "+" in mode
        self._writes = "w" in mode or "a" in mode or "+" in mode
        # 1: each line is sent; more: so many bytes are gathered first; 0: nothing waits.
        self._bufsize = max(bufsize, 0)
        self._ahead = b""
        self._at = 0
        self._unsent = b""
        self._position = 0
        self._closed = False

    # ---- reading

    def read(self, size: int | None = None) -> bytes:
        """`size` bytes, fewer only at the end; all there is to the end without it.

        Raises:
            TimeoutError: nothing came for the channel's timeout. What did come is kept.
            OSError: the file is closed, or not for reading.
        """
        self._check_reading()
        if size is None or size < 0:
            data = self._take(len(self._ahead)) + self._read(None)
        else:
            while (missing := size - len(self._ahead) + self._at) > 0 and self._more(max(self._bufsize, missing)):
                pass
            data = self._take(size)
        self._position += len(data)
        return data

    def readline(self, size: int | None = None) -> str | bytes:
        """One line with its end, at most `size` bytes of it; empty at the end of the file."""
        self._check_reading()
        searched = 0
        while not (end := self._ahead.find(b"\n", self._at + searched) + 1):
            searched = len(self._ahead) - self._at
            if (size is not None and 0 <= size <= searched) or not self._more(_PIECE):
                end = len(self._ahead)
                break
        length = end - self._at
        line = self._take(length if size is None or size < 0 else min(size, length))
        self._position += len(line)
        return line if self._binary else line.decode("utf-8")

    def readlines(self, sizehint: int | None = None) -> list[str | bytes]:
        """All lines; with `sizehint` so many that they have that many bytes together."""
        lines: list[str | bytes] = []
        size = 0
        for line in self:
            lines.append(line)
            size += len(line)
            if sizehint is not None and size >= sizehint:
                break
        return lines

    def xreadlines(self) -> BufferedFile:
        """The file itself: it gives its lines one by one."""
        return self

    def readinto(self, buff: bytearray | memoryview) -> int:
        """Fill `buff` as far as there is data; how many bytes that was."""
        data = self.read(len(buff))
        buff[: len(data)] = data
        return len(data)

    def __iter__(self) -> Iterator[str | bytes]:
        self._check_open()
        return self

    def __next__(self) -> str | bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _more(self, size: int) -> bool:
        """Read ahead; False at the end."""
        piece = self._read(size)
        self._ahead, self._at = self._ahead[self._at :] + piece, 0
        return bool(piece)

    def _take(self, size: int) -> bytes:
        data = self._ahead[self._at : self._at + size]
        self._at += len(data)
        return data

    # ---- writing

    def write(self, data: str | bytes | bytearray | memoryview) -> None:
        """Send it, or put it into the buffer when there is one. Text goes as UTF-8."""
        self._check_open()
        if not self._writes:
            raise OSError("File not open for writing")
        piece = data.encode("utf-8") if isinstance(data, str) else bytes(data)
        if not self._bufsize:
            self._send(piece)
            return
        self._unsent += piece
        if self._bufsize == 1:
            end = self._unsent.rfind(b"\n") + 1
            line, self._unsent = self._unsent[:end], self._unsent[end:]
            self._send(line)
        elif len(self._unsent) >= self._bufsize:
            self.flush()

    def writelines(self, sequence: Iterable[str | bytes]) -> None:
        for line in sequence:
            self.write(line)

    def flush(self) -> None:
        """Send what is in the buffer."""
        data, self._unsent = self._unsent, b""
        self._send(data)

    def _send(self, data: bytes) -> None:
        if data:
            self._write(data)
            self._position += len(data)

    # ---- the file itself

    def close(self) -> None:
        """Send what is in the buffer; no more can be read or written here. The channel stays open."""
        self.flush()
        self._closed = True

    @property
    def closed(self) -> bool:
        return self._closed

    def readable(self) -> bool:
        return self._reads and not self._closed

    def writable(self) -> bool:
        return self._writes and not self._closed

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> None:
        raise OSError("File does not support seeking.")

    def tell(self) -> int:
        """How many bytes were read and written here."""
        return self._position

    def _check_open(self) -> None:
        if self._closed:
            raise OSError("File is closed")

    def _check_reading(self) -> None:
        self._check_open()
        if not self._reads:
            raise OSError("File is not open for reading")

    def _read(self, size: int | None) -> bytes:
        """Up to `size` bytes, None: all to the end."""
        raise EOFError

    def _write(self, data: bytes) -> None:
        raise OSError("write not implemented")
