"""scp(1), only ever as a front of SFTP (`-s`).

The older protocol hands names to the remote shell, where a `;` in a name is a command, so it is not spoken: an scp that
knows no other (before OpenSSH 8.7) is refused. What is left to escape are patterns: scp looks for files that fit even
where nobody asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._value import Value
from ..errors import InvalidInput, SSHTooOld
from .config import option
from .names import escaped_pattern, local_operand, remote_operand
from .slave import GUARD, Slave

SFTP_SINCE = (8, 7)


class ScpOptions(Value):
    """What scp shall do.

    Attributes:
        recursive: directories, with all that is in them.
        copy_attrs: keep times and modes.
        bwlimit: at most so many kilobits a second; 0 for no limit.
        quiet: no warnings.
        verbose: say what is going on.
        glob: remote names are patterns (get).
    """

    recursive: bool = False
    copy_attrs: bool = False
    bwlimit: int = 0
    quiet: bool = False
    verbose: bool = False
    glob: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.bwlimit, bool) or not isinstance(self.bwlimit, int) or self.bwlimit < 0:
            raise InvalidInput(f"bwlimit={self.bwlimit!r} is no number of kilobits a second")


def check_version(version: tuple[int, int] | None) -> None:
    """See that this scp can use SFTP.

    Raises:
        SSHTooOld: it cannot.
    """
    if version is not None and version < SFTP_SINCE:
        raise SSHTooOld(
            f"this scp is of OpenSSH {version[0]}.{version[1]}, and speaks only the old protocol, in which a name of a "
            f"file is run by a shell there",
            advice="Use get() and put(), rsync_get() and rsync_put(), or an OpenSSH from 8.7 on",
        )


def get_argv(program: str, slave: Slave, options: ScpOptions, sources: Sequence[str], target: str) -> list[str]:
    """The command line that brings files here."""
    remote = [remote_operand(slave.host, name if options.glob else escaped_pattern(name)) for name in sources]
    return [*_start(program, slave, options), *remote, local_operand(target)]


def put_argv(program: str, slave: Slave, options: ScpOptions, sources: Sequence[str], target: str) -> list[str]:
    """The command line that takes files there."""
    local = [local_operand(name) for name in sources]
    return [*_start(program, slave, options), *local, remote_operand(slave.host, target)]


def _start(program: str, slave: Slave, options: ScpOptions) -> list[str]:
    argv = [program, "-s", "-F", "none", "-S", slave.ssh, "-o", option("ControlPath", slave.control_path)]
    for name, value in (*GUARD, *slave.options):
        argv += ["-o", f"{name}={value}"]
    switches = {"-r": options.recursive, "-p": options.copy_attrs, "-q": options.quiet, "-v": options.verbose}
    argv += [switch for switch, wanted in switches.items() if wanted]
    if options.bwlimit:
        argv += ["-l", str(options.bwlimit)]
    return [*argv, "--"]


def reason(returncode: int, stderr: str) -> str:
    """What the end of scp means; it has two statuses only."""
    if returncode == 255:
        return "ssh could not use the connection"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "scp did not say why"
