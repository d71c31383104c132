"""Files by other programs through the same master: scp and rsync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..results import CompletedCommand
from .external import External

if TYPE_CHECKING:
    from .._cli.names import Name, Names
    from ..copy._rsync import Order
    from ..copy._way import Way
    from ..copy.progress import Progress


class Copies(External):
    """The part of a connection that copies files by scp and rsync.

    Names of files go as they are: nothing in them is read by a shell, as a pattern (unless glob=True), as an option or
    as a host. A relative remote name starts at the account's home directory.
    """

    def scp_get(
        self,
        remote: Names,
        local: Name = ".",
        *,
        recursive: bool = False,
        copy_attrs: bool = False,
        bwlimit: int = 0,
        glob: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        timeout: float | None = None,
        check: bool = True,
        scp: str | None = None,
    ) -> CompletedCommand:
        """Copy files here by scp(1).

        Args:
            remote: one name or several.
            local: a directory, or the name the one file shall have.
            recursive: directories too, with all that is in them.
            copy_attrs: keep modes and times.
            bwlimit: at most so many kilobits a second; 0 for no limit.
            glob: the remote names are patterns (`*`, `?`, `[...]`, `{a,b}`).
            quiet: no warnings, not in the result either.
            verbose: scp says in detail what it does, in the result's stderr.
            timeout: seconds for all of it.
            check: raise when scp ends with another status than 0.
            scp: the program; the one that lies beside ssh, or on the PATH, when left out.

        Returns:
            how scp ended, with what it said.

        Raises:
            CopyError: scp failed; `stderr` has its words.
            CopyTimeout: the limit passed; scp was killed.
            ProgramNotFound: there is no scp.
            SSHTooOld: it is of an OpenSSH before 8.7, and knows only a protocol in which names are run by a shell.
            OpenRefused: the server has no session for it; tried for ten seconds, never by another login.
            ConnectionLost: the master is gone.
            InvalidInput: a name or a limit that cannot be; nothing was started.
        """
        from .._cli.scp import ScpOptions
        from ..copy import _scp

        options = ScpOptions(recursive, copy_attrs, bwlimit, quiet, verbose, glob)
        return _scp.get(self._way(), remote, local, options, scp, timeout, check)

    def scp_put(
        self,
        local: Names,
        remote: Name = ".",
        *,
        recursive: bool = False,
        copy_attrs: bool = False,
        bwlimit: int = 0,
        glob: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        timeout: float | None = None,
        check: bool = True,
        scp: str | None = None,
    ) -> CompletedCommand:
        """Copy files there by scp(1).

        Args:
            local: one name or several.
            remote: a directory, or the name the one file shall have.
            glob: the local names are patterns (those of Python's `glob`); each must fit a file.
            recursive, copy_attrs, bwlimit, quiet, verbose, timeout, check, scp: as for `scp_get`.

        Raises:
            the same as `scp_get`.
        """
        from .._cli.scp import ScpOptions
        from ..copy import _scp

        options = ScpOptions(recursive, copy_attrs, bwlimit, quiet, verbose, glob)
        return _scp.put(self._way(), local, remote, options, scp, timeout, check)

    def rsync_get(
        self,
        remote: Names,
        local: Name = ".",
        *,
        glob: bool = False,
        copy_attrs: bool = False,
        quiet: bool = False,
        verbose: int = 0,
        progress: Progress = None,
        timeout: float | None = None,
        idle_timeout: int | None = None,
        check: bool = True,
        rsync: str = "rsync",
        **options: Any,
    ) -> CompletedCommand:
        """Copy files here by rsync(1), which must be there too.

        Args:
            remote: one name or several. As rsync has it: a slash at the end means what is in the directory.
            local: where to; a directory, or the name the one file shall have.
            glob: the remote names are patterns.
            copy_attrs: keep modes and times (`-pt`).
            quiet: nothing but errors.
            verbose: how often `-v`; True is once. What it says is the result's stdout.
            progress: True shows how far it is, on stderr; or a callback (bytes done, bytes in all, None). rsync tells
                whole percents, so the number of all bytes is only near, and it grows while rsync still looks.
            timeout: seconds for all of it.
            idle_timeout: whole seconds without any data after which rsync gives up (its own `--timeout`).
            check: raise when rsync ends with another status than 0.
            rsync: the program here; `rsync_path=` is the one there.
            options: every long option of rsync with `_` for `-`: `archive=True`, `delete=True`,
                `exclude=["*.o", "*.pyc"]`, `max_size="10m"`. False means `--no-name`, a list repeats it, None leaves
                it out. Options that would change the way, or how names are passed, are refused with the reason.

        Returns:
            how rsync ended, with what it said.

        Raises:
            CopyError: rsync failed; `returncode` is its status and `reason` what that means.
            InvalidOption: an option that is none or cannot be given.
            CopyTimeout, ProgramNotFound, OpenRefused, ConnectionLost, InvalidInput: as for `scp_get`.
        """
        from ..copy import _rsync

        order = _order(glob, copy_attrs, quiet, verbose, progress, timeout, idle_timeout, check, rsync, options)
        return _rsync.get(self._way(), remote, local, order)

    def rsync_put(
        self,
        local: Names,
        remote: Name = ".",
        *,
        glob: bool = False,
        copy_attrs: bool = False,
        quiet: bool = False,
        verbose: int = 0,
        progress: Progress = None,
        timeout: float | None = None,
        idle_timeout: int | None = None,
        check: bool = True,
        rsync: str = "rsync",
        **options: Any,
    ) -> CompletedCommand:
        """Copy files there by rsync(1), which must be there too.

        Args:
            local: one name or several.
            remote: where to.
            glob: the local names are patterns (those of Python's `glob`); each must fit a file.
            copy_attrs, quiet, verbose, progress, timeout, idle_timeout, check, rsync, options: as for `rsync_get`.

        Raises:
            the same as `rsync_get`.
        """
        from ..copy import _rsync

        order = _order(glob, copy_attrs, quiet, verbose, progress, timeout, idle_timeout, check, rsync, options)
        return _rsync.put(self._way(), local, remote, order)

    def _way(self) -> Way:
        from ..copy._way import Way

        master = self._live()
        return Way(self._slave(), self.host, master.make_room)


def _order(
    glob: bool,
    copy_attrs: bool,
    quiet: bool,
    verbose: int,
    progress: Progress,
    timeout: float | None,
    idle_timeout: int | None,
    check: bool,
    rsync: str,
    options: dict[str, Any],
) -> Order:
    from .._cli.rsync import RsyncOptions, option_words
    from ..copy._rsync import Order

    words = RsyncOptions(int(verbose), quiet, copy_attrs, glob, False, idle_timeout, option_words(options))
    return Order(words, progress=progress, program=rsync, timeout=timeout, check=check)
