"""Puts a draft's texts in the place of the rules' files: whole, or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from bridge.errors import OperatorError
from bridge.rule_files import RuleFiles
from bridge.settings import RULES_FILE


@contextmanager
def written_beside(files: RuleFiles) -> Iterator[Callable[[], list[Path]]]:
    """Write what lies elsewhere under other names, next to where it belongs.

    The function that is given puts all of it in place, one rename for each file, and
    takes away what the draft has no more; it returns the files that are different
    now. Without it the block leaves nothing. Raises OperatorError.
    """
    drafts: dict[Path, Path] = {}
    try:
        try:
            for name in files.drafted:
                own = files.folder / name
                drafts[own] = _beside(own.resolve())
                _make_folder(own.parent, files.folder)
                _write(drafts[own], files.texts[name], _model(own, files.folder))
        except OSError as error:
            raise OperatorError(
                f"{error.filename} cannot be written ({error.strerror}); put the draft there "
                "yourself, then `showbridge rules publish`"
            ) from error
        yield lambda: [*_put(drafts), *_taken_away(files)]
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink()


def _beside(own: Path) -> Path:
    # A name with a dot is none of the rules.
    return own.with_name(f".{own.name}.{secrets.token_hex(8)}")


def _make_folder(folder: Path, config: Path) -> None:
    """For the same people as the configuration: who publishes need not be who runs the bridge."""
    if not folder.exists():
        folder.mkdir()
        _give(folder, config)


def _model(own: Path, config: Path) -> Path:
    """The file that is replaced; a new one is for those who may read rules.yaml."""
    return own if own.exists() else config / RULES_FILE


def _write(draft: Path, text: str, model: Path) -> None:
    """For the same people as the model."""
    with draft.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        _give(draft, model)
        os.fsync(file.fileno())


def _give(path: Path, model: Path) -> None:
    """The same owner and mode, as far as this user may."""
    with suppress(FileNotFoundError):
        before = model.stat()
        path.chmod(before.st_mode & 0o7777)
        with suppress(PermissionError):
            os.chown(path, before.st_uid, before.st_gid)


def _put(drafts: Mapping[Path, Path]) -> Iterator[Path]:
    for own, draft in drafts.items():
        # As of now, so that whoever watches waits until all are in place.
        os.utime(draft)
        # Where the file is a link, what it leads to is replaced, and not the link.
        draft.replace(own.resolve())
        yield own
    for folder in {draft.parent for draft in drafts.values()}:
        _sync(folder)


def _taken_away(files: RuleFiles) -> Iterator[Path]:
    for own in files.dropped:
        own.unlink(missing_ok=True)
        yield own


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
