"""ssh's own words, recorded from 9.2p1 and 10.5p1 and said again by the ssh of this machine, become typed errors."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._cli.argv import master_argv
from openssh_core._cli.diagnosis import diagnose, way_to_log_in
from openssh_core.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionRefused,
    ConnectTimeout,
    HostKeyChanged,
    HostKeyError,
    HostKeyRevoked,
    HostKeyUnknown,
    HostUnreachable,
    NoSSHServer,
    SSHTooOld,
    TooManyAuthenticationFailures,
    TurnedAway,
    UnknownHost,
)
from openssh_core.options import MasterOptions, Target
from openssh_core.testing import LoopbackServer, generate_key, known_hosts_line, known_hosts_name, shared_key

MARK = "kex.c:kex_exchange_identification():1383 (pid=1): "
VERSION = f"debug1: {MARK}Remote protocol version 2.0, remote software version OpenSSH_9.2p1\r\n"
GREETING = (
    f"debug1: {MARK}Local version string SSH-2.0-OpenSSH_9.2p1\r\n{VERSION}"
    "debug1: sshconnect.c:ssh_login():1585 (pid=1): Authenticating to 127.0.0.1:4501 as 'root'\r\n"
    "debug1: sshconnect.c:verify_host_key():1477 (pid=1): Server host key: ssh-ed25519 SHA256:kk5D\r\n"
)
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
The fingerprint for the ED25519 key sent by the remote host is
SHA256:kk5D+j5mTlmByZHrDZExNYntCes5TaR34N4vHgvTNvM.\r
Please contact your system administrator.\r
Add correct host key in /tmp/known hosts to get rid of this message.\r
Offending ED25519 key in /tmp/known hosts:17\r
Host key for [127.0.0.1]:4501 has changed and you have requested strict checking.\r
Host key verification failed.\r
"""
TRY_LATER = f"debug1: {MARK}banner line 0: Not allowed at this time\r\n"
HTTP = f"debug1: {MARK}banner line 0: HTTP/1.1 400 Bad Request\r\n"
KEY_MODE = """\
Permissions 0644 for '/k' are too open.\r
This private key will be ignored.\r
Load key "/k": bad permissions\r
"""

RECORDED: list[tuple[str, type[ConnectError], str]] = [
    # the network
    (
        "ssh: Could not resolve hostname x.invalid: Name or service not known\r\n",
        UnknownHost,
        "x.invalid does not resol",
    ),
    ("ssh: Could not resolve hostname x: Temporary failure in name resolution\n", UnknownHost, "Temporary failure"),
    ("ssh: connect to host 127.0.0.1 port 9: Connection refused\r\n", ConnectionRefused, "127.0.0.1 port 9 refuses"),
    ("ssh: connect to host h port 9: Connection timed out\r\n", ConnectTimeout, "does not answer"),
    ("ssh: connect to host h port 9: Operation timed out\r\n", ConnectTimeout, "does not answer"),
    ("ssh: connect to host ::1 port 9: No route to host\r\n", HostUnreachable, "No route to host"),
    ("ssh: connect to host h port 9: Network is unreachable\r\n", HostUnreachable, "Network is unreachable"),
    ("ssh: connect to host h port 9: Permission denied\r\n", HostUnreachable, "Permission denied"),
    ("ssh: connect to host h port 9: Invalid argument\r\n", ConnectError, "no connection to h port 9 .Invalid"),
    (
        f"{MARK}Connection timed out during banner exchange\r\nConnection to h port 9 timed out\r\n",
        ConnectTimeout,
        "said noth",
    ),
    (
        "Connection timed out during banner exchange\r\nConnection to h port 9 timed out\r\n",
        ConnectTimeout,
        "said nothing",
    ),
    (GREETING + "Timeout, server h not responding.\r\n", ConnectTimeout, "stopped answering"),
    (
        f"{TRY_LATER}{MARK}Connection closed by remote host\r\nConnection closed by h port 9\r\n",
        TurnedAway,
        "turns connec",
    ),
    (
        f"{TRY_LATER}{MARK}read: Connection reset by peer\r\nConnection reset by h port 9\r\n",
        TurnedAway,
        "at the moment",
    ),
    (
        f"{HTTP}{MARK}Connection closed by remote host\r\nConnection closed by h port 9\r\n",
        NoSSHServer,
        "no SSH server",
    ),
    (
        f"{MARK}read: Connection reset by peer\r\nConnection reset by h port 9\r\n",
        TurnedAway,
        "before it said a word",
    ),
    ("kex_exchange_identification: Connection closed by remote host\r\n", TurnedAway, "before it said a word"),
    ("ssh_exchange_identification: Connection closed by remote host\r\n", TurnedAway, "before it said a word"),
    (GREETING + "Connection closed by h port 9\r\n", ConnectError, "closed the connection during the login"),
    (
        f"{MARK}Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n",
        ConnectError,
        "ProxyCommand",
    ),
    ("banner exchange: Connection to UNKNOWN port 65535: Broken pipe\r\n", ConnectError, "jump host"),
    (
        f"{MARK}Protocol major versions differ: 2 vs. 1\r\nbanner exchange: Connection to h port 9: could not read\r\n",
        NoSSHServer,
        "another age",
    ),
    (
        "ssh_dispatch_run_fatal: Connection to h port 9: message authentication code incorrect\r\n",
        ConnectError,
        "code inc",
    ),
    (
        "Unable to negotiate with h port 9: no matching cipher found. Their offer: aes256-gcm@openssh.com\r\n",
        ConnectError,
        "no cipher in common; the server offers aes256-gcm@openssh.com",
    ),
    # the host key
    (
        GREETING + "No ED25519 host key is known for [h]:9 and you have requested strict checking.\r\n"
        "Host key verification failed.\r\n",
        HostKeyUnknown,
        "not on record .ssh-ed25519 SHA256:kk5D.",
    ),
    ("Host key verification failed.\r\n", HostKeyUnknown, "not on record .its host key."),
    (GREETING + CHANGED, HostKeyChanged, "on record in /tmp/known hosts:17"),
    (
        "@       WARNING: REVOKED HOST KEY DETECTED!               @\r\n"
        "ED25519 host key for [h]:9 was revoked and you have requested strict checking.\r\n",
        HostKeyRevoked,
        "revoked",
    ),
    (
        f"{MARK}Host key ED25519 SHA256:kk revoked by file /r\r\nHost key verification failed.\r\n",
        HostKeyRevoked,
        "revoked",
    ),
    (
        "KnownHostsCommand-ORDER /bin/false failed, status 1\r\nKnownHostsCommand failed\r\n",
        HostKeyError,
        "/bin/false failed, status 1",
    ),
    # who logs in
    (
        GREETING + "root@h: Permission denied (publickey,password).\r\n",
        AuthenticationError,
        "login as root; it takes publi",
    ),
    ("Permission denied (publickey).\r\n", AuthenticationError, "it takes publickey"),
    ("root@h: Permission denied ().\r\n", AuthenticationError, "refused the login"),
    (KEY_MODE + "root@h: Permission denied (publickey).\r\n", AuthenticationError, "file /k, .*chmod 600"),
    ('Load key "/k": invalid format\r\nr@h: Permission denied (publickey).\r\n', AuthenticationError, "ssh-keygen -i"),
    (
        'Load key "/k": error in libcrypto\r\nr@h: Permission denied (publickey).\r\n',
        AuthenticationError,
        "cannot read .* /k",
    ),
    (
        'Load key "/k": Is a directory\r\nr@h: Permission denied (publickey).\r\n',
        AuthenticationError,
        "/k: Is a directory",
    ),
    (
        "no such identity: /k{0}: No such file or directory\r\nr@h: Permission denied (publickey).\r\n",
        AuthenticationError,
        r"There is no key file /k\{0\}",
    ),
    (
        "Warning: Identity file /k not accessible: No such file or directory.\nr@h: Permission denied (publickey).\r\n",
        AuthenticationError,
        "There is no key file /k",
    ),
    (
        'sign_and_send_pubkey: signing failed for ED25519 "/k" from agent: agent refused operation\r\n'
        "r@h: Permission denied (publickey).\r\n",
        AuthenticationError,
        "could not sign: agent refused operation",
    ),
    (
        "Permission denied, please try again.\r\nr@h: Permission denied (publickey,password).\r\n",
        AuthenticationError,
        "publickey, password",
    ),
    (
        GREETING
        + "Received disconnect from h port 9:2: Too many authentication failures\r\nDisconnected from h port 9\r\n",
        TooManyAuthenticationFailures,
        "too many",
    ),
    ("Too many authentication failures for root\r\n", TooManyAuthenticationFailures, "too many"),
    (
        "Received disconnect from ::1 port 9:11: Go away\r\nDisconnected from ::1 port 9\r\n",
        ConnectError,
        "ended .* .Go away",
    ),
    ("Authentication failed.\r\n", AuthenticationError, "refused the login"),
    # this side
    (
        "/etc/c: line 3: Bad configuration option: foo\r\n/etc/c: terminating, 1 bad configuration options\r\n",
        ConfigurationError,
        "foo .*/etc/c line 3",
    ),
    (
        "/c d line 1: Bad port '99999999'.\r\n/c d: terminating, 1 bad configuration options\r\n",
        ConfigurationError,
        "/c d line 1: Bad port '99999999'",
    ),
    (
        "Unsupported KEX algorithm \"nope\"\r\n/c line 1: Bad SSH2 KexAlgorithms 'nope'.\r\n"
        "/c: terminating, 1 bad configuration options\r\n",
        ConfigurationError,
        "/c line 1: Bad SSH2",
    ),
    (
        '/c line 1: Unsupported option "gssapiauthentication"\r\nr@h: Permission denied (publickey).\r\n',
        AuthenticationError,
        "it takes publickey",
    ),
    (
        '/c line 1: Unsupported option "x"\r\n/c line 2: invalid quotes\r\n'
        "/c: terminating, 1 bad configuration options\r\n",
        ConfigurationError,
        "line 2: invalid quotes",
    ),
    (
        "command-line: line 0: Bad configuration option: nonsense\r\n",
        ConfigurationError,
        "nonsense .options=.*options=",
    ),
    ("command-line line 0: invalid time value.\r\n", ConfigurationError, "options=: invalid time value"),
    ("command-line: line 0: Bad configuration option: logverbose\r\n", SSHTooOld, "logverbose"),
    ('command-line line 0: unsupported option "accept-new".\r\n', SSHTooOld, "accept-new"),
    ("Can't open user config file /c: No such file or directory\r\n", ConfigurationError, "/c: No such file"),
    ("Bad owner or permissions on /home/u/.ssh/config\r\n", ConfigurationError, "chmod go-w /home/u/.ssh/config"),
    ("unknown option -- E\nusage: ssh [-1246]\n", SSHTooOld, "command line"),
    (
        "unix_listener: cannot bind to path /x.Gzjq7mz69YBayrYu: No such file or directory\r\n",
        ConnectError,
        "control socket .unix_listener: cannot bind",
    ),
    # nothing that is known
    ("", ConnectError, "ended with status 255"),
    ("something else\r\nentirely\r\n", ConnectError, "ended with status 255: entirely"),
]


@pytest.mark.parametrize(("log", "kind", "words"), RECORDED, ids=range(len(RECORDED)))
def test_recorded_words(log: str, kind: type[ConnectError], words: str) -> None:
    error = diagnose(log, host="alias", exit_code=255)
    assert type(error) is kind
    assert error.host == "alias"
    with pytest.raises(kind, match=words):
        raise error
    assert "debug1" not in error.last_words


@pytest.mark.parametrize(("log", "kind"), [(log, kind) for log, kind, _words in RECORDED], ids=range(len(RECORDED)))
def test_the_same_in_the_words_of_10_5(log: str, kind: type[ConnectError]) -> None:
    assert type(diagnose(log.replace("(pid=", "(bin=/usr/bin/ssh, pid="), host="alias", exit_code=255)) is kind


def test_facts_of_a_changed_key() -> None:
    error = diagnose(GREETING + CHANGED, host="h", exit_code=255)
    assert isinstance(error, HostKeyChanged)
    assert error.fingerprint == "SHA256:kk5D+j5mTlmByZHrDZExNYntCes5TaR34N4vHgvTNvM"
    assert error.recorded_in == "/tmp/known hosts:17"
    bare = diagnose("Host key for h has changed and you have requested strict checking.", host="h", exit_code=255)
    assert isinstance(bare, HostKeyChanged)
    assert (bare.fingerprint, bare.recorded_in) == ("", "")


def test_methods_that_are_left() -> None:
    error = diagnose("u@h: Permission denied (publickey,gssapi-with-mic,x@y).\n", host="h", exit_code=255)
    assert isinstance(error, AuthenticationError)
    assert error.methods == ("publickey", "gssapi-with-mic", "x@y")


@pytest.mark.parametrize(
    ("status", "words"),
    [(255, "ended with status 255"), (0, "status 0"), (-9, "signal 9"), (None, "has not logged in")],
)
def test_how_ssh_ended(status: int | None, words: str) -> None:
    assert words in str(diagnose("", host="h", exit_code=status))


def test_a_farewell_cannot_pass_for_words_of_ssh() -> None:
    """A server may put lines of its own into the reason it gives: what ssh has found comes first."""
    forged = "2: x\r\nHost key verification failed.\r\nr@h: Permission denied (a\nb).\r\n"
    error = diagnose(f"{GREETING}Received disconnect from h port 9:{forged}", host="h", exit_code=255)
    assert type(error) is ConnectError
    assert "(x)" in str(error)


def test_nothing_moves_the_cursor() -> None:
    error = diagnose("Received disconnect from h port 9:2: \x1b[2J\u202e\x07\r\n", host="h", exit_code=255)
    assert str(error).isprintable()
    assert "\\x1b[2J" in str(error) and "\x1b" not in error.last_words


@given(
    st.lists(st.text(max_size=80) | st.sampled_from("".join(log for log, _kind, _words in RECORDED).splitlines())),
    st.none() | st.integers(),
)
def test_any_text_is_a_typed_error(lines: list[str], status: int | None) -> None:
    error = diagnose("\r\n".join(lines), host="h", exit_code=status)
    assert isinstance(error, ConnectError)
    assert str(error).isprintable()


# ---- the ssh of this machine says it --------------------------------------------------------------------


@pytest.fixture
def failure(loopback_server: LoopbackServer, tmp_path: Path) -> Callable[..., ConnectError]:
    """The error for a login that fails, by default on the session's server."""

    def fail(
        server: LoopbackServer = loopback_server, host: str | None = None, port: int | None = None, **named: Any
    ) -> ConnectError:
        defaults: dict[str, Any] = {
            "target": Target(host or server.host, server.user, port or server.port),
            "keys": (str(server.key),),
            "agent": False,
            "known_hosts": (str(server.known_hosts),),
            "config_file": "none",
        }
        options = MasterOptions(**{**defaults, **named})
        path = tmp_path / "log"
        argv = master_argv(options, control_path=str(tmp_path / "c"), log_path=str(path))
        with open(path, "wb") as log:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=log, timeout=60, check=False)
        assert done.returncode == 255
        return diagnose(path.read_text("utf-8", "replace"), host="alias", exit_code=done.returncode)

    return fail


Failure = Callable[..., ConnectError]


@contextlib.contextmanager
def listener(serve: Callable[[socket.socket], object] | None) -> Iterator[int]:
    """A port where each connection gets what `serve` does; without it, nobody ever accepts one."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as sock:
        port = sock.getsockname()[1]
        if serve is None:
            # Fill the queue: further connections are left unanswered.
            with contextlib.ExitStack() as waiting:
                for _ in range(2):
                    one = waiting.enter_context(socket.socket())
                    one.setblocking(False)
                    one.connect_ex(("127.0.0.1", port))
                yield port
            return

        def work() -> None:
            connection, _ = sock.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield port
        finally:
            thread.join()


def until_it_ends(connection: socket.socket) -> None:
    with contextlib.suppress(ConnectionError):
        while connection.recv(4096):
            pass


@pytest.mark.live
def test_live_nobody_listens(failure: Failure) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert type(failure(port=unused.getsockname()[1])) is ConnectionRefused


@pytest.mark.live
def test_live_unknown_name(failure: Failure) -> None:
    """The resolver refuses this one without asking anybody."""
    assert type(failure(host="127.0.0.1", options=(("AddressFamily", "inet6"),))) is UnknownHost


@pytest.mark.live
def test_live_nobody_answers(failure: Failure) -> None:
    with listener(None) as port:
        error = failure(port=port, connect_timeout=1)
    assert type(error) is ConnectTimeout
    assert error.stage == "connection"


@pytest.mark.live
def test_live_nobody_speaks(failure: Failure) -> None:
    with listener(until_it_ends) as port:
        error = failure(port=port, connect_timeout=1)
    assert type(error) is ConnectTimeout
    assert "said nothing" in str(error) and error.stage == "greeting"


@pytest.mark.live
@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (b"", TurnedAway, "before it said a word"),
        (b"Not allowed at this time\r\n", TurnedAway, "turns connections away"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NoSSHServer, "no SSH server"),
        (b"SSH-1.5-old\r\n", NoSSHServer, "another age"),
        (b"SSH-2.0-short\r\n", ConnectError, "during the login"),
    ],
)
def test_live_odd_servers(said: bytes, kind: type[ConnectError], words: str, failure: Failure) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        until_it_ends(connection)

    with listener(serve) as port:
        error = failure(port=port)
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.live
def test_live_host_keys(failure: Failure, loopback_server: LoopbackServer, tmp_path: Path) -> None:
    server = loopback_server
    record = tmp_path / "known hosts"
    error = failure(known_hosts=(str(record),))
    assert type(error) is HostKeyUnknown
    assert server.host_key.fingerprint in str(error)

    name = known_hosts_name(server.host, server.port or 22)
    record.write_text("# first line\n" + known_hosts_line(name, generate_key().public) + "\n", encoding="utf-8")
    for policy in ("strict", "accept-new", "warn"):
        error = failure(known_hosts=(str(record),), host_keys=policy)
        assert isinstance(error, HostKeyChanged)
        assert error.fingerprint == server.host_key.fingerprint
        assert error.recorded_in == f"{record}:2"

    record.write_text(known_hosts_line(name, server.host_key.public, marker="@revoked") + "\n", encoding="utf-8")
    for policy in ("strict", "accept-new", "warn"):
        assert type(failure(known_hosts=(str(record),), host_keys=policy)) is HostKeyRevoked


@pytest.mark.live
def test_live_host_keys_by_command_and_file(failure: Failure, loopback_server: LoopbackServer, tmp_path: Path) -> None:
    assert type(failure(options=(("KnownHostsCommand", "/bin/false"),))) is HostKeyError
    revoked = tmp_path / "revoked"
    revoked.write_text(loopback_server.host_key.public + "\n", encoding="utf-8")
    assert type(failure(options=(("RevokedHostKeys", str(revoked)),))) is HostKeyRevoked
    config = tmp_path / "config"
    config.write_text("StrictHostKeyChecking ask\n", encoding="utf-8")
    assert type(failure(known_hosts=(), host_keys="config", config_file=str(config))) is HostKeyUnknown


@pytest.mark.live
def test_live_keys(failure: Failure, tmp_path: Path) -> None:
    def error_with(key: Path) -> AuthenticationError:
        error = failure(keys=(str(key),))
        assert type(error) is AuthenticationError
        assert "publickey" in error.methods
        return error

    stranger = shared_key("stranger").write(tmp_path / "stranger")
    assert error_with(stranger).advice == AuthenticationError.advice
    assert f"no key file {tmp_path / 'none'}" in error_with(tmp_path / "none").advice
    right = shared_key("user").write(tmp_path / "right")  # only for a key that the server wants is the file read
    right.chmod(0o644)
    assert "chmod 600" in error_with(right).advice
    damaged = tmp_path / "damaged"
    damaged.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nnonsense\n", encoding="ascii")
    damaged.chmod(0o600)
    assert f"cannot read the key file {damaged}" in error_with(damaged).advice


@pytest.mark.live
def test_live_too_many_attempts(make_server: Callable[..., LoopbackServer], failure: Failure, tmp_path: Path) -> None:
    server = make_server({"MaxAuthTries": 1})
    stranger = shared_key("stranger").write(tmp_path / "stranger")
    error = failure(server, keys=(str(stranger), str(server.key)))
    assert type(error) is TooManyAuthenticationFailures


@pytest.mark.live
def test_live_nothing_in_common(make_server: Callable[..., LoopbackServer], failure: Failure) -> None:
    server = make_server({"Ciphers": "aes256-gcm@openssh.com"})
    error = failure(server, options=(("Ciphers", "aes128-ctr"),))
    assert "no cipher in common; the server offers aes256-gcm@openssh.com" in str(error)


@pytest.mark.live
def test_live_no_way_through_the_proxy(failure: Failure) -> None:
    for option in (("ProxyCommand", "false"), ("ProxyCommand", "/nonexistent")):
        assert "ProxyCommand or the jump host" in str(failure(options=(option,)))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert "jump host" in str(failure(options=(("ProxyJump", f"127.0.0.1:{port}"),)))


@pytest.mark.live
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Nonsense yes", "nonsense .*line 1"),
        ("\nPort 99999999", "line 2: Bad port"),
        ("StrictHostKeyChecking maybe", "line 1: unsupported option"),
        ('Compression "yes', "line 1: invalid quotes"),
        ("Port", "line 1: no argument"),
        ("KexAlgorithms nope", "line 1: Bad SSH2 KexAlgorithms"),
        ("Match exec", "line 1: Bad Match condition|missing argument"),
    ],
)
def test_live_bad_configuration(lines: str, words: str, failure: Failure, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(lines + "\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words):
        raise failure(config_file=str(config))


@pytest.mark.live
def test_live_bad_options(failure: Failure, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such option|nonsense .options="):
        raise failure(options=(("Nonsense", "yes"),))
    with pytest.raises(ConfigurationError, match="options="):
        raise failure(options=(("Ciphers", "nope"),))
    with pytest.raises(ConfigurationError, match="No such file"):
        raise failure(config_file=str(tmp_path / "missing"))


@pytest.mark.live
def test_live_a_banner_before_the_refusal(
    make_server: Callable[..., LoopbackServer], failure: Failure, tmp_path: Path
) -> None:
    banner = tmp_path / "banner"
    banner.write_text("Welcome.\nAuthorized use only: (see policy)\x1b[31m\n", encoding="utf-8")
    server = make_server({"Banner": str(banner)})
    error = failure(server, keys=(str(shared_key("stranger").write(tmp_path / "stranger")),))
    assert type(error) is AuthenticationError
    assert "Authorized use only" in error.last_words
    assert "\x1b" not in error.last_words


# ---- how far a login has come

PART = """\
debug1: sshconnect2.c:input_userauth_failure():743 (pid=9): Authentications that can continue: publickey
sshconnect2.c:input_userauth_failure():738 (pid=9): Authenticated using "publickey" with partial success.
debug1: sshconnect2.c:input_userauth_failure():743 (pid=9): Authentications that can continue: password,x@y
"""


def test_what_was_taken_as_a_part() -> None:
    error = diagnose(PART + "me@web1: Permission denied (password,x@y).\n", host="web1", exit_code=255)
    assert isinstance(error, AuthenticationError)
    assert (error.partial, error.methods) == (("publickey",), ("password", "x@y"))
    assert "it took publickey as a part of it, and wants password or x@y as well" in str(error)
    assert way_to_log_in(PART) == (("publickey",), ("password", "x@y"))
    assert way_to_log_in("") == ((), ())


def test_a_banner_takes_nothing() -> None:
    """It comes after what ssh itself has said."""
    error = diagnose("me@web1: Permission denied (password).\n" + PART, host="web1", exit_code=255)
    assert isinstance(error, AuthenticationError)
    assert error.partial == ()
