"""Reading a code base: which names of paramiko, fabric, subprocess and pxssh it uses, and what becomes of them here.

Source is read with libcst and never run. `pip install "openssh-compat[check]"` brings what is needed.
"""

from .names import Status, Verdict, verdict_on
from .reading import Use, uses_in
from .rewriting import rewritten

__all__ = ["Status", "Use", "Verdict", "rewritten", "uses_in", "verdict_on"]
