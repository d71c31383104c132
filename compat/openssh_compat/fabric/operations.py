"""fabric 1: what is done on a host."""

from .v1.operations import local, open_shell, prompt, reboot, require, run, sudo

__all__ = [
    "local",
    "open_shell",
    "prompt",
    "reboot",
    "require",
    "run",
    "sudo",
]
