"""Copying by other programs over a connection: scp, rsync and sshfs; and what says how far a copy is.

The methods of `Connection` (`scp_get`, `rsync_put`, `sshfs_mount` and so on) are the way in; these are the types.
"""

from .mounts import Export, Mount
from .progress import Callback, Progress

__all__ = ["Callback", "Export", "Mount", "Progress"]
