"""fabric 1: what is done on a host."""

from .v1.operations import local, open_shell, prompt, reboot, require, run, sudo
from .v1.transfers import get, put

__all__ = [
    "get",
    "local",
    "open_shell",
    "prompt",
    "put",
    "reboot",
    "require",
    "run",
    "sudo",
]
