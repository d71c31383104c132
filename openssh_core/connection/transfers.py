"""Files and trees over SFTP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from ..errors import CommandTimeout, OpenRefused, OpenTimeout, RequestRefused, SFTPTimeout
from .commands import Commands
from .files import Files

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..copy import Progress, Report
    from ..copy._gauge import Cancel, Limits
    from ..copy._mover import Mover
    from ..copy.options import Choices
    from ..copy.trees import LocalPath, Locals, Remotes, Transfer
    from ..sftp import SFTPClient
    from ..sftp.paths import RemotePathLike


class Transfers(Commands, Files):
    """The part of a connection that moves files and trees. It keeps an SFTP session for that, once it has one."""

    _mover: Mover | None = None

    def get(
        self,
        remote: Remotes,
        local: LocalPath | IO[Any] | None = None,
        *,
        progress: Progress = None,
        cancel: Cancel | None = None,
        timeout: float | None = None,
        idle_timeout: float | None = 60.0,
        check: bool = True,
        **options: Unpack[Choices],
    ) -> Report:
        """Fetch files, or whole trees, over SFTP.

        A file is whole in its place or what was there is untouched, whatever happens, unless `atomic` or `append` say
        otherwise. Nothing is written outside the target, whatever the server says.

        Args:
            remote: a path or several; relative ones start at the account's home directory.
            local: where to; the working directory when left out. One file gets this name, or goes into the directory
                of this name if there is one, or if there is a slash at its end. With `recursive`, a directory becomes
                this directory. Several go into it, under their own names. Or a binary file object to write to.
            progress: True shows a bar on a terminal (with rich installed) and a line a second elsewhere, on stderr; or
                a callback (bytes done, bytes in all or None, file). What it raises ends the transfer.
            cancel: something with `is_set()`, such as a `threading.Event`: when it is set the transfer ends.
            timeout: seconds for all of it; None for ever. What is not complete by then is removed; where the server
                does not answer that is waited for no longer than 2 seconds.
            idle_timeout: seconds without any progress after which it gives up; None for ever.
            check: raise when something failed. False: it is in the report only.
            recursive: directories, with all that is in them.
            glob: the remote names are patterns.
            atomic: write to a new file beside the target, which takes its place at the end. False writes into it.
            resume: leave what has come where an attempt failed, and go on from there in the next, if the original's
                size and time are still the same, and (where the server has sha256sum) what is here is its beginning.
            append: add to what is there.
            overwrite: False leaves what is there.
            newer_only: only what is newer than what is there.
            skip_same: leave out what has the same size and time as what is there.
            preserve: give files and directories the times and modes (set-id bits too) of the originals. Otherwise what
                is there keeps its mode, and what is new has the original's that the umask leaves, never a set-id bit.
            links: symbolic links in a tree: `copy` makes the same link, if it leads to something inside the tree;
                `follow` copies what they lead to; `skip` leaves them out. What is named by `remote` is followed.
            umask: takes these bits from the modes, instead of the process's own.
            sparse: leave holes where there are only zeros.
            fsync: have each file on the disk before it takes its place.
            include, exclude: what is wanted of a tree, by patterns or functions (`openssh_core.copy.Rules`).
            convert: `dos2unix`, `unix2dos`, or a function that is given each file piece by piece.
            bwlimit: at most so many bytes a second, on average.
            at_once: how many files are under way together; unless given 128, and up to 512 while they are small.
            verify: compare SHA-256 digests before a file takes its place; the server's own program makes them, and
                where it has none the file is read once more.

        Returns:
            what was done, skipped and failed.

        Raises:
            OSError: one file was asked for, and the server (`SFTPOSError`) or this machine did not allow it.
            TransferError: something of several could not be transferred; its `report` says what.
            TransferCancelled: `cancel` was set.
            TransferTimeout: a limit passed; its `limit` says which, and its `report` what was done until then.
            VerificationFailed, UnsafeName: see there.
            ConnectionLost...: the connection broke. What had been completed is there.
            InvalidInput: options that contradict each other; nothing was done.
        """
        with self._transfer(options, progress, cancel, check, timeout, idle_timeout) as transfer:
            return transfer.get(remote, local)

    def put(
        self,
        local: Locals,
        remote: RemotePathLike | None = None,
        *,
        progress: Progress = None,
        cancel: Cancel | None = None,
        timeout: float | None = None,
        idle_timeout: float | None = 60.0,
        check: bool = True,
        **options: Unpack[Choices],
    ) -> Report:
        """Send files, or whole trees, over SFTP. The same the other way round.

        Args:
            local: a path or several, or a binary file object to read from, from where it stands.
            remote: where to; the account's home directory when left out. As `local` of `get`.
            progress, cancel, timeout, idle_timeout, check, options: as for `get`. `links="copy"` copies every link;
                `umask` does not undo the server's own; `fsync` and atomic replacing depend on what the server offers.

        Raises:
            the same as `get`.
        """
        with self._transfer(options, progress, cancel, check, timeout, idle_timeout) as transfer:
            return transfer.put(local, remote)

    @contextlib.contextmanager
    def _transfer(
        self,
        options: Choices,
        progress: Progress,
        cancel: Cancel | None,
        check: bool,
        timeout: float | None,
        idle_timeout: float | None,
    ) -> Iterator[Transfer]:
        from ..copy._digests import Digests
        from ..copy._gauge import Limits
        from ..copy._mover import Mover
        from ..copy.options import TransferOptions
        from ..copy.trees import Transfer

        wanted = TransferOptions(**options)
        limits = Limits(timeout, idle_timeout)
        self._live()
        if self._mover is None:
            self._mover = Mover(self._new_mover_client)
            self._attach(self._mover)
        digests = Digests(partial(self._digest, limits))
        with self._moving(self._mover, limits) as client:
            transfer = Transfer(
                client, wanted, digests=digests, progress=progress, cancel=cancel, limits=limits, check=check
            )
            try:
                yield transfer
            finally:
                if transfer.stuck:
                    self._mover.forget(client)

    @contextlib.contextmanager
    def _moving(self, mover: Mover, limits: Limits) -> Iterator[SFTPClient]:
        """The client for a transfer."""
        with contextlib.ExitStack() as stack:
            try:
                client = stack.enter_context(mover.client(limits.first_answer()))
            except SFTPTimeout as error:
                raise limits.too_late(error, self.host) from error
            yield client

    def _new_mover_client(self, timeout: float | None) -> SFTPClient:
        assert self._mover is not None
        client = self.sftp(timeout=timeout)
        self._live().on_refusal(self._mover.give_way)
        return client

    def _digest(self, limits: Limits, script: str, data: bytes) -> tuple[int, bytes]:
        try:
            done = self.run("sh", "-c", script, input=data, encoding=None, timeout=limits.deadline.left())
        except (OpenRefused, RequestRefused):
            return 127, b""  # files may be all that this account is for
        except (CommandTimeout, OpenTimeout) as error:
            raise limits.too_late(error, self.host) from error
        assert isinstance(done.stdout, bytes)
        return done.returncode, done.stdout
