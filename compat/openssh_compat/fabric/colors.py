"""fabric 1: text in colours, as terminals understand them."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["blue", "cyan", "green", "magenta", "red", "white", "yellow"]


def _colour(number: str) -> Callable[..., str]:
    def wrap(text: str, bold: bool = False) -> str:
        """The text in this colour.

        Args:
            bold: and bold.
        """
        return f"\033[{'1;' if bold else ''}{number}m{text}\033[0m"

    return wrap


red = _colour("31")
green = _colour("32")
yellow = _colour("33")
blue = _colour("34")
magenta = _colour("35")
cyan = _colour("36")
white = _colour("37")
