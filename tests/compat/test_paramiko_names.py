"""Every public name of paramiko is here, in the same module, and is called the same way: those of the version that is
installed, and those that older versions had.
"""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

original = pytest.importorskip("paramiko")
ours = importlib.import_module("openssh_compat.paramiko")

_MODULES = """
    agent auth_handler auth_strategy buffered_pipe channel client common config dsskey ecdsakey ed25519key file hostkeys
    message packet pkey proxy rsakey server sftp sftp_attr sftp_client sftp_file sftp_handle sftp_server sftp_si
    ssh_exception ssh_gss transport util
"""
MODULES = _MODULES.split()

# The side of a server and what packets are made of: the names are there, and say so when they are used.
HOLLOW = {
    "AgentClientProxy", "AgentLocalProxy", "AgentProxyThread", "AgentRemoteProxy", "AgentServerProxy", "AuthHandler",
    "AuthOnlyHandler", "BaseSFTP", "ChannelMap", "GSSAuth", "Packetizer", "SFTPHandle", "SFTPServer",
    "SFTPServerInterface", "ServerInterface", "SubsystemHandler",
}  # fmt: skip

# What 3.5 had and 5.1 has not, as the arguments were then; None for what is no function.
OF_OLDER_VERSIONS: dict[str, str | None] = {
    "DSSKey": None,
    "GSSAuth": "auth_method, gss_deleg_creds=True",
    "GSS_AUTH_AVAILABLE": None,
    "GSS_EXCEPTIONS": None,
    "__all__": None,
    "__version_info__": None,
    "SSHClient.connect": "self, hostname, port=22, username=None, password=None, pkey=None, key_filename=None, "
    "timeout=None, allow_agent=True, look_for_keys=True, compress=False, sock=None, gss_auth=False, gss_kex=False, "
    "gss_deleg_creds=True, gss_host=None, banner_timeout=None, auth_timeout=None, channel_timeout=None, "
    "gss_trust_dns=True, passphrase=None, disabled_algorithms=None, transport_factory=None, auth_strategy=None",
    "Transport.connect": "self, hostkey=None, username='', password=None, pkey=None, gss_host=None, gss_auth=False, "
    "gss_kex=False, gss_deleg_creds=True, gss_trust_dns=True",
    "PKey.from_path": "path, passphrase=None",
    "PKey.from_type_string": "key_type, key_bytes",
    "PKey.write_private_key": "self, file_obj, password=None",
    "PKey.write_private_key_file": "self, filename, password=None",
}

# Methods whose arguments are not those of 5.1 in its order.
OTHERWISE = {
    # 3.5's order, which has the arguments of GSSAPI in between.
    "SSHClient.connect",
    # What 5.1 took out of a subclass that almost nobody names.
    "ServiceRequestingTransport.auth_password",
}

# Of these only what is theirs counts, not what every thread and every dict has.
COMMON_BASES = (object, dict, types.ModuleType)

# Attributes that objects have, and their classes do not: of an object of either.
INSTANCES = """
    Channel: transport chanid remote_chanid active closed eof_received eof_sent exit_status status_event in_buffer
        in_stderr_buffer combine_stderr timeout origin_addr
    Transport: active sock auth_handler banner_timeout handshake_timeout auth_timeout channel_timeout remote_version
        local_version
    SSHClient: _transport _host_keys _system_host_keys _host_keys_filename _policy _log _log_channel _auth
    SFTPClient: sock _transfer_with_callback _log _request _adjust_cwd
    SFTPFile: MAX_REQUEST_SIZE pipelined sftp handle
    SSHConfig: _config
"""


def own_names(module: types.ModuleType) -> Iterator[str]:
    """What a module of paramiko has at home, or takes from elsewhere in paramiko."""
    for name, value in vars(module).items():
        home = getattr(value, "__module__", "paramiko") or "paramiko"
        if not name.startswith("_") and not inspect.ismodule(value) and home.partition(".")[0] == "paramiko":
            yield name


# What belongs to packets, to the key exchange, and to the modules of others.
NOT_LENT = {
    "ECONNREFUSED",
    "EHOSTUNREACH",
    "b_slash",
    "subprocess_import_error",
    "invoke_import_error",
    "key",
    "value",
    "NeedRekeyException",
    "MSG_NAMES",
}
NOT_LENT_PREFIXES = ("Kex", "Zlib", "ModulusPack", "OPENSSH_AUTH_MAGIC", "compute_hmac", "first_arg", "PrivateKey")


@pytest.mark.behaviour("modules")
@pytest.mark.parametrize("module", ["", *MODULES])
def test_every_name_of_every_module(module: str) -> None:
    here = importlib.import_module(f"openssh_compat.paramiko.{module}".rstrip("."))
    if module in ("dsskey", "ssh_gss"):
        assert here
        return
    there = importlib.import_module(f"paramiko.{module}".rstrip("."))
    names = {name for name in own_names(there) if name not in NOT_LENT and not name.startswith(NOT_LENT_PREFIXES)}
    assert {name for name in names if not hasattr(here, name)} == set()
    for name in names:
        assert isinstance(getattr(here, name), type) >= isinstance(getattr(there, name), type), name
        assert callable(getattr(here, name)) == callable(getattr(there, name)), name


def test_nothing_else_is_lent() -> None:
    from openssh_compat.paramiko import client

    for name in ("unheard_of", "_socket_end", "os_error"):
        with pytest.raises(AttributeError, match=f"'openssh_compat.paramiko.client' has no attribute '{name}'"):
            getattr(client, name)


def classes() -> list[str]:
    kinds = {}
    for module in ("", *MODULES):
        if module in ("dsskey", "ssh_gss"):
            continue
        there = importlib.import_module(f"paramiko.{module}".rstrip("."))
        for name in own_names(there):
            value = getattr(there, name)
            if inspect.isclass(value) and not name.startswith(NOT_LENT_PREFIXES) and name not in (HOLLOW | NOT_LENT):
                kinds[name] = f"{value.__module__}.{name}"
    return sorted(kinds.values())


def members(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        if base.__module__.startswith("paramiko"):
            yield from (name for name in vars(base) if not name.startswith("_"))


def find(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.behaviour("modules")
@pytest.mark.parametrize("path", classes())
def test_every_public_method(path: str) -> None:
    there, here = find(path), find(f"openssh_compat.{path}")
    for name in sorted(set(members(there))):
        assert hasattr(here, name) or name in here.__annotations__, f"{path}.{name} is missing"
        method = inspect.getattr_static(there, name)
        if callable(getattr(there, name)):
            if f"{there.__name__}.{name}" in OTHERWISE:
                assert callable(getattr(here, name))
                continue
            compatible(inspect.signature(getattr(there, name)), getattr(here, name), f"{path}.{name}")
        elif not isinstance(method, property | types.MemberDescriptorType):
            assert not callable(getattr(here, name)), name


@pytest.mark.behaviour("modules")
@pytest.mark.parametrize("name", [name for name, arguments in OF_OLDER_VERSIONS.items() if arguments is not None])
def test_what_older_versions_had_is_called_as_it_was(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def function({OF_OLDER_VERSIONS[name]}): pass", scope)
    place = ours
    for part in name.split("."):
        place = getattr(place, part)
    wanted = inspect.signature(scope["function"])
    if name == "PKey.from_path":
        # The name of its argument was changed: both are taken.
        assert {"password", "passphrase"} < set(inspect.signature(place).parameters)
    else:
        compatible(wanted, place, name)


@pytest.mark.shows("__version_info__")
def test_what_older_versions_had_is_there() -> None:
    for name in OF_OLDER_VERSIONS:
        assert hasattr(ours, name.partition(".")[0])


def compatible(wanted: inspect.Signature, function: Any, name: str) -> None:
    """Whoever calls it by position or by name, or leaves something out, gets the same."""
    given = inspect.signature(function).parameters
    kinds = [one.kind for one in given.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds and inspect.Parameter.VAR_KEYWORD in kinds:
        return
    places = list(given)
    for at, (argument, theirs) in enumerate(wanted.parameters.items()):
        if theirs.kind in (theirs.VAR_POSITIONAL, theirs.VAR_KEYWORD):
            continue
        assert argument in given, f"{name} does not take {argument}"
        mine = given[argument]
        assert places[at] == argument, f"{name}: {argument} is elsewhere: {places}"
        # A class has no equal, and an object of another library's none here.
        if theirs.default is theirs.empty or isinstance(theirs.default, str | int | float | bool | None):
            assert mine.default == theirs.default, f"{name}: the default of {argument}"
        else:
            assert mine.default is not mine.empty, f"{name}: {argument} has no default"
    if inspect.Parameter.VAR_POSITIONAL in [one.kind for one in wanted.parameters.values()]:
        return
    for argument in set(given) - set(wanted.parameters):
        extra = given[argument]
        assert extra.default is not extra.empty or extra.kind in (extra.VAR_POSITIONAL, extra.VAR_KEYWORD), (
            f"{name}: {argument} is demanded"
        )


def test_what_is_not_compatible_is_noticed() -> None:
    wanted = inspect.signature(lambda a, b=1: None)
    for function in (
        lambda a: None,
        lambda b, a=1: None,
        lambda a, b: None,
        lambda a, b=2: None,
        lambda a, b=1, *, c: None,
    ):
        with pytest.raises(AssertionError):
            compatible(wanted, function, "f")
    compatible(wanted, lambda a, b=1, c=2: None, "f")


def test_attributes_of_objects(paramiko: Any, client: Any) -> None:
    transport = client.get_transport()
    channel = transport.open_session()
    with client.open_sftp() as sftp, sftp.open("/dev/null") as file:
        objects = {
            "Channel": channel,
            "Transport": transport,
            "SSHClient": client,
            "SFTPClient": sftp,
            "SFTPFile": file,
            "SSHConfig": paramiko.SSHConfig(),
        }
        for entry in INSTANCES.strip().replace("\n        ", " ").splitlines():
            kind, _, names = entry.strip().partition(":")
            for name in names.split():
                assert hasattr(objects[kind], name), f"{kind}.{name}"


@pytest.mark.behaviour("preferences")
@pytest.mark.shows(
    "SecurityOptions.digests",
    "Transport.preferred_ciphers",
    "Transport.preferred_compression",
    "Transport.preferred_kex",
    "Transport.preferred_keys",
    "Transport.preferred_macs",
    "Transport.preferred_pubkeys",
)
def test_preferences_on_the_class_and_on_one(
    paramiko: Any, client: Any, log_in: Callable[..., Any], loopback_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs read and set them, though they are no public names."""
    kind = paramiko.Transport
    assert "aes256-ctr" in kind._preferred_ciphers and "hmac-sha2-256" in kind._preferred_macs
    assert "ssh-ed25519" in kind._preferred_keys and "ssh-ed25519" in kind._preferred_pubkeys
    assert "ecdh-sha2-nistp256" in kind._preferred_kex
    one = client.get_transport()
    assert one.preferred_ciphers == kind._preferred_ciphers and one.preferred_macs == kind._preferred_macs
    assert one.preferred_pubkeys == kind._preferred_pubkeys and one.preferred_kex == kind._preferred_kex
    assert set(one.preferred_keys) >= set(kind._preferred_keys)
    one._preferred_macs = ("hmac-sha2-512",)
    assert one.get_security_options().digests == one.preferred_macs == ("hmac-sha2-512",)
    monkeypatch.setattr(kind, "_preferred_ciphers", ("aes192-ctr", "aes256-ctr"))
    assert one.preferred_ciphers == ("aes192-ctr", "aes256-ctr")
    other = log_in(loopback_server, disabled_algorithms={"ciphers": ["aes192-ctr"]}).get_transport()
    assert other.preferred_ciphers == ("aes256-ctr",) and other.preferred_compression == ("none",)


def test_the_two_that_are_one(paramiko: Any) -> None:
    for module, name in (("client", "SSHClient"), ("transport", "Transport"), ("ssh_exception", "SSHException")):
        assert getattr(importlib.import_module(f"{paramiko.__name__}.{module}"), name) is getattr(paramiko, name)
