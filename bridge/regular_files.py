"""Reading a file that somebody else may have put there: never for ever, never without end.

A pipe keeps its reader waiting, a device may have no end, and a link may lead to
a file that the reader may read and the person who made the link may not.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


class TooLongError(OSError):
    """The file holds more than it may."""


class OutsideError(OSError):
    """The file is a link that leads out of its folder."""


def read(file: Path, most: int, inside: Path | None = None) -> bytes:
    """The content of a regular file; raises OSError whose `strerror` says why not.

    `most` is in bytes. With `inside` a link may only lead to a place below that
    folder, as Kubernetes lays out a ConfigMap. What counts is the file that was
    opened, not what lay there a moment before.
    """
    real = os.path.realpath(file, strict=True)
    root = None if inside is None else os.path.realpath(inside, strict=True)
    _require_regular(Path(real).stat(), file)
    _require_inside(real, root, file)
    opened = os.open(real, _FLAGS)
    with os.fdopen(opened, "rb") as content:
        status = os.fstat(opened)
        _require_regular(status, file)
        _require_inside(_path_of(opened, real), root, file)
        if status.st_size > most or len(found := content.read(most + 1)) > most:
            raise TooLongError(errno.EFBIG, f"it is longer than {most:,} bytes", str(file))
        return found


def why(error: OSError) -> str:
    """What the system says, and whose the file is if that is the reason."""
    said = error.strerror or str(error)
    if error.errno not in (errno.EACCES, errno.EPERM) or not error.filename:
        return said
    try:
        owner = Path(error.filename).stat().st_uid
    except OSError:
        return f"{said}; this is {_user(os.geteuid())}"
    if owner == os.geteuid():
        return said
    return f"{said}: it belongs to {_user(owner)}, and this is {_user(os.geteuid())}"


def _user(number: int) -> str:
    try:
        return f"the user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"the user number {number}"


def is_below(path: Path, folder: Path) -> bool:
    """Whether it lies in the folder once all links are followed; raises OSError."""
    real, root = os.path.realpath(path, strict=True), os.path.realpath(folder, strict=True)
    return _is_below(real, root)


def _is_below(real: str, root: str) -> bool:
    return real == root or real.startswith(root.rstrip("/") + "/")


def _require_regular(status: os.stat_result, file: Path) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device and no file", str(file))


def _require_inside(real: str, root: str | None, file: Path) -> None:
    if root is not None and not _is_below(real, root):
        raise OutsideError(errno.EPERM, "it is a link that leads out of its folder", str(file))


def _path_of(opened: int, real: str) -> str:
    """Where the opened file lies, as far as the system tells."""
    try:
        return str(Path(f"/proc/self/fd/{opened}").readlink())
    except OSError:
        return real
