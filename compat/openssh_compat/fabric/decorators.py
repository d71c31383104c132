"""fabric 1: what is said of a task."""

from .v1.decorators import hosts, parallel, roles, runs_once, serial, task, with_settings

__all__ = [
    "hosts",
    "parallel",
    "roles",
    "runs_once",
    "serial",
    "task",
    "with_settings",
]
