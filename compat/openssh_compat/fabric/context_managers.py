"""fabric 1: settings for a while."""

from .v1.context import cd, hide, lcd, path, prefix, quiet, remote_tunnel, settings, shell_env, show, warn_only

__all__ = [
    "cd",
    "hide",
    "lcd",
    "path",
    "prefix",
    "quiet",
    "remote_tunnel",
    "settings",
    "shell_env",
    "show",
    "warn_only",
]
