"""What a person is told about a code base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import libcst

from .names import Status, Verdict, library_of, verdict_on
from .reading import uses_in
from .rewriting import rewritten


class Report:
    """Goes through files and remembers what it has seen.

    Args:
        libraries: those that count.
        everything: tell about names that are the same, too.

    Attributes:
        counts: how many names are `same`, `different` and `absent`; each name once.
        broken: files that are no Python.
    """

    def __init__(self, libraries: Collection[str], *, everything: bool) -> None:
        self._libraries = frozenset(libraries)
        self._everything = everything
        self._seen: set[Verdict] = set()
        self.broken: list[Path] = []

    @property
    def counts(self) -> Counter[str]:
        return Counter(verdict.status.value for verdict in self._seen)

    def of_file(self, path: Path, source: str) -> Iterator[str]:
        """The lines about one file."""
        try:
            uses = uses_in(source)
        except libcst.ParserSyntaxError as error:
            self.broken.append(path)
            yield f"{path}:{error.raw_line}: this is no Python that can be read"
            return
        for use in uses:
            library = (library_of(use.name) or "").rpartition(".")[2]
            if library not in self._libraries:
                continue
            verdict = verdict_on(use.name)
            self._seen.add(verdict)
            if verdict.status is not Status.SAME or self._everything:
                remark = f": {verdict.remark}" if verdict.remark else ""
                yield f"{path}:{use.line}: {verdict.name} is {verdict.status.value}{remark}"

    def rewritten(self, path: Path, source: str) -> str | None:
        """The file's new text, None where it stays as it is."""
        if path in self.broken:
            return None
        changed = rewritten(source, self._libraries)
        return changed if changed != source else None

    def summary(self) -> Iterator[str]:
        """The last lines."""
        counts = self.counts
        total = sum(counts.values())
        yield (
            f"{total} names used: {counts['same']} the same here, {counts['different']} different, "
            f"{counts['absent']} absent"
        )
        if self.broken:
            yield f"{len(self.broken)} files could not be read"
