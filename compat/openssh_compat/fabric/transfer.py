"""Files from a host and to it, by fabric's rules about paths; and trees, patterns and files of other users, too."""

from __future__ import annotations

import io
import os
import posixpath
import stat
from typing import TYPE_CHECKING, Any

from ._as_other import AsOther

if TYPE_CHECKING:
    from openssh_core.copy import Progress, Report
    from openssh_core.sftp import SFTPClient

    from .connection import Connection

__all__ = ["Result", "Transfer"]

Place = str | os.PathLike[str]


class Result:
    """What a transfer did. One that failed is an exception.

    Attributes:
        local: the absolute path of the file here, or the file object. With several files, the directory.
        remote: the absolute path there; with several files, the directory or the pattern.
        orig_local, orig_remote: as they were given.
        connection: the connection.
        report: what was done in detail (`openssh_core.copy.Report`); None for a single file by sudo.
    """

    def __init__(
        self,
        local: Any,
        orig_local: Any,
        remote: str,
        orig_remote: Any,
        connection: Connection,
        report: Report | None = None,
    ) -> None:
        self.local = local
        self.orig_local = orig_local
        self.remote = remote
        self.orig_remote = orig_remote
        self.connection = connection
        self.report = report


class Transfer:
    """Moves files over a connection.

    Args:
        connection: the connection.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def sftp(self) -> Any:
        """The connection's SFTP client."""
        return self.connection.sftp()

    @property
    def _files(self) -> SFTPClient:
        return self.connection.files

    def is_remote_dir(self, path: str) -> bool:
        """Whether there is a directory of this name on the host."""
        return self._files.isdir(self._absolute(path))

    def get(
        self,
        remote: Place,
        local: Any = None,
        preserve_mode: bool = True,
        *,
        recursive: bool = False,
        glob: bool = False,
        sudo: bool | str = False,
        progress: Progress = None,
    ) -> Result:
        """Fetch a file.

        Args:
            remote: its path; a relative one starts at the account's home directory. `~` means nothing.
            local: where to: a path, in which `{host}`, `{user}`, `{port}`, `{dirname}` and `{basename}` are filled in
                and whose directories are made, or a file object to write to. A directory (there is one, or a slash at
                the end) gets the file under its own name. The working directory when left out.
            preserve_mode: give it the mode of the original; with `recursive` and `glob` its times, too.
            recursive: a directory with all that is in it; like a file, it gets the name, or goes into the directory.
            glob: `remote` is a pattern, `local` a directory.
            sudo: read it as root; a name: as this user. The password is the configuration's `sudo.password`.
            progress: as for `openssh_core.Connection.get`; not with `sudo`.

        Raises:
            ValueError: there is no `remote`, or what is asked for cannot be.
            OSError: one of the two machines does not allow it.
            openssh_core.TransferError: of several files some could not be fetched.
            openssh_core.CommandFailed, SudoRefused: what sudo ran failed, or did not run.
        """
        if not remote:
            raise ValueError("Remote path must not be empty!")
        there = self._absolute(os.fspath(remote))
        if _is_file(local):
            _only_one(recursive, glob, "one file object cannot take several files")
            self._into(there, local, sudo)
            return Result(local, local, there, remote, self.connection)
        here = self._here(there, local, always=glob)
        if sudo:
            _only_one(False, glob, "there are no patterns with sudo=")
            self._as(sudo).get(there, here, recursive=recursive, preserve=preserve_mode)
            return Result(here, local, there, remote, self.connection)
        several = recursive or glob
        report = self.connection.core.get(
            there,
            here + os.sep * glob,
            recursive=recursive,
            glob=glob,
            preserve=several and preserve_mode,
            progress=progress,
        )
        if preserve_mode and not several and (mode := self._files.stat(there).permissions) is not None:
            os.chmod(here, stat.S_IMODE(mode))
        return Result(here, local, there, remote, self.connection, report)

    def put(
        self,
        local: Any,
        remote: Place | None = None,
        preserve_mode: bool = True,
        *,
        recursive: bool = False,
        glob: bool = False,
        sudo: bool | str = False,
        progress: Progress = None,
    ) -> Result:
        """Send a file.

        Args:
            local: its path, or a file object: all of it is sent, wherever it stands, and it stands there again then.
            remote: where to; a directory gets the file under its own name. Relative ones start at the account's home
                directory, which it is when left out. `~` means nothing.
            preserve_mode: give it the mode of the original; with `recursive` and `glob` its times, too.
            recursive: a directory with all that is in it; like a file, it gets the name, or goes into the directory.
            glob: `local` is a pattern, `remote` a directory.
            sudo: write it as root; a name: as this user. A file that is there keeps its owner. The password is the
                configuration's `sudo.password`.
            progress: as for `openssh_core.Connection.put`; not with `sudo`.

        Raises:
            as `get`.
        """
        if not local:
            raise ValueError("Local path must not be empty!")
        file = local if _is_file(local) else None
        name = _name_of(local)
        there = self._there(remote, name, file is not None, always=glob)
        if file is not None:
            _only_one(recursive, glob, "a file object is one file")
            self._from(file, there, sudo)
            return Result(local, local, there, remote, self.connection)
        here = os.path.abspath(os.fspath(local))
        mode = None if glob or not preserve_mode else stat.S_IMODE(os.stat(here).st_mode)
        if sudo:
            _only_one(False, glob, "there are no patterns with sudo=")
            self._as(sudo).put(here, there, recursive=recursive, mode=mode)
            return Result(here, local, there, remote, self.connection)
        several = recursive or glob
        report = self.connection.core.put(
            here,
            there + "/" * glob,
            recursive=recursive,
            glob=glob,
            preserve=several and preserve_mode,
            progress=progress,
        )
        if mode is not None and not several:
            self._files.chmod(there, mode)
        return Result(here, local, there, remote, self.connection, report)

    # ---- places

    def _absolute(self, remote: str) -> str:
        return posixpath.join(self.connection.remote_directory(), remote)

    def _here(self, there: str, local: Any, *, always: bool) -> str:
        """The path here; its directories are made.

        Args:
            always: it is a directory whatever it looks like.
        """
        name = posixpath.basename(there.rstrip("/"))
        text = "" if not local else os.fspath(local)
        if text:
            c = self.connection
            text = text.format(host=c.host, user=c.user, port=c.port, dirname=posixpath.dirname(there), basename=name)
        if always:
            directory = os.path.abspath(text or os.curdir)
            os.makedirs(directory, exist_ok=True)
            return directory
        if not text or text.endswith(os.sep) or os.path.isdir(text):
            text = os.path.join(text, name)
        path = os.path.abspath(text)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def _there(self, remote: Place | None, name: str, is_file: bool, *, always: bool) -> str:
        """The path on the host."""
        if always:
            return self._absolute(os.fspath(remote or "."))
        if not remote:
            if is_file:
                raise ValueError("Must give non-empty remote path when local is a file-like object!")
            return self._absolute(name)
        path = self._absolute(os.fspath(remote))
        if not path.endswith("/") and not self._files.isdir(path):
            return path
        if not name:
            raise ValueError("Can't put a file-like-object into a directory unless it has a non-empty .name attribute!")
        return posixpath.join(path, name)

    # ---- file objects

    def _into(self, there: str, file: Any, sudo: bool | str) -> None:
        text = isinstance(file, io.TextIOBase)
        if not text and not sudo:
            self.connection.core.get(there, file)
            return
        raw = io.BytesIO()
        if sudo:
            self._as(sudo).get_into(there, raw)
        else:
            self.connection.core.get(there, raw)
        file.write(raw.getvalue().decode() if text else raw.getvalue())

    def _from(self, file: Any, there: str, sudo: bool | str) -> None:
        stands = file.tell()
        try:
            file.seek(0)
            source: Any = io.BytesIO(file.read().encode()) if isinstance(file.read(0), str) else file
            if sudo:
                self._as(sudo).put_from(source, there, None)
            else:
                self.connection.core.put(source, there)
        finally:
            file.seek(stands)

    def _as(self, sudo: bool | str) -> AsOther:
        config = self.connection.config.sudo
        user = sudo if isinstance(sudo, str) else config.user or "root"
        return AsOther(self.connection.core, user, None if config.password is None else str(config.password))


def _is_file(thing: Any) -> bool:
    return callable(getattr(thing, "write", None))


def _name_of(local: Any) -> str:
    """Under which name it goes into a directory; nothing where it has none."""
    if not _is_file(local):
        path: str = os.path.abspath(os.fspath(local))
        return os.path.basename(path)
    name = getattr(local, "name", None)
    return os.path.basename(name) if isinstance(name, str) else ""


def _only_one(recursive: bool, glob: bool, why: str) -> None:
    if recursive or glob:
        raise ValueError(f"Transfer: {why}")
