"""fabric 1: talking to the person at the terminal, and giving up."""

from .v1.utils import abort, error, fastprint, indent, puts, warn

__all__ = [
    "abort",
    "error",
    "fastprint",
    "indent",
    "puts",
    "warn",
]
