"""Starting a master, or taking up one that runs: everything between `connect` and the first session."""

from .login import adopt_master, start_master
from .order import HostKeyPolicy, Order

__all__ = ["HostKeyPolicy", "Order", "adopt_master", "start_master"]
