"""pexpect's pxssh over a multiplexed connection: `from openssh_compat import pxssh`.

How one gets in is new: ssh's questions are answered apart from the session (never by looking for "password:" in what
comes), host keys are checked, and a failure has its reason. What happens at the prompt is pexpect's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any

from pexpect import EOF, TIMEOUT
from pexpect.pxssh import ExceptionPxssh
from pexpect.pxssh import pxssh as _pxssh

import openssh_core
from openssh_core import Pty
from openssh_core.expect import RemoteSpawn

__all__ = ["ExceptionPxssh", "pxssh"]

# What pxssh does about a host key that is on no record, by StrictHostKeyChecking: it answers "yes" to ssh's question.
_HOST_KEYS = {"yes": "strict", "true": "strict", "accept-new": "accept-new"}
_OPEN = "accept-new"

_NO_OPTIONS: Mapping[str, str] = {}


if TYPE_CHECKING:
    _Original = _pxssh[Any]
else:
    _Original = _pxssh


class pxssh(RemoteSpawn, _Original):  # type: ignore[misc]  # the two have a base in common
    """A login shell on another machine, to be talked with at its prompt.

        s = pxssh()
        s.login("web1", "deploy", ssh_key="~/.ssh/id_deploy")
        s.sendline("uptime")
        s.prompt()
        print(s.before)
        s.logout()

    Args:
        timeout, maxread, searchwindowsize, logfile, encoding, codec_errors: as for `pexpect.spawn`.
        options: options of ssh_config(5).
        echo: False: what is sent is not echoed, once the prompt has been set.
        env: where TERM is taken from, instead of this program's environment.
        debug_command_string: `login` only returns pexpect's command line.
        cwd, ignore_sighup, use_poll: there is no local process that they could be about.

    Attributes:
        connection: what it goes over, once `login` has returned.
        PROMPT, UNIQUE_PROMPT, PROMPT_SET_SH, PROMPT_SET_CSH, PROMPT_SET_ZSH, force_password, options: as in pexpect.
    """

    connection: openssh_core.Connection | None = None
    # pexpect asks its local process for this.
    flag_eof: Any = False

    def __init__(
        self,
        timeout: float | None = 30,
        maxread: int = 2000,
        searchwindowsize: int | None = None,
        logfile: IO[Any] | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        ignore_sighup: bool = True,
        echo: bool = True,
        options: Mapping[str, Any] = _NO_OPTIONS,
        encoding: str | None = None,
        codec_errors: str = "strict",
        debug_command_string: bool = False,
        use_poll: bool = False,
    ) -> None:
        RemoteSpawn.__init__(
            self,
            None,
            Pty(),
            timeout=timeout,
            maxread=maxread,
            searchwindowsize=searchwindowsize,
            logfile=logfile,
            encoding=encoding,
            codec_errors=codec_errors,
        )
        self.name = "<pxssh>"
        self.cwd, self.env, self.echo = cwd, env, echo
        self.options: Any = options
        self.debug_command_string = debug_command_string
        self._is_ours = False

    def login(  # type: ignore[override]
        self,
        server: str | openssh_core.Connection,
        username: str | None = None,
        password: str = "",
        terminal_type: str = "ansi",
        original_prompt: str = r"[#$]",
        login_timeout: float | None = 10,
        port: int | None = None,
        auto_prompt_reset: bool = True,
        ssh_key: str | os.PathLike[str] | bool | None = None,
        quiet: bool = True,
        sync_multiplier: float = 1,
        check_local_ip: bool = True,
        password_regex: str = r"(?i)(?:password:)|(?:passphrase for key)",
        ssh_tunnels: Mapping[str, Iterable[Any]] = _NO_OPTIONS,
        spawn_local_ssh: bool = True,
        sync_original_prompt: bool = True,
        ssh_config: str | None = None,
        cmd: str = "ssh",
    ) -> Any:
        """Log in, and find the prompt.

        Args:
            server: the host; or a connection of yours, which `logout` and `close` leave open.
            username: who to be; without, ssh_config says.
            password: answers a question for a password or a passphrase.
            terminal_type: the terminal's, where the environment has no TERM.
            original_prompt: a pattern for the prompt that the account has.
            login_timeout: seconds for the login, and again for the prompt.
            auto_prompt_reset: set the prompt to one that `prompt` knows.
            ssh_key: the private key's file; True: the shell may use our ssh-agent.
            sync_multiplier, sync_original_prompt: how long, and whether, to look for the prompt by pressing Enter.
            ssh_tunnels: lists by `local`, `remote` and `dynamic`, in ssh's words.
            spawn_local_ssh: False: log in from the session that there is to the next host, as pexpect does.
            ssh_config: instead of the usual files.
            cmd: the ssh program.
            quiet, check_local_ip, password_regex: not needed; ssh is not listened to.

        Raises:
            ExceptionPxssh: there is no session, or no prompt; the core's error is its cause.
            TypeError: neither a user nor an ssh_config.
        """
        if self.debug_command_string or not spawn_local_ssh:
            # Text for a shell: nothing of it concerns how we get in.
            named = {name: value for name, value in locals().items() if name in _NAMES}
            return _pxssh.login(self, server, **named)
        if isinstance(server, openssh_core.Connection):
            self.connection = server
        else:
            if username is None and ssh_config is None:
                raise TypeError("login() needs either a username or an ssh_config")
            access = self._access(ssh_key, ssh_config, password)
            self.connection = self._connect(
                server, user=username, port=port, connect_timeout=login_timeout, ssh=cmd, **access
            )
            self._is_ours = True
        try:
            self._open_shell(self.connection, ssh_tunnels, terminal_type, forward_agent=ssh_key is True or None)
            self._find_prompt(original_prompt, terminal_type, login_timeout)
            if sync_original_prompt and not self.sync_original_prompt(sync_multiplier):
                raise ExceptionPxssh("could not synchronize with original prompt")
            if auto_prompt_reset and not self.set_unique_prompt():  # type: ignore[no-untyped-call]
                raise ExceptionPxssh(
                    f"could not set shell prompt (received: {self.before!r}, expected: {self.PROMPT!r})."
                )
            if not self.echo:
                self._stop_echo(auto_prompt_reset)
        except BaseException:
            self.close()
            raise
        return True

    def _access(self, ssh_key: Any, ssh_config: str | None, password: str) -> dict[str, Any]:
        """How to get in, in the words of `openssh_core.connect`."""
        if isinstance(ssh_key, str | os.PathLike) and not os.path.isfile(os.path.expanduser(ssh_key)):
            raise ExceptionPxssh("private ssh key does not exist or is not a file.")
        if ssh_config is not None and not os.path.isfile(ssh_config):
            raise ExceptionPxssh("SSH config does not exist or is not a file.")
        options = {name.lower(): value for name, value in self.options.items()}
        checking = str(options.pop("stricthostkeychecking", "ask")).lower()
        known_hosts = options.pop("userknownhostsfile", None)
        if self.force_password:
            options["pubkeyauthentication"] = "no"
        return {
            "key": ssh_key if isinstance(ssh_key, str | os.PathLike) else None,
            "forward_agent": ssh_key is True,
            "config_file": ssh_config,
            "password": password or None,
            "passphrase": password or None,
            "host_keys": _HOST_KEYS.get(checking, _OPEN),
            "known_hosts": known_hosts.split() if isinstance(known_hosts, str) else known_hosts,
            "options": options,
        }

    def _connect(self, server: str, **access: Any) -> openssh_core.Connection:
        try:
            return openssh_core.connect(server, **access)
        except openssh_core.AuthenticationError as error:
            refused = isinstance(error, openssh_core.UnexpectedPrompt) or access["password"] is None
            raise ExceptionPxssh(f"{'permission denied' if refused else 'password refused'}: {error}") from error
        except (openssh_core.ConnectError, openssh_core.InvalidInput) as error:
            raise ExceptionPxssh(f"Could not establish connection to host: {error}") from error

    def _open_shell(
        self,
        connection: openssh_core.Connection,
        tunnels: Mapping[str, Iterable[Any]],
        terminal_type: str,
        *,
        forward_agent: bool | None,
    ) -> None:
        environment = os.environ if self.env is None else self.env
        pty = Pty(term=environment.get("TERM") or terminal_type)
        try:
            for kind, forward in (
                ("local", connection.forward_local),
                ("remote", connection.forward_remote),
                ("dynamic", connection.forward_dynamic),
            ):
                for tunnel in tunnels.get(kind, ()):
                    forward(*_ends(str(tunnel), two=kind != "dynamic"))
            ends: dict[str, Any] = {"stdin": openssh_core.SOCKET, "stdout": openssh_core.SOCKET}
            process = connection.popen(**ends, pty=pty, encoding=None, forward_agent=forward_agent)
        except openssh_core.OpenSSHError as error:
            raise ExceptionPxssh(str(error)) from error
        self.attach(process, pty)
        self.name = "<pxssh>"

    def _find_prompt(self, original_prompt: str, terminal_type: str, timeout: float | None) -> None:
        found = self.expect([original_prompt, "(?i)terminal type", TIMEOUT, EOF], timeout=timeout)
        if found == 1:
            self.sendline(terminal_type)
            found = self.expect([original_prompt, "(?i)terminal type", TIMEOUT, EOF], timeout=timeout)
            if found == 1:
                raise ExceptionPxssh('Weird error. Got "terminal type" prompt twice.')
        if found == 3:
            raise ExceptionPxssh("connection closed")
        # Without a prompt that is known one hopes for the best, as pexpect does: what follows will tell.

    def _stop_echo(self, has_prompt: bool) -> None:
        self.sendline("stty -echo")
        if has_prompt:
            self.prompt()

    def isalive(self) -> bool:
        """Whether the shell still runs."""
        return hasattr(self, "process") and RemoteSpawn.isalive(self)

    def close(self, force: bool = True) -> None:
        """End the shell, and the connection if `login` made it. Idempotent."""
        try:
            RemoteSpawn.close(self, force)
        finally:
            if self._is_ours and self.connection is not None:
                self.connection.close()


# The arguments of login that pexpect's own is given.
_NAMES = frozenset(_pxssh.login.__code__.co_varnames[2 : _pxssh.login.__code__.co_argcount])


def _ends(tunnel: str, *, two: bool) -> list[Any]:
    """The ends of a tunnel in ssh's words: `[bind:]port:host:hostport`, or `[bind:]port` alone."""
    words, at = [], 0
    while at <= len(tunnel):
        # An IPv6 address stands in brackets.
        close = tunnel.find("]", at) if tunnel.startswith("[", at) else at
        end = tunnel.find(":", close)
        end = len(tunnel) if end < 0 else end
        words.append(tunnel[at:end].strip("[]"))
        at = end + 1
    count = 3 if two else 1
    if len(words) not in (count, count + 1) or not words[-count].isdigit() or (two and not words[-1].isdigit()):
        raise ExceptionPxssh(f"{tunnel!r} is no tunnel")
    port = int(words[-count])
    bind: Any = (words[0], port) if len(words) > count and words[0] not in ("", "localhost") else port
    return [bind, (words[-2], int(words[-1]))] if two else [bind]
