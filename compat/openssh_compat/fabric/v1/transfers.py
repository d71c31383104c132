"""`put` and `get` of fabric 1: files, trees and patterns, as the account or by sudo."""

from __future__ import annotations

import glob
import io
import os
import posixpath
import re
import stat
from typing import Any

from openssh_core import Connection, OpenSSHError

from .._as_other import AsOther
from .connections import connection
from .operations import password_for_sudo
from .shellwords import with_wildcards
from .state import env, output
from .strings import AttributeList
from .utils import error

__all__ = ["get", "put"]

_PATTERN = re.compile(r"[*?\[]")


def put(
    local_path: Any = None,
    remote_path: Any = None,
    use_sudo: bool = False,
    mirror_local_mode: bool = False,
    mode: int | str | None = None,
    use_glob: bool = True,
    temp_dir: str = "",
) -> AttributeList:
    """Send files to the host.

    Args:
        local_path: a file, a directory with all that is in it, a pattern, or a file object, all of which is sent.
            Relative to `lcd`; `~` is a home directory here.
        remote_path: where to; a directory gets them under their own names. Relative to `cd`, or to the account's home
            directory, which it is when left out; `~` is a home directory there.
        use_sudo: write them as `env.sudo_user`, or root. A file that is there keeps its owner.
        mirror_local_mode: give them the modes they have here.
        mode: give them this mode: a number, or its octal digits as text.
        use_glob: False: `local_path` is no pattern.
        temp_dir: for fabric's sake: nothing lies about anywhere meanwhile.

    Returns:
        paths on the host; what could not be sent is in its `failed`.

    Raises:
        ValueError: there is no such file here.
    """
    wanted = int(mode, 8) if isinstance(mode, str) else mode
    sources = _sources(local_path, use_glob)
    way = _Way(connection(), use_sudo)
    if not remote_path and _is_file(sources[0]):
        raise ValueError("put(): a file object needs a remote_path")
    target = way.there(remote_path)
    into = not remote_path or len(sources) > 1 or str(remote_path).endswith("/") or way.is_dir(target)
    done: list[str] = []
    failed: list[Any] = []
    for source in sources:
        place = posixpath.join(target, _name_of(source)) if into else target
        _say("put", f"{_shown(source)} -> {place}")
        try:
            done += way.put(source, place, _mode_of(source) if mirror_local_mode and wanted is None else wanted)
        except (OSError, OpenSSHError) as reason:
            failed.append(source)
            error(f"put() of {_shown(source)} failed: {reason}")
    return AttributeList(done, failed)


def get(remote_path: Any, local_path: Any = None, use_sudo: bool = False, temp_dir: str = "") -> AttributeList:
    """Fetch files from the host.

    Args:
        remote_path: a file, a directory with all that is in it, or a pattern. Relative to `cd`, or to the account's
            home directory; `~` is a home directory there.
        local_path: where to: a path with `%(host)s`, `%(path)s`, `%(dirname)s` and `%(basename)s` in it, whose
            directories are made, or a file object. Relative to `lcd`; `%(host)s/%(path)s` when left out. Of a
            directory, `%(path)s` and `%(basename)s` are its name.
        use_sudo: read them as `env.sudo_user`, or root.
        temp_dir: for fabric's sake: nothing lies about anywhere meanwhile.

    Returns:
        paths here; what could not be fetched is in its `failed`.

    Raises:
        FileNotFoundError: nothing fits the pattern.
        ValueError: a file object cannot take more than one file.
    """
    way = _Way(connection(), use_sudo)
    names = way.fitting(way.there(remote_path))
    if _is_file(local_path) and (len(names) > 1 or way.is_dir(names[0])):
        raise ValueError(f"get(): {remote_path} is more than one file, and local_path a file object")
    done: list[str] = []
    failed: list[str] = []
    for name in names:
        place = local_path if _is_file(local_path) else _here(name, local_path)
        _say("download", f"{_shown(place)} <- {name}")
        try:
            done += way.get(name, place)
        except (OSError, OpenSSHError) as reason:
            failed.append(name)
            error(f"get() of {name} failed: {reason}")
    return AttributeList(done, failed)


class _Way:
    """How files get there and back.

    Args:
        host: the connection.
        use_sudo: as another user.
    """

    def __init__(self, host: Connection, use_sudo: bool) -> None:
        self._host = host
        self._other = AsOther(host, env.sudo_user or "root", password_for_sudo()) if use_sudo else None

    def there(self, path: Any) -> str:
        """The absolute path; `cd` counts, and `~`."""
        with self._host.sftp() as files:
            place = files.realpath(".")
            for part in (env.cwd, os.fspath(path or "")):
                if part.startswith("~"):
                    home, slash, rest = part.partition("/")
                    part = files.expand(home) + slash + rest  # the same place, by its full name
                place = posixpath.join(place, part) if part else place
            return place

    def is_dir(self, path: str) -> bool:
        """Whether it is a directory."""
        if self._other is not None:
            return self._other.is_dir(path)
        with self._host.sftp() as files:
            return files.isdir(path)

    def fitting(self, pattern: str) -> list[str]:
        """The files that fit; a path that is no pattern is its own."""
        if not _PATTERN.search(pattern):
            return [pattern]
        script = f"""for f in {with_wildcards(pattern)}; do test ! -e "$f" || printf '%s\\0' "$f"; done"""
        found = str(self._host.capture("sh", "-c", script)) if self._other is None else self._other.ask(script)
        if names := [name for name in found.split("\0") if name]:
            return names
        raise FileNotFoundError(f"nothing on {env.host_string} fits {pattern!r}")

    def put(self, source: Any, place: str, mode: int | None) -> list[str]:
        """Send a file, a tree or a file object; the paths of the files there."""
        if _is_file(source):
            stands = source.tell()
            source.seek(0)
            try:
                return self._put_from(source, place, mode)
            finally:
                source.seek(stands)
        tree = os.path.isdir(source)
        if self._other is not None:
            self._other.put(source, place, recursive=tree, mode=mode)
            return [place]
        report = self._host.put(source, place, recursive=tree)
        done = [item.target for item in report.done if not os.path.isdir(item.source)]
        if mode is not None:
            with self._host.sftp() as files:
                for path in done:
                    files.chmod(path, mode)
        return done

    def _put_from(self, source: Any, place: str, mode: int | None) -> list[str]:
        data = source.read()
        raw = io.BytesIO(data.encode() if isinstance(data, str) else data)
        if self._other is not None:
            self._other.put_from(raw, place, mode)
            return [place]
        self._host.put(raw, place)
        if mode is not None:
            with self._host.sftp() as files:
                files.chmod(place, mode)
        return [place]

    def get(self, name: str, place: Any) -> list[str]:
        """Fetch a file or a tree; the paths of the files here."""
        if _is_file(place):
            raw = io.BytesIO()
            if self._other is None:
                self._host.get(name, raw)
            else:
                self._other.get_into(name, raw)
            data = raw.getvalue()
            place.write(data.decode() if _takes_text(place) else data)
            return []
        os.makedirs(os.path.dirname(place), exist_ok=True)
        tree = self.is_dir(name)
        if self._other is not None:
            self._other.get(name, place, recursive=tree, preserve=False)
            return [place]
        report = self._host.get(name, place, recursive=tree)
        return [item.target for item in report.done if not os.path.isdir(item.target)]


def _sources(local_path: Any, use_glob: bool) -> list[Any]:
    if _is_file(local_path):
        return [local_path]
    path = os.path.join(env.lcwd, os.path.expanduser(os.fspath(local_path or ".")))
    sources = sorted(glob.glob(path)) if use_glob and _PATTERN.search(path) else [path]
    if not sources or not all(map(os.path.exists, sources)):
        raise ValueError(f"put(): '{path}' is neither a file here nor a pattern that fits one")
    return sources


def _here(name: str, local_path: Any) -> str:
    """The path here, of which `%(...)s` was filled in."""
    base = posixpath.basename(name.rstrip("/"))
    words = {
        "host": str(env.host_string).replace(":", "-"),
        "path": base,
        "basename": base,
        "dirname": "",
    }
    text = os.path.expanduser(os.fspath(local_path)) if local_path else "%(host)s/%(path)s"
    for word, value in words.items():
        text = text.replace(f"%({word})s", value)
    path = os.path.abspath(os.path.join(env.lcwd, text))
    return os.path.join(path, base) if text.endswith(os.sep) or os.path.isdir(path) else path


def _is_file(thing: Any) -> bool:
    return callable(getattr(thing, "write", None)) and callable(getattr(thing, "read", None))


def _takes_text(file: Any) -> bool:
    return isinstance(file, io.TextIOBase)


def _name_of(source: Any) -> str:
    name = getattr(source, "name", None) if _is_file(source) else os.path.abspath(source)
    if not isinstance(name, str):
        raise ValueError("put(): a file object without a name cannot be put into a directory")
    return os.path.basename(name)


def _mode_of(source: Any) -> int | None:
    return None if _is_file(source) or os.path.isdir(source) else stat.S_IMODE(os.stat(source).st_mode)


def _shown(place: Any) -> str:
    return "<file obj>" if _is_file(place) else str(place)


def _say(what: str, words: str) -> None:
    if output.running:
        print(f"[{env.host_string}] {what}: {words}")  # noqa: T201  # so says `running`
