"""fabric 1: the settings."""

from .v1.state import env, output

__all__ = [
    "env",
    "output",
]
