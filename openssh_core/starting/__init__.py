"""Starting a master, or taking up one that runs: everything between `connect` and the first session."""

from .login import adopt_master, start_master
from .order import AnyLauncher, HostKeyPolicy, Order
from .persistent import persistent_master, running_master

__all__ = [
    "AnyLauncher",
    "HostKeyPolicy",
    "Order",
    "adopt_master",
    "persistent_master",
    "running_master",
    "start_master",
]
