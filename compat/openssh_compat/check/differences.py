"""What is there and behaves otherwise: the short form of the tables in docs/compat/, for people who read a report.

Keys are names without the library and without submodules. Each stands for a row of the "Different" table there.
"""

from __future__ import annotations

DIFFERENCES: dict[str, dict[str, str]] = {
    "paramiko": {
        "Channel.sendall": "raises OSError after shutdown_write, instead of never ending",
        "SSHClient.exec_command": "environment=: what the server does not take is set by the remote shell",
        "Transport.is_active": "asks the master, instead of believing what it last knew",
        "Transport.set_keepalive": "ssh looks after 15 s of silence from the start",
    },
    "fabric": {
        "Connection": "host keys: a changed one is refused, an unknown one is accepted and not recorded",
    },
    "subprocess": {
        "Popen.send_signal": "signals reach the process group",
        "Popen.terminate": "signals reach the process group",
        "Popen.kill": "signals reach the process group",
        "Popen.pid": "the remote process id: nothing for os.kill",
    },
    "pexpect.pxssh": {
        "pxssh.login": "host keys are checked, a changed one is never accepted",
        "pxssh.getecho": "the terminal's settings are on the other machine",
        "pxssh.setecho": "the terminal's settings are on the other machine",
        "pxssh.waitnoecho": "the terminal's settings are on the other machine",
    },
}
