"""fabric 1: questions."""

from __future__ import annotations

from ..v1.operations import prompt

__all__ = ["confirm"]


def confirm(question: str, default: bool = True) -> bool:
    """Ask for yes or no.

    Args:
        default: what an empty answer means.
    """
    choices = "Y/n" if default else "y/N"
    while True:
        answer = str(prompt(f"{question} [{choices}] ")).lower()
        if not answer:
            return default
        if answer in ("y", "yes"):
            return True
        if answer in ("n", "no"):
            return False
        print("I didn't understand you. Please specify '(y)es' or '(n)o'.")  # noqa: T201  # it is a dialogue
