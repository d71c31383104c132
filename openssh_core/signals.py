"""Names of signals, as the protocol has them: without SIG (RFC 4254 section 6.10)."""

from __future__ import annotations

import signal as _signal

from .errors import InvalidInput

__all__ = ["signal_name"]


def signal_name(sig: int | str) -> str:
    """The protocol's name for a signal given as a number of this system or as a name.

    Raises:
        InvalidInput: there is no such signal.
    """
    if isinstance(sig, str):
        name = sig.upper().removeprefix("SIG")
        if hasattr(_signal, f"SIG{name}"):
            return name
    else:
        try:
            return _signal.Signals(sig).name.removeprefix("SIG")
        except ValueError:
            pass
    raise InvalidInput(f"{sig!r} is no signal", advice="Use a name such as 'TERM', or one of signal.SIG...")
