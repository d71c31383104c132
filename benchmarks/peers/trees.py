"""The trees that are copied: made once, copied to a fresh place, compared file by file outside of the clock."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

__all__ = ["SMALL_FILE", "copied", "small_file", "tree"]

SMALL_FILE = 1024

_DIRECTORIES = 10
_MEMORY = Path("/dev/shm")
_ROOM = 1 << 26


def _ground() -> str:
    """Where trees are made and copied to: in memory, where there is such a place.

    What a disk's file system takes to make a file is the same for everybody and hides what is compared. On ext4 it is
    also ten times as much for who comes after others that removed many files: it looks at each inode that became free
    in the last seconds.
    """
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return tempfile.gettempdir()
    fits = room.f_bavail * room.f_frsize > _ROOM and os.access(_MEMORY, os.W_OK)
    return str(_MEMORY) if fits else tempfile.gettempdir()


def tree(count: int, size: int) -> str:
    """A tree of so many files of that many bytes, in ten directories; the same one for everybody."""
    root = Path(_ground()) / f"openssh-compat-bench-{os.getuid()}-{count}x{size}"
    if not root.exists():
        making = Path(tempfile.mkdtemp(prefix=f"{root.name}-", dir=root.parent))
        for number in range(count):
            directory = making / f"d{number % _DIRECTORIES}"
            directory.mkdir(exist_ok=True)
            (directory / f"file{number}").write_bytes(os.urandom(size))
        try:
            making.rename(root)
        except OSError:  # another process was faster
            shutil.rmtree(making)
    return str(root)


def copied(copy: Callable[[str, str], object], count: int, size: int) -> float:
    """Seconds that `copy(source, target)` takes for a tree; what arrived is what was sent, or it raises."""
    source = tree(count, size)
    place = Path(tempfile.mkdtemp(prefix="openssh-compat-bench-", dir=_ground()))
    try:
        start = time.perf_counter()
        copy(source, str(place / "tree"))
        taken = time.perf_counter() - start
        if _digests(Path(source)) != _digests(place / "tree"):
            raise RuntimeError("what arrived is not what was sent")
    finally:
        shutil.rmtree(place)
    return taken


def small_file(copy: Callable[[str, str], object], count: int) -> list[float]:
    """Seconds of each of several copies of one small file."""
    source = f"{tree(_DIRECTORIES, SMALL_FILE)}/d0/file0"
    place = Path(tempfile.mkdtemp(prefix="openssh-compat-bench-", dir=_ground()))
    taken = []
    try:
        for number in range(count):
            target = place / str(number)
            start = time.perf_counter()
            copy(source, str(target))
            taken.append(time.perf_counter() - start)
            if target.read_bytes() != Path(source).read_bytes():
                raise RuntimeError("what arrived is not what was sent")
    finally:
        shutil.rmtree(place)
    return taken


def _digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()
    }
