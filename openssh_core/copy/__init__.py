"""Copying over a connection: what transfers of files and trees are told and tell, and scp, rsync and sshfs.

The methods of `Connection` (`get`, `put`, `scp_get`, `rsync_put`, `sshfs_mount` and so on) are the way in; these are
the types.
"""

from .conversion import Convert
from .filters import Entry, Rules
from .mounts import Export, Mount
from .options import Links
from .progress import Callback, Progress
from .report import Item, Report

__all__ = ["Callback", "Convert", "Entry", "Export", "Item", "Links", "Mount", "Progress", "Report", "Rules"]
