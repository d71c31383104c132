"""What a connection tells about its master and the server, and what can be done with the master."""

from __future__ import annotations

from .._cli.log import shown
from .._cli.target import parse_target
from .._io.socket_like import Given
from ..errors import InvalidInput
from ..handshake import Handshake
from ..keys import HostKey
from .life import ConnectionLife


class Mastery(ConnectionLife):
    """The part of a connection that is about the master itself."""

    @property
    def control_path(self) -> str:
        """The master's control socket, for other programs that use it (`ssh -S`)."""
        return self._live().control_path

    @property
    def master_pid(self) -> int:
        """The master's process id."""
        return self._live().pid

    @property
    def connected(self) -> bool:
        """Whether there is a master now. Never logs in; does not ask the server."""
        master = self._access.present()
        return master is not None and not master.lost

    @property
    def host_key(self) -> HostKey | None:
        """The key the server showed in the login; None for a master that somebody else started.

        Its `base64` is empty where ssh told only the fingerprint; a function as `host_keys=` makes ssh tell the key.
        """
        return self._live().host_key

    @property
    def server_version(self) -> str | None:
        """The server's software, in its own words (RFC 4253 section 4.2): `OpenSSH_9.2p1 ...`; None where unknown."""
        return self._live().facts.version

    @property
    def handshake(self) -> Handshake | None:
        """What was agreed on with the server: algorithms; None for a master that somebody else started, and where ssh
        does not tell (before 8.5)."""
        return self._live().facts.handshake

    @property
    def user(self) -> str | None:
        """As whom ssh logged in; None for a master that somebody else started, unless the target says it."""
        return self._live().facts.user or parse_target(self.host).user

    @property
    def remote_address(self) -> tuple[str, int] | None:
        """Address and port that ssh connected to; None through a ProxyCommand or a jump host, and where unknown."""
        return self._live().facts.address

    @property
    def banner(self) -> str:
        """What the server said before the login (RFC 4252 section 5.4), safe to show; empty when it said nothing."""
        return shown(self._live().read_banner())

    @property
    def log(self) -> str:
        """What ssh has said since it was started, with its marks; empty for a master that somebody else started."""
        return self._live().read_log()

    def restart(self) -> None:
        """End the master and what runs through it, and log in again.

        Raises:
            ConnectError: the new login did not come about; the next use tries again.
            InvalidInput: the master was started by somebody else.
        """
        self._close_attached()
        self._access.restart()

    def stop(self) -> None:
        """Start nothing new from now on; what runs goes on. The master ends with what runs, or at `close`.

        Its control socket goes at once, so nobody else can use it either.

        Raises:
            InvalidInput: the master was started by somebody else.
        """
        self._live().stop_listening()

    def disown(self) -> str:
        """Give the master up without ending it; this connection is closed. What runs through it is ended.

        The master goes on until somebody ends it (`ssh -S PATH -O exit x`) or the server closes the connection;
        one made with `persist=` until its time is over.

        Returns:
            the path of its control socket: `connect(..., control_path=path)` takes it up.

        Raises:
            InvalidInput: the master was started by somebody else, or its way leads through this program (`gateway=`).
            ConnectionClosed: this connection was closed.
        """
        if self._beneath is not None and not isinstance(self._beneath, Given):
            raise InvalidInput("the way to this host leads through this program and ends with it", host=self.host)
        master = self._live()
        self._close_attached()
        path = master.disown()
        self._access.give_up("disowned")
        self._forget()
        return path
