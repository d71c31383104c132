"""One login: ssh is started, its questions are answered, and what it leaves behind is taken over."""

from __future__ import annotations

import contextlib
import os
from time import monotonic

from .._cli import diagnosis, log, prompts
from .._cli.argv import check_control_path, master_argv
from .._io import control, handover
from .._io.askpass import AskpassServer
from .._io.deadline import Deadline
from .._io.login import Launcher
from .._io.login_turns import login_turns
from .._io.private_dir import Directory, PrivateDirectory
from .._io.reactor import get_reactor
from .._io.version import ssh_version, user_known_hosts
from ..errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    HostKeyError,
    InsecureControlSocket,
    MasterUnresponsive,
    OpenSSHError,
    SSHTooOld,
    UnexpectedPrompt,
)
from ..keys import HostKey
from ..master import LOCAL_ANSWER, Master, PrivateMaster
from ..options import MasterOptions
from .host_keys import HostKeys
from .identities import check_openable, identities
from .order import AnyLauncher, Order
from .stages import Stages

# The release that brought SSH_ASKPASS_REQUIRE.
_ASKPASS_SINCE = (8, 4)
# LogVerbose.
_TELLS_STAGES_SINCE = (8, 5)
_KNOWN_HOSTS_COMMAND_SINCE = (8, 5)
_FORWARDS_ANOTHER_AGENT_SINCE = (8, 2)

_INCOMPLETE = {
    "connection": "there was no connection",
    "greeting": "the server accepted the connection and then said nothing: there was no greeting",
    "handshake": "the keys were not exchanged",
    "login": "the login was not complete",
}


def adopt_master(control_path: str, host: str, deadline: Deadline, *, ssh: str = "ssh") -> Master:
    """Take up a master that somebody else has started; it will never be ended by us.

    Raises:
        InvalidControlPath, InsecureControlSocket: not to be used.
        ConnectionLost: nobody listens there.
        MasterUnresponsive: it does not answer.
    """
    check_control_path(control_path)
    with control.greet(control_path, deadline) as conversation:
        return Master(control_path, conversation.alive(deadline), host, ssh=ssh)


def start_master(order: Order, deadline: Deadline) -> PrivateMaster:
    """Log in.

    Raises:
        ConnectError: one of its subclasses says why there is no connection.
        InvalidInput: something that was asked for cannot be.
    """
    check_openable(order)
    target = order.options.target
    with login_turns.turn((target.host, target.port), deadline) as its_turn:
        if not its_turn:
            raise ConnectTimeout("other logins of this program to the same host took all the time", host=order.host)
        return _start(order, deadline)


def _start(order: Order, deadline: Deadline) -> PrivateMaster:
    directory = PrivateDirectory(order.control_dir, order.options.ssh)
    try:
        login = Login(order, directory)
        launcher_pid = login.run(deadline)
        conversation = take_over(directory, launcher_pid, order.host)
        try:
            pid = conversation.alive(Deadline.after(LOCAL_ANSWER))
            return PrivateMaster(
                directory,
                conversation,
                pid,
                host=order.host,
                facts=log.server_facts(directory.read_log()),
                host_key=login.host_key,
                spare=order.spare,
                ssh=order.options.ssh,
            )
        except BaseException:
            conversation.close()
            raise
    except BaseException:
        end_leftover(directory)
        directory.remove()
        raise


def end_leftover(directory: Directory) -> None:
    """A login that came about and is of no use all the same leaves a master, which would end by itself, but later."""
    if os.path.lexists(directory.control_path):
        deadline = Deadline.after(LOCAL_ANSWER)
        with contextlib.suppress(OpenSSHError), control.greet(directory.control_path, deadline) as conversation:
            conversation.terminate(deadline)


def _for_this_ssh(order: Order) -> MasterOptions:
    options = order.options
    version = ssh_version(options.ssh)
    if version is not None:
        this = f"{options.ssh} is OpenSSH {version[0]}.{version[1]}"
        if options.askpass and version < _ASKPASS_SINCE:
            raise SSHTooOld(f"{this}; secrets need 8.4 (SSH_ASKPASS_REQUIRE)")
        if options.forwarded_agent and version < _FORWARDS_ANOTHER_AGENT_SINCE:
            if not options.agent:
                raise SSHTooOld(f"{this}; agent=False with forward_agent= needs 8.2 (ForwardAgent=PATH)")
            options = options.replace(forwarded_agent="")
        if order.policy is not None and version < _KNOWN_HOSTS_COMMAND_SINCE:
            raise SSHTooOld(f"{this}; a function as host_keys= needs 8.5 (KnownHostsCommand)")
    return options.replace(ssh_version=version)


def take_over(directory: Directory, launcher_pid: int, host: str) -> control.Conversation:
    """The master runs: see that it is the one we started.

    The kernel names the process that called listen(2), which was our launcher; what goes on from there is its
    child, and its own process id comes from the master itself.

    Raises:
        ConnectError: nobody listens, or it is somebody else.
    """
    try:
        conversation = control.greet(directory.control_path, Deadline.after(LOCAL_ANSWER))
    except (ConnectionLost, MasterUnresponsive) as error:
        words = log.last_words(directory.read_log())
        raise ConnectError(f"ssh logged in, but {error.what}", host=host, last_words=words) from error
    if conversation.peer_pid not in (None, launcher_pid):
        conversation.close()
        raise InsecureControlSocket(
            f"process {conversation.peer_pid} listens at {directory.control_path}, not the ssh that was started",
            host=host,
        )
    return conversation


class Login:
    """One login, from the launch of ssh to its success or the reason why not.

    Attributes:
        host_key: the server's, where it was told.
    """

    def __init__(self, order: Order, directory: Directory) -> None:
        self._order = order
        self._options = options = _for_this_ssh(order)
        self._secrets = order.secrets.afresh()
        self._directory = directory
        self._host = order.host
        self._host_keys: HostKeys | None = None
        self._stages = _stages(order, options, directory)
        self.host_key: HostKey | None = None
        if options.host_keys in ("warn", "ask") and options.known_hosts is None and options.config_file != "none":
            options = options.replace(user_known_hosts=user_known_hosts(options))
        if order.policy is not None:
            self._host_keys = HostKeys(directory, order.policy, order.host, _first_known_hosts(options))
            options = options.replace(host_key_reporter=self._host_keys.script)
        if order.known_hosts_lines:
            path = directory.file("known", "\n".join(order.known_hosts_lines) + "\n")
            options = options.replace(known_hosts=(*(options.known_hosts or ()), path))
        self._options = options

    def run(self, deadline: Deadline) -> int:
        """Log in; the process id of the ssh that did."""
        try:
            return self._run(deadline)
        except ConnectError as error:
            error.handshake = log.server_facts(self._directory.read_log()).handshake
            error.banner = log.shown(self._directory.read_banner())
            if isinstance(error, AuthenticationError) and not error.methods:
                # It ended at a question, so ssh has not said how it ended.
                error.partial, error.methods = diagnosis.way_to_log_in(self._directory.read_words())
            raise

    def _run(self, deadline: Deadline) -> int:
        if self._stages is None:
            deadline = _within(self._order, deadline)
        directory = self._directory
        askpass = AskpassServer(directory.path) if self._secrets or self._host_keys else None
        try:
            with (
                handover.handed_over(directory.path, self._order.transport, deadline, get_reactor()) as proxy,
                identities(self._order, self._options, directory, askpass, self._answer, deadline) as options,
            ):
                options = options.replace(proxy=proxy)
                argv = master_argv(options, control_path=directory.control_path, log_path=directory.log_path)
                launcher = self._launch(argv, askpass)
                try:
                    if self._order.launched is not None:
                        self._order.launched(launcher)
                    status = self._wait(launcher, deadline, askpass)
                finally:
                    launcher.close()
        finally:
            if askpass is not None:
                askpass.close()
        self._end(status, launcher.said)
        return launcher.pid

    def _launch(self, argv: list[str], askpass: AskpassServer | None) -> AnyLauncher:
        handler = self._order.login_handler
        environment = {} if self._order.transport is None else handover.environment()
        if handler is None:
            environment.update(askpass.environment() if askpass else {})
            return Launcher(argv, environment, self._directory.stderr_path)
        from .._io.dialogue import PtyLauncher

        return PtyLauncher(argv, environment, handler)

    def _end(self, status: int, said: str) -> None:
        """The server's key is told, and recorded once the server has proved that it has it."""
        self.host_key = self._host_keys.latest() if self._host_keys is not None else None
        error = None
        if status != 0:
            error = diagnosis.diagnose(self._directory.read_log() + said, host=self._host, exit_code=status)
            if isinstance(error, HostKeyError):
                error.key = self.host_key
        if self._host_keys is not None and (error is None or isinstance(error, AuthenticationError)):
            self._host_keys.record()
        if error is not None:
            raise error

    def _wait(self, launcher: AnyLauncher, deadline: Deadline, askpass: AskpassServer | None) -> int:
        def answer(question: str) -> str:
            asked = monotonic()
            reply = self._answer(question)
            # Whoever answers too late has not answered.
            if deadline.passed:
                raise self._too_slow(self._options.connect_timeout)
            if self._stages is not None:
                self._stages.pause(monotonic() - asked)
            return reply

        try:
            while (status := launcher.wait(self._next_look(deadline), askpass, answer)) is None:
                if deadline.passed:
                    raise self._too_slow(self._options.connect_timeout)
                if self._stages is not None and (limit := self._stages.overrun()) is not None:
                    raise self._too_slow(limit)
            return status
        except BaseException:
            launcher.kill()
            raise

    def _next_look(self, deadline: Deadline) -> Deadline:
        """When to look at its stages, at the latest when all is over."""
        if self._stages is None:
            return deadline
        left = deadline.left()
        look = self._stages.next_look()
        return Deadline.after(look if left is None else min(left, look))

    def _too_slow(self, seconds: float | None) -> ConnectTimeout:
        said = self._directory.read_log()
        stage = log.stage_of(said)
        error = ConnectTimeout(
            f"{_INCOMPLETE[stage]} after {seconds or 0:g} s",
            host=self._host,
            last_words=log.last_words(said),
        )
        error.stage = stage
        return error

    def _answer(self, question: str) -> str:
        """The answer to one of ssh's questions. Without one the login ends here: ssh would send an empty password."""
        facts = log.server_facts(self._directory.read_log())
        names = {self._options.target.host, facts.host or self._options.target.host}
        prompt = prompts.classify(question)
        if self._host_keys is not None and prompts.fingerprint_asked(prompt) is not None:
            return self._host_keys.answer(prompt)
        answer = self._secrets.answer(prompt, user=facts.user or self._options.target.user, hosts=frozenset(names))
        if answer is None:
            raise self._unanswered(prompt)
        return answer

    def _unanswered(self, prompt: prompts.Prompt) -> ConnectError:
        if self._secrets.refused(prompt):
            return AuthenticationError(
                f"ssh asks again ({prompt.text.strip()!r}): the secret it was given is wrong", host=self._host
            )
        return UnexpectedPrompt(
            f"ssh asked {prompt.text.strip()!r}, and there is no (further) answer to that",
            host=self._host,
            prompt=prompt.text,
        )


def _stages(order: Order, options: MasterOptions, directory: Directory) -> Stages | None:
    """The clock for the stages, where there is one, and this ssh tells them."""
    told = options.ssh_version is not None and options.ssh_version >= _TELLS_STAGES_SINCE
    if order.stage_timeouts is None or not told or order.login_handler is not None:
        return None
    return Stages(order.stage_timeouts, directory.log_path, directory.read_words)


def _within(order: Order, deadline: Deadline) -> Deadline:
    """The deadline for a login that has no clock for its stages."""
    left, limits = deadline.left(), order.stage_timeouts
    if limits is None or len(given := limits.ordered().values()) < len(log.STAGES):
        return deadline
    return Deadline.after(sum(given) if left is None else min(left, sum(given)))


def _first_known_hosts(options: MasterOptions) -> str | None:
    files = options.known_hosts
    if files is None:
        files = options.user_known_hosts
    if files is None:
        return f"{options.home}/.ssh/known_hosts" if options.home else None
    return files[0] if files and os.path.isabs(files[0]) and files[0] != "/dev/null" else None
