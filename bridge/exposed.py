"""Files that others on this machine may read or change although they should not.

Told and never refused: some modes nobody can help, such as those of a mounted
secret. What lies on a read-only file system is left out for that reason, and a
group that this process or the file's owner belongs to is no stranger.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_READ, _WRITE = 0o4, 0o2
_ANY = 0o7


def exposed(private: Sequence[Path], folders: Sequence[Path], trusted: Sequence[Path]) -> list[str]:
    """What is open, and what to type.

    Nobody else may read or write what is `private`, or enter the private `folders`;
    nobody else may write what is `trusted`.
    """
    return [
        *_told(private, _READ | _WRITE, "chmod 600"),
        *_told(folders, _ANY, "chmod 700"),
        *_told(trusted, _WRITE, "chmod go-w"),
    ]


def _told(paths: Sequence[Path], wrong: int, remedy: str) -> Iterator[str]:
    for path in dict.fromkeys(paths):
        bits = _of_strangers(path) & wrong
        if bits:
            what = " and ".join(_words(bits))
            yield f"{path} can be {what} by other users of this machine: `{remedy} {path}`"


def _words(bits: int) -> Iterator[str]:
    if bits & (_READ | 0o1):
        yield "read"
    if bits & _WRITE:
        yield "written"


def _of_strangers(path: Path) -> int:
    """What other users may do; nothing if the path is not there or its mode cannot be changed."""
    try:
        status = path.stat()
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return 0
    except OSError:
        return 0
    mode = stat.S_IMODE(status.st_mode)
    bits = mode & _ANY
    if status.st_gid not in _own_groups(status.st_uid):
        bits |= mode >> 3 & _ANY
    return bits


def _own_groups(owner: int) -> set[int]:
    groups = {os.getgid(), *os.getgroups()}
    with suppress(KeyError):
        groups.add(pwd.getpwuid(owner).pw_gid)
    return groups
