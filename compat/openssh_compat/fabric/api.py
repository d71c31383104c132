"""`from openssh_compat.fabric.api import *`: what task files of fabric 1 begin with."""

from .v1.connections import NetworkError
from .v1.context import cd, hide, lcd, path, prefix, quiet, remote_tunnel, settings, shell_env, show, warn_only
from .v1.decorators import hosts, parallel, roles, runs_once, serial, task, with_settings
from .v1.execution import execute
from .v1.operations import local, open_shell, prompt, reboot, require, run, sudo
from .v1.state import env, output
from .v1.talk import CommandTimeout
from .v1.transfers import get, put
from .v1.utils import abort, fastprint, puts, warn

__all__ = [
    "CommandTimeout",
    "NetworkError",
    "abort",
    "cd",
    "env",
    "execute",
    "fastprint",
    "get",
    "hide",
    "hosts",
    "lcd",
    "local",
    "open_shell",
    "output",
    "parallel",
    "path",
    "prefix",
    "prompt",
    "put",
    "puts",
    "quiet",
    "reboot",
    "remote_tunnel",
    "require",
    "roles",
    "run",
    "runs_once",
    "serial",
    "settings",
    "shell_env",
    "show",
    "sudo",
    "task",
    "warn",
    "warn_only",
    "with_settings",
]
