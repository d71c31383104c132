"""The command line of the master: what is on it, and what a real ssh makes of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._cli.argv import (
    LONGEST_CONTROL_PATH,
    LONGEST_CONTROL_PATH_MACOS,
    check_control_path,
    master_argv,
)
from openssh_core._cli.log import last_words, server_facts, signals_work
from openssh_core.errors import InvalidControlPath, InvalidInput, InvalidOption, InvalidTarget, OpenSSHError
from openssh_core.options import MasterOptions, Target
from openssh_core.testing import LoopbackServer, generate_key, known_hosts_line, known_hosts_name, shared_key


def argv_for(target: Target | None = None, **named: Any) -> list[str]:
    options = MasterOptions(target=target or Target("host"), **named)
    return master_argv(options, control_path="/run/c/master", log_path="/run/c/log")


def settings_of(argv: list[str]) -> dict[str, str]:
    """The first value of each `-o`, by name in lower case: that is the one that counts."""
    pairs = [argv[at + 1].split("=", 1) for at, word in enumerate(argv) if word == "-o"]
    return {name.lower(): value for name, value in reversed(pairs)}


# ---- what is on it --------------------------------------------------------------------------------------


def test_without_any_choice() -> None:
    argv = argv_for(ssh_version=(9, 2))
    assert argv[:10] == ["ssh", "-M", "-N", "-T", "-S", "/run/c/master", "-E", "/run/c/log", "-a", "-x"]
    assert argv[-2:] == ["--", "host"]
    chosen = settings_of(argv)
    verbose = chosen.pop("logverbose")
    assert all(f"{function}():*" in verbose for function in ("ssh_login", "verify_host_key", "ssh_userauth2"))
    assert chosen == {
        "controlpersist": "5",
        "forkafterauthentication": "no",
        "loglevel": "INFO",
        "permitlocalcommand": "no",
        "clearallforwardings": "yes",
        "tunnel": "no",
        "connecttimeout": "30",
        "serveraliveinterval": "15",
        "serveralivecountmax": "3",
        "batchmode": "yes",
        "stricthostkeychecking": "yes",
        "nohostauthenticationforlocalhost": "no",
    }


def test_where_and_as_whom() -> None:
    assert argv_for(Target("::1", "DOM\\a b", 22, "secret"))[-6:] == ["-l", "DOM\\a b", "-p", "22", "--", "::1"]
    assert argv_for(config_file="none", ssh="/opt/ssh")[:3] == ["/opt/ssh", "-F", "none"]


def test_with_somebody_who_answers() -> None:
    chosen = settings_of(argv_for(askpass=True))
    assert (chosen["batchmode"], chosen["numberofpasswordprompts"]) == ("no", "1")
    assert chosen["preferredauthentications"] == (
        "gssapi-keyex,gssapi-with-mic,hostbased,publickey,password,keyboard-interactive"
    )
    chosen = settings_of(argv_for(askpass=True, options=(("PreferredAuthentications", "password"),)))
    assert chosen["preferredauthentications"] == "password"


def test_keys_and_the_agent() -> None:
    argv = argv_for(keys=("/k/a b", "/k/50%", "none"), agent=False)
    assert [word for word in argv if word.startswith("Identit")] == [
        "IdentityAgent=none",
        "IdentitiesOnly=yes",
        'IdentityFile="/k/a b"',
        "IdentityFile=/k/50%%",
        "IdentityFile=./none",
    ]
    assert "identitiesonly" not in settings_of(argv_for())
    assert settings_of(argv_for(keys=("/k",), options=(("IdentitiesOnly", "no"),)))["identitiesonly"] == "no"
    with pytest.raises(InvalidOption, match="IdentityAgent"):
        argv_for(agent=False, options=(("IdentityAgent", "/s"),))


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"host_keys": "strict"}, {"stricthostkeychecking": "yes"}),
        ({"host_keys": "accept-new"}, {"stricthostkeychecking": "accept-new"}),
        ({"host_keys": "config"}, {"stricthostkeychecking": None, "nohostauthenticationforlocalhost": None}),
        (
            {"known_hosts": ("/a b", "~/c%")},
            {
                "userknownhostsfile": '"/a b" /home/me/c%%',
                "globalknownhostsfile": "/dev/null",
                "knownhostscommand": "none",
                "verifyhostkeydns": "no",
            },
        ),
        ({"known_hosts": ()}, {"userknownhostsfile": "/dev/null", "globalknownhostsfile": "/dev/null"}),
        (
            {"host_keys": "warn"},
            {
                "stricthostkeychecking": "accept-new",
                "userknownhostsfile": "/dev/null /home/me/.ssh/known_hosts /home/me/.ssh/known_hosts2",
                "globalknownhostsfile": None,
                "knownhostscommand": None,
            },
        ),
        (
            {"host_keys": "warn", "user_known_hosts": ("/configured",)},
            {"userknownhostsfile": "/dev/null /configured", "globalknownhostsfile": None},
        ),
        (
            {"host_keys": "warn", "known_hosts": ("/a%",)},
            {"userknownhostsfile": "/dev/null /a%%", "globalknownhostsfile": "/dev/null"},
        ),
        (
            {"host_keys": "ask", "known_hosts": (), "host_key_reporter": '/d/a b%"\\'},
            {
                "stricthostkeychecking": "ask",
                "userknownhostsfile": "/dev/null",
                "knownhostscommand": '/bin/sh "/d/a b%%\\"\\\\" %I %H %t %K %f',
                "batchmode": "no",
                "numberofpasswordprompts": "0",
            },
        ),
        (
            {"known_hosts": ("/a",), "options": (("KnownHostsCommand", "/c %H"), ("VerifyHostKeyDNS", "yes"))},
            {"knownhostscommand": "/c %H", "verifyhostkeydns": "yes"},
        ),
    ],
)
def test_policies_for_host_keys(named: dict[str, Any], expected: dict[str, str | None]) -> None:
    chosen = settings_of(argv_for(home="/home/me", **named))
    assert {name: chosen.get(name) for name in expected} == expected


def test_warn_cannot_do_without_the_files() -> None:
    with pytest.raises(InvalidInput, match="home"):
        argv_for(host_keys="warn")


def test_a_function_for_host_keys_and_a_known_hosts_command_contradict_each_other() -> None:
    with pytest.raises(InvalidOption, match="KnownHostsCommand"):
        argv_for(host_keys="ask", known_hosts=(), options=(("KnownHostsCommand", "/c"),))


def test_an_agent_of_our_own_takes_the_place_of_the_users() -> None:
    chosen = settings_of(argv_for(keys=("/d/k.pub",), certificates=("/d/c%",), identity_agent="/d/agent", agent=False))
    assert (chosen["identityagent"], chosen["identitiesonly"]) == ("/d/agent", "yes")
    assert (chosen["identityfile"], chosen["certificatefile"]) == ("/d/k.pub", "/d/c%%")
    with pytest.raises(InvalidOption, match="IdentityAgent"):
        argv_for(identity_agent="/d/agent", options=(("IdentityAgent", "/other"),))


def test_before_8_5_a_server_gets_no_chance_to_ask_for_a_passphrase() -> None:
    # Its prompts bore no mark then.
    assert settings_of(argv_for(askpass=True, ssh_version=(8, 4)))["kbdinteractiveauthentication"] == "no"
    assert "kbdinteractiveauthentication" not in settings_of(argv_for(askpass=True, ssh_version=(8, 5)))


def test_times_are_rounded_up() -> None:
    chosen = settings_of(argv_for(connect_timeout=0.1, keepalive=1.5))
    assert (chosen["connecttimeout"], chosen["serveraliveinterval"]) == ("1", "2")
    chosen = settings_of(argv_for(connect_timeout=1e300, keepalive=0, persist=10**30))
    assert (chosen["connecttimeout"], chosen["serveraliveinterval"], chosen["controlpersist"]) == (
        "2000000",
        "0",
        "2000000",
    )
    assert "connecttimeout" not in settings_of(argv_for(connect_timeout=None))


def test_options_of_the_caller_come_after_ours() -> None:
    argv = argv_for(options=(("Compression", "yes"), ("SendEnv", "A B"), ("LogLevel", "QUIET")))
    assert settings_of(argv)["loglevel"] == "INFO"
    assert argv[-8:-2] == ["-o", "Compression=yes", "-o", "SendEnv=A B", "-o", "LogLevel=QUIET"]


def test_forwarding_of_agent_and_display_is_off_unless_asked_for() -> None:
    asked = argv_for(options=(("ForwardAgent", "yes"), ("forwardx11", "yes")))
    assert "-a" not in asked and "-x" not in asked


def test_an_old_ssh_is_told_only_what_it_knows() -> None:
    old, newer = settings_of(argv_for(ssh_version=(8, 4))), settings_of(argv_for(ssh_version=(8, 5)))
    assert {"logverbose", "forkafterauthentication", "knownhostscommand", "ignoreunknown"}.isdisjoint(old)
    assert "logverbose" in newer and "forkafterauthentication" not in newer
    unknown = argv_for(options=(("IgnoreUnknown", "Own"),))
    first = unknown.index("-o") + 1
    assert unknown[first] == "IgnoreUnknown=KnownHostsCommand,LogVerbose,ForkAfterAuthentication,UseKeychain,Own"
    assert sum(word.startswith("IgnoreUnknown") for word in unknown) == 1
    known = settings_of(argv_for(ssh_version=(9, 2), options=(("IgnoreUnknown", "Own"),)))
    assert known["ignoreunknown"] == "Own"


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ({"target": Target("-oProxyCommand=x")}, InvalidTarget),
        ({"target": Target("h", "a;b")}, InvalidTarget),
        ({"target": Target("h", None, 70000)}, InvalidTarget),
        ({"ssh": ""}, InvalidInput),
        ({"ssh": "ssh;x"}, InvalidInput),
        ({"ssh": "a\0"}, InvalidInput),
        ({"config_file": "/a\n"}, InvalidInput),
        ({"config_file": "/$(touch x)"}, InvalidInput),
        ({"config_file": ""}, InvalidInput),
        ({"keys": ("/${HOME}/k",)}, InvalidInput),
        ({"keys": ("",)}, InvalidInput),
        ({"keys": ("a\nb",)}, InvalidInput),
        ({"keys": ("a\ud800",)}, InvalidInput),
        ({"known_hosts": ("a\0b",)}, InvalidInput),
    ],
)
def test_what_must_not_reach_ssh(named: dict[str, Any], error: type[OpenSSHError]) -> None:
    with pytest.raises(error):
        argv_for(**named)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "c",
        "./c",
        "~/c",
        "/a%h",
        "/a$HOME",
        "/a~b",
        "/a\0",
        "/a\n",
        "/a\udcff",
        "/" + "a" * 90,
        None,
        b"/a",
    ],
)
def test_control_paths_that_cannot_be(path: object) -> None:
    with pytest.raises(InvalidControlPath):
        check_control_path(path)  # type: ignore[arg-type]


def test_the_longest_control_path() -> None:
    check_control_path("/" + "a" * (LONGEST_CONTROL_PATH - 1))
    check_control_path("/a b/ä")
    with pytest.raises(InvalidControlPath, match="86 at most"):
        check_control_path("/" + "a" * 86, longest=LONGEST_CONTROL_PATH_MACOS)
    with pytest.raises(InvalidControlPath, match="91 bytes"):
        check_control_path("/a" + "ä" * 44 + "a")


@given(st.text(max_size=100))
def test_any_control_path_is_taken_or_refused(path: str) -> None:
    try:
        check_control_path(f"/{path}")
    except InvalidControlPath:
        return
    assert len(path.encode()) < LONGEST_CONTROL_PATH


# ---- what ssh makes of it -------------------------------------------------------------------------------


class Login:
    """A launcher that has ended, and what it left."""

    def __init__(self, directory: Path, options: MasterOptions) -> None:
        self.socket, self.log_path = directory / "c", directory / "log"
        self.argv = master_argv(options, control_path=str(self.socket), log_path=str(self.log_path))
        with open(self.log_path, "ab") as log:
            self.status = subprocess.run(
                self.argv, stdin=subprocess.DEVNULL, stderr=log, timeout=30, cwd=directory, check=False
            ).returncode

    @property
    def log(self) -> str:
        return self.log_path.read_text("utf-8", "replace")

    def ask(self, command: str) -> subprocess.CompletedProcess[str]:
        return self.client("-O", command)

    def client(self, *words: str) -> subprocess.CompletedProcess[str]:
        # ProxyCommand=false: without the master there is no way, instead of a new login.
        guard = ["-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-o", "LogLevel=ERROR"]
        argv = ["ssh", "-F", "none", "-S", str(self.socket), *guard, *words[:2], "x", *words[2:]]
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def log_in(loopback_server: LoopbackServer, tmp_path: Path) -> Iterator[Callable[..., Login]]:
    """Log in to the session's server; what came about ends with the test."""
    logins: list[Login] = []

    def attempt(server: LoopbackServer = loopback_server, **named: Any) -> Login:
        target = Target(server.host, server.user, server.port)
        defaults: dict[str, Any] = {
            "target": target,
            "keys": (str(server.key),),
            "agent": False,
            "known_hosts": (str(server.known_hosts),),
            "config_file": "none",
        }
        directory = tmp_path / str(len(logins))
        directory.mkdir()
        login = Login(directory, MasterOptions(**{**defaults, **named}))
        logins.append(login)
        return login

    with ending(logins):
        yield attempt


@contextmanager
def ending(logins: list[Login]) -> Iterator[None]:
    try:
        yield
    finally:
        for login in logins:
            if login.socket.exists():
                login.ask("exit")


@pytest.mark.live
def test_the_launcher_ends_with_0_and_leaves_a_master(log_in: Callable[..., Login]) -> None:
    login = log_in()
    assert login.status == 0, login.log
    assert "Master running" in login.ask("check").stderr
    assert last_words(login.log) == ""


@pytest.mark.live
def test_the_log_has_the_facts(log_in: Callable[..., Login], loopback_server: LoopbackServer) -> None:
    server = loopback_server
    facts = server_facts(log_in().log)
    assert facts.version is not None and facts.version.startswith("OpenSSH_")
    assert (facts.host, facts.port, facts.user) == (server.host, server.port, server.user)
    assert facts.host_key == f"{server.host_key.kind} {server.host_key.fingerprint}"
    assert not facts.host_key_is_new
    assert signals_work(facts) is not None


@pytest.mark.live
def test_commands_do_not_make_the_log_grow(log_in: Callable[..., Login]) -> None:
    login = log_in()
    before = login.log
    for word in ("true", "false", "echo x; echo y >&2", "kill -9 $$"):
        login.client("-T", "-q", word)
    assert login.client("-T", "-q", "echo hello").stdout == "hello\n"
    assert login.log == before


@pytest.mark.live
def test_a_configuration_full_of_traps(log_in: Callable[..., Login], tmp_path: Path) -> None:
    """Nothing in the user's file keeps the master from becoming one, runs a program or hides the reasons."""
    config = tmp_path / "config"
    trap = tmp_path / "ran"
    config.write_text(
        f"""
        ForkAfterAuthentication yes
        ControlPersist no
        ControlMaster no
        ControlPath none
        PermitLocalCommand yes
        LocalCommand touch {trap}
        RemoteCommand touch {trap}
        RequestTTY force
        SessionType subsystem
        StdinNull yes
        LogLevel QUIET
        BatchMode no
        RemoteForward 127.0.0.1:1 127.0.0.1:1
        ExitOnForwardFailure yes
        StrictHostKeyChecking no
        UserKnownHostsFile /nonexistent
        NumberOfPasswordPrompts 7
        ForwardAgent yes
        """,
        encoding="utf-8",
    )
    login = log_in(config_file=str(config), ssh_version=(9, 2))
    assert login.status == 0, login.log
    assert "Master running" in login.ask("check").stderr
    assert login.client("-T", "-q", "echo hello").stdout == "hello\n"
    assert not trap.exists()
    refused = log_in(config_file=str(config), keys=(str(shared_key("stranger").write(tmp_path / "other")),))
    assert "Permission denied" in last_words(refused.log)


@pytest.mark.live
def test_a_configuration_that_ignores_unknown_words_goes_on_doing_so(
    log_in: Callable[..., Login], tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("IgnoreUnknown UseKeychain,Own\nUseKeychain yes\n", encoding="utf-8")
    assert log_in(config_file=str(config)).status == 0
    config.write_text("IgnoreUnknown UseKeychain,Own\nUseKeychain yes\nOwn yes\n", encoding="utf-8")
    assert log_in(config_file=str(config), ssh_version=(9, 2)).status == 0


@pytest.mark.live
def test_odd_names_of_files(log_in: Callable[..., Login], loopback_server: LoopbackServer, tmp_path: Path) -> None:
    odd = tmp_path / "a b %h $HOME 'q' \"d\" \\ # ä"
    odd.mkdir()
    key = shared_key("user").write(odd / "key")
    (odd / "hosts").write_bytes(loopback_server.known_hosts.read_bytes())
    for policy in ("strict", "warn"):
        login = log_in(keys=(str(key),), known_hosts=("/nonexistent", str(odd / "hosts")), host_keys=policy)
        assert login.status == 0, login.log
        assert not server_facts(login.log).host_key_is_new


@pytest.mark.live
@pytest.mark.parametrize(
    ("policy", "unknown", "changed"), [("strict", False, False), ("accept-new", True, False), ("warn", True, False)]
)
def test_policies_at_work(
    policy: str,
    unknown: bool,
    changed: bool,
    log_in: Callable[..., Login],
    loopback_server: LoopbackServer,
    tmp_path: Path,
) -> None:
    record = tmp_path / "known_hosts"
    name = known_hosts_name(loopback_server.host, loopback_server.port or 22)
    login = log_in(host_keys=policy, known_hosts=(str(record),))
    assert (login.status == 0) is unknown
    assert server_facts(login.log).host_key_is_new is unknown
    assert record.exists() is (policy == "accept-new")
    wrong = known_hosts_line(name, generate_key().public) + "\n"
    record.write_text(wrong, encoding="utf-8")
    login = log_in(host_keys=policy, known_hosts=(str(record),))
    assert (login.status == 0) is changed
    assert "has changed" in last_words(login.log)
    assert record.read_text("utf-8") == wrong


@pytest.mark.live
def test_the_second_name_for_a_host_is_not_trusted_for_being_local(
    log_in: Callable[..., Login], tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("NoHostAuthenticationForLocalhost yes\n", encoding="utf-8")
    login = log_in(config_file=str(config), known_hosts=("/nonexistent",))
    assert login.status == 255
    assert "No ED25519 host key is known" in last_words(login.log)
