"""All parts of a connection in one object."""

from __future__ import annotations

from .background import Background
from .copies import Copies
from .external import External
from .language import Language
from .lines import Lines
from .mastery import Mastery
from .mounting import Mounting
from .streams import Shapes
from .terminals import Terminals
from .transfers import Transfers
from .tunnels import Tunnels


class Connection(
    Transfers,
    Background,
    Language,
    Lines,
    Shapes,
    Terminals,
    Mounting,
    Copies,
    External,
    Mastery,
    Tunnels,
):
    """An authenticated connection to one host. Made by `connect`; a context manager; thread-safe.

    After a fork the child may go on using it: it then goes its own way through the same master, and never ends
    what belongs to the parent.

    Attributes:
        host: the destination as the caller named it, without any password.
        encoding, errors: how output is made into text unless a call says otherwise.
        defaults: what else commands get unless a call says otherwise; replace it to change that.
    """
