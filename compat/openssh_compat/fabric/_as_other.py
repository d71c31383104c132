"""Files that another user may read or write: `sudo` runs what moves them, and nothing lies about under a passing name
that others could read.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from openssh_core import Sudo

if TYPE_CHECKING:
    from openssh_core import Connection

__all__ = ["AsOther"]

# The whole file arrives beside its place, under a name that only this user can guess, before it takes it. $1: the
# place, $2: the size, $3: the mode, empty for that of what is there, or else the usual one.
_TAKE = """set -eu
if [ -L "$1" ]; then t=$(readlink -f -- "$1"); else t=$1; fi
p=$(mktemp -- "$t.XXXXXXXXXX"); trap 'rm -f -- "$p"' EXIT
cat >"$p"
[ "$(wc -c <"$p")" -eq "$2" ] || { echo "not all of $t has arrived" >&2; exit 1; }
if [ -e "$t" ]; then chown --reference="$t" -- "$p" || :; fi
if [ -n "$3" ]; then chmod -- "$3" "$p"
elif [ -e "$t" ]; then chmod --reference="$t" -- "$p"
else chmod =rw -- "$p"; fi
mv -f -- "$p" "$t"; trap - EXIT"""

_TAKE_TREE = """set -eu
mkdir -p -- "$1"
exec tar -x -p --no-same-owner -f - -C "$1" """


class AsOther:
    """Moves files as another user.

    Args:
        core: the connection.
        user: as whom.
        password: the account's own, which sudo asks for; None where it asks for none.
    """

    def __init__(self, core: Connection, user: str, password: str | None) -> None:
        self._core = core
        self._sudo = Sudo(password, user)

    def is_dir(self, path: str) -> bool:
        """Whether it is a directory."""
        return self.ask('if test -d "$1"; then echo yes; fi', path) == "yes\n"

    def ask(self, script: str, *words: str) -> str:
        """What a script for `sh` puts out."""
        said: str = self._run(["sh", "-c", script, "sh", *words], encoding="utf-8", errors="surrogateescape").stdout
        return said

    def get(self, remote: str, local: str, *, recursive: bool, preserve: bool) -> None:
        """Fetch a file, or a directory with all that is in it, to this path."""
        if recursive and self.is_dir(remote):
            with tempfile.TemporaryFile() as packed:
                self._run(["tar", "-c", "-f", "-", "-C", remote, "."], stdout=packed)
                _unpack(packed, local)
            return
        with _beside(local) as file:
            self.get_into(remote, file)
            if preserve:
                mode = self._run(["stat", "-L", "-c", "%a", "--", remote], encoding="ascii").stdout
                os.fchmod(file.fileno(), int(mode, 8))

    def get_into(self, remote: str, file: IO[bytes]) -> None:
        """Fetch a file into this one."""
        with tempfile.TemporaryFile() as whole:
            self._run(["cat", "--", remote], stdout=whole)
            whole.seek(0)
            while piece := whole.read(1 << 20):
                file.write(piece)

    def put(self, local: str, remote: str, *, recursive: bool, mode: int | None) -> None:
        """Send a file, or a directory with all that is in it, to this path."""
        if not (recursive and os.path.isdir(local)):
            with open(local, "rb") as file:
                self.put_from(file, remote, mode)
            return
        with tempfile.TemporaryFile() as packed:
            with tarfile.open(fileobj=packed, mode="w") as archive:
                archive.add(local, arcname=".", filter=_nobodys)
            packed.seek(0)
            self._run(["sh", "-c", _TAKE_TREE, "sh", remote], stdin=packed)

    def put_from(self, file: IO[bytes], remote: str, mode: int | None) -> None:
        """Send what is in this file from where it stands."""
        with tempfile.TemporaryFile() as whole:
            while piece := file.read(1 << 20):
                whole.write(piece)
            size = whole.tell()
            whole.seek(0)
            wanted = "" if mode is None else f"{stat.S_IMODE(mode):o}"
            self._run(["sh", "-c", _TAKE, "sh", remote, str(size), wanted], stdin=whole)

    def _run(self, words: list[str], **named: Any) -> Any:
        return self._core.run(*words, sudo=self._sudo, check=True, **{"encoding": None, **named})


@contextlib.contextmanager
def _beside(path: str) -> Iterator[IO[bytes]]:
    """A new file that takes its place at the end, if nothing went wrong."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a directory")
    directory, name = os.path.split(path)
    descriptor, partial = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
    try:
        with open(descriptor, "wb") as file:
            yield file
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def _unpack(packed: IO[bytes], local: str) -> None:
    """Nothing is written outside the target, whatever the archive says."""
    if not hasattr(tarfile, "data_filter"):
        raise NotImplementedError(
            "get(sudo=..., recursive=True) needs a Python whose tarfile has filters: 3.10.12, 3.11.4"
        )
    packed.seek(0)
    os.makedirs(local, exist_ok=True)
    with tarfile.open(fileobj=packed) as archive:
        archive.extractall(local, filter="data")


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Names of users here mean nothing there."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
