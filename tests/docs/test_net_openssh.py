"""docs/net-openssh.md answers for every name of Net::OpenSSH: ours resolve, and the tests it names exist."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import openssh_core

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "net-openssh.md"

# Options of the constructor, methods, options of a call, shells: what its manual names, and some that it does not.
_NAMES = """
    new error die_on_error OSSH_MASTER_FAILED OSSH_SLAVE_FAILED OSSH_SLAVE_PIPE_FAILED OSSH_SLAVE_TIMEOUT
    OSSH_SLAVE_CMD_FAILED OSSH_ENCODING_ERROR OSSH_SLAVE_SFTP_FAILED
    host user port password passwd passphrase key_path login_handler password_prompt passwd_prompt batch_mode
    master_opts
    default_ssh_opts ssh_cmd scp_cmd rsync_cmd sshfs_cmd sftp_server_cmd ssh_version timeout kill_ssh_on_timeout
    strict_mode ctl_dir ctl_path async connect external_master reuse_master proxy_command gateway forward_agent
    forward_X11 default_stdin_fh default_stdin_file default_stdin_discard default_stdout_fh default_stdout_file
    default_stdout_discard default_stderr_fh default_stderr_file default_stderr_discard master_stdout_fh
    master_stderr_fh master_stdout_discard master_stderr_discard master_setpgrp master_pty_force remote_shell
    expand_vars vars default_encoding default_stream_encoding default_argument_encoding parse_connection_opts
    wait_for_master check_master disconnect restart stop disown_master master_exited get_user get_host get_port
    get_ctl_path get_master_pid get_master_pty_log default_ssh_configuration
    open_ex open2 open3 open2pty open3pty open2socket open3socket spawn pipe_in pipe_out make_remote_command
    stdin_discard stdin_pipe stdin_fh stdin_file stdin_pty stdout_discard stdout_pipe stdout_fh stdout_file stdout_pty
    stderr_discard stderr_pipe stderr_fh stderr_to_stdout stderr_file stdinout_socket stdinout_dpipe
    stdinout_dpipe_make_parent tty close_slave_pty quote_args quote_args_extended glob_quoting ssh_opts tunnel subsystem
    setpgrp encoding argument_encoding stream_encoding
    system test capture capture2 stdin_data stdin_keep_open $debug $debug_fh OSTracer
    shell_quote shell_quote_glob POSIX csh fish MSWin MSCmd Chain set_var get_var set_expand_vars get_expand_vars
    scp_get scp_put quiet verbose recursive copy_attrs bwlimit glob glob_flags rsync_get rsync_put sftp sshfs_import
    sshfs_export scp_cat object_remote any open_tunnel capture_tunnel find_gateway $FACTORY ConnectionCache
    MAX_SIZE clean_cache
"""
THEIRS = frozenset(_NAMES.split())

ROW = re.compile(r"^\| (?!---|Net::OpenSSH \|)(.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
NAME = re.compile(r"`([^`]+)`")
ARGUMENT = re.compile(r"(.+)\((\w+)=\)")


def rows() -> list[tuple[str, str, str]]:
    return [(row[1].replace(r"\|", "|"), row[2], row[3]) for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))]


def resolve(name: str) -> Any:
    found: Any = openssh_core
    for part in name.split("."):
        if inspect.ismodule(found) and not hasattr(found, part):
            importlib.import_module(f"{found.__name__}.{part}")
        # Fields of a value without a default are on its instances only.
        annotations = getattr(found, "__annotations__", {})
        if hasattr(found, part):
            found = getattr(found, part)
        elif part in annotations or f"        {part}" in (inspect.getdoc(found) or "") or part in instance_names(found):
            found = object
        else:
            raise AssertionError(f"{name}: {found!r} has no {part}")
    return found


def instance_names(kind: Any) -> set[str]:
    """What a class sets on its instances, itself and its bases."""
    if not inspect.isclass(kind):
        return set()
    sources = [inspect.getsource(base) for base in kind.__mro__ if base.__module__.startswith("openssh_core")]
    return {name for source in sources for name in re.findall(r"self\.([a-z]\w*)\b[^=\n]*= ", source)}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_a_row_answers(row: tuple[str, str, str]) -> None:
    _theirs, ours, shown = row
    for name in NAME.findall(ours):
        if call := ARGUMENT.fullmatch(name):
            function = resolve(call[1])
            options = openssh_core.ConnectOptions.__annotations__ if function is openssh_core.connect else {}
            assert call[2] in inspect.signature(function).parameters or call[2] in options, name
        elif re.fullmatch(r"[A-Za-z_][\w.]*", name) and name not in THEIRS and not name.isupper():
            resolve(name)
        elif name.isupper():
            assert hasattr(openssh_core, name) or name == "XDG_RUNTIME_DIR", name
        else:
            assert name in THEIRS, f"{name} is neither a name of ours nor of theirs"
    tests = NAME.findall(shown)
    assert tests or ours.startswith("No"), "nothing shows it"
    for test in tests:
        file, _, function = test.partition("::")
        assert f"\ndef test_{function}(" in (TESTS / file).read_text(encoding="utf-8"), test


def test_every_name_of_theirs_has_a_row() -> None:
    answered = {name for theirs, _, _ in rows() for name in NAME.findall(theirs)}
    assert THEIRS - answered == set()


def test_what_is_not_there_is_noticed() -> None:
    for name in ("Connection.nothing", "nothing", "CommandTimeout.nothing", "Defaults.nothing"):
        with pytest.raises((AssertionError, ModuleNotFoundError)):
            resolve(name)
