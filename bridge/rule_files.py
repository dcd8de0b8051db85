"""The files of the rules: `rules.yaml` and, after it, `rules/*.yaml` in alphabetical order.

Names that begin with a dot, and editors' backups, are left out. A draft is a
file or folder that lies elsewhere and is to take the place of some of them. Links
may lead to files of the same folder alone: mistakes repeat lines of what was read.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from bridge.errors import ConfigurationError, Mistake, OperatorError
from bridge.regular_files import OutsideError, TooLongError, is_below, read, why
from bridge.rules import Rule, RuleSet, World
from bridge.rules.compile import compile_files, version_of
from bridge.rules.expected import Expectation
from bridge.settings import RULES_FILE

_Read = TypeVar("_Read", Mistake, Rule, Expectation)

FOLDER = "rules"
# Of all files together, as one file may hold.
MOST_CHARACTERS = 1_000_000
_MOST_BYTES_EACH = 4
_ENDING = ".yaml"
# As people and their editors write it, or hide it from them.
_MEANT = re.compile(r"(.*?)\.ya?ml(?:\.txt)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class RuleFiles:
    """Texts by their names below the configuration's folder, and where each lies.

    With a draft in it a text lies elsewhere than its name says.
    """

    folder: Path
    texts: Mapping[str, str]
    places: Mapping[str, Path]

    @property
    def version(self) -> str:
        """Also of files with mistakes."""
        return version_of(self.texts)

    @property
    def drafted(self) -> list[str]:
        """The names whose own files hold something else."""
        return [name for name, text in self.texts.items() if not self._holds(name, text)]

    def _holds(self, name: str, text: str) -> bool:
        try:
            return self.places[name] == self.folder / name or _own_text(self.folder / name) == text
        except OperatorError:
            return False

    @property
    def dropped(self) -> list[Path]:
        """The files that a draft's folder has no more."""
        return [self.folder / name for name in _names(self.folder) if name not in self.places]

    def compiled(self, world: World) -> RuleSet:
        """Raises ConfigurationError; mistakes, warnings, rules and tests carry the places."""
        try:
            rules = compile_files(self.texts, world, str(self.folder))
        except ConfigurationError as error:
            raise ConfigurationError([self._placed(each) for each in error.mistakes]) from None
        return replace(
            rules,
            rules=tuple(map(self._placed, rules.rules)),
            tests=tuple(map(self._placed, rules.tests)),
            warnings=tuple(map(self._placed, rules.warnings)),
        )

    def _placed(self, read: _Read) -> _Read:
        for name, place in self.places.items():
            if read.file == f"{self.folder}/{name}" != str(place):
                return replace(read, file=str(place))
        return read


@dataclass(frozen=True)
class Stamp:
    """What the files look like from outside; the same as long as nobody writes.

    `saved_at` is when the newest was written, `settled_at` the same or when one was
    added or taken away; Unix seconds. `is_whole`: rules.yaml is there.
    """

    marks: tuple[tuple[str, int, int, int], ...]
    saved_at: float = field(compare=False)
    settled_at: float = field(compare=False)
    owner: str = field(compare=False)
    is_whole: bool


def read_files(folder: Path) -> RuleFiles:
    """Raises OperatorError, which says what would be right."""
    return _read(folder, {name: folder / name for name in _names(folder)})


def read_draft(folder: Path, draft: Path) -> RuleFiles:
    """The files as they would be with the draft in its place; raises OperatorError.

    A file takes the place of the one in `rules` that is called like it, else that of
    rules.yaml. A folder takes the place of `rules`; with a rules.yaml in it, of both.
    """
    if not draft.exists():
        raise OperatorError(f"there is no file or folder {draft}")
    if not draft.is_dir():
        own = {name: folder / name for name in _names(folder)}
        return _read(folder, {**own, _place_of(draft, own): draft}, named=draft)
    if (draft / RULES_FILE).exists():
        return _read(folder, {name: draft / name for name in _names(draft)})
    inside = {f"{FOLDER}/{name}": draft / name for name in _listed(draft)}
    if not inside:
        raise OperatorError(
            f"{draft} holds no rules: neither {RULES_FILE} nor another file that ends in {_ENDING}"
        )
    return _read(folder, {RULES_FILE: folder / RULES_FILE, **inside})


def stamp_of(folder: Path) -> Stamp:
    """Cheap: asked for again and again. What cannot be looked at has no mark."""
    marks, newest, owner = [], 0.0, 0
    for name in (RULES_FILE, *_found(folder / FOLDER)):
        try:
            status = (folder / name).stat()
        except OSError:
            continue
        marks.append((name, status.st_mtime_ns, status.st_size, status.st_ino))
        if status.st_mtime >= newest:
            newest, owner = status.st_mtime, status.st_uid
    whole = any(mark[0] == RULES_FILE for mark in marks)
    settled = max(newest, _changed_at(folder / FOLDER))
    return Stamp(tuple(marks), newest, settled, _user(owner), whole)


def _place_of(draft: Path, own: Mapping[str, Path]) -> str:
    """The name of the file whose place the draft takes."""
    for name, place in own.items():
        if place.exists() and place.samefile(draft):
            return name
    alike = f"{FOLDER}/{draft.name}"
    return alike if alike in own else RULES_FILE


def _names(folder: Path) -> list[str]:
    """Of those that are in a configuration's folder; rules.yaml also where it is missing."""
    names = [RULES_FILE, *(f"{FOLDER}/{name}" for name in _listed(folder / FOLDER))]
    if len(names) > 1 and not is_below(folder / FOLDER, folder):
        raise OperatorError(
            f"{folder / FOLDER} is a link that leads out of {folder}; put the folder itself there"
        )
    return names


def _listed(folder: Path) -> list[str]:
    """The names of a folder's rules, in their order; raises OperatorError."""
    listed = []
    for name in _entries(folder):
        if name.startswith("."):
            continue
        if name.endswith(_ENDING):
            listed.append(_readable(folder, name))
        elif meant := _MEANT.fullmatch(name):
            right = f"{meant[1]}{_ENDING}"
            raise OperatorError(f"{folder / name} is not read: rename it to {right}")
    return sorted(listed, key=lambda name: (name.casefold(), name))


def _found(folder: Path) -> Iterator[str]:
    try:
        names = sorted(_entries(folder))
    except OperatorError:
        names = []
    for name in names:
        if not name.startswith(".") and _MEANT.fullmatch(name):
            yield f"{FOLDER}/{name}"


def _entries(folder: Path) -> list[str]:
    """Nothing where there is no folder; of one that cannot be read nobody knows what it holds."""
    try:
        return [each.name for each in folder.iterdir()]
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise OperatorError(f"{folder} is no folder; rename it, or put it into one") from None
    except OSError as error:
        raise OperatorError(f"{folder} cannot be read: {why(error)}") from error


def _readable(folder: Path, name: str) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        pass
    else:
        if name.isprintable():
            return name
    shown = "".join(each if each.isprintable() else "?" for each in name)
    raise OperatorError(f"{folder} holds a file whose name cannot be read ({shown}); rename it")


def _read(folder: Path, places: Mapping[str, Path], named: Path | None = None) -> RuleFiles:
    """`named` was chosen by the person who asks, and may be a link to anywhere."""
    texts: dict[str, str] = {}
    for name, place in places.items():
        texts[name] = _text(place) if place == named else _own_text(place)
        total = sum(map(len, texts.values()))
        if total > MOST_CHARACTERS:
            raise OperatorError(_too_large(place))
    return RuleFiles(folder, texts, places)


def _own_text(place: Path) -> str:
    return _text(place, inside=place.parent)


def _text(place: Path, inside: Path | None = None) -> str:
    """Raises OperatorError."""
    try:
        _refuse_endless(place)
        _refuse_other_names(place, inside)
        text = read(place, MOST_CHARACTERS * _MOST_BYTES_EACH, inside).decode("utf-8-sig")
    except FileNotFoundError:
        raise OperatorError(f"{place} is missing; make it, or set SHOWBRIDGE_CONFIG") from None
    except UnicodeDecodeError:
        raise OperatorError(f"{place} is not in UTF-8; save it as UTF-8 text") from None
    except TooLongError:
        raise OperatorError(_too_large(place)) from None
    except OutsideError:
        raise OperatorError(
            f"{place} is a link that leads out of its folder; put the file itself there"
        ) from None
    except OSError as error:
        raise OperatorError(f"{place} cannot be read: {why(error)}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refuse_endless(place: Path) -> None:
    """What is neither file nor folder, such as a pipe, may keep its reader waiting for ever."""
    if place.exists() and not (place.is_file() or place.is_dir()):
        raise OperatorError(f"{place} is no file; take it away, or put a text file there")


def _refuse_other_names(place: Path, inside: Path | None) -> None:
    """A link to what is no rules file, such as one that holds a secret.

    Raises OperatorError; OSError if there is nothing at its end.
    """
    if inside is None or not place.is_symlink():
        return
    if not is_below(place, inside):
        raise OutsideError
    if Path(os.path.realpath(place, strict=True)).suffix != _ENDING:
        raise OperatorError(
            f"{place} is a link to a file whose name does not end in {_ENDING}; rename that "
            "file, or put the file itself there"
        )


def _too_large(place: Path) -> str:
    return (
        f"{place} makes the rules longer than {MOST_CHARACTERS:,} characters, all files together; "
        "take out what is no longer needed"
    )


def _changed_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
