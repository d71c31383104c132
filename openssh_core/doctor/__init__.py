"""What is right and what is wrong with this machine, or with a host, and what to do about it.

The checks do what the library does, with the same parts, so a check that passes says that the thing works.
"""

from .finding import Finding, State
from .host import examine_host
from .machine import examine_machine

__all__ = ["Finding", "State", "examine_host", "examine_machine"]
