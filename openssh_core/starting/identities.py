"""Keys and certificates that are in no file, made usable for ssh: an agent has the keys, files what is public."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from .._cli import log
from .._io.agent import PrivateAgent
from .._io.askpass import AskpassServer
from .._io.deadline import Deadline
from .._io.login import Launcher
from .._io.private_dir import Directory
from ..errors import ConnectTimeout, InvalidKey, UnexpectedPrompt
from ..keys import PrivateKey
from ..options import MasterOptions
from .order import Order

Questions = Callable[[str], str]

# Seconds the agent keeps a key at most, should it outlive the login against all precautions.
_LIFETIME = 86_400


def check_openable(order: Order) -> None:
    """See that there is something for each encrypted key in memory, before anything is started.

    Raises:
        UnexpectedPrompt: a passphrase is missing.
    """
    for key in order.keys:
        if isinstance(key, PrivateKey) and key.encrypted and not order.secrets.opens_keys:
            raise UnexpectedPrompt(
                "the private key is encrypted, and there is no passphrase", host=order.host, advice="Give passphrase="
            )


@contextlib.contextmanager
def identities(
    order: Order,
    options: MasterOptions,
    directory: Directory,
    askpass: AskpassServer | None,
    answer: Questions,
    deadline: Deadline,
) -> Iterator[MasterOptions]:
    """The options with which ssh finds everything; the agent is there until the end of the block.

    Raises:
        InvalidKey: ssh-add does not take one of them.
        AuthenticationError: the passphrase is wrong.
    """
    if not any(isinstance(key, PrivateKey) for key in order.keys):
        yield options.replace(keys=order.keys, certificates=_certificates(order, directory))
        return
    agent = PrivateAgent(directory.file("agent"), options.ssh)
    try:
        loader = _Loader(agent, order, directory, askpass, answer, deadline)
        keys = tuple(key if isinstance(key, str) else loader.load(key) for key in order.keys)
        certificates = _certificates(order, directory)
        yield options.replace(keys=keys, certificates=certificates, identity_agent=agent.path)
    finally:
        agent.end()


def _certificates(order: Order, directory: Directory) -> tuple[str, ...]:
    return tuple(
        given if isinstance(given, str) else directory.file(f"c{number}-cert.pub", given)
        for number, given in enumerate(order.certificates)
    )


class _Loader:
    """Hands keys to the agent, one after the other."""

    def __init__(
        self,
        agent: PrivateAgent,
        order: Order,
        directory: Directory,
        askpass: AskpassServer | None,
        answer: Questions,
        deadline: Deadline,
    ) -> None:
        self._agent = agent
        self._host = order.host
        self._directory = directory
        self._askpass = askpass
        self._answer = answer
        self._deadline = deadline
        self._public: list[str] = []

    def load(self, key: PrivateKey) -> str:
        """The path of a file with the key's public part, by which ssh finds it in the agent."""
        environment = {"SSH_ASKPASS": "/nonexistent", "SSH_ASKPASS_REQUIRE": "force"}
        if self._askpass is not None:
            environment = self._askpass.environment()
        environment.update(self._agent.environment())
        log_path = self._directory.log_path
        add = Launcher(self._agent.add_argv(_LIFETIME), environment, log_path, key.data)
        try:
            status = add.wait(self._deadline, self._askpass, self._answer)
        except BaseException:
            add.kill()
            raise
        finally:
            add.close()
        if status is None:
            add.kill()
            raise ConnectTimeout("the private key was not loaded in time", host=self._host)
        if status != 0:
            words = log.last_words(self._directory.read_log())
            raise InvalidKey(f"ssh-add does not take the private key ({words or f'status {status}'})", host=self._host)
        self._directory.clear_log()
        return self._file_of_the_new_one()

    def _file_of_the_new_one(self) -> str:
        known = self._public
        self._public = self._agent.public_keys()
        new = [line for line in self._public if line not in known]
        # The same key a second time: the agent has it once.
        line = (new or self._public)[-1]
        return self._directory.file(f"k{len(self._public)}-{int(not new)}.pub", line + "\n")
