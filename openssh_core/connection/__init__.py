"""The front door: one host.

A `Connection` is put together from parts, one for each kind of thing it does; each part is a class in a file of its
own that stands on `ConnectionLife`.
"""

from .access import Reconnect
from .arguments import ConnectOptions
from .background import Detached
from .connecting import connect, stop_persistent
from .front import Connection
from .lines import Line, LineReader
from .pending import Connecting, connect_many, connecting
from .streams import LocalPipe

__all__ = [
    "ConnectOptions",
    "Connecting",
    "Connection",
    "Detached",
    "Line",
    "LineReader",
    "LocalPipe",
    "Reconnect",
    "connect",
    "connect_many",
    "connecting",
    "stop_persistent",
]
