"""A logger that is there when there is something to say: with `logging` every program would pay 6 ms for the import."""

from __future__ import annotations


class Complaints:
    """The logger of that name.

    Args:
        name: as for `logging.getLogger`.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def exception(self, words: str, *values: object) -> None:
        """Log an error together with the exception that is being handled."""
        import logging

        logging.getLogger(self._name).exception(words, *values, stacklevel=2)

    def warning(self, words: str, *values: object) -> None:
        import logging

        logging.getLogger(self._name).warning(words, *values, stacklevel=2)
