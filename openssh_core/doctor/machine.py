"""Looking at this machine: everything a login needs on this side, without logging in anywhere."""

from __future__ import annotations

import binascii
import os
import pwd
import resource
import select
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator

from .._cli.argv import LONGEST_CONTROL_PATH, default_known_hosts
from .._cli.log import escaped
from .._io.askpass import AskpassServer
from .._io.private_dir import PrivateDirectory, choose_parent
from .._io.version import ssh_version
from ..errors import OpenSSHError
from .finding import Finding, bad, note, ok, warning

# Seconds a program on this machine gets to answer.
_PATIENCE = 5.0
_FEW_DESCRIPTORS = 256

# What an older ssh lacks, the newest first: (first version that has it, what is missing before, how bad that is).
_LACKING: list[tuple[tuple[int, int], str, Callable[[str, str, str], Finding]]] = [
    ((7, 4), "commands need a session of the master each, and signals cannot be passed on", bad),
    ((8, 4), "passwords and passphrases can only be given through a terminal (login_handler=)", warning),
    ((8, 5), "host keys cannot be decided by a function", warning),
    ((9, 0), "scp speaks its old protocol, which is not used; files go by SFTP", warning),
    (
        (9, 6),
        "names with shell characters reach a ProxyCommand unchecked (CVE-2023-51385), unless it was patched",
        note,
    ),
]


def examine_machine(ssh: str = "ssh") -> Iterator[Finding]:
    """Look at this machine.

    Args:
        ssh: the ssh program, as for `connect`.

    Yields:
        What was found, in an order in which the first bad one is the first to mend.
    """
    program = shutil.which(ssh)
    if program is None:
        yield bad("ssh", f"there is no program {ssh!r}", "Install the OpenSSH client (openssh-client, openssh-clients)")
        return
    yield from _version(program)
    yield _configuration(program)
    yield _control_directory()
    yield _askpass(program)
    yield _agent(program)
    yield from _known_hosts()
    yield from _key_files()
    yield _descriptors()


def _version(program: str) -> Iterator[Finding]:
    try:
        version = ssh_version(program)
    except OpenSSHError as error:
        yield bad("ssh", error.what, error.advice)
        return
    if version is None:
        yield warning("ssh", f"{program} does not say that it is OpenSSH", "Give an OpenSSH client with ssh=")
        return
    yield ok("ssh", f"{program} is OpenSSH {version[0]}.{version[1]}")
    for needed, lacking, kind in _LACKING:
        if version < needed:
            yield kind("ssh", f"before OpenSSH {needed[0]}.{needed[1]} {lacking}", "Use a newer OpenSSH client")
            return


def _configuration(program: str) -> Finding:
    """Whether ssh can read its configuration. It runs the commands of `Match exec`, as every login does."""
    done = _ask([program, "-G", "--", "host.invalid"])
    if done is None:
        return bad("configuration", f"ssh -G took more than {_PATIENCE:g} s", "Look for a `Match exec` that hangs")
    if done.returncode == 0:
        return ok("configuration", "ssh can read ~/.ssh/config and the system's")
    words = [line for line in done.stderr.splitlines() if line.strip()]
    return bad(
        "configuration",
        f"ssh refuses its configuration: {escaped(words[0]) if words else f'status {done.returncode}'}",
        "Correct the line it names, or leave the file out with config_file='none'",
    )


def _control_directory() -> Finding:
    try:
        parent = choose_parent(None)
    except OpenSSHError as error:
        return bad("control directory", error.what, error.advice)
    # What a master adds to it: a directory of sixteen characters, and the socket's name.
    room = LONGEST_CONTROL_PATH - len(os.fsencode(parent)) - len("/osc-0123456789ab/c")
    if room < 0:
        return bad("control directory", f"{parent} is too long a name by {-room} bytes", "Give control_dir=")
    if not os.access(parent, os.W_OK | os.X_OK):
        return bad("control directory", f"nothing can be made in {parent}", "Give a directory of yours as control_dir=")
    return ok("control directory", f"{parent} is safe, with {room} bytes to spare for its name")


def _askpass(program: str) -> Finding:
    """Have the helper that answers ssh's questions answer one."""
    try:
        directory = PrivateDirectory(None, program)
        try:
            server = AskpassServer(directory.path)
            try:
                answer = _ask_helper(server)
            finally:
                server.close()
        finally:
            directory.remove()
    except (OpenSSHError, OSError) as error:
        advice = error.advice if isinstance(error, OpenSSHError) else ""
        return bad("secrets", f"the helper that tells ssh a password does not work: {error}", advice)
    if answer != "answer":
        return bad("secrets", "the helper that tells ssh a password gives no answer", "Look whether /bin/sh runs")
    return ok("secrets", "passwords and passphrases reach ssh")


def _ask_helper(server: AskpassServer) -> str:
    with subprocess.Popen([server.script, "question"], stdout=subprocess.PIPE, text=True) as helper:
        ready, _, _ = select.select([server], [], [], _PATIENCE)
        if not ready:
            helper.kill()
            return ""
        server.serve(lambda _question: "answer")
        return helper.communicate()[0].strip()


def _agent(program: str) -> Finding:
    path = os.environ.get("SSH_AUTH_SOCK")
    if not path:
        return note("agent", "there is no ssh-agent (SSH_AUTH_SOCK is not set): keys come from files")
    ssh_add = os.path.join(os.path.dirname(program), "ssh-add")
    done = _ask([ssh_add if os.path.exists(ssh_add) else "ssh-add", "-l"])
    if done is None:
        return bad(
            "agent",
            f"the ssh-agent at {path} does not answer, and every login will wait for it",
            "Start it anew, or leave it out with agent=False",
        )
    if done.returncode == 0:
        count = len(done.stdout.splitlines())
        return ok("agent", f"the ssh-agent offers {count} {'key' if count == 1 else 'keys'}")
    if done.returncode == 1:
        return note("agent", "the ssh-agent has no keys", "ssh-add adds some")
    return warning("agent", f"nobody listens at {path} (SSH_AUTH_SOCK)", "Start an ssh-agent, or unset the variable")


def _known_hosts() -> Iterator[Finding]:
    found = 0
    for path in default_known_hosts(_home()):
        try:
            with open(path, "rb") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            continue
        except OSError as error:
            yield bad("known hosts", f"{path} cannot be read ({error.strerror})", "Mend its owner and mode")
            continue
        found += sum(1 for line in lines if _names_a_key(line))
        broken = [number for number, line in enumerate(lines, 1) if not _may_stand(line)]
        if broken:
            yield warning("known hosts", f"{path}:{broken[0]} is no host key; ssh passes over it", "Correct the line")
    if found:
        yield ok("known hosts", f"{found} host keys are on record")
    else:
        yield note("known hosts", "no host key is on record: every host is unknown", "See host_keys= of connect()")


def _may_stand(line: bytes) -> bool:
    return not line.strip() or line.lstrip().startswith(b"#") or _names_a_key(line)


def _names_a_key(line: bytes) -> bool:
    """Whether this is `[@marker] hosts type base64 [comment]` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    words = line.split()
    if words and words[0].startswith(b"@"):
        words = words[1:]
    if len(words) < 3 or words[0].startswith(b"#"):
        return False
    try:
        key = binascii.a2b_base64(words[2])
    except binascii.Error:
        return False
    # The key begins with its type once more.
    return key[4 : 4 + len(words[1])] == words[1]


def _key_files() -> Iterator[Finding]:
    directory = os.path.join(_home(), ".ssh")
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        if name.startswith("id_") and not name.endswith(".pub"):
            path = os.path.join(directory, name)
            mode = stat.S_IMODE(os.stat(path).st_mode)
            if mode & 0o077:
                yield warning(
                    "keys", f"ssh will not use {path}: others can read it (mode {mode:04o})", f"chmod 600 {path}"
                )


def _descriptors() -> Finding:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FEW_DESCRIPTORS:
        return warning(
            "descriptors", f"a program may have {soft} files open", "ulimit -n 1024, for many hosts or commands"
        )
    return ok(
        "descriptors", f"a program may have {'any number of' if soft == resource.RLIM_INFINITY else soft} files open"
    )


def _ask(words: list[str]) -> subprocess.CompletedProcess[str] | None:
    """Run a program and see what it says; None when it takes too long."""
    try:
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        return subprocess.CompletedProcess(words, 127, "", f"{words[0]}: {error.strerror}")


def _home() -> str:
    # ssh(1) goes by the password file, not by $HOME.
    return pwd.getpwuid(os.geteuid()).pw_dir
