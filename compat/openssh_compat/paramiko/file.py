"""Files whose bytes come from somewhere else, with paramiko's manners: read() gives bytes whatever the mode, lines are
text unless the mode has a `b`, writing is unbuffered unless asked for.

A subclass calls `_set_mode`, and has `_read` and `_write`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ._lent import lend
from .util import ClosingContextManager

__all__ = ["BufferedFile"]

# Bytes asked for at once when looking for the end of a line, or for everything.
_PIECE = 65_536


def _and_kind(seen: Any, kind: bytes) -> Any:
    """The kinds of line ends that were seen: None, one, or a tuple of them."""
    known = seen if isinstance(seen, tuple) else (seen,)
    return seen if kind in known else kind if seen is None else (*known, kind)


class BufferedFile(ClosingContextManager):
    """A file over `_read` and `_write`.

    Attributes:
        newlines: in mode `U`: which ends of lines were seen: None, one, or a tuple of them.
    """

    SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2
    FLAG_READ, FLAG_WRITE, FLAG_APPEND = 0x1, 0x2, 0x4
    FLAG_BINARY, FLAG_BUFFERED, FLAG_LINE_BUFFERED, FLAG_UNIVERSAL_NEWLINE = 0x10, 0x20, 0x40, 0x80

    def __init__(self) -> None:
        self.newlines: Any = None
        self._flags = 0
        self._bufsize = 0
        self._closed = False
        # What was read ahead and not given yet, from _at on.
        self._ahead = b""
        self._at = 0
        # In mode `U`: whether the line given last ended in a carriage return that came last.
        self._carriage_last = False
        self._unsent = bytearray()
        self._pos = 0

    def _set_mode(self, mode: str = "r", bufsize: int = -1) -> None:
        """How it is used.

        Args:
            mode: as for `open`: r, w, a or x, with +, b and U.
            bufsize: 1: each line is sent; more: so many bytes are gathered first; else nothing waits.
        """
        both = "+" in mode
        appends = "a" in mode
        self._flags = self.FLAG_READ if "r" in mode or both else 0
        if "w" in mode or "x" in mode or appends or both:
            self._flags |= self.FLAG_WRITE
        if appends:
            self._flags |= self.FLAG_APPEND
            self._pos = self._get_size()
        if "b" in mode:
            self._flags |= self.FLAG_BINARY
        if "U" in mode:
            self._flags |= self.FLAG_UNIVERSAL_NEWLINE
            self.newlines = None
        if bufsize == 1:
            self._flags |= self.FLAG_LINE_BUFFERED
        elif bufsize > 1:
            self._flags |= self.FLAG_BUFFERED
        self._bufsize = max(bufsize, 0)

    # ---- reading

    def read(self, size: int | None = None) -> bytes:
        """`size` bytes, fewer only at the end; all there is to the end without it.

        Raises:
            TimeoutError: nothing came for the channel's timeout. What did come is kept.
            OSError: the file is closed, or not for reading.
        """
        self._check_reading()
        if size is None or size < 0:
            data = self._take(len(self._ahead)) + self._read_all()
        else:
            while (missing := size - len(self._ahead) + self._at) > 0 and self._more(max(self._bufsize, missing)):
                pass
            data = self._take(size)
        self._pos += len(data)
        return data

    def readline(self, size: int | None = None) -> str | bytes:
        """One line with its end, at most `size` bytes of it; empty at the end of the file."""
        self._check_reading()
        searched = 0
        while not (end := self._end_of_line(searched)):
            # The next time as far as this was looked through.
            searched = len(self._ahead) - self._at
            if (size is not None and 0 <= size <= searched) or not self._more(_PIECE):
                end = len(self._ahead)
                break
        length = end - self._at
        line = self._take(length if size is None or size < 0 else min(size, length))
        self._pos += len(line)
        if self._flags & self.FLAG_UNIVERSAL_NEWLINE:
            line = self._with_one_end(line)
        return line if self._flags & self.FLAG_BINARY else line.decode("utf-8")

    def _end_of_line(self, searched: int) -> int:
        """Where the first line of what was read ahead ends; 0 when that is not in it."""
        if self._carriage_last and self._at < len(self._ahead):
            # The line given last ended in a carriage return: a newline that comes now belongs to it.
            self._carriage_last = False
            newline = self._ahead[self._at : self._at + 1] == b"\n"
            self._at += newline
            self._pos += newline
            self.newlines = _and_kind(self.newlines, b"\r\n" if newline else b"\r")
        start = self._at + searched
        end = self._ahead.find(b"\n", start) + 1
        if not self._flags & self.FLAG_UNIVERSAL_NEWLINE:
            return end
        carriage = self._ahead.find(b"\r", start, end or len(self._ahead)) + 1
        if carriage:
            return carriage + (self._ahead[carriage : carriage + 1] == b"\n")
        return end

    def _with_one_end(self, line: bytes) -> bytes:
        if line.endswith(b"\r") and self._at == len(self._ahead):
            # Whether a newline follows is seen when something does: nobody waits for it.
            self._carriage_last = True
            return line[:-1] + b"\n"
        for kind in (b"\r\n", b"\n", b"\r"):
            if line.endswith(kind):
                self.newlines = _and_kind(self.newlines, kind)
                return line[: -len(kind)] + b"\n"
        return line

    def readlines(self, sizehint: int | None = None) -> list[str | bytes]:
        """All lines; with `sizehint` so many that they have that many bytes together."""
        lines: list[str | bytes] = []
        size = 0
        while line := self.readline():
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
        if self._closed:
            raise ValueError("I/O operation on closed file")
        return self

    def __next__(self) -> str | bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _more(self, size: int) -> bool:
        """Read ahead; False at the end."""
        try:
            piece = self._read(size)
        except EOFError:
            piece = b""
        # By its length: what stands in for a stream in tests may be true and hold nothing.
        if not len(piece):
            return False
        self._ahead, self._at = self._ahead[self._at :] + piece, 0
        return True

    def _take(self, size: int) -> bytes:
        data = self._ahead[self._at : self._at + size]
        self._at += len(data)
        return data

    def _read_all(self) -> bytes:
        """All to the end, beyond what was read ahead."""
        while self._more(_PIECE):
            pass
        return self._take(len(self._ahead))

    # ---- writing

    def write(self, data: str | bytes | bytearray | memoryview) -> None:
        """Send it, or put it into the buffer when there is one. Text goes as UTF-8."""
        self._check_open()
        if not self._flags & self.FLAG_WRITE:
            raise OSError("File not open for writing")
        piece = data.encode("utf-8") if isinstance(data, str) else data
        if not self._bufsize:
            self._send(piece)
            return
        self._unsent += piece
        if self._bufsize == 1:
            end = self._unsent.rfind(b"\n") + 1
            line = bytes(self._unsent[:end])
            del self._unsent[:end]
            self._send(line)
        elif len(self._unsent) >= self._bufsize:
            self.flush()

    def writelines(self, sequence: Iterable[str | bytes]) -> None:
        for line in sequence:
            self.write(line)

    def flush(self) -> None:
        """Send what is in the buffer."""
        data, self._unsent = bytes(self._unsent), bytearray()
        self._send(data)

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        # What cannot change is not copied. (bytes(5) would be five zeros.)
        piece = data if type(data) is bytes else bytes(memoryview(data))
        while piece:
            sent = self._write(piece)
            sent = len(piece) if sent is None else sent
            piece = piece[sent:]
            self._pos += sent

    # ---- the file itself

    def close(self) -> None:
        """Send what is in the buffer; no more can be read or written here. The channel stays open."""
        self.flush()
        self._closed = True

    @property
    def closed(self) -> bool:
        return self._closed

    def readable(self) -> bool:
        return bool(self._flags & self.FLAG_READ)

    def writable(self) -> bool:
        return bool(self._flags & self.FLAG_WRITE)

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> None:
        raise OSError("File does not support seeking.")

    def tell(self) -> int:
        """How many bytes were read and written here, or where in the file that is."""
        return self._pos

    def _check_open(self) -> None:
        if self._closed:
            raise OSError("File is closed")

    def _check_reading(self) -> None:
        self._check_open()
        if not self._flags & self.FLAG_READ:
            raise OSError("File is not open for reading")

    # ---- for subclasses

    def _read(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end."""
        raise EOFError

    def _write(self, data: bytes) -> int | None:
        """Write some of it; how much, None for all."""
        raise OSError("write not implemented")

    def _get_size(self) -> int:
        """The size of the file; 0 where there is none."""
        return 0


lend(__name__)
