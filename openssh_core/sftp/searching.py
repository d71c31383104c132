"""Finding files by patterns, and by whatever a function says."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator

from .directories import Directories, OnError
from .entries import RemoteEntry
from .paths import RemotePathLike, join, to_text, to_wire

Wanted = Callable[[RemoteEntry], object]

_MAGIC = re.compile(r"[*?[]")


class Searching(Directories):
    """The part of a client that looks for files."""

    def find(
        self,
        top: RemotePathLike = ".",
        *,
        wanted: Wanted | None = None,
        descend: Wanted | None = None,
        follow_links: bool = False,
        on_error: OnError | None = None,
    ) -> Iterator[RemoteEntry]:
        """Everything below a directory, each directory before what is in it.

        Args:
            wanted: whether an entry is given out; without it all are.
            descend: whether a directory is gone into; without it all are.
            follow_links: go into links to directories, too; each directory only once.
            on_error: given the OSError of a directory that cannot be read; without it that one is left out.
        """
        seen: set[str] = set()
        stack: list[str | RemoteEntry] = [to_text(to_wire(top))]
        while stack:
            following = stack.pop()
            if isinstance(following, RemoteEntry):
                if wanted is None or wanted(following):
                    yield following
                if not following.is_dir(follow_symlinks=follow_links) or not (descend is None or descend(following)):
                    continue
                following = following.path
            try:
                if follow_links:
                    real = self._real(following)
                    if real in seen:
                        continue
                    seen.add(real)
                stack.extend(reversed(list(self.scandir(following))))
            except OSError as error:
                if on_error is not None:
                    on_error(error)

    def glob(self, pattern: RemotePathLike, *, hidden: bool = False, ignore_case: bool = False) -> list[str]:
        """The paths that match a pattern, sorted; see `iglob`."""
        return sorted(self.iglob(pattern, hidden=hidden, ignore_case=ignore_case))

    def iglob(self, pattern: RemotePathLike, *, hidden: bool = False, ignore_case: bool = False) -> Iterator[str]:
        """The paths that match a pattern, as they are found.

        Args:
            pattern: with `*`, `?`, `[abc]`, `[!abc]`, and `**` for any number of directories (links are not gone into).
            hidden: let them match a dot at the beginning of a name, too.
            ignore_case: take `A` for `a`.
        """
        text = to_text(to_wire(pattern))
        parts = [part for part in text.split("/") if part]
        root = "/" if text.startswith("/") else ""
        rules = _Rules(hidden, ignore_case)
        seen: set[str] = set()
        for path in self._matching(root, parts, rules):
            if path not in seen:
                seen.add(path)
                yield path

    def _matching(self, base: str, parts: list[str], rules: _Rules) -> Iterator[str]:
        if not parts:
            if base:
                yield base
            return
        part, rest = parts[0], parts[1:]
        if part == "**":
            yield from self._below(base, rest, rules)
        elif not _MAGIC.search(part) and not rules.ignore_case:
            path = join(base, part)
            if rest or self.exists(path, follow_symlinks=False):
                yield from self._matching(path, rest, rules)
        else:
            matches = rules.matcher(part)
            for entry in self._quietly(base):
                if matches(entry.name) and (not rest or entry.is_dir()):
                    yield from self._matching(entry.path, rest, rules)

    def _below(self, base: str, rest: list[str], rules: _Rules) -> Iterator[str]:
        stack = [base]
        while stack:
            directory = stack.pop()
            yield from self._matching(directory, rest, rules)
            for entry in self._quietly(directory):
                if not rules.hidden and entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                elif not rest:
                    yield entry.path

    def _quietly(self, directory: str) -> list[RemoteEntry]:
        """What is in a directory; nothing where it cannot be read, as glob(3)."""
        try:
            return list(self.scandir(directory or "."))
        except OSError:
            return []


class _Rules:
    def __init__(self, hidden: bool, ignore_case: bool) -> None:
        self.hidden = hidden
        self.ignore_case = ignore_case

    def matcher(self, part: str) -> Callable[[str], bool]:
        match = re.compile(fnmatch.translate(part), re.IGNORECASE if self.ignore_case else 0).match
        dots = self.hidden or part.startswith(".")
        return lambda name: (dots or not name.startswith(".")) and match(name) is not None
