"""The version of paramiko whose names and behaviour these are."""

__version_info__ = (5, 1, 0)
__version__ = ".".join(map(str, __version_info__))
