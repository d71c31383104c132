"""Who holds a master's last connection when this program does not want to any more.

A master ends soon after its last control connection, and one whose proxy connection closes may end at once. So when it
is to live on, that connection goes to a small process, which reads what comes and waits for the end of it; then it
tidies up.
"""

from __future__ import annotations

import socket
import subprocess

from .private_dir import PrivateDirectory

# $1: the directory. The connection is its input. The shell that is started ends at once, so nobody has to wait for
# the one that stays.
_SCRIPT = 'exec 3<&0; { cat <&3 >/dev/null; rm -f -- "$1"/*; rmdir -- "$1"; } &'


def keep(sock: socket.socket, directory: PrivateDirectory) -> None:
    """Have the connection held, and the directory removed after its end. Neither is ours any more then."""
    sock.setblocking(True)
    subprocess.run(
        ["/bin/sh", "-c", _SCRIPT, "sh", directory.path],
        stdin=sock.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        check=True,
    )
    directory.give_away()
