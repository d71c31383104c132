"""rsync(1): its options as keywords, its command line, its progress and what its statuses mean.

Names go through rsync's own protocol (`-s`), so no remote shell ever reads them, in any rsync since 3.0. The other side
still looks for patterns there. A source that only looks like one is spelled as a pattern nothing else fits. A target
cannot be: what fits nothing would be created under the pattern's name. So a target with `*`, `?` or `[` in it goes
the old way, quoted by our own quoter for a POSIX shell, which from rsync 3.2.4 on has to be asked for (`--old-args`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._value import Value
from ..errors import InvalidInput, InvalidOption
from .names import bracketed_pattern, has_pattern, local_operand, remote_operand
from .quoting import quote
from .slave import Slave

OptionValue = Any
"""True, False, text, a number, a path, or a list of those."""

SECLUDED_SINCE = (3, 0, 0)
_INFO_SINCE = (3, 1, 0)
_ESCAPES_ITSELF_SINCE = (3, 2, 4)

_VALUE_WORDS = """
    backup-dir block-size bwlimit checksum-choice checksum-seed chmod chown compare-dest compress-choice compress-level
    copy-as copy-dest debug exclude exclude-from files-from filter groupmap iconv include include-from info link-dest
    log-file log-file-format max-alloc max-delete max-size min-size modify-window out-format outbuf partial-dir protocol
    remote-option rsync-path skip-compress stderr stop-after stop-at suffix temp-dir usermap
"""
_VALUED = frozenset(_VALUE_WORDS.split())

_OURS = "it would change what this function reads or waits for"
_WAY = "the connection is the way"
_DAEMON = "it is about rsync's own daemon"
_NAMES = "names are passed in the way that keeps them intact"
_BATCH = "batches need no connection"

# What cannot be given, and why.
_FORBIDDEN = {
    "address": _DAEMON,
    "config": _DAEMON,
    "contimeout": _DAEMON,
    "daemon": _DAEMON,
    "detach": _DAEMON,
    "early-input": _DAEMON,
    "motd": _DAEMON,
    "password-file": _DAEMON,
    "port": _DAEMON,
    "sockopts": _DAEMON,
    "blocking-io": _WAY,
    "ipv4": _WAY,
    "ipv6": _WAY,
    "rsh": _WAY,
    "help": _OURS,
    "list-only": "use run() or sftp() to list",
    "old-args": _NAMES,
    "protect-args": _NAMES,
    "secluded-args": _NAMES,
    "server": _OURS,
    "sender": _OURS,
    "trust-sender": "it switches off the check that the server sends only what was asked for",
    "version": _OURS,
    "write-batch": _BATCH,
    "only-write-batch": _BATCH,
    "read-batch": _BATCH,
}

_NAME = re.compile(r"[a-z0-9][a-z0-9_]+")

# rsync(1), EXIT VALUES; the last ones are those of a remote shell.
REASONS = {
    1: "syntax or usage error",
    2: "protocol incompatibility",
    3: "errors selecting input or output files or directories",
    4: "the requested action is not supported",
    5: "error starting the protocol between client and server",
    6: "a log file cannot be written",
    10: "error in socket input or output",
    11: "error in file input or output",
    12: "error in the protocol's data stream",
    13: "errors with program diagnostics",
    14: "error in communication between rsync's own processes",
    20: "ended by a signal",
    21: "an error of waitpid()",
    22: "no memory",
    23: "some files or attributes were not transferred",
    24: "some source files vanished before they could be transferred",
    25: "the limit of --max-delete stopped deletions",
    30: "timeout while sending or receiving data",
    35: "timeout while waiting for a daemon",
    124: "the command that ssh ran failed",
    125: "the command that ssh ran was killed",
    126: "rsync cannot be run on the server",
    127: "there is no rsync on the server",
    255: "ssh could not use the connection",
}


class RsyncOptions(Value):
    """What rsync shall do.

    Attributes:
        verbose: how often `-v`.
        quiet: nothing but errors.
        copy_attrs: keep times and modes.
        glob: remote names are patterns (get).
        progress: say how far it is.
        idle_timeout: whole seconds without any data; None for no limit.
        words: the other options, made by `option_words`.
    """

    verbose: int = 0
    quiet: bool = False
    copy_attrs: bool = False
    glob: bool = False
    progress: bool = False
    idle_timeout: int | None = None
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.verbose, int) or not 0 <= self.verbose <= 5:
            raise InvalidInput(f"verbose={self.verbose!r} is no number from 0 to 5")
        limit = self.idle_timeout
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidInput(f"idle_timeout={limit!r} is no whole number of seconds from 1 on")


def option_words(options: Mapping[str, OptionValue]) -> tuple[str, ...]:
    """rsync's long options from keywords.

    Args:
        options: names with `_` for `-`. True means `--name`, False `--no-name`, None leaves it out, text and numbers
            mean `--name=value`, a list repeats it.

    Raises:
        InvalidOption: the name is none, cannot be given here (the message says why), or the value is none for it.
    """
    return tuple(word for name, value in options.items() for word in _words(name, value))


def _words(name: str, value: OptionValue) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        raise InvalidOption(f"{name!r} is no long option of rsync", advice="Write it in full, as in archive=True")
    long = name.replace("_", "-")
    plain = long.removeprefix("no-")
    if reason := _FORBIDDEN.get(long, _FORBIDDEN.get(plain)):
        raise InvalidOption(f"the option {name} cannot be given to rsync here: {reason}")
    if long != plain and plain in _VALUED:
        raise InvalidOption(f"rsync has no --{long}", advice=f"Leave {plain.replace('-', '_')} out")
    if isinstance(value, bool):
        yield _switch(long, plain, value)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield f"--{long}={_text(name, one)}"
    elif value is not None:
        yield f"--{long}={_text(name, value)}"


def _switch(long: str, plain: str, value: bool) -> str:
    if plain in _VALUED:
        if value or plain not in _CAN_BE_OFF:
            raise InvalidOption(f"rsync's --{plain} needs a value")
        return f"--no-{plain}"
    if value:
        return f"--{long}"
    return f"--{plain}" if long != plain else f"--no-{plain}"


_CAN_BE_OFF = frozenset(["bwlimit", "iconv"])


def _text(name: str, value: OptionValue) -> str:
    path = getattr(type(value), "__fspath__", None)
    if callable(path):
        value = path(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidOption(f"the value of {name} is {value!r}, not text, a number or a list of those")
    if "\0" in str(value):
        raise InvalidOption(f"the value of {name} contains a NUL byte")
    return str(value)


def parse_version(said: str) -> tuple[int, int, int] | None:
    """The version, from `rsync --version`. None when this is another program of that name."""
    found = re.match(r"rsync\s+version\s+v?(\d+)\.(\d+)(?:\.(\d+))?", said)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def get_argv(
    program: str,
    version: tuple[int, int, int],
    slave: Slave,
    options: RsyncOptions,
    sources: Sequence[str],
    target: str,
) -> list[str]:
    """The command line that brings files here.

    Raises:
        InvalidInput: a name that this rsync cannot be asked for.
    """
    mode, spelled = _sources(version, sources, glob=options.glob)
    remote = [remote_operand(slave.host, name) for name in spelled]
    return [*_start(program, version, slave, options), *mode, "--", *remote, local_operand(target)]


def _sources(version: tuple[int, int, int], names: Sequence[str], *, glob: bool) -> tuple[list[str], list[str]]:
    if glob:
        return ["-s"], list(names)
    if not any(has_pattern(name) and "\\" in name for name in names):
        return ["-s"], [bracketed_pattern(name) for name in names]
    # A pattern with a backslash means one thing to the server and another to the check of what the server sends.
    if version < _ESCAPES_ITSELF_SINCE:
        return ["--no-s"], [quote(name) for name in names]
    if any("\n" in name for name in names):
        raise InvalidInput(
            "rsync cannot be asked for a name with a backslash and a wildcard in it together with one with a line end",
            advice="Use get() or scp_get()",
        )
    return ["--no-s"], [re.sub(r"[*?\[]", r"\\\g<0>", name) for name in names]


def put_argv(
    program: str,
    version: tuple[int, int, int],
    slave: Slave,
    options: RsyncOptions,
    sources: Sequence[str],
    target: str,
) -> list[str]:
    """The command line that takes files there."""
    local = [local_operand(name) for name in sources]
    start = _start(program, version, slave, options)
    if not has_pattern(target):
        return [*start, "-s", "--", *local, remote_operand(slave.host, target)]
    old = ["--old-args"] if version >= _ESCAPES_ITSELF_SINCE else []
    host, colon, path = remote_operand("", target).partition(":")
    assert not host and colon
    return [*start, *old, "--no-s", "--", *local, remote_operand(slave.host, quote(path))]


def remote_shell(slave: Slave) -> str:
    """The value of `-e`. rsync splits it at blanks itself; between apostrophes an apostrophe is written twice."""
    return " ".join(_for_rsync(word) for word in [*slave.program(), "--"])


def _for_rsync(word: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./:,@%+=-]+", word):
        return word
    return "'" + word.replace("'", "''") + "'"


def _start(program: str, version: tuple[int, int, int], slave: Slave, options: RsyncOptions) -> list[str]:
    argv = [program, "-e", remote_shell(slave), *["-v"] * options.verbose]
    argv += [switch for switch, wanted in {"-q": options.quiet, "-pt": options.copy_attrs}.items() if wanted]
    if options.progress and version >= _INFO_SINCE:
        # Line by line: a pipe would get it in blocks otherwise.
        argv += ["--info=progress2", "--outbuf=L"]
    if options.idle_timeout is not None:
        argv.append(f"--timeout={options.idle_timeout}")
    return [*argv, *options.words]


class Step(Value):
    """One line of rsync's progress.

    Attributes:
        done: bytes transferred.
        percent: of everything rsync knows of until then.
    """

    done: int
    percent: int


_STEP = re.compile(rb"^\s*([0-9][0-9,.'\xc2\xa0]*)\s+([0-9]{1,3})%\s")


class StepReader:
    """Finds steps in rsync's output, which come in any pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Step]:
        """The steps that are complete now."""
        *lines, self._rest = re.split(rb"[\r\n]", self._rest + data)
        # No line of progress is that long.
        self._rest = self._rest[-4096:]
        found = [_STEP.match(line) for line in lines]
        return [Step(int(re.sub(rb"[^0-9]", b"", match[1])), int(match[2])) for match in found if match]


def without_steps(output: bytes) -> bytes:
    """rsync's output without its progress."""
    return b"".join(part for part in re.split(rb"(?<=[\r\n])", output) if not _STEP.match(part) and part.strip())


def reason(returncode: int, stderr: str) -> str:
    """What the status means."""
    if returncode in (12, 255, 1, 127) and re.search(r"rsync: .*not found|not found: rsync", stderr):
        return REASONS[127]
    return REASONS.get(returncode, f"unknown status {returncode}")
