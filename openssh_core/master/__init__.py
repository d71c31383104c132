"""The master: the one authenticated ssh(1) process through which everything else goes."""

from .base import LOCAL_ANSWER, Master
from .persistent import PersistentMaster
from .private import PrivateMaster

__all__ = ["LOCAL_ANSWER", "Master", "PersistentMaster", "PrivateMaster"]
