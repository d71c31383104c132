"""A master that outlives the program: whoever asks for the same with the same options shares it.

It is not ours alone, so sessions go through it by descriptor, which leaves those of others in peace.
"""

from __future__ import annotations

from .._cli import log
from .._io import control
from .._io.deadline import Deadline
from .._io.master_end import ProcessHandle, end_master
from .._io.shared_dir import SharedDirectory
from .base import LOCAL_ANSWER, Master, told_host_key


class PersistentMaster(Master):
    """One that goes on for some time after its last user.

    Args:
        conversation: a control connection to it, held open so that it does not end under us.
    """

    def __init__(
        self, directory: SharedDirectory, conversation: control.Conversation, pid: int, *, host: str, ssh: str
    ) -> None:
        super().__init__(directory.control_path, pid, host, ssh=ssh)
        self._directory = directory
        self._anchor = conversation
        self.facts = log.server_facts(directory.read_log())
        self.host_key = told_host_key(self.facts)

    def read_log(self) -> str:
        return self._directory.read_log()

    def read_banner(self) -> str:
        return self._directory.read_banner()

    def stop_listening(self) -> None:
        deadline = Deadline.after(LOCAL_ANSWER)
        with control.greet(self.control_path, deadline) as conversation:
            conversation.stop_listening(deadline)
        self._stopped = True

    def disown(self) -> str:
        """See `Master`. It lives on anyway."""
        self.close()
        return self.control_path

    def let_go(self) -> None:
        super().let_go()
        # The child of a fork has a copy, whose end nobody notices.
        self._anchor.close()

    def end(self) -> None:
        """End it for everybody who shares it."""
        self.end_all()
        process = ProcessHandle(self.pid)
        try:
            end_master(process, self.control_path)
        finally:
            process.close()
        self.let_go()
        self._directory.remove()
