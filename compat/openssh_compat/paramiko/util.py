"""Small things that several of these modules share, and those that programs take from here."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from .._shim import refused
from ._lent import lend
from .common import DEBUG, WARNING, byte_chr, byte_mask, byte_ord

if TYPE_CHECKING:
    import logging

    from .config import SSHConfig, SSHConfigDict
    from .hostkeys import HostKeys

__all__ = [
    "ClosingContextManager",
    "asbytes",
    "b",
    "bit_length",
    "byte_chr",
    "byte_mask",
    "byte_ord",
    "clamp_value",
    "constant_time_bytes_eq",
    "deflate_long",
    "format_binary",
    "format_binary_line",
    "generate_key_bytes",
    "get_logger",
    "get_thread_id",
    "inflate_long",
    "load_host_keys",
    "log_to_file",
    "lookup_ssh_host_config",
    "mod_inverse",
    "parse_ssh_config",
    "safe_string",
    "tb_strings",
    "u",
]

Self = TypeVar("Self", bound="ClosingContextManager")
Number = TypeVar("Number", int, float)


class ClosingContextManager:
    """A `with` block closes it at its end."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close it. Idempotent."""
        raise NotImplementedError


# ---- bytes and text


def b(s: str | bytes, encoding: str = "utf8") -> bytes:
    """Bytes, from text or bytes.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(s, bytes):
        return s
    if isinstance(s, str):
        return s.encode(encoding)
    raise TypeError(f"Expected unicode or bytes, got {s!r}")


def u(s: str | bytes, encoding: str = "utf8") -> str:
    """Text, from text or bytes.

    Raises:
        TypeError: for anything else.
        UnicodeDecodeError: the bytes are no text.
    """
    if isinstance(s, str):
        return s
    if isinstance(s, bytes):
        return s.decode(encoding)
    raise TypeError(f"Expected unicode or bytes, got {s!r}")


def asbytes(s: Any) -> bytes:
    """Bytes, from text, bytes, or something with a method `asbytes`."""
    if hasattr(s, "asbytes"):
        return bytes(s.asbytes())
    return bytes(s) if isinstance(s, bytearray | memoryview) else b(s)


def constant_time_bytes_eq(a: bytes, b: bytes) -> bool:
    """Whether both are equal; how long that takes says nothing of where they differ."""
    from hmac import compare_digest

    return compare_digest(a, b)


def safe_string(s: bytes) -> bytes:
    """What can be shown of it: bytes that are no printable ASCII become %02X."""
    return b"".join(bytes([c]) if 32 <= c <= 127 else b"%%%02X" % c for c in s)


def format_binary(data: bytes, prefix: str = "") -> list[str]:
    """A hex dump, sixteen bytes a line."""
    return [prefix + format_binary_line(data[start : start + 16]) for start in range(0, len(data), 16)]


def format_binary_line(data: bytes) -> str:
    """One line of it."""
    left = " ".join(f"{byte:02X}" for byte in data)
    return f"{left:<50} {''.join(chr(byte) if 32 <= byte < 127 else '.' for byte in data)}"


# ---- numbers


def inflate_long(s: bytes, always_positive: bool = False) -> int:
    """A number from its bytes, the most significant first (RFC 4251 section 5, mpint)."""
    return int.from_bytes(s, "big", signed=not always_positive)


def deflate_long(n: int, add_sign_padding: bool = True) -> bytes:
    """The other way round, in as few bytes as can be."""
    length = ((n if n >= 0 else ~n).bit_length() + 8) // 8
    data = n.to_bytes(length, "big", signed=True)
    return data if add_sign_padding else data.lstrip(b"\x00") or b"\x00"


def bit_length(n: int) -> int:
    """How many bits a number has."""
    return n.bit_length()


def mod_inverse(x: int, m: int) -> int:
    """What `x` is multiplied with to give 1, modulo `m`.

    Raises:
        ValueError: there is no such number.
    """
    return pow(x, -1, m)


def clamp_value(minimum: Number, val: Number, maximum: Number) -> Number:
    """The value, or the bound it is beyond."""
    return max(minimum, min(val, maximum))


@refused
def generate_key_bytes(hash_alg: Any, salt: bytes, key: str | bytes, nbytes: int) -> NoReturn:
    """Not to be had. Raises NotImplementedError."""
    raise NotImplementedError(
        "generate_key_bytes() is not supported by openssh_compat: ssh-keygen opens keys that are encrypted"
    )


# ---- logging

_threads = threading.local()
_threads_lock = threading.Lock()
_thread_count = 0


def get_thread_id() -> int:
    """A small number for the calling thread."""
    global _thread_count
    try:
        return int(_threads.number)
    except AttributeError:
        with _threads_lock:
            _thread_count += 1
            _threads.number = _thread_count
        return int(_threads.number)


class PFilter:
    """Gives each record the number of its thread, as `%(_threadid)-3d`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record._threadid = get_thread_id()
        return True


_filter = PFilter()


def get_logger(name: str) -> logging.Logger:
    """The logger of that name. Programs quieten `paramiko`, `paramiko.transport` and so on: those names are used."""
    import logging

    logger = logging.getLogger(name)
    logger.addFilter(_filter)
    return logger


def log_as(name: str, level: int, msg: str, *args: object) -> None:
    """Log a message under a name. Where nobody has loaded `logging`, nobody can have asked for less than warnings."""
    if level >= WARNING or "logging" in sys.modules:
        get_logger(name).log(level, msg, *args, stacklevel=2)


def log_to_file(filename: str, level: int = DEBUG) -> None:
    """Have what is logged under `paramiko` appended to a file, unless that has a handler already.

    Args:
        level: the least important level that is written.
    """
    import logging

    logger = logging.getLogger("paramiko")
    if logger.handlers:
        return
    logger.setLevel(level)
    handler = logging.StreamHandler(open(filename, "a", encoding="utf-8"))
    layout = "%(levelname)-.3s [%(asctime)s.%(msecs)03d] thr=%(_threadid)-3d %(name)s: %(message)s"
    handler.setFormatter(logging.Formatter(layout, "%Y%m%d-%H:%M:%S"))
    handler.addFilter(_filter)
    logger.addHandler(handler)


def tb_strings() -> list[str]:
    """The lines of the traceback of the exception that is being handled."""
    import traceback

    return traceback.format_exc().split("\n")


# ---- files


def load_host_keys(filename: str) -> HostKeys:
    """A known_hosts file, as `HostKeys`."""
    from .hostkeys import HostKeys

    return HostKeys(filename)


def parse_ssh_config(file_obj: Iterable[str]) -> SSHConfig:
    """An ssh_config file, as `SSHConfig`."""
    from .config import SSHConfig

    return SSHConfig.from_file(file_obj)


def lookup_ssh_host_config(hostname: str, config: SSHConfig) -> SSHConfigDict:
    """What a configuration says of a host."""
    return config.lookup(hostname)


lend(__name__)
