"""Directories of one side as directories of the other, by sshfs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .commands import Commands
from .copies import Copies

if TYPE_CHECKING:
    from .._cli.names import Name
    from .._cli.sshfs import OptionValue
    from ..copy import Export, Mount

_NOTHING: Mapping[str, OptionValue] = {}


class Mounting(Commands, Copies):
    """The part of a connection that mounts."""

    def sshfs_mount(
        self,
        remote: Name,
        local: Name,
        *,
        read_only: bool = False,
        options: Mapping[str, OptionValue] = _NOTHING,
        timeout: float = 30.0,
        sshfs: str = "sshfs",
    ) -> Mount:
        """Mount a directory of the server here by sshfs(1), which needs FUSE.

            with host.sshfs_mount("/srv/data", "data"):
                os.listdir("data")

        Args:
            remote: the directory there; a relative name starts at the account's home directory.
            local: an empty directory here.
            read_only: nothing can be changed through it.
            options: mount options of sshfs(1) and mount.fuse(8): `{"idmap": "user", "allow_other": True}`.
                `nonempty` allows a directory that is not empty.
            timeout: seconds until it must be mounted.
            sshfs: the program.

        Returns:
            the mount: a context manager, with `unmount()`. It ends with the connection at the latest.

        Raises:
            MountError: it was not mounted; `stderr` has the words of sshfs.
            ProgramNotFound: there is no sshfs.
            OpenRefused: the server has no session for it.
            ConnectionLost: the master is gone.
            InvalidInput: a name or an option that cannot be; nothing was started.
        """
        from .._cli.names import name_of
        from ..copy import mounts
        from ..copy._local import local_name

        wanted: dict[str, OptionValue] = {"ro": True, **options} if read_only else dict(options)
        there, here = name_of(remote, "remote"), local_name(local)
        return mounts.mount(self._way(), there, here, wanted, sshfs_program=sshfs, timeout=timeout)

    def sshfs_export(
        self,
        local: Name,
        remote: Name,
        *,
        read_only: bool = False,
        options: Mapping[str, OptionValue] = _NOTHING,
        timeout: float = 30.0,
        sshfs: str = "sshfs",
        sftp_server: str | None = None,
    ) -> Export:
        """Mount a directory of this machine on the server, by the sshfs that is there.

        Whoever rules the server then has the access to this machine's files that you have: an sftp-server runs here as
        you, and only what it is asked for, not what it may be asked for, is limited to the directory.

        Args:
            local: the directory here.
            remote: an empty directory there.
            read_only: nothing can be changed through it, whatever the other side asks for.
            options: mount options, for the sshfs there.
            timeout: seconds until it must be mounted.
            sshfs: the program there.
            sftp_server: the program here; looked for in the usual places when left out.

        Returns:
            the mount: a context manager, with `unmount()`. It ends with the connection at the latest.

        Raises:
            the same as `sshfs_mount`.
        """
        from .._cli.names import name_of
        from ..copy import mounts
        from ..copy._local import local_name

        def shell(command: str) -> tuple[int, str]:
            done = self.run(command, encoding="utf-8", errors="replace", timeout=timeout)
            return done.returncode, str(done.stderr)

        return mounts.export(
            self._way(),
            local_name(local),
            name_of(remote, "remote"),
            options,
            shell,
            sshfs_program=sshfs,
            sftp_server=sftp_server,
            read_only=read_only,
            timeout=timeout,
        )
