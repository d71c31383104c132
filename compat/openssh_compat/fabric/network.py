"""fabric 1: connections."""

from .v1.connections import NetworkError, disconnect_all, join_host_strings, normalize

__all__ = [
    "NetworkError",
    "disconnect_all",
    "join_host_strings",
    "normalize",
]
