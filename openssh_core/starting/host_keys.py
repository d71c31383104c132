"""Host keys that the caller's own function decides about.

ssh compares the key with all known_hosts files as ever, so a changed or revoked one is refused whatever the function
would say. Only for a key that is in none of them it asks, by its fingerprint; and the key itself has been told before,
by KnownHostsCommand, which here only listens and never vouches for a key.
"""

from __future__ import annotations

import fcntl
import os
import shlex

from .._cli import prompts
from .._io.private_dir import Directory
from ..errors import HostKeyUnknown, OpenSSHError
from ..keys import HostKey
from .order import HostKeyPolicy

# $1 to $5: what the call is for, the name in known_hosts, the key's type, the key, its fingerprint.
_REPORTER = """
if [ "$1" = HOSTNAME ]; then printf '%s\\n' "$2 $3 $4 $5" >>{path}; fi
exit 0
"""


class HostKeys:
    """The keys that servers have shown in one login, and what the function said.

    Args:
        directory: of the master.
        policy: the caller's function.
        host: for messages.
        record_in: the known_hosts file for keys that are to be recorded; None where there is none.
    """

    def __init__(self, directory: Directory, policy: HostKeyPolicy, host: str, record_in: str | None) -> None:
        self._policy = policy
        self._host = host
        self._record_in = record_in
        self._report = directory.file("hostkeys")
        self.script = directory.file("hostkey", _REPORTER.format(path=shlex.quote(self._report)))
        self._to_record: list[HostKey] = []

    def shown(self) -> list[tuple[HostKey, str]]:
        """Each key with the fingerprint that ssh gives it, the latest last."""
        try:
            with open(self._report, encoding="ascii", errors="replace") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            words = line.split(" ")
            if len(words) == 4:
                found.append((_key_of(*words[:3], fingerprint=words[3]), words[3]))
        return found

    def latest(self) -> HostKey | None:
        """The key that the server showed last."""
        shown = self.shown()
        return shown[-1][0] if shown else None

    def answer(self, prompt: prompts.Prompt) -> str:
        """What ssh is told: `yes`.

        Raises:
            HostKeyUnknown: the function does not accept the key, or it is another host's.
        """
        asked = prompts.fingerprint_asked(prompt)
        key = next((key for key, fingerprint in self.shown() if fingerprint == asked), None)
        if key is None:
            raise HostKeyUnknown(
                f"ssh asks for the key of another host on the way ({prompt.text.splitlines()[0]})",
                host=self._host,
                advice="Add the jump host's key to known_hosts",
            )
        what = f"{key.type} {key.fingerprint}"
        try:
            verdict = self._policy(key)
        except Exception as error:
            raise self._refused(f"the host_keys= function failed for its key ({what})", key) from error
        if verdict == "record":
            self._to_record.append(key)
        elif verdict is not True:
            raise self._refused(f"the host_keys= function does not accept its key ({what})", key)
        return "yes"

    def _refused(self, what: str, key: HostKey) -> HostKeyUnknown:
        error = HostKeyUnknown(what, host=self._host, advice="Nothing was sent to it")
        error.key = key
        return error

    def record(self) -> None:
        """Write down what is to be recorded. To be called when the server has proved that it has the key.

        Raises:
            OpenSSHError: that is not possible.
        """
        for key in self._to_record:
            if self._record_in is None or not key.base64:
                raise OpenSSHError(
                    "the host key cannot be recorded",
                    host=self._host,
                    advice="Give a file as known_hosts=, or accept the key without recording it",
                )
            try:
                _append(self._record_in, key.known_hosts_line)
            except OSError as error:
                raise OpenSSHError(
                    f"the host key cannot be recorded in {self._record_in} ({error.strerror})", host=self._host
                ) from error


def _key_of(name: str, kind: str, text: str, *, fingerprint: str) -> HostKey:
    if "-cert-" not in kind:
        return HostKey.read(name, kind, text)
    # ssh asks about the key in a certificate when it does not know who signed it.
    return HostKey.read(name, kind.partition("-cert-")[0], text).replace(base64="", fingerprint=fingerprint)


def _append(path: str, line: str) -> None:
    """One whole line, whoever else writes there at the same time; nothing if it is there already."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with open(fd, "rb+", buffering=0) as file:
        fcntl.flock(fd, fcntl.LOCK_EX)
        there = file.read()
        text = line.encode()
        if text not in there.splitlines():
            file.write((b"" if not there or there.endswith(b"\n") else b"\n") + text + b"\n")
