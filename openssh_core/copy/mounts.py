"""A directory of the server as one of ours, and the other way round, by sshfs."""

from __future__ import annotations

import functools
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from shutil import which
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING

from .._cli import quoting, sshfs
from .._cli.slave import slave_argv
from .._cli.sshfs import OptionValue
from .._io import program
from .._io.deadline import Deadline
from .._io.mounts import is_mounted, wait_mounted
from ..errors import CopyError, MountError, OpenRefused, OpenSSHError, ProgramNotFound
from ._pair import Pair
from ._tool import PATIENCE, not_found, ssh_failed
from ._way import Way

if TYPE_CHECKING:
    from typing_extensions import Self

_PAUSE = 0.1
# Seconds that the two processes get to end by themselves when nothing is mounted any more.
_LAST_STEPS = 5.0
_FORCED = 0.2
_VERSION_PATIENCE = 10.0

_SFTP_SERVERS = """
    /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/libexec/sftp-server /usr/lib/ssh/sftp-server
    /usr/local/libexec/sftp-server /usr/lib/sftp-server /opt/homebrew/opt/openssh/libexec/sftp-server
"""
_UNMOUNTERS = (("fusermount3", "-u"), ("fusermount", "-u"), ("umount",))

RemoteShell = Callable[[str], "tuple[int, str]"]
"""Runs a command for the remote shell; its status and what it said on stderr."""


class Mounted:
    """What `Mount` and `Export` have in common: two programs, and a mount that is theirs.

    Attributes:
        local: the directory here.
        remote: the directory there.
        host: the destination as the caller named it.
    """

    def __init__(self, local: str, remote: str, host: str, pair: Pair) -> None:
        self.local = local
        self.remote = remote
        self.host = host
        self._pair = pair
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        state = "mounted" if self.mounted else "not mounted"
        return f"<{type(self).__name__} {self.local} - {self.host}:{self.remote}: {state}>"

    @property
    def mounted(self) -> bool:
        """Whether it still is: not after `unmount`, nor when somebody else unmounted it or the connection ended."""
        return not self._pair.has_ended()

    def unmount(self, *, force: bool = False, timeout: float = 10.0) -> None:
        """Unmount it, and wait until its processes are gone. Idempotent.

        Args:
            force: even when files in it are in use; who uses them gets errors from then on.
            timeout: seconds for all of it.

        Raises:
            MountError: it is in use, or cannot be unmounted; it still is there then.
        """
        deadline = Deadline.after(timeout)
        with self._lock:
            if self.mounted:
                self._unmount(deadline, force)
                # By force it is only out of sight; sshfs would wait for the last user of it.
                patience = _FORCED if force else _LAST_STEPS
                self._pair.wait(Deadline.after(min(patience, deadline.left() or 0.0)))
            self._pair.end()

    def _unmount(self, deadline: Deadline, force: bool) -> None:
        raise NotImplementedError

    def _failed(self, where: str, said: str) -> MountError:
        busy = "busy" in said.lower()
        return MountError(
            f"{where} could not be unmounted ({said.strip()[:200] or 'no reason given'})",
            host=self.host,
            advice="Close what is open there and leave the directory, or use force=True" if busy else None,
            program="sshfs",
            reason="in use" if busy else "not unmounted",
            stderr=said,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.unmount(force=kind is not None)


class Mount(Mounted):
    """A directory of the server, mounted here. Made by `Connection.sshfs_mount`; a context manager that unmounts.

    It lives as long as the connection: when that ends, it is unmounted.
    """

    def _unmount(self, deadline: Deadline, force: bool) -> None:
        said = ""
        for words in _UNMOUNTERS:
            lazy = ["-l" if words[0] == "umount" else "-z"] if force else []
            try:
                done = program.run([*words, *lazy, "--", self.local], deadline)
            except FileNotFoundError:
                continue
            except program.TooSlow:
                said = "it takes too long"
                break
            if done.returncode == 0 or not is_mounted(self.local):
                return
            said = done.stderr.decode("utf-8", "replace")
            break
        raise self._failed(self.local, said or "there is no fusermount")


class Export(Mounted):
    """A directory of this machine, mounted on the server. Made by `Connection.sshfs_export`; a context manager.

    It lives as long as the connection.
    """

    def __init__(self, local: str, remote: str, host: str, pair: Pair, shell: RemoteShell) -> None:
        super().__init__(local, remote, host, pair)
        self._shell = shell

    def _unmount(self, deadline: Deadline, force: bool) -> None:
        where = quoting.quote(_operand(self.remote))
        lazy = ("-z", "-l") if force else ("", "")
        status, said = self._shell(
            f"fusermount3 -u {lazy[0]} -- {where} || {{ [ $? = 127 ] && fusermount -u {lazy[0]} -- {where}; }} || "
            f"{{ [ $? = 127 ] && umount {lazy[1]} -- {where}; }}"
        )
        if status != 0 and self.mounted:
            raise self._failed(self.remote, said)


def mount(
    way: Way,
    remote: str,
    local: str,
    options: Mapping[str, OptionValue],
    *,
    sshfs_program: str,
    timeout: float,
) -> Mount:
    """See `Connection.sshfs_mount`."""
    deadline = Deadline.after(timeout)
    words = sshfs.option_words(options)
    where = _mountpoint(local, way.host, nonempty=options.get("nonempty") is True)
    version = _version(sshfs_program, way.host)
    argv = sshfs.argv(sshfs_program, version, remote, where, words, host=way.slave.host)
    other = slave_argv(way.slave, subsystem="sftp")
    pair = _started(way, argv, other, deadline, lambda ended: wait_mounted(where, ended, deadline))
    return Mount(where, remote, way.host, pair)


def export(
    way: Way,
    local: str,
    remote: str,
    options: Mapping[str, OptionValue],
    shell: RemoteShell,
    *,
    sshfs_program: str,
    sftp_server: str | None,
    read_only: bool,
    timeout: float,
) -> Export:
    """See `Connection.sshfs_export`."""
    deadline = Deadline.after(timeout)
    source = os.path.realpath(local)
    if not os.path.isdir(source):
        raise MountError(f"{source} is no directory", host=way.host, program="sshfs", reason="no directory")
    server = sftp_server or _sftp_server(way.host)
    words = sshfs.argv(sshfs_program, None, source, _operand(remote), sshfs.option_words(options), host="client")
    look = f"mountpoint -q {quoting.quote(_operand(remote))}"
    if shell(look)[0] == 0:
        raise MountError(f"something is mounted on {remote} already", host=way.host, program="sshfs", reason="in use")

    def come_about(ended: Callable[[], bool]) -> bool:
        while shell(look)[0] != 0:
            if ended() or deadline.passed:
                return False
            sleep(_PAUSE)
        return not ended()

    one = [server, "-e", *(["-R"] if read_only else [])]
    pair = _started(way, one, slave_argv(way.slave, quoting.join(words), tty=False), deadline, come_about)
    return Export(source, remote, way.host, pair, shell)


def _started(
    way: Way,
    one: Sequence[str],
    other: Sequence[str],
    deadline: Deadline,
    come_about: Callable[[Callable[[], bool]], bool],
) -> Pair:
    """Both programs, once they have done what they are for. A refused session is asked for again."""
    patience = Deadline.after(min(PATIENCE, (deadline.left() or 0.0) / 2))
    while True:
        try:
            pair = Pair(one, other)
        except OSError as error:
            raise not_found(os.path.basename(one[0]), one[0], error, way.host) from error
        try:
            if come_about(pair.has_ended):
                return pair
            late = deadline.passed and not pair.has_ended()
            if not late:
                pair.wait(Deadline.after(_LAST_STEPS))
            why = _why_not(way.host, pair, late=late)
        except BaseException:
            pair.end()
            raise
        pair.end()
        if not isinstance(why, OpenRefused) or patience.passed:
            raise why
        way.make_room()
        sleep(_PAUSE)


def _why_not(host: str, pair: Pair, *, late: bool) -> OpenSSHError:
    said = (pair.said(0) + pair.said(1)).strip()
    if not late and (error := ssh_failed("sshfs", said, "", host)):
        return error
    status = pair.returncode(1)
    if status == 127:
        return ProgramNotFound(
            "there is no sshfs on the server", host=host, program="sshfs", returncode=status, stderr=said
        )
    reason = "it was not mounted in time" if late else said.splitlines()[-1] if said else "sshfs did not say why"
    advice = "Load the kernel's FUSE module, or let this user have /dev/fuse" if "fuse" in said.lower() else None
    return MountError(
        f"sshfs did not mount: {reason[:300]}",
        host=host,
        advice=advice,
        program="sshfs",
        returncode=pair.returncode(0),
        reason=reason,
        stderr=said,
    )


def _mountpoint(path: str, host: str, *, nonempty: bool) -> str:
    """The directory to mount on, as an absolute path.

    Raises:
        MountError: it is none, or in use.
    """

    def unfit(why: str) -> MountError:
        return MountError(f"{path} {why}", host=host, program="sshfs", reason=why)

    if os.path.islink(path):
        raise unfit("is a symbolic link")
    where = os.path.realpath(path)
    if is_mounted(where):
        raise unfit("has something mounted on it")
    try:
        content = os.listdir(where)
    except OSError as error:
        raise unfit(f"cannot be used ({error.strerror})") from error
    if content and not nonempty:
        raise unfit("is not empty")
    return where


def _operand(remote: str) -> str:
    return f"./{remote}" if remote.startswith("-") else remote


def _sftp_server(host: str) -> str:
    for path in _SFTP_SERVERS.split():
        if os.access(path, os.X_OK):
            return path
    found = which("sftp-server")
    if found is None:
        raise ProgramNotFound(
            "there is no sftp-server here",
            host=host,
            advice="Install the OpenSSH server (it need not run), or give sftp_server=",
            program="sftp-server",
        )
    return found


def _version(sshfs_program: str, host: str) -> tuple[int, int] | None:
    try:
        return _asked_version(sshfs_program)
    except OSError as error:
        raise not_found("sshfs", sshfs_program, error, host) from error
    except subprocess.TimeoutExpired:
        raise CopyError(f"{sshfs_program!r} does not tell its version", host=host, program="sshfs") from None


@functools.lru_cache(maxsize=16)
def _asked_version(sshfs_program: str) -> tuple[int, int] | None:
    said = subprocess.run(
        [sshfs_program, "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_VERSION_PATIENCE,
        check=False,
    )
    return sshfs.parse_version((said.stdout + said.stderr).decode("utf-8", "replace"))
