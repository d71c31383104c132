"""Users for tests exist in a copy of /etc that only one server sees; the machine's own is not written to.

The server runs in a mount namespace of its own, where the copy is bound over /etc. The directory is bound, never a
single file: a bound file is lost as soon as somebody renames a new one over it, as every useradd does.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import _config, _programs
from ._lab import ServerFailed
from .keys import Key
from .sshd import LoopbackServer

_FIRST_UID = 50000
# Private propagation is unshare's default, but what would happen without it is too bad to depend on a default.
_UNSHARE = ("unshare", "--mount", "--propagation", "private", "sh", "-c")
_SCRIPT = 'mount --bind "$1" /etc && shift && exec "$@"'

# The machine's own PAM stack may log, lock out or ask for a second factor. Everything is in these lines; a refusal
# comes at once.
_PAM = "auth required pam_unix.so nodelay\naccount required pam_unix.so\npassword required pam_deny.so\n"


@dataclass(frozen=True, slots=True)
class Account:
    """A user that exists on one server.

    Attributes:
        name: the login name.
        password: None for one who can only log in with the key.
        shell: the login shell; commands run by it, too.
    """

    name: str
    password: str | None = field(default=None, repr=False)
    shell: str = "/bin/sh"


class AccountServer(LoopbackServer):
    """A loopback sshd with ordinary users of its own. Needs root and Linux; nothing of the system is changed.

    Everybody can log in with the server's key, and who has a password also with that. Homes are in the server's
    directory. `user` is the first account.

    Args:
        accounts: at least one.
        options: sshd_config options, over ours; as for `LoopbackServer`.
        keyboard_interactive: passwords are asked for by keyboard-interactive through PAM, and no longer by the
            password method (RFC 4256 and RFC 4252 section 8).
        sshd, key, host_key, timeout: as for `LoopbackServer`.

    Raises:
        ServerFailed: not possible here (`AccountServer.unavailable` says why beforehand), or sshd did not start.
        InvalidOption: an option that cannot be given here.
    """

    _mode = 0o711  # other users must come through to their homes, though not look around

    def __init__(
        self,
        *accounts: Account,
        options: Mapping[str, _config.Value] | None = None,
        keyboard_interactive: bool = False,
        sshd: str | os.PathLike[str] | None = None,
        key: Key | None = None,
        host_key: Key | None = None,
        timeout: float = 10.0,
    ) -> None:
        if reason := self.unavailable():
            raise ServerFailed(reason)
        self.accounts = accounts or (Account("ordinary"),)
        self._keyboard_interactive = keyboard_interactive
        super().__init__(options, user=self.accounts[0].name, sshd=sshd, key=key, host_key=host_key, timeout=timeout)
        if keyboard_interactive and "Unsupported option UsePAM" in self.log:
            self.stop()
            raise ServerFailed(f"{self.sshd} was built without PAM, which checks keyboard-interactive passwords")

    @staticmethod
    def unavailable() -> str | None:
        """Why there can be no such server here, for `pytest.skip`; None when there can."""
        return LoopbackServer.unavailable() or _why_not()

    @property
    def password(self) -> str | None:
        """The first account's password."""
        return self.accounts[0].password

    def home(self, name: str | None = None) -> Path:
        """The home directory of an account, of the first when no name is given."""
        return self.directory / "homes" / (name or self.user)

    def connect_options(self, *, port: int | None = None) -> dict[str, Any]:
        """Arguments for `openssh_core.connect`: with the password if the first account has one, else with the key."""
        options = super().connect_options(port=port)
        if self.password is not None:
            del options["key"]
            options["password"] = self.password
        return options

    def _base_options(self) -> dict[str, _config.Value]:
        options = super()._base_options()
        # Their homes are empty and ours: HOME can be the real one.
        options["SetEnv"] = " ".join(word for word in str(options["SetEnv"]).split() if not word.startswith("HOME="))
        options["UsePAM"] = self._keyboard_interactive
        options["KbdInteractiveAuthentication"] = self._keyboard_interactive
        options["PasswordAuthentication"] = not self._keyboard_interactive
        return options

    def _launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        etc = self.directory / "etc"
        if not etc.exists():
            _copy_etc(etc)
            for number, account in enumerate(self.accounts):
                self._add(account, etc, _FIRST_UID + number)
        return super()._launch([*_UNSHARE, _SCRIPT, "sh", str(etc), *command])

    def _add(self, account: Account, etc: Path, uid: int) -> None:
        home = self.home(account.name)
        home.mkdir(parents=True, mode=0o755)
        os.chown(home, uid, uid)
        home.chmod(0o700)
        secret = "*" if account.password is None else _hashed(account.password)
        entries = {
            "passwd": f"{account.name}:x:{uid}:{uid}::{home}:{account.shell}\n",
            "shadow": f"{account.name}:{secret}:19000:0:99999:7:::\n",
            "group": f"{account.name}:x:{uid}:\n",
        }
        for name, entry in entries.items():
            with open(etc / name, "r+", encoding="utf-8", errors="surrogateescape") as file:
                others = [line for line in file.readlines() if not line.startswith(f"{account.name}:")]
                file.seek(0)
                # First, so that nothing that was there before, such as a line for NIS, comes in between.
                file.writelines([entry, *others])
                file.truncate()


def _copy_etc(target: Path) -> None:
    # Some files may vanish or be special; what is needed is looked at.
    subprocess.run(["cp", "-a", "/etc", str(target)], stdin=subprocess.DEVNULL, capture_output=True)
    if not all((target / name).is_file() for name in ("passwd", "shadow", "group")):
        raise ServerFailed("/etc could not be copied")
    pam = target / "pam.d" / "sshd"
    if pam.parent.is_dir():
        pam.write_text(_PAM, encoding="ascii")


def _hashed(password: str) -> str:
    words = ["openssl", "passwd", "-6", "-stdin"]
    done = subprocess.run(words, input=password + "\n", capture_output=True, text=True, check=True)
    return done.stdout.strip()


@functools.cache
def _why_not() -> str | None:
    if sys.platform != "linux":
        return "mount namespaces are a thing of Linux"
    if os.geteuid() != 0:
        return "only root can give a server users of its own"
    if lacking := _programs.missing("unshare", "mount", "openssl", "cp"):
        return lacking
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [*_UNSHARE, _SCRIPT, "sh", directory, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    return f"no mount namespace: {done.stderr.strip()}" if done.returncode else None
