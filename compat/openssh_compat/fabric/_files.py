"""The SFTP clients of a connection: made when they are needed, ended with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._host import Host

if TYPE_CHECKING:
    import openssh_core
    from openssh_core.sftp import SFTPClient

__all__ = ["WithFiles"]


class WithFiles(Host):
    """A host with files."""

    _files: SFTPClient | None = None
    _files_of: openssh_core.Connection | None = None
    _sftp: Any = None

    @property
    def files(self) -> SFTPClient:
        """The core's SFTP client of this connection, made when it is needed."""
        core = self.core
        if self._files is None or self._files.closed or self._files_of is not core:
            self._files, self._files_of = core.sftp(), core
        return self._files

    def sftp(self) -> Any:
        """paramiko's SFTP client of this connection, made when it is needed and ended with it."""
        self.open()
        if self._sftp is None:
            client: Any = self.client
            self._sftp = client.open_sftp()
        return self._sftp

    def remote_directory(self) -> str:
        """Where relative paths of files start: where `sftp` was told to be, or the account's home directory."""
        there: str | None = None if self._sftp is None else self._sftp.getcwd()
        return there or self.files.realpath(".")

    def close(self) -> None:
        """End the connection. Idempotent; running something connects again."""
        for client in (self._sftp, self._files):
            if client is not None:
                client.close()
        self._sftp = self._files = self._files_of = None
        super().close()
