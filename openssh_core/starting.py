"""Starting a master, or taking up one that runs: everything between `connect` and the first session."""

from __future__ import annotations

from ._cli import diagnosis, log, prompts
from ._cli.argv import check_control_path, master_argv
from ._io import control
from ._io.askpass import AskpassServer
from ._io.deadline import Deadline
from ._io.login import Launcher
from ._io.private_dir import PrivateDirectory
from ._io.secrets import Secrets
from ._io.version import ssh_version
from .errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    InsecureControlSocket,
    MasterUnresponsive,
    SSHTooOld,
    UnexpectedPrompt,
)
from .master import LOCAL_ANSWER, Master, PrivateMaster
from .options import MasterOptions

# The release that brought SSH_ASKPASS_REQUIRE.
_ASKPASS_SINCE = (8, 4)


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


def start_master(
    options: MasterOptions,
    secrets: Secrets,
    deadline: Deadline,
    *,
    host: str,
    control_dir: str | None,
    spare: bool,
) -> PrivateMaster:
    """Log in.

    Raises:
        ConnectError: one of its subclasses says why there is no connection.
        InvalidInput: something that was asked for cannot be.
    """
    directory = PrivateDirectory(control_dir, options.ssh)
    try:
        options = _for_this_ssh(options)
        launcher_pid = _Login(options, secrets, directory, host).run(deadline)
        return _take_over(directory, launcher_pid, host, options.ssh, spare)
    except BaseException:
        directory.remove()
        raise


def _for_this_ssh(options: MasterOptions) -> MasterOptions:
    version = ssh_version(options.ssh)
    if options.askpass and version is not None and version < _ASKPASS_SINCE:
        raise SSHTooOld(f"{options.ssh} is OpenSSH {version[0]}.{version[1]}; secrets need 8.4 (SSH_ASKPASS_REQUIRE)")
    return options.replace(ssh_version=version)


def _take_over(directory: PrivateDirectory, launcher_pid: int, host: str, ssh: str, spare: bool) -> PrivateMaster:
    """The master runs: see that it is the one we started, and open the link.

    The kernel names the process that called listen(2), which was our launcher; what goes on from there is its
    child, and its own process id comes from the master itself.
    """
    deadline = Deadline.after(LOCAL_ANSWER)
    try:
        conversation = control.greet(directory.control_path, deadline)
    except (ConnectionLost, MasterUnresponsive) as error:
        words = log.last_words(directory.read_log())
        raise ConnectError(f"ssh logged in, but {error.what}", host=host, last_words=words) from error
    try:
        if conversation.peer_pid not in (None, launcher_pid):
            raise InsecureControlSocket(
                f"process {conversation.peer_pid} listens at {directory.control_path}, not the ssh that was started",
                host=host,
            )
        pid = conversation.alive(deadline)
        facts = log.server_facts(directory.read_log())
        return PrivateMaster(directory, conversation, pid, host=host, facts=facts, spare=spare, ssh=ssh)
    except BaseException:
        conversation.close()
        raise


class _Login:
    """One login, from the launch of ssh to its success or the reason why not."""

    def __init__(self, options: MasterOptions, secrets: Secrets, directory: PrivateDirectory, host: str) -> None:
        self._options = options
        self._secrets = secrets
        self._directory = directory
        self._host = host

    def run(self, deadline: Deadline) -> int:
        """Log in; the process id of the ssh that did."""
        directory = self._directory
        argv = master_argv(self._options, control_path=directory.control_path, log_path=directory.log_path)
        askpass = AskpassServer(directory.path) if self._secrets else None
        try:
            launcher = Launcher(argv, askpass.environment() if askpass else {}, directory.log_path)
            try:
                status = self._wait(launcher, deadline, askpass)
            finally:
                launcher.close()
        finally:
            if askpass is not None:
                askpass.close()
        if status != 0:
            raise diagnosis.diagnose(directory.read_log(), host=self._host, exit_code=status)
        return launcher.pid

    def _wait(self, launcher: Launcher, deadline: Deadline, askpass: AskpassServer | None) -> int:
        try:
            status = launcher.wait(deadline, askpass, self._answer)
            if status is None:
                raise self._too_slow()
            return status
        except BaseException:
            launcher.kill()
            raise

    def _too_slow(self) -> ConnectTimeout:
        said = self._directory.read_log()
        facts = log.server_facts(said)
        stage = "the login was not complete" if facts.version else "there was no connection"
        return ConnectTimeout(
            f"{stage} after {self._options.connect_timeout:g} s",
            host=self._host,
            last_words=log.last_words(said),
        )

    def _answer(self, question: str) -> str:
        """The answer to one of ssh's questions. Without one the login ends here: ssh would send an empty password."""
        facts = log.server_facts(self._directory.read_log())
        names = {self._options.target.host, facts.host or self._options.target.host}
        prompt = prompts.classify(question)
        answer = self._secrets.answer(prompt, user=facts.user or self._options.target.user, hosts=frozenset(names))
        if answer is None:
            raise self._unanswered(prompt)
        return answer

    def _unanswered(self, prompt: prompts.Prompt) -> ConnectError:
        if self._secrets.refused(prompt):
            return AuthenticationError(
                f"the server asks again ({prompt.text.strip()!r}): the secret it was given is wrong", host=self._host
            )
        return UnexpectedPrompt(
            f"ssh asked {prompt.text.strip()!r}, and there is no (further) answer to that",
            host=self._host,
            prompt=prompt.text,
        )
